"""What the columns of this app hold, why, for how long, and how they end: see
jhalak.border.data_map.
"""

from __future__ import annotations

from jhalak.border.data_map import (
    WHILE_INSTALLATION,
    WHILE_ITEM,
    Basis,
    Column,
    DataClass,
    Erasure,
    Purpose,
    Subject,
    days,
    technical,
)

# What somebody published, and who it was: goes with the video, and the video with its author.
_POST = Column(DataClass.PUBLIC_POST, Purpose.SERVICE, Basis.SERVICE, WHILE_ITEM)
_FOUND = technical(WHILE_ITEM, "what processing found or made")
_SOUND = Column(
    DataClass.PUBLIC_POST,
    Purpose.SERVICE,
    Basis.SERVICE,
    WHILE_ITEM,
    Erasure.ANONYMISE,
    "points to nobody once its first video is gone, and goes with the last that has it",
)
_COUNT = technical(WHILE_ITEM, "a sum over viewers: about nobody")
_WITHDRAWN = Column(
    DataClass.SAFETY_RECORD, Purpose.SAFETY, Basis.LEGAL_DUTY, WHILE_ITEM, Erasure.DELETE
)
_CHANNEL = technical(WHILE_INSTALLATION, "curated by the operator")
# An upload nobody continues ends after `upload_expiry`; two days cover the sweep after it.
_UPLOAD = Column(DataClass.PUBLIC_POST, Purpose.SERVICE, Basis.SERVICE, days(2))
_UNDER_WAY = technical(days(2), "how far an upload is")

_RUNNER_COLUMNS = ("id", "name", "token_hash", "created", "seen", "done", "done_on")
_RUNNER = technical(WHILE_INSTALLATION, "a machine of the operator, until it is removed")

COLUMNS: dict[str, Column] = {
    **{f"Runner.{name}": _RUNNER for name in _RUNNER_COLUMNS},
    **{
        f"Channel.{name}": _CHANNEL
        for name in ("id", "slug", "name", "name_hi", "description", "description_hi", "colour")
    },
    **{f"Upload.{name}": _UPLOAD for name in ("owner_id", "details", "metadata", "video")},
    **{f"Upload.{name}": _UNDER_WAY for name in ("id", "size", "offset", "created", "expires")},
    **{
        f"Video.{name}": _POST
        for name in (
            "id", "public_id", "author_id", "channel_id", "upload_id", "caption", "tags", "words",
            "captions", "language", "visibility", "created", "published_at", "source_key",
            "source_size", "sound_id", "borrowed",
        )
    },
    **{
        f"Video.{name}": _FOUND
        for name in (
            "state", "failure", "failure_detail", "run", "duration_ms", "width", "height",
            "poster_colour", "poster_base", "first_rendition", "av1", "storyboard",
            "scrub_base", "sources",
        )
    },
    **{f"Video.{name}": _WITHDRAWN for name in ("withdrawn_at", "withdrawn_reason")},
    **{
        f"Video.{name}": _COUNT
        for name in ("views", "full_watches", "likes", "saves", "shares")
    },
    **{
        f"Caption.{name}": _POST
        for name in ("id", "video_id", "language", "source", "text", "words")
    },
    **{
        f"Sound.{name}": _SOUND
        for name in (
            "id", "public_id", "origin_id", "key", "duration_ms", "fingerprint", "created",
        )
    },
    **{f"SoundWord.{name}": _SOUND for name in ("id", "sound_id", "word")},
    **{f"VideoTag.{name}": _POST for name in ("id", "video_id", "word")},
    **{
        f"Rendition.{name}": _FOUND
        for name in (
            "id", "video_id", "name", "key", "width", "height", "bitrate_bps", "average_bps",
            "frame_rate", "codecs", "size", "init_size", "fragments",
        )
    },
    **{f"Piece.{name}": _FOUND for name in ("id", "video_id", "number", "key", "duration_ms")},
}  # fmt: skip

_OF_VIDEO = Subject(("video__author",))

SUBJECTS: dict[str, Subject] = {
    "Upload": Subject(("owner",)),
    "Video": Subject(("author",)),
    **dict.fromkeys(("Caption", "VideoTag", "Rendition", "Piece"), _OF_VIDEO),
    "Sound": Subject(("origin__author",)),
    "SoundWord": Subject(("sound__origin__author",)),
}
OBJECTS: dict[str, Column] = {"videos/": _POST, "originals/": _POST}
