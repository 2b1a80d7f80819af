"""What several tests of videos need: uploads by hand, and a media engine that only pretends."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from jhalak import media
from jhalak.records.models import Job
from jhalak.records.registry import TASKS, GiveUp, LeaseLost
from jhalak.records.states import LIVE, JobState
from jhalak.videos import making

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(**pairs: str) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())


def create(client: Client, size: int, headers: dict[str, str] | None = None, **pairs: str) -> Any:
    """POST /api/uploads; a video by name and type where nothing else is said."""
    pairs = {"filename": "clip.mp4", "filetype": "video/mp4"} | pairs
    given = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(**pairs)}
    return client.post("/api/uploads", headers=given | (headers or {}))


def patch(client: Client, where: str, offset: int, data: bytes, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = given.pop("Content-Type", BYTES)
    return client.generic(
        "PATCH",
        where,
        data,
        headers=TUS | {"Upload-Offset": str(offset)} | given,
        CONTENT_TYPE=kind,  # Django's client leaves it out when there are no bytes
    )


def head(client: Client, where: str) -> HttpResponse:
    return client.head(where, headers=TUS)


def upload(client: Client, data: bytes = b"x" * 1000, **pairs: str) -> str:
    """A whole upload; returns the video's public id."""
    where = create(client, len(data), **pairs)["Location"]
    answer = patch(client, where, 0, data)
    assert answer.status_code == 204, answer.content
    return answer["Jhalak-Video"]


def run_jobs(kind: str = "", *, again: int = 1) -> list[tuple[str, str]]:
    """Do what is queued, as a worker would, without its clock: (kind, outcome) of each."""
    done = []
    for _ in range(50):
        jobs = Job.objects.filter(state__in=LIVE, kind__startswith=kind).order_by("priority", "pk")
        job = jobs.first()
        if job is None:
            break
        Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempts=job.attempts + 1)
        job.refresh_from_db()
        try:
            TASKS[job.kind].run(job, lambda share: None)
        except LeaseLost:
            done.append((job.kind, "lost"))
            Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
        except GiveUp as end:
            _fail(job, end.code, end.message)
            done.append((job.kind, "failed"))
        except Exception as error:  # what a worker takes as "try again", until it gives up
            if job.attempts < again:
                continue
            _fail(job, "unexpected", f"{type(error).__name__}: {error}")
            done.append((job.kind, "failed"))
        else:
            Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(state=JobState.DONE)
            done.append((job.kind, "done"))
    return done


def _fail(job: Job, code: str, text: str) -> None:
    job.error_code, job.error_text = code, text
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
        if hook := TASKS[job.kind].on_failed:
            hook(job)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


