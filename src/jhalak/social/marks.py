"""Marks on videos: like, save, share.

A mark is a row, and the counter on the video moves in the same transaction, only when the row
really came or went: pressing twice, or from two browsers at once, counts once.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from jhalak import records
from jhalak.feed.events import Event, Liked, Saved, Shared, Unliked, Unsaved
from jhalak.people.actions import now_ms
from jhalak.people.models import Person
from jhalak.social.models import Like, Save, Share
from jhalak.videos.access import no_video
from jhalak.videos.models import Video


def _put(rows: type[Like | Save | Share], counter: str, person: Person, video: Video) -> bool:
    """Makes the row and counts it. True when it is new. Raises NotFound when the video went."""
    _row, made = rows._default_manager.get_or_create(person=person, video=video)
    if made and not Video.objects.filter(pk=video.pk).update(**{counter: F(counter) + 1}):
        raise no_video()
    return made


def _take(rows: type[Like | Save], counter: str, person: Person, video: Video) -> bool:
    gone, _each = rows._default_manager.filter(person=person, video=video).delete()
    if gone:
        Video.objects.filter(pk=video.pk).update(**{counter: F(counter) - 1})
    return bool(gone)


def do_like(person: Person, video: Video) -> None:
    with transaction.atomic():
        if _put(Like, "likes", person, video):
            _emit(Liked, person.viewer_key, video)


def do_unlike(person: Person, video: Video) -> None:
    with transaction.atomic():
        if _take(Like, "likes", person, video):
            _emit(Unliked, person.viewer_key, video)


def do_save(person: Person, video: Video) -> None:
    with transaction.atomic():
        if _put(Save, "saves", person, video):
            _emit(Saved, person.viewer_key, video)


def do_unsave(person: Person, video: Video) -> None:
    with transaction.atomic():
        if _take(Save, "saves", person, video):
            _emit(Unsaved, person.viewer_key, video)


def do_share(viewer_key: str, person: Person | None, video: Video) -> None:
    """Somebody passed a video on. Members count once each; guests are noticed and not counted."""
    with transaction.atomic():
        if person is None or _put(Share, "shares", person, video):
            _emit(Shared, viewer_key, video)


def _emit(
    kind: type[Liked | Unliked | Saved | Unsaved | Shared], viewer_key: str, video: Video
) -> None:
    event: Event = kind(viewer=viewer_key, video=video.pk, at_ms=now_ms())
    records.emit(event)
