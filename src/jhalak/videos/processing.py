"""What processing writes, step by step. Each step is one transaction and asks whether its run still
counts.

A run is one attempt of a worker at one video. Beginning a run puts its name into the row; every
later step compares. A worker that was overtaken (it hung, its lease ran out, another began anew)
changes nothing more, whatever it still believes: the name is a fencing token (Kleppmann, "How to do
distributed locking", 2016).
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q

from jhalak import media, records
from jhalak.options import options
from jhalak.records.models import Priority
from jhalak.videos import sounds
from jhalak.videos.actions import (
    LADDER,
    PRUNE,
    TIDY,
    WrongState,
    do_advance,
    emit_published,
    locked,
)
from jhalak.videos.making import Facts
from jhalak.videos.models import Piece, Rendition, Sound, Video
from jhalak.videos.states import WATCHABLE, State

PRUNE_AFTER_S = (
    900.0  # a player in the middle of the longest clip, twice over, still finds its pieces
)


AV1 = "av01"  # with this the codecs of such a rendition begin


def superseded() -> Q:
    """Renditions that new viewers do not get any more."""
    return Q(name=media.COPIED, video__first_rendition=media.LEVELLED)


def new_run() -> str:
    return secrets.token_hex(8)


def _of_run(video_id: int, run: str) -> Video:
    video = locked(video_id)
    if video.run != run:
        raise WrongState(f"{video.public_id}: run {run} was overtaken by {video.run}")
    return video


def do_begin(public_id: str) -> Video | None:
    """Begin a run of the first rendition; None when there is nothing to make.

    What is not playable yet starts again from `checking`, without the pieces of a dead run. What is
    playable by its pieces stays so: viewers are in the middle of it.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(public_id=public_id).first()
        if video is None or State(video.state) in (State.FAILED, State.COMPLETE):
            return None
        if video.state == State.PLAYABLE and video.first_rendition:
            return None
        Video.objects.filter(pk=video.pk).update(run=new_run())
        if video.state != State.PLAYABLE:
            Piece.objects.filter(video=video).delete()
            do_advance(video.pk, State.CHECKING)
    return Video.objects.select_related("author").get(pk=video.pk)


def do_begin_rest(public_id: str) -> Video | None:
    """Begin a run of the other renditions; None when there is nothing to make.

    Also of a video that was complete without them, when the operator has them tried again.
    """
    with transaction.atomic():
        rows = Video.objects.select_for_update().filter(public_id=public_id, state__in=WATCHABLE)
        video = rows.exclude(first_rendition="").first()
        if video is None:
            return None
        rest = video.renditions.exclude(name=video.first_rendition)
        if rest.exclude(codecs__startswith=AV1).exists():
            return None
        if video.first_rendition == media.LEVELLED:
            return None
        Video.objects.filter(pk=video.pk).update(run=new_run())
    return Video.objects.select_related("author").get(public_id=public_id)


def do_begin_modern(public_id: str) -> Video | None:
    """Begin a run of the renditions in AV1; None when there is nothing to make, or they are not
    wanted any more. Only of what is complete, so that no other run is overtaken by it.
    """
    if not options().av1_views:
        return None
    with transaction.atomic():
        rows = Video.objects.select_for_update().filter(public_id=public_id, state=State.COMPLETE)
        video = rows.filter(av1__isnull=True).first()
        if video is None:
            return None
        Video.objects.filter(pk=video.pk).update(run=new_run())
    return Video.objects.select_related("author").get(public_id=public_id)


def do_begin_scrubbing(public_id: str) -> Video | None:
    """Begin a run of storyboard and preview; None when there is nothing to make. Only what is
    complete has one, so that no other run is overtaken by it.
    """
    with transaction.atomic():
        rows = Video.objects.select_for_update().filter(public_id=public_id, state=State.COMPLETE)
        video = rows.filter(storyboard__isnull=True).first()
        if video is None:
            return None
        Video.objects.filter(pk=video.pk).update(run=new_run())
    return Video.objects.select_related("author").get(public_id=public_id)


def do_begin_sound(public_id: str) -> Video | None:
    """Begin a run of its sound; None when it is to have none, or has one."""
    with transaction.atomic():
        rows = Video.objects.select_for_update(of=("self",)).select_related("author")
        video = rows.filter(public_id=public_id).first()
        if video is None or not sounds.lacks_sound(video):
            return None
        video.run = new_run()
        Video.objects.filter(pk=video.pk).update(run=video.run)
    return video


def do_prepare(video: Video, facts: Facts) -> None:
    """The clip is taken: what it will be is known. Raises WrongState, NotFound."""
    do_advance(
        video.pk,
        State.PREPARING,
        run=video.run,
        duration_ms=facts.duration_ms,
        width=facts.width,
        height=facts.height,
    )


def do_set_posters(video: Video, base: str, colour: str) -> None:
    with transaction.atomic():
        _of_run(video.pk, video.run)
        Video.objects.filter(pk=video.pk).update(poster_base=base, poster_colour=colour)


def do_add_piece(video: Video, number: int, key: str, duration_ms: int) -> None:
    """One more piece can be watched. The first after the init part makes the video playable."""
    with transaction.atomic():
        row = _of_run(video.pk, video.run)
        Piece.objects.create(video=row, number=number, key=key, duration_ms=duration_ms)
        if number > 0 and row.state == State.PREPARING:
            do_advance(row.pk, State.PLAYABLE, run=video.run)