class FakeMedia:
    """The media engine's face without its work. `at` names the step at which the worker dies."""

    def __init__(
        self,
        *,
        remux: bool = False,
        pieces: int = 3,
        rest: int = 1,
        seed: bytes = b"init",
        level: bool = False,
    ) -> None:
        self.remux, self.pieces, self.rest, self.seed = remux, pieces, rest, seed
        self.level = level
        self.at: Callable[[str], None] = lambda step: None
        self.refuse: media.Reason | None = None
        self.fingerprint = b""  # of what is heard; silence
        self.heard: list[bytes] = []  # sounds that were taken instead of a clip's own
        self.facts = mock.Mock(duration_ms=pieces * 1000, width=1080, height=1920)

    def plan(self) -> Any:
        names = ["720", "1080"][: self.rest]
        rungs = [media.Rung(name=name, width=int(name), height=int(name) * 2) for name in names]
        first = media.Rung(name=media.COPIED if self.remux else "540", width=540, height=960)
        more = bool(rungs) or self.level
        return mock.Mock(
            probe=self.facts, first=first, rest=tuple(rungs), remux=self.remux, more=more
        )

    def probe(self, path: Path, limits: media.Limits) -> Any:
        assert path.is_file()
        self.at("probe")
        if self.refuse:
            raise media.Refused(self.refuse, "as the test wants")
        return self.facts

    def make_posters(self, source: Path, out: Path, *, probe: Any, stop: Any) -> media.Posters:
        assert probe is self.facts, "the clip is probed once"
        self.at("posters")
        (out / "poster.webp").write_bytes(b"webp")
        (out / "poster.jpg").write_bytes(b"jpg")
        return media.Posters(out / "poster.webp", out / "poster.jpg", 540, 960, "#112233")

    def make_first(
        self, plan: Any, source: Path, out: Path, on_piece: Any, on_progress: Any, *, sound: Any
    ) -> media.Rendition:
        self.take(sound)
        for number in range(0 if self.remux else self.pieces + 1):
            self.at(f"piece {number}")
            path = out / f"540-{number}.m4s"
            path.write_bytes(self.seed if number == 0 else b"piece %d" % number)
            on_piece(media.Piece(number, path, 1000 if number else 0, number == 0))
            on_progress(number / (self.pieces + 1))
        self.at("whole")
        return self.rendition(plan.first, out)

    def take(self, sound: Path | None) -> None:
        if sound is not None:
            self.heard.append(sound.read_bytes())

    def keep_sound(
        self, rendition: Path, out: Path, limits: media.Limits
    ) -> media.sounds.Sound | None:
        assert rendition.is_file()
        if not self.fingerprint:
            return None
        out.write_bytes(b"sound of " + self.fingerprint)
        return media.sounds.Sound(out, 3000, out.stat().st_size, self.fingerprint)

    def rendition(self, rung: media.Rung, out: Path) -> media.Rendition:
        path, av1 = out / f"{rung.name}.mp4", rung.codec is media.Codec.AV1
        path.write_bytes(rung.name.encode() * 100)
        fragments = tuple(media.Fragment(100 * n + 10, 100, 1000) for n in range(self.pieces))
        return media.Rendition(
            name=rung.name, path=path, width=rung.width, height=rung.height, bitrate_bps=1000,
            average_bps=600 if av1 else 900, frame_rate=30.0,
            codecs="av01.0.04M.08,opus" if av1 else "avc1.64001f,mp4a.40.2",
            duration_ms=self.pieces * 1000, size=path.stat().st_size, init_size=10, index=fragments,
        )  # fmt: skip

    def make_rest(
        self, plan: Any, source: Path, out: Path, on_progress: Any, *, sound: Any
    ) -> tuple[media.Rendition, ...]:
        self.at("rest")
        self.take(sound)
        levelled = media.Rung(name=media.LEVELLED, width=540, height=960)
        rungs = [levelled] * self.level + [*plan.rest]
        return tuple(self.rendition(rung, out) for rung in rungs)

    def make_modern(
        self, plan: Any, source: Path, out: Path, on_progress: Any, *, sound: Any
    ) -> tuple[media.Rendition, ...]:
        self.at("modern")
        self.take(sound)
        av1 = media.Codec.AV1
        rungs = [
            media.Rung(name=f"{side}av1", width=side, height=side * 2, codec=av1)
            for side in (720, 540)
        ]
        return tuple(self.rendition(rung, out) for rung in rungs)

    def make_storyboard(
        self, source: Path, out: Path, *, probe: Any, limits: Any
    ) -> media.Storyboard:
        assert probe is self.facts, "the rendition is probed once"
        self.at("storyboard")
        path = out / "storyboard.webp"
        path.write_bytes(b"board of " + source.read_bytes()[:3])
        return media.Storyboard(path, 90, 160, 8, self.pieces, 1000)

    def make_preview(self, source: Path, out: Path, *, probe: Any, limits: Any) -> Path:
        self.at("preview")
        path = out / "preview.mp4"
        path.write_bytes(b"preview")
        return path


class AtOnce(ThreadPoolExecutor):
    """What would be done beside is done first: `at` sees steps in one order, and one thread."""

    def submit(self, work: Any, *given: Any, **more: Any) -> Future[Any]:  # type: ignore[override]
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **more))
        except BaseException as error:
            done.set_exception(error)
        return done


@contextmanager
def faked(engine: FakeMedia) -> Iterator[FakeMedia]:
    face = mock.Mock(wraps=media)
    face.probe, face.plan = engine.probe, lambda probe, limits: engine.plan()
    face.make_posters, face.make_first = engine.make_posters, engine.make_first
    face.make_storyboard, face.make_preview = engine.make_storyboard, engine.make_preview
    face.make_modern = engine.make_modern
    face.make_rest, face.Refused, face.Limits = engine.make_rest, media.Refused, media.Limits
    with (
        mock.patch.multiple(making, media=face, ThreadPoolExecutor=AtOnce),
        mock.patch.object(media.sounds, "keep_sound", engine.keep_sound),
    ):
        yield engine
