"""Jobs of this app: from an original to something to watch, and tidying up.

    videos.process   check, prepare, and the first rendition: playable with its first pieces
    videos.ladder    the other renditions, at lower priority
    videos.modern    renditions in AV1, of what is watched most
    videos.scrubbing        storyboard and preview, of the first rendition
    videos.transcribe        captions heard by a machine, where the operator brought a model
    videos.sound     the sound of a video that everybody may see, as a sound of its own
    videos.prune     take the pieces away, once players have moved on to the whole file
    videos.tidy      remove the objects of one video that no row names
    videos.announce_author   tell the feed again of what somebody published
    videos.sweep     the same for everything, and uploads that nobody continues

A job may be killed anywhere and runs again from its start. Objects are put before the rows that
name them are written; an object without a row is nobody's and goes with the next run or the sweep.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from jhalak import media, records
from jhalak.options import options
from jhalak.people.models import Person
from jhalak.problems import Conflict, NotFound
from jhalak.records.jobs import GiveUp, LeaseLost, Priority, Progress, every, task
from jhalak.records.models import Job
from jhalak.records.states import LIVE
from jhalak.videos import files, making, processing, reasons, sounds, sweeping
from jhalak.videos.actions import (
    LADDER,
    MODERN,
    PROCESS,
    PRUNE,
    SCRUBBING,
    TIDY,
    TRANSCRIBE,
    WrongState,
    do_advance,
    do_announce,
    do_fail,
    do_reopen,
)
from jhalak.videos.captions import do_put_heard
from jhalak.videos.house import House, limits, source_of, start_of
from jhalak.videos.keys import work_folder, work_of
from jhalak.videos.models import Rendition, Sound, Video
from jhalak.videos.states import State

log = logging.getLogger(__name__)

_MODERN_AT_ONCE = 4  # jobs that wait or run


@contextmanager
def _room(video: Video) -> Iterator[Path]:
    """A folder for one run. What earlier runs of this video left, on disk or in the store, goes
    first.
    """
    for left in work_of(video.public_id):
        shutil.rmtree(left, ignore_errors=True)
    sweeping.tidy(video.public_id)
    if not files.leaves(3 * video.source_size, files.LAST):  # the original, and what is made of it
        raise OSError(errno.ENOSPC, "the disk is nearly full: nothing is begun")
    room = work_folder() / f"{video.public_id}.{video.run}"
    room.mkdir(parents=True)
    try:
        yield room
    except LeaseLost:
        sweeping.tidy(video.public_id)
        raise
    except NotFound:
        log.info("%s was deleted while it was being made", video.public_id)
        sweeping.tidy(video.public_id)
    except WrongState as error:
        sweeping.tidy(video.public_id)
        raise LeaseLost(str(error)) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _fetch(key: str, room: Path, name: str = "original") -> Path:
    source = room / name
    with records.objects().open(key) as stored, source.open("wb") as file:
        shutil.copyfileobj(stored, file, 1 << 20)
    return source


def _borrowed(video: Video, room: Path) -> Path | None:
    """The sound that replaces the clip's own, if one was chosen."""
    key = sounds.borrowed_key(video)
    if key == "":
        raise GiveUp(sounds.GONE, "its sound is not open any more")
    return _fetch(key, room, "sound") if key else None


def _failed(job: Job) -> None:
    """In the transaction that marks the job failed, so that a retry finds no job in its way.

    Half a video is no video: what has no whole rendition fails, pieces or not.
    """
    video = Video.objects.filter(public_id=job.subject).first()
    if video is None or video.first_rendition or video.state == State.FAILED:
        return
    refused = job.error_code in reasons.TEXTS
    do_fail(
        video.pk,
        job.error_code if refused else reasons.INTERNAL,
        f"{job.error_code}: {job.error_text}",
    )


def _again(job: Job) -> None:
    """The operator has a job tried again: the video that failed with it is open again."""
    video = Video.objects.filter(public_id=job.subject).first()
    if video is None or video.state != State.FAILED:
        raise Conflict("not_failed", _("This video has not failed: there is nothing to retry."))
    do_reopen(video)


@task(PROCESS, on_failed=_failed, on_retry=_again, remote=True, alone=True)
def process(job: Job, progress: Progress) -> None:
    video = processing.do_begin(job.subject)
    if video is None:
        return  # deleted, or made already by a run that died before saying so
    with _room(video) as room:
        source = _fetch(video.source_key, room)
        try:
            start, sound = start_of(video), _borrowed(video, room)
            making.make_first(source, room, limits(), start, House(video), progress, sound)
        except media.Refused as refused:  # trying again changes nothing
            raise GiveUp(refused.reason.value, refused.detail) from refused


def _stays_as_it_is(job: Job) -> None:
    """The finer versions could not be made: what is there is what there will be."""
    video = Video.objects.filter(public_id=job.subject, state=State.PLAYABLE).first()
    if video is not None:
        do_advance(video.pk, State.COMPLETE)