def _source(rendition: media.Rendition, start: int) -> list[Any]:
    """What a player must know of a rendition to choose it: name, width, height, average and peak
    bits a second, codecs, and how many bytes reach to the end of its first fragment.
    """
    return [
        *(rendition.name, rendition.width, rendition.height),
        *(rendition.average_bps, rendition.bitrate_bps, rendition.codecs, start),
    ]


def _keep(video: Video, rendition: media.Rendition, key: str) -> None:
    """In the transaction of the caller, who holds the video's row."""
    Rendition.objects.create(
        video=video,
        name=rendition.name,
        key=key,
        width=rendition.width,
        height=rendition.height,
        bitrate_bps=rendition.bitrate_bps,
        average_bps=rendition.average_bps,
        frame_rate=rendition.frame_rate,
        codecs=rendition.codecs,
        size=rendition.size,
        init_size=rendition.init_size,
        fragments=[msgspec.structs.astuple(fragment) for fragment in rendition.index],
    )
    begins = rendition.index[0]
    video.sources = sorted(
        [*video.sources, _source(rendition, begins.offset + begins.size)], key=lambda one: one[3]
    )
    Video.objects.filter(pk=video.pk).update(sources=video.sources)


def do_finish_first(video: Video, rendition: media.Rendition, key: str, *, more: bool) -> None:
    """The first rendition is whole. `more`: others follow. Raises WrongState, NotFound."""
    with transaction.atomic():
        row = _of_run(video.pk, video.run)
        _keep(row, rendition, key)
        facts = {
            "first_rendition": rendition.name,
            "width": rendition.width,
            "height": rendition.height,
            "duration_ms": rendition.duration_ms,
        }
        if row.state == State.PREPARING:
            do_advance(row.pk, State.PLAYABLE, run=video.run, **facts)
        else:
            Video.objects.filter(pk=row.pk).update(**facts)
            emit_published(locked(row.pk))  # its length may have changed by a frame
        if row.pieces.exists():
            records.enqueue(PRUNE, row.public_id, priority=Priority.LATER, delay_s=PRUNE_AFTER_S)
        if more:
            records.enqueue(
                LADDER, row.public_id, priority=Priority.NORMAL, owner=row.author.viewer_key
            )
        else:
            do_advance(row.pk, State.COMPLETE, run=video.run)


def do_finish_rest(video: Video, made: list[tuple[media.Rendition, str]]) -> None:
    with transaction.atomic():
        row = _of_run(video.pk, video.run)
        for rendition, key in made:
            _keep(row, rendition, key)
            if rendition.name == media.LEVELLED:
                _supersede(row)
        if row.state != State.COMPLETE:
            do_advance(row.pk, State.COMPLETE, run=video.run)


def do_finish_modern(video: Video, made: list[tuple[media.Rendition, str]]) -> None:
    """The renditions in AV1 are there. Raises WrongState, NotFound."""
    with transaction.atomic():
        row = _of_run(video.pk, video.run)
        for rendition, key in made:
            _keep(row, rendition, key)
        Video.objects.filter(pk=row.pk).update(av1=True)


def do_leave_modern(public_id: str) -> None:
    """They cannot be made: the video goes without. A run that still makes them is overtaken."""
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(public_id=public_id).first()
        if video is not None and not video.av1:
            Video.objects.filter(pk=video.pk).update(av1=False, run="")


def _supersede(row: Video) -> None:
    """New viewers get the copy whose loudness is right; those in the middle of the other stay."""
    sources = [one for one in row.sources if one[0] != media.COPIED]
    row.first_rendition, row.sources = media.LEVELLED, sources
    Video.objects.filter(pk=row.pk).update(first_rendition=media.LEVELLED, sources=sources)
    records.enqueue(PRUNE, row.public_id, priority=Priority.LATER, delay_s=PRUNE_AFTER_S)


def do_set_scrubbing(video: Video, base: str, board: media.Storyboard) -> None:
    """Storyboard and preview are there, under `base`. Raises WrongState, NotFound."""
    with transaction.atomic():
        row = _of_run(video.pk, video.run)
        size = (board.width, board.height, board.columns, board.cells, board.step_ms)
        Video.objects.filter(pk=row.pk).update(storyboard=size, scrub_base=base)


def do_leave_scrubbing(public_id: str) -> None:
    """They cannot be made: the video goes without. A run that still makes them is overtaken."""
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(public_id=public_id).first()
        if video is not None and not video.storyboard:
            Video.objects.filter(pk=video.pk).update(storyboard=[], run="")


def do_have_sound(
    video: Video, made: media.sounds.Sound, known: Sound | None, after: int, key: str
) -> None:
    """Say which sound a video has (`sounds.do_settle`), and tell the feed; nothing when it is not
    open to all any more. Raises WrongState, NotFound.
    """
    with transaction.atomic():
        row = _of_run(video.pk, video.run)
        if not sounds.lacks_sound(row):
            return
        row.sound = sounds.do_settle(row, made, known, after, key)
        if row.sound is None:
            raise WrongState(f"{row.public_id}: the sound that it was found to have is gone")
        row.save(update_fields=["sound"])
        emit_published(row)


def do_prune(public_id: str) -> None:
    """What another rendition replaced is taken away, pieces or a copy, and the objects after it."""
    with transaction.atomic():
        whole = Video.objects.filter(public_id=public_id).exclude(first_rendition="")
        Piece.objects.filter(video__in=whole).delete()
        Rendition.objects.filter(superseded(), video__public_id=public_id).delete()
        records.enqueue(TIDY, public_id, priority=Priority.LATER)
