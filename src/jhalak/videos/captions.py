"""What is said in a video, as text with times: one `Caption` for each language, and who may write.

Files (WebVTT, SubRip) and the studio's editor give cues; they are cleaned like everything that
people write, checked by the media engine, and kept as the WebVTT that players fetch. What cards
need of them stands in `Video.captions` too, as tags do, so that no list has to ask for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from jhalak import media, records
from jhalak.media.webvtt import MOST_BYTES, MOST_CHARACTERS, Cue, Unreadable, Why
from jhalak.people.models import Person
from jhalak.people.text import clean
from jhalak.problems import Invalid, NotFound, Problem, TooLarge
from jhalak.videos import words
from jhalak.videos.actions import locked
from jhalak.videos.models import Caption, Video
from jhalak.videos.states import CaptionSource

MOST_LANGUAGES = 24
UNKNOWN_LENGTH_MS = int(media.Limits().seconds * 1000)  # of a clip that is not looked at yet

TEXTS = {
    Why.TOO_BIG: _("This is too large for captions. At most 256 KB."),
    Why.NOT_TEXT: _("This file is no text that can be read. Save it as UTF-8."),
    Why.NOT_CAPTIONS: _("No captions with words were found. Choose a .vtt or .srt file."),
    Why.BAD_TIME: _(
        "Line %(place)d: the times cannot be read. Write an empty line, then 00:01.000 --> "
        "00:02.500, then the words."
    ),
    Why.TOO_MANY: _("These are too many captions. At most 1000."),
    Why.TOO_LONG: _("Caption %(place)d is too long. At most 500 characters."),
    Why.BACKWARDS: _("Caption %(place)d ends before it begins."),
    Why.OUT_OF_ORDER: _("Caption %(place)d begins before the one above it."),
    Why.AFTER_THE_END: _("Caption %(place)d begins when the clip is over."),
}


def problem(error: Unreadable) -> Problem:
    """What is wrong with captions, in words. The field names the cue: "cues.0" is the first."""
    code, message = f"captions_{error.why.value}", TEXTS[error.why] % {"place": error.place}
    if error.why is Why.TOO_BIG:
        return TooLarge(code, message)
    if error.why is Why.BAD_TIME or not error.place:
        return Invalid(code, message, field="cues")
    return Invalid(code, message, field=f"cues.{error.place - 1}")


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the editor sends."""

    cues: list[Cue]


def read(body: bytes, content_type: str) -> tuple[list[Cue], CaptionSource]:
    """The cues in a request's body: JSON of the editor, else a file. Raises Invalid, TooLarge."""
    try:
        if content_type != "application/json":
            return media.webvtt.parse(body), CaptionSource.UPLOADED
        if len(body) > MOST_BYTES:
            raise Unreadable(Why.TOO_BIG)
        return msgspec.json.decode(body, type=_Written).cues, CaptionSource.EDITED
    except Unreadable as error:
        raise problem(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = _("These captions could not be read: send cues with start_ms, end_ms and text.")
        raise Invalid("captions_unreadable", message, field="cues") from error


def _cleaned(cues: Sequence[Cue], duration_ms: int) -> list[Cue]:
    try:
        for number, cue in enumerate(cues, 1):
            if len(cue.text) > 4 * MOST_CHARACTERS:  # cleaning makes nothing that long short
                raise Unreadable(Why.TOO_LONG, number)
        clear = [Cue(cue.start_ms, cue.end_ms, clean(cue.text, lines=True)) for cue in cues]
        return media.webvtt.checked(clear, duration_ms)
    except Unreadable as error:
        raise problem(error) from error


def do_put_captions(
    author: Person | None, video: Video, language: str, cues: Sequence[Cue], source: CaptionSource
) -> Caption:
    """Keep the captions of a language, in place of those that were there.

    `author`: None when a machine heard them; then what somebody wrote stays, and is returned.
    Raises Invalid (cues, language), NotFound.
    """
    language = words.language(language)
    with transaction.atomic():
        row = locked(video.pk)
        old = Caption.objects.filter(video=row, language=language).first()
        if old and source == CaptionSource.AUTOMATIC != old.source:
            return old
        if old is None and row.caption_rows.count() >= MOST_LANGUAGES:
            message = _("At most 24 languages. Delete one that is not needed.")
            raise Invalid("too_many_languages", message, field="language")
        kept = _cleaned(cues, row.duration_ms or UNKNOWN_LENGTH_MS)
        spoken = words.fold(" ".join(cue.text for cue in kept))
        values = {"source": source, "text": media.webvtt.write(kept), "words": spoken}
        made, _new = Caption.objects.update_or_create(video=row, language=language, defaults=values)
        _list_again(row)
        records.audit(
            author, "captions.put", f"video:{row.public_id}", language=language, source=source
        )
    return made


def do_put_heard(video: Video, heard: media.speech.Heard) -> None:
    """Keep what a machine heard. What it heard beyond the clip's end, or as nothing, is left out.

    Raises NotFound when the video was deleted.
    """
    end = video.duration_ms
    cues = [cue for cue in media.speech.lines(heard.words) if cue.start_ms < end]
    if cues:
        do_put_captions(None, video, heard.language, cues, CaptionSource.AUTOMATIC)


def do_delete_captions(author: Person, video: Video, language: str) -> None:
    """Raises NotFound when there are none."""
    with transaction.atomic():
        row = locked(video.pk)
        if not _of(row, language).delete()[0]:
            raise no_captions()
        _list_again(row)
        records.audit(author, "captions.delete", f"video:{row.public_id}", language=language)


def _list_again(video: Video) -> None:
    video.captions = [
        [row.language, row.source, hashlib.sha256(row.text.encode()).hexdigest()[:8]]
        for row in video.caption_rows.order_by("language")
    ]
    video.save(update_fields=["captions"])


def captions_of(video: Video, language: str) -> Caption:
    """The captions of a video that the caller may see. Raises NotFound."""
    found = _of(video, language).first()
    if found is None:
        raise no_captions()
    return found


def _of(video: Video, language: str) -> QuerySet[Caption]:
    """What cannot be a language is not looked up: some texts no database takes."""
    if not words.is_language(language):
        return Caption.objects.none()
    return Caption.objects.filter(video=video, language=language)


def no_captions() -> NotFound:
    return NotFound("no_such_captions", _("There are no captions in this language."))