@task(LADDER, on_failed=_stays_as_it_is, remote=True, alone=True)
def ladder(job: Job, progress: Progress) -> None:
    video = processing.do_begin_rest(job.subject)
    if video is None:
        return
    with _room(video) as room:
        source = _fetch(video.source_key, room)
        sound = _borrowed(video, room)
        making.make_rest(source, room, limits(), House(video), progress, sound)


def _without_av1(job: Job) -> None:
    processing.do_leave_modern(job.subject)


def _av1_again(job: Job) -> None:
    Video.objects.filter(public_id=job.subject, av1=False).update(av1=None)


@task(MODERN, on_failed=_without_av1, on_retry=_av1_again, remote=True, alone=True)
def modern(job: Job, progress: Progress) -> None:
    video = processing.do_begin_modern(job.subject)
    if video is None:
        return  # deleted, made already, or turned off meanwhile
    with _room(video) as room:
        source = _fetch(video.source_key, room)
        try:
            sound = _borrowed(video, room)
            making.make_modern(source, room, limits(), House(video), progress, sound)
        except media.Refused as refused:
            raise GiveUp(refused.reason.value, refused.detail) from refused


@every(60, MODERN)
def modern_soon() -> None:
    """A few at a time: what is watched most by then is next, and what else has to wait for it, in
    the same band, waits for no long queue.
    """
    least = options().av1_views
    live = set(Job.objects.filter(kind=MODERN, state__in=LIVE).values_list("subject", flat=True))
    if not least or len(live) >= _MODERN_AT_ONCE:
        return
    lacking = Video.objects.filter(state=State.COMPLETE, av1__isnull=True, withdrawn_at=None)
    wanted = lacking.filter(views__gte=least).exclude(public_id__in=live).order_by("-views", "pk")
    for public_id in wanted.values_list("public_id", flat=True)[: _MODERN_AT_ONCE - len(live)]:
        records.enqueue(MODERN, public_id, priority=Priority.LATER)


def _without(job: Job) -> None:
    """A video that plays is not failed by what is missing beside it."""
    processing.do_leave_scrubbing(job.subject)


def _scrubbing_again(job: Job) -> None:
    Video.objects.filter(public_id=job.subject, storyboard=[]).update(storyboard=None)


@task(SCRUBBING, on_failed=_without, on_retry=_scrubbing_again, remote=True, alone=True)
def scrubbing(job: Job, progress: Progress) -> None:
    video = processing.do_begin_scrubbing(job.subject)
    if video is None:
        return
    with _room(video) as room:
        source = _fetch(source_of(SCRUBBING, video), room)
        try:
            making.make_scrubbing(source, room, media.Limits(), House(video), progress)
        except media.Refused as refused:
            raise GiveUp(refused.reason.value, refused.detail) from refused


@task(TRANSCRIBE, alone=True)
def transcribe(job: Job, progress: Progress) -> None:
    """Its own file is heard, not the original: it is smaller, and was made here."""
    video = Video.objects.filter(public_id=job.subject, state=State.COMPLETE).first()
    if video is None or not options().speech_model:
        return  # deleted, or turned off meanwhile
    try:
        hear = media.speech.whisper(Path(options().speech_model))
    except media.speech.NoModel as error:
        raise GiveUp("no_speech_model", str(error)) from error
    key = Rendition.objects.get(video=video, name=video.first_rendition).key
    with _room(video) as room:
        sound = media.speech.sound_of(_fetch(key, room))
        heard = None if sound is None else hear(sound, video.language, progress)
        if heard is not None:
            do_put_heard(video, heard)


@task(sounds.SOUND, alone=True)
def sound(job: Job, progress: Progress) -> None:  # noqa: ARG001
    """Of the first rendition: what is heard there is what may be taken."""
    video = processing.do_begin_sound(job.subject)
    if video is None:
        return  # deleted, closed, or done by a run that died before saying so
    key = Rendition.objects.get(video=video, name=video.first_rendition).key
    with _room(video) as room:
        made = media.sounds.keep_sound(_fetch(key, room), room / "sound.m4a", limits())
        if made is None:
            return
        after = sounds.latest()
        known = sounds.find_sound(made.fingerprint)
        there = known is not None and known.origin_id is not None
        stored = "" if there else House(video).store("sound.m4a", made.path)
        processing.do_have_sound(video, made, known, after, stored)
        if stored and not Sound.objects.filter(key=stored).exists():
            records.objects().delete(stored)  # another was first, or it is not wanted any more


@task(PRUNE)
def prune(job: Job, progress: Progress) -> None:  # noqa: ARG001
    processing.do_prune(job.subject)


@task(TIDY)
def tidy(job: Job, progress: Progress) -> None:  # noqa: ARG001
    sweeping.tidy(job.subject)
    if original := job.payload.get("original"):
        sweeping.remove_original(original)


@task("videos.announce_author")
def announce_author(job: Job, progress: Progress) -> None:  # noqa: ARG001
    author = Person.objects.filter(pk=int(job.subject)).first()
    if author is not None:
        do_announce(author)


@task("videos.sweep")
def sweep(job: Job, progress: Progress) -> None:  # noqa: ARG001
    sweeping.sweep()


@every(3600, "videos.sweep")
def sweep_soon() -> None:
    records.enqueue("videos.sweep", "all", priority=Priority.LATER)
