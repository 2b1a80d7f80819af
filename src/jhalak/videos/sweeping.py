"""Nothing is left lying about: what no row names is removed, what was forgotten is taken up again.

A row always comes before what it names. An upload's row is older than its file and implies the key
of its original; a run's name is in the video's row before the run puts its first object. So here
the store is listed first and the rows are read after: whatever was listed and is not named by then
is nobody's. The sweep of the whole store leaves young objects alone all the same: it also meets
what others put there (a copy from another store, a restored backup), of whose order it knows
nothing.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from django.db.models import F, Q
from django.utils import timezone

from jhalak import records
from jhalak.problems import Problem
from jhalak.records.models import Job, Priority
from jhalak.records.states import LIVE
from jhalak.stores.objects import Listed, ObjectsError
from jhalak.videos import files, sounds
from jhalak.videos.actions import LADDER, MODERN, PROCESS, PRUNE, SCRUBBING, TRANSCRIBE
from jhalak.videos.house import PREVIEW, STORYBOARD
from jhalak.videos.keys import (
    ORIGINALS,
    VIDEOS,
    all_work,
    run_prefix,
    video_prefix,
)
from jhalak.videos.models import Piece, Rendition, Sound, Upload, Video
from jhalak.videos.states import State
from jhalak.videos.uploading import do_receive_upload, enqueue_processing

log = logging.getLogger(__name__)

BATCH = 500
# Jobs that have a room on disk.
WORKING = (PROCESS, LADDER, SCRUBBING, TRANSCRIBE, MODERN, sounds.SOUND)
GRACE_S = 900.0  # an object without a row is left alone by the sweep for so long
T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """As itertools.batched of Python 3.12, in lists."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch


def _being_made(public_ids: Iterable[str]) -> set[str]:
    jobs = Job.objects.filter(kind__in=WORKING, subject__in=public_ids, state__in=LIVE)
    return set(jobs.values_list("subject", flat=True))


def tidy(public_id: str, *, grace_s: float | None = None) -> int:
    """Remove a video's objects that no row names; all of one that is deleted. Returns how many.

    `grace_s`: those that are younger stay.
    """
    found = list(records.objects().list(video_prefix(public_id)))  # first, see above
    keys = [one.key for one in found if grace_s is None or _older(one, grace_s)]
    video = Video.objects.filter(public_id=public_id).first()
    named: set[str] = set()
    writing = ""
    if video is not None:
        named.update(Rendition.objects.filter(video=video).values_list("key", flat=True))
        named.update(Piece.objects.filter(video=video).values_list("key", flat=True))
        named.update(Sound.objects.filter(origin=video).values_list("key", flat=True))
        if video.poster_base:
            named.update({f"{video.poster_base}.webp", f"{video.poster_base}.jpg"})
        if video.scrub_base:
            named.update({video.scrub_base + STORYBOARD, video.scrub_base + PREVIEW})
        if _being_made([public_id]):
            writing = run_prefix(video)
    gone = [key for key in keys if key not in named and not (writing and key.startswith(writing))]
    records.objects().delete(*gone)
    return len(gone)


def _older(found: Listed, seconds: float) -> bool:
    return found.modified_ms / 1000 < time.time() - seconds


def remove_original(key: str) -> bool:
    """Remove an original that neither a video nor an unfinished upload names."""
    upload_id = key.removeprefix(ORIGINALS)
    if Video.objects.filter(source_key=key).exists():
        return False
    if Upload.objects.filter(pk=upload_id, video="").exists():
        return False
    records.objects().delete(key)
    return True


def sweep() -> None:
    """All of it. At the start of a worker, and every hour."""
    take_up_uploads()
    end_uploads()
    sounds.do_forget_sounds()
    sweep_objects()
    sweep_work()
    take_up_videos()


def take_up_uploads() -> None:
    """Uploads whose last byte arrived and whose video was not made: the process died in between."""
    for upload in Upload.objects.filter(video="", offset=F("size")):
        try:
            do_receive_upload(upload)
        except (Problem, ObjectsError, OSError) as error:
            log.warning("upload %s cannot be finished yet: %s", upload.pk, error)
            if isinstance(error, FileNotFoundError) and upload.expires < timezone.now():
                upload.delete()  # its bytes were lost below us, and nobody asks for it any more


def end_uploads() -> None:
    """Uploads that nobody continued, the rows of those long finished, and files without a row."""
    Upload.objects.filter(expires__lt=timezone.now()).exclude(video="", offset=F("size")).delete()
    if not files.folder().is_dir():
        return
    for batch in batched(list(files.folder().iterdir()), BATCH):
        known = Upload.objects.filter(pk__in=[path.name for path in batch], video="")
        names = set(known.values_list("pk", flat=True))
        for path in batch:
            if path.name not in names:
                path.unlink(missing_ok=True)


def sweep_objects() -> None:
    """Objects of no video and no upload, once they are old enough."""
    if not records.may_sweep():
        return
    originals = records.objects().list(ORIGINALS)
    for batch in batched((one.key for one in originals if _older(one, GRACE_S)), BATCH):
        kept = set(Video.objects.filter(source_key__in=batch).values_list("source_key", flat=True))
        for key in batch:
            if key not in kept:
                remove_original(key)
    seen = ""
    for found in records.objects().list(VIDEOS):
        public_id = found.key.split("/")[1]
        if public_id != seen:
            seen = public_id
            tidy(public_id, grace_s=GRACE_S)


def sweep_work() -> None:
    """Work folders of runs that are over."""
    rooms = all_work()
    made = _being_made({public_id for public_id, _ in rooms.values()})
    runs = dict(Video.objects.filter(public_id__in=made).values_list("public_id", "run"))
    for path, (public_id, run) in rooms.items():
        if runs.get(public_id) != run:
            shutil.rmtree(path, ignore_errors=True)


def take_up_videos() -> None:
    """Videos whose job is gone: however that came about, they are not left half-way."""
    unfinished = Q(state__in=(State.RECEIVED, State.CHECKING, State.PREPARING)) | Q(
        state=State.PLAYABLE, first_rendition=""
    )
    _take_up(Video.objects.filter(unfinished), PROCESS)
    _take_up(Video.objects.filter(state=State.PLAYABLE).exclude(first_rendition=""), LADDER)
    _take_up(Video.objects.filter(state=State.COMPLETE, storyboard__isnull=True), SCRUBBING)
    _take_up(
        Video.objects.exclude(first_rendition="").filter(pieces__isnull=False).distinct(), PRUNE
    )


def _take_up(videos: Iterable[Video], kind: str) -> None:
    for batch in batched(videos, BATCH):
        live = Job.objects.filter(
            kind=kind, subject__in=[video.public_id for video in batch], state__in=LIVE
        )
        busy = set(live.values_list("subject", flat=True))
        for video in batch:
            if video.public_id in busy:
                continue
            log.warning("%s: no %s was waiting; taken up again", video.public_id, kind)
            if kind == PROCESS:
                enqueue_processing(video, video.author)
            else:
                records.enqueue(kind, video.public_id, priority=Priority.LATER)
