"""One job after another: claimed, made in a folder of its own, brought, ended."""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from jhalak import media
from jhalak.runner.line import Away, Lost, Refused, RunnerError, Site
from jhalak.stores.objects import is_full
from jhalak.videos import making

POLL_S = 1.0
KEEP_S = 1.0
REST_S = 30.0  # after this machine's own disk was full
ROOM = "job"
NO_ROOM = "no_room"

log = logging.getLogger(__name__)


class Remote:
    """The place of one job: what is made goes to the site, its file first."""

    def __init__(self, site: Site, token: str) -> None:
        self.site = site
        self.token = token

    def say(self, path: str, body: Any) -> None:
        self.site.ask("POST", path, self.token, body)

    def bring(self, name: str, file: Path) -> None:
        self.site.ask("PUT", f"files/{name}", self.token, file)

    def prepare(self, facts: making.Facts) -> None:
        self.say("prepared", facts)

    def posters(self, posters: media.Posters) -> None:
        self.bring("poster.webp", posters.webp)
        self.bring("poster.jpg", posters.jpeg)
        self.say("posters", {"colour": posters.colour})

    def piece(self, piece: media.Piece) -> None:
        self.bring(f"piece-{piece.number}.m4s", piece.path)
        self.say("pieces", {"number": piece.number, "duration_ms": piece.duration_ms})

    def first(self, rendition: media.Rendition, more: bool) -> None:
        self.bring(f"{rendition.name}.mp4", rendition.path)
        self.say("first", {"rendition": rendition, "more": more})

    def rest(self, renditions: tuple[media.Rendition, ...]) -> None:
        for one in renditions:
            self.bring(f"{one.name}.mp4", one.path)
        self.say("rest", {"renditions": renditions})

    def modern(self, renditions: tuple[media.Rendition, ...]) -> None:
        for one in renditions:
            self.bring(f"{one.name}.mp4", one.path)
        self.say("modern", {"renditions": renditions})

    def scrubbing(self, board: media.Storyboard, preview: Path) -> None:
        self.bring("storyboard.webp", board.path)
        self.bring("preview.mp4", preview)
        said = msgspec.structs.asdict(board)
        self.say("scrubbing", {name: said[name] for name in said if name != "path"})


class Kept:
    """Says every second how far the job is, which keeps its lease, until it is closed."""

    def __init__(self, place: Remote, stop: threading.Event) -> None:
        self._place = place
        self._stop = stop
        self._lost = threading.Event()
        self._over = threading.Event()
        self._share = 0.0
        self._thread = threading.Thread(target=self._keep, name="runner-keeper", daemon=True)
        self._thread.start()

    def progress(self, share: float) -> None:
        if self._lost.is_set() or self._stop.is_set():
            raise Lost("the lease is lost" if self._lost.is_set() else "the runner stops")
        self._share = share

    def _keep(self) -> None:
        while not self._over.wait(KEEP_S):
            try:
                self._place.say("progress", {"progress": self._share})
            except (Lost, Refused, Away, RunnerError) as error:
                if not self._over.is_set():
                    log.warning("the job is lost: %s", error)
                self._lost.set()
                return

    def close(self) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def _alone_in(work: Path) -> Iterator[Path]:
    """The folder of a job in `work`, not there yet, for this runner alone. What a killed one left
    is removed. The lock is the kernel's, and goes with its process. Raises RunnerError.
    """
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = work / ".lock"
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunnerError(
                f"Another runner works in {work}: give this one a folder of its own with --work."
            ) from error
        shutil.rmtree(work / ROOM, ignore_errors=True)
        try:
            yield work / ROOM
        finally:
            shutil.rmtree(work / ROOM, ignore_errors=True)
            lock.unlink(missing_ok=True)
            with suppress(OSError):  # something of somebody else's is in it
                work.rmdir()


def run(url: str, token: str, work: Path, stop: threading.Event, ca: Path | None = None) -> None:
    """Work until `stop` is set. `work`: a folder of this runner alone.

    Raises RunnerError when the site refuses the token, or its certificate cannot be trusted.
    """
    site = Site(url, ca)
    with _alone_in(work) as room:
        while not stop.is_set():
            stop.wait(_one(site, token, room, stop))


def _one(site: Site, token: str, room: Path, stop: threading.Event) -> float:
    """One job, if one waits and the site can be reached. Returns how long to rest after it, in
    seconds.
    """
    try:
        answer = site.ask("POST", "claims", token)
    except Refused as error:
        if error.status in (401, 403):
            raise RunnerError(
                f"{site.url} does not know this runner's token: jhalak runner add NAME gives one."
            ) from error
        log.warning("the site does not answer as expected: %s", error)
        return POLL_S
    except (Lost, Away) as error:
        log.warning("the runner waits: %s", error)
        return POLL_S
    if not answer:
        return POLL_S
    claimed = json.loads(answer)
    began = time.monotonic()
    place = Remote(site, claimed["token"])
    kept = Kept(place, stop)
    try:
        how = _make(claimed, room, place, kept, stop)
    finally:
        kept.close()
        shutil.rmtree(room, ignore_errors=True)
    log.info("%s: %s, %.2f s", claimed["kind"], how["how"], time.monotonic() - began)
    try:
        place.say("end", how)
    except (Lost, Refused, Away) as error:
        log.warning("how the job ended could not be said: %s", error)
    return REST_S if how["code"] == NO_ROOM else 0.0


def _at_work(
    claimed: Mapping[str, Any], room: Path, place: Remote, progress: making.Progress
) -> None:
    limits = msgspec.convert(claimed["limits"], media.Limits)
    source = room / "original"
    place.site.ask("GET", "original", place.token, into=source)
    if claimed["kind"] == "videos.scrubbing":
        making.make_scrubbing(source, room, media.Limits(), place, progress)
        return
    sound = room / "sound" if claimed["sound"] else None
    if sound is not None:
        place.site.ask("GET", "sound", place.token, into=sound)
    if claimed["kind"] == "videos.process":
        start = msgspec.convert(claimed["start"], making.Start, strict=False)
        making.make_first(source, room, limits, start, place, progress, sound)
    elif claimed["kind"] == "videos.modern":
        making.make_modern(source, room, limits, place, progress, sound)
    else:
        making.make_rest(source, room, limits, place, progress, sound)


def _make(
    claimed: Mapping[str, Any], room: Path, place: Remote, kept: Kept, stop: threading.Event
) -> dict[str, str]:
    """Make what is wanted; returns how it went, as the site is told."""
    try:
        room.mkdir(mode=0o700)
        _at_work(claimed, room, place, kept.progress)
    except media.Refused as refused:
        return _ended("refused", refused.reason.value, refused.detail)
    except Lost as lost:
        if not stop.is_set():
            log.warning("the job is somebody else's: %s", lost)
        return _ended("released")  # refused, if it is
    except Away as away:
        log.warning("the job waits for the site: %s", away)
        return _ended("waits", "unavailable", str(away))
    except RunnerError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if is_full(error):
            log.warning("the disk of this machine is full: %s", error)
            return _ended("released", NO_ROOM, text)
        log.exception("a job failed")
        return _ended("again", "unexpected", text)
    return _ended("done")


def _ended(how: str, code: str = "", text: str = "") -> dict[str, str]:
    return {"how": how, "code": code, "text": text[:500]}
