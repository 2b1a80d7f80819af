"""Why a video could not be used, in words for its author: what is wrong, and what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from jhalak.media import Reason
from jhalak.videos import sounds

INTERNAL = "internal"
CANCELLED = "cancelled"

TEXTS: dict[str, str] = {
    Reason.EMPTY_FILE: gettext_noop("This file is empty. Choose the video again."),
    Reason.NOT_A_VIDEO: gettext_noop(
        "This file is not a video. Choose an MP4, MOV, MKV or WebM file."
    ),
    Reason.STILL_IMAGE: gettext_noop("This is a picture, not a video. Choose a video."),
    Reason.ONLY_SOUND: gettext_noop("This file has no picture in it. Choose a video."),
    Reason.WRONG_CONTAINER: gettext_noop("This kind of video file is not taken. Save it as MP4."),
    Reason.WRONG_CODEC: gettext_noop(
        "The picture in this video cannot be read here. Save it as MP4 with H.264."
    ),
    Reason.WRONG_SOUND: gettext_noop(
        "The sound in this video cannot be read here. Save it as MP4 with AAC sound."
    ),
    Reason.WRONG_COLOURS: gettext_noop(
        "This video is in a form of Dolby Vision whose colours cannot be shown elsewhere. "
        "Save it as MP4 without Dolby Vision."
    ),
    Reason.ENCRYPTED: gettext_noop("This video is locked by its maker. Choose one that is yours."),
    Reason.DAMAGED: gettext_noop("This video is damaged or not whole. Save or record it again."),
    Reason.TOO_LONG: gettext_noop(
        "This video is too long. At most 3 minutes: cut it and try again."
    ),
    Reason.TOO_SHORT: gettext_noop("This video is too short to watch. Choose a longer one."),
    Reason.TOO_BIG: gettext_noop("This file is too large. Cut the video or save it smaller."),
    Reason.TOO_SMALL: gettext_noop("The picture is too small to watch. Choose a larger one."),
    Reason.TOO_MANY_PIXELS: gettext_noop("The picture is too large. Save the video in 4K or less."),
    Reason.TOO_MANY_FRAMES: gettext_noop(
        "This video has too many frames. Cut it, or save it with fewer."
    ),
    Reason.TOO_MANY_TRACKS: gettext_noop(
        "This file holds too many tracks. Save it with one picture and one sound."
    ),
    Reason.TOO_HEAVY: gettext_noop(
        "This video takes too long to prepare. Save it smaller and try again."
    ),
    CANCELLED: gettext_noop("The operator of this site stopped it. Try again, or ask them."),
    sounds.GONE: gettext_noop(
        "The sound that you chose is not there any more. Upload it again with another, or its own."
    ),
    INTERNAL: gettext_noop("Something went wrong on our side. Your video is safe: try again."),
}


def text(reason: str) -> str:
    """The sentence of a reason in the language of the request."""
    return _(TEXTS.get(reason, TEXTS[INTERNAL]))
