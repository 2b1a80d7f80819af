"""Sounds: what is one sound, who may take it, and what becomes of it.

The rules:

- A sound is made of the first rendition of a video that everybody may see, once that is complete
  (or is opened to everybody later). What is not open to all gives no sound.
- Sounds with the same fingerprint are one: a video that brings a sound that is known has that one.
- Its page is there for whoever may see a video that has it, and shows those.
- It can be heard by itself and taken for an upload while the video that it comes from is there for
  everybody, and for the one who asks: not after that was deleted, withdrawn or closed.
- Its file goes with that video. What was made with it stays: each is a video of its own, and is
  withdrawn by itself. What waits to be made with it fails, with a reason.
- A sound whose video was deleted comes back with the next video that brings it itself.
- The row goes when no video has the sound.
"""

from __future__ import annotations

import re
from collections import Counter

import msgspec
from django.db import connection
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from jhalak import media, records
from jhalak.people.access import Viewer
from jhalak.people.models import Person
from jhalak.problems import Invalid, NotFound
from jhalak.records.models import Priority
from jhalak.videos.access import visible_videos
from jhalak.videos.models import Sound, SoundWord, Video
from jhalak.videos.states import State, Visibility

SOUND = "videos.sound"
GONE = "sound_gone"
LOOKED_AT = 200  # sounds of one word: silences and steady tones have the same in very many
COMPARED = 20  # of those found by words, the ones with most words in common
ANYBODY = Viewer("")
_PUBLIC_ID = re.compile(r"\A[A-Za-z0-9_-]{12}\Z")


# Who may.


def access_sound(viewer: Viewer, public_id: str) -> Sound:
    """The sound of a public id, if the viewer may see a video that has it. Raises NotFound."""
    has = Exists(visible_videos(viewer).filter(sound=OuterRef("pk")))
    found = _by_id(Sound.objects.filter(has), public_id)
    if found is None:
        raise no_sound()
    return found


def open_sounds(viewer: Viewer) -> QuerySet[Sound]:
    """Those that this viewer may hear by themselves and take for an upload."""
    open_to_all = visible_videos(viewer).filter(visibility=Visibility.PUBLIC, author__private=False)
    return Sound.objects.filter(origin__in=open_to_all).select_related("origin__author")


def open_sound(viewer: Viewer, public_id: str) -> Sound | None:
    return _by_id(open_sounds(viewer), public_id)


def taken(person: Person, public_id: str) -> Sound | None:
    """The sound that an upload names; None for "". Raises Invalid when it may not be taken."""
    if not public_id:
        return None
    found = open_sound(Viewer.member(person), public_id)
    if found is None:
        message = _("This sound is not there any more, or not for you to use. Choose another.")
        raise Invalid("no_such_sound", message, field="sound")
    return found


def _by_id(sounds: QuerySet[Sound], public_id: str) -> Sound | None:
    """What cannot be an id is not looked up: some texts no database takes."""
    return sounds.filter(public_id=public_id).first() if _PUBLIC_ID.match(public_id) else None


def no_sound() -> NotFound:
    return NotFound("no_such_sound", _("There is no such sound, or it is not for you to hear."))


def title_of(sound: Sound | None) -> str:
    """What one that is open is called; None for one that is not: then nobody is named."""
    if sound is None or sound.origin is None:
        return now("Original sound")
    return now("Original sound · @%(handle)s") % {"handle": sound.origin.author.handle}


class SoundPage(msgspec.Struct, frozen=True):
    """`src` is empty when it may not be heard by itself, or taken, any more; `handle` then too."""

    id: str
    title: str
    handle: str
    videos: int
    duration_ms: int
    src: str


def sound_card(viewer: Viewer, public_id: str) -> SoundPage:
    """Raises NotFound."""
    found = access_sound(viewer, public_id)
    opened = open_sound(viewer, public_id)
    return SoundPage(
        found.public_id,
        title_of(opened),
        opened.origin.author.handle if opened and opened.origin else "",
        visible_videos(viewer).filter(sound=found).count(),
        found.duration_ms,
        f"/media/sounds/{found.public_id}.m4a" if opened else "",
    )


def borrowed_key(video: Video) -> str | None:
    """The object of the sound that this video is made with: None for its own, "" when that sound
    may not be taken any more.
    """
    if not video.borrowed:
        return None
    found = open_sounds(ANYBODY).filter(videos=video).first()
    return found.key if found else ""


# What becomes of it.


def lacks_sound(video: Video) -> bool:
    """Whether a sound is to be made of this video."""
    return (
        video.state == State.COMPLETE
        and video.duration_ms >= media.sounds.LEAST_MS
        and video.sound_id is None
        and not video.borrowed
        and video.visibility == Visibility.PUBLIC
        and video.withdrawn_at is None
        and not video.author.private
        and video.author.is_active
    )


def want_sound(video: Video) -> None:
    """Have it made, in the caller's transaction, if it is to be."""
    if lacks_sound(video):
        records.enqueue(
            SOUND, video.public_id, priority=Priority.LATER, owner=video.author.viewer_key
        )


def latest() -> int:
    return Sound.objects.aggregate(last=Max("pk"))["last"] or 0


def find_sound(fingerprint: bytes, *, after: int = 0) -> Sound | None:
    """The sound that has this fingerprint, as far as it can be told. `after`: only younger ones."""
    shared: Counter[int] = Counter()
    for word in media.sounds.index_words(fingerprint):
        rows = SoundWord.objects.filter(word=word, sound_id__gt=after).order_by("sound_id")
        shared.update(rows.values_list("sound_id", flat=True)[:LOOKED_AT])
    likely = [pk for pk, _count in shared.most_common(COMPARED)]
    found = [
        (media.sounds.difference(fingerprint, bytes(one.fingerprint)), one.pk, one)
        for one in Sound.objects.filter(pk__in=likely)
    ]
    best = min(found, default=None, key=lambda each: each[:2])
    return best[2] if best and best[0] <= media.sounds.MOST_DIFFERENT else None


def do_settle(
    origin: Video, made: media.sounds.Sound, known: Sound | None, after: int, key: str
) -> Sound | None:
    """The one sound that `made` is: `known`, or one that came after `after` was the latest, or a
    new one from `origin` with the object `key`. None: what was known is gone, and there is no key.

    In the caller's transaction, and one at a time until that ends, so that what two workers bring
    at once is one sound.
    """
    if connection.vendor == "postgresql":  # SQLite lets one writer in at a time anyhow
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(Sound._meta.db_table)
            cursor.execute(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
    sound = Sound.objects.filter(pk=known.pk).first() if known else None
    sound = sound or find_sound(made.fingerprint, after=after)
    if sound is None and key:
        sound = Sound.objects.create(
            origin=origin, key=key, duration_ms=made.duration_ms, fingerprint=made.fingerprint
        )
        words = media.sounds.index_words(made.fingerprint)
        SoundWord.objects.bulk_create(SoundWord(sound=sound, word=word) for word in words)
    elif sound is not None and sound.origin_id is None and key:
        sound.origin, sound.key, sound.duration_ms = origin, key, made.duration_ms
        sound.save(update_fields=["origin", "key", "duration_ms"])
    return sound


def do_forget_sounds() -> None:
    """Sounds that no video has."""
    Sound.objects.filter(origin=None, videos=None).delete()
