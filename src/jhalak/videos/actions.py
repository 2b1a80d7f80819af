"""Every write on a video: what its author changes, what processing finds, what viewers add up to.

`do_advance` is the only place where a state changes, and asks `states.FOLLOWS`. What the feed has
to know is written in the same transaction as the change (`emit_published`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.feed.events import Published, Removal, Withdrawn
from jhalak.feed.events import Visibility as FeedVisibility
from jhalak.options import options
from jhalak.people.models import Person
from jhalak.people.throttle import Throttle
from jhalak.problems import Conflict
from jhalak.records.models import Priority
from jhalak.videos import sounds, words
from jhalak.videos.access import no_video
from jhalak.videos.models import Piece, Video, VideoTag
from jhalak.videos.states import FOLLOWS, WATCHABLE, State, Visibility
from jhalak.videos.uploading import enqueue_processing

changes_of_person = Throttle(burst=120, every_s=10)
PROCESS, LADDER, PRUNE, TIDY = "videos.process", "videos.ladder", "videos.prune", "videos.tidy"
SCRUBBING, TRANSCRIBE, MODERN = "videos.scrubbing", "videos.transcribe", "videos.modern"


class WrongState(Exception):
    """A change of state that `states.FOLLOWS` does not know."""


# What the feed knows.


def emit_published(video: Video) -> None:
    """Tell the feed what this video is now, in the caller's transaction.

    Nothing when the feed may not hold it (`_served`): the feed was told when that began.
    """
    if not _served(video):
        return
    records.emit(as_published(video))


def as_published(video: Video) -> Published:
    """What the feed is told of a video that it may hold."""
    open_to_all = video.visibility == Visibility.PUBLIC and not video.author.private
    at = video.published_at or video.created
    return Published(
        video=video.pk,
        author=video.author_id,
        channel=video.channel.slug if video.channel else "",
        tags=tuple(video.tags),
        language=video.language,
        duration_ms=video.duration_ms,
        published_ms=int(at.timestamp() * 1000),
        visibility=FeedVisibility.PUBLIC if open_to_all else FeedVisibility.FOLLOWERS,
        sound=video.sound_id or 0,
    )


def _served(video: Video) -> bool:
    """Whether the feed may hold this video."""
    return (
        State(video.state) in WATCHABLE
        and video.withdrawn_at is None
        and video.visibility != Visibility.PRIVATE
        and video.author.is_active
    )


def locked(video_id: int) -> Video:
    """The row, held until the transaction ends. Raises NotFound when it was deleted."""
    rows = Video.objects.select_for_update(of=("self",)).select_related("author", "channel")
    video = rows.filter(pk=video_id).first()
    if video is None:
        raise no_video()
    return video


# What its author does.


class Changes(msgspec.Struct, frozen=True):
    """What an author changes; UNSET stays as it is."""

    caption: str | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    visibility: str | msgspec.UnsetType = msgspec.UNSET
    channel: str | msgspec.UnsetType = msgspec.UNSET  # a slug, "" for none


def do_change_video(author: Person, video: Video, changes: Changes) -> Video:
    """Change what is said of a video. The feed learns of it. Raises Invalid, NotFound, TooMany."""
    changes_of_person.spend(author.viewer_key)
    tags = None if changes.tags is msgspec.UNSET else words.tags(changes.tags)
    with transaction.atomic():
        row = locked(video.pk)
        served = _served(row)
        if changes.caption is not msgspec.UNSET:
            row.caption = words.caption(changes.caption)
        if tags is not None:
            row.tags = tags
            row.tag_rows.all().delete()
            VideoTag.objects.bulk_create([VideoTag(video=row, word=word) for word in row.tags])
        if changes.language is not msgspec.UNSET:
            row.language = words.language(changes.language)
        if changes.visibility is not msgspec.UNSET:
            row.visibility = words.visibility(changes.visibility)
        if changes.channel is not msgspec.UNSET:
            row.channel = words.channel(changes.channel)
        row.words = words.searchable(row.caption, row.tags)
        if row.published_at is None and _served(row):
            row.published_at = timezone.now()
        row.save(
            update_fields=[
                "caption", "tags", "language", "visibility", "channel", "words", "published_at"
            ]
        )  # fmt: skip
        if served and not _served(row):
            records.emit(Withdrawn(row.pk, Removal.PRIVATE))
        emit_published(row)
        sounds.want_sound(row)
        records.audit(author, "video.change", f"video:{row.public_id}", visibility=row.visibility)
    return row


def do_delete_video(author: Person, video: Video) -> None:
    """The video is gone with this; a job removes its files after the commit. Raises NotFound."""
    with transaction.atomic():
        row = locked(video.pk)
        if _served(row):
            records.emit(Withdrawn(row.pk, Removal.DELETED))
        for kind in (PROCESS, LADDER, PRUNE, SCRUBBING, TRANSCRIBE, MODERN, sounds.SOUND):
            records.cancel(kind, row.public_id)
        records.enqueue(TIDY, row.public_id, {"original": row.source_key}, priority=Priority.SOON)
        records.audit(author, "video.delete", f"video:{row.public_id}")
        row.delete()


def do_retry_video(author: Person, video: Video) -> None:
    """Try a failed video again from its original. Raises Conflict when it has not failed."""
    with transaction.atomic():
        row = locked(video.pk)
        if row.state != State.FAILED:
            raise Conflict("not_failed", _("This video has not failed: there is nothing to retry."))
        do_reopen(row)
        enqueue_processing(row, row.author)
        records.audit(author, "video.retry", f"video:{row.public_id}")


def do_reopen(video: Video) -> None:
    """A failed video is as it was received. Raises WrongState, NotFound."""
    do_advance(video.pk, State.RECEIVED, failure="", failure_detail="")


# What processing finds.


def do_advance(video_id: int, state: State, *, run: str | None = None, **columns: Any) -> Video:
    """Move a video to a state, with other columns that change with it.

    The one place where a state changes. `run`: the attempt that asks; one that was overtaken
    changes nothing (see `tasks`). Raises WrongState, NotFound.
    """
    with transaction.atomic():
        video = locked(video_id)
        if state not in FOLLOWS[State(video.state)] or run not in (None, video.run):
            raise WrongState(f"{video.public_id}: {video.state} -> {state}, run {run}")
        served = _served(video)
        video.state = state
        for name, value in columns.items():
            setattr(video, name, value)
        first_time = video.published_at is None and _served(video)
        if first_time:
            video.published_at = timezone.now()
        video.save(update_fields=["state", "published_at", *columns])
        if not served:
            emit_published(video)
        elif not _served(video):
            records.emit(Withdrawn(video.pk, Removal.FAILED))
        sounds.want_sound(video)
        if state is State.COMPLETE:
            for kind in (SCRUBBING, TRANSCRIBE) if options().speech_model else (SCRUBBING,):
                records.enqueue(
                    kind, video.public_id, priority=Priority.LATER, owner=video.author.viewer_key
                )
    return video


def do_fail(video_id: int, reason: str, detail: str) -> None:
    """A video cannot be used, for a reason that its author reads. Raises WrongState.

    A run that still makes it, because somebody cancelled it, is overtaken by that.
    """
    with transaction.atomic():
        video = do_advance(video_id, State.FAILED, failure=reason[:40], failure_detail=detail[:300])
        Video.objects.filter(pk=video_id).update(run="")
        Piece.objects.filter(video=video).delete()
        records.enqueue(TIDY, video.public_id, priority=Priority.LATER)


# What viewers add up to.


def do_count_views(counts: Mapping[int, tuple[int, int]]) -> None:
    """Add (views, full watches) to videos, by primary key. One row lock each, in one order."""
    table = connection.ops.quote_name(Video._meta.db_table)
    add = f"UPDATE {table} SET views = views + %s, full_watches = full_watches + %s WHERE id = %s"  # noqa: S608
    # As one statement that is run for each: on SQLite others wait for the lock meanwhile.
    rows = [(*counts[video_id], video_id) for video_id in sorted(counts)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(add, rows)


def do_announce(author: Person) -> None:
    """Tell the feed again of all that somebody published: the account became private, open,
    suspended, or is free again.
    """
    with transaction.atomic():
        for video in _public_of(author):
            if not video.author.is_active:
                records.emit(Withdrawn(video.pk, Removal.SUSPENDED))
            emit_published(video)
            sounds.want_sound(video)


def _public_of(author: Person) -> Iterable[Video]:
    return Video.objects.filter(author=author, state__in=WATCHABLE).select_related(
        "author", "channel"
    )
