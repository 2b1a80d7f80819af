"""Storyboard and preview: made when all else is, served as the video's other files, never in its
way.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from jhalak import media, records
from jhalak.options import override
from jhalak.records import leases
from jhalak.records.models import Job, Priority
from jhalak.records.queue import do_cancel_job, do_retry_job
from jhalak.videos import processing, sweeping
from jhalak.videos.actions import SCRUBBING, TRANSCRIBE, WrongState
from jhalak.videos.models import Rendition, Video
from jhalak.videos.runners import do_add_runner
from tests.factories import browser, person, video
from tests.media.making import clip
from tests.videos.test_videos_runners import Machine
from tests.videos.tools import FakeMedia, faked, run_jobs, upload

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("storyboard.webp", "storyboard.vtt", "preview.mp4")
BOARD = [90, 160, 8, 3, 1000]


def with_board(**columns: object) -> Video:
    """A video that has both. Its files are not in the store."""
    author = person(**columns.pop("author", {}))  # type: ignore[arg-type]
    return video(author, **{"storyboard": BOARD, "scrub_base": "videos/x/run/", **columns})


def test_they_are_on_the_card_and_served() -> None:
    made = with_board()
    base = f"/media/{made.public_id}/"
    client = browser()
    card = client.get(f"/api/videos/{made.public_id}").json()
    assert card["storyboard"] == {
        "src": f"{base}storyboard.webp",
        "width": 90,
        "height": 160,
        "columns": 8,
        "cells": 3,
        "step_ms": 1000,
    }
    assert card["preview"] == f"{base}preview.mp4"
    for name, kind in (("storyboard.webp", "image/webp"), ("preview.mp4", "video/mp4")):
        answer = client.get(base + name)
        assert answer["X-Accel-Redirect"] == records.objects().internal_path(f"videos/x/run/{name}")
        assert answer["Content-Type"] == kind
        assert answer["Cache-Control"] == "private, max-age=300"
    track = client.get(f"{base}storyboard.vtt")
    assert track["Content-Type"] == "text/vtt; charset=utf-8"
    cues = track.content.decode().split("\n\n")
    assert cues[3] == "00:00:02.000 --> 00:00:03.000\nstoryboard.webp#xywh=180,0,90,160\n"


@pytest.mark.parametrize("storyboard", [None, []])
def test_a_video_without_them(storyboard: list[int] | None) -> None:
    made = video(person(), storyboard=storyboard)
    card = browser().get(f"/api/videos/{made.public_id}").json()
    assert (card["storyboard"], card["preview"]) == (None, "")
    for name in NAMES:
        assert browser().get(f"/media/{made.public_id}/{name}").status_code == 404, name


@pytest.mark.parametrize("name", NAMES)
def test_who_may_not_see_the_video_sees_none_of_it(name: str) -> None:
    author = person()
    withdrawn = {"withdrawn_at": timezone.now()}
    for columns in ({"visibility": "private"}, {"visibility": "followers"}, withdrawn):
        made = video(author, storyboard=BOARD, scrub_base="videos/x/run/", **columns)
        address = f"/media/{made.public_id}/{name}"
        assert browser().get(address).status_code == 404, columns
        assert browser(person()).get(address).status_code == 404, columns
        own = browser(author).get(address)
        assert own.status_code == 200, columns
        assert own["Cache-Control"] == "private, no-cache" or "visibility" not in columns


def test_a_failure_leaves_the_video_and_goes_on_to_what_is_said() -> None:
    me = person()
    with faked(FakeMedia()) as engine, override(speech_model="somewhere"):
        public_id = upload(browser(me))
        run_jobs("videos.process")
        run_jobs("videos.ladder")
        engine.refuse = media.Reason.DAMAGED
        assert run_jobs(SCRUBBING) == [(SCRUBBING, "failed")]
        card = browser(me).get(f"/api/videos/{public_id}").json()
        assert (card["state"], card["storyboard"], card["preview"]) == ("complete", None, "")
        assert Job.objects.filter(kind=TRANSCRIBE).exists()
        sweeping.take_up_videos()
        assert run_jobs(SCRUBBING) == []  # what cannot be made is not tried for ever
        engine.refuse = None
        failed = Job.objects.get(kind=SCRUBBING)
        do_retry_job(me, failed.pk)
        assert run_jobs(SCRUBBING) == [(SCRUBBING, "done")]
    card = browser(me).get(f"/api/videos/{public_id}").json()
    assert browser(me).get(card["preview"]).status_code == 200


def test_an_older_video_gets_them_with_the_sweep() -> None:
    made = video(person(), storyboard=None)
    records.objects().put(Rendition.objects.get().key, b"540", content_type="video/mp4")
    for _ in range(2):
        sweeping.take_up_videos()
    job = Job.objects.get()
    assert (job.kind, job.subject, job.priority) == (SCRUBBING, made.public_id, Priority.LATER)
    with faked(FakeMedia()):
        assert run_jobs() == [(SCRUBBING, "done")]
    made.refresh_from_db()
    assert records.objects().read(f"{made.scrub_base}storyboard.webp") == b"board of 540"
    sweeping.tidy(made.public_id)
    assert records.objects().head(f"{made.scrub_base}preview.mp4") is not None


def test_who_was_overtaken_writes_nothing() -> None:
    made = video(person())
    first = processing.do_begin_scrubbing(made.public_id)
    second = processing.do_begin_scrubbing(made.public_id)
    assert first is not None
    assert second is not None
    board = media.Storyboard(Path("storyboard.webp"), *BOARD)
    with pytest.raises(WrongState):
        processing.do_set_scrubbing(first, "videos/x/late/", board)
    processing.do_set_scrubbing(second, "videos/x/run/", board)
    assert Video.objects.get().scrub_base == "videos/x/run/"
    assert processing.do_begin_scrubbing(made.public_id) is None


def test_cancelled_while_it_is_made_is_cancelled() -> None:
    me = person()
    with faked(FakeMedia(rest=0)) as engine:
        upload(browser(me))
        run_jobs("videos.process")

        def cancel(step: str) -> None:
            if step == "preview":
                do_cancel_job(me, Job.objects.get(kind=SCRUBBING).pk, "not now")

        engine.at = cancel
        assert run_jobs(SCRUBBING) == [(SCRUBBING, "lost")]
    made = Video.objects.get()
    assert (made.state, made.storyboard, made.scrub_base) == ("complete", [], "")
    left = [found.key for found in records.objects().list(f"videos/{made.public_id}/")]
    assert not [key for key in left if key.endswith(("storyboard.webp", "preview.mp4"))]


def test_a_runner_makes_them_from_the_first_rendition() -> None:
    made = video(person(), run="r")
    records.enqueue(SCRUBBING, made.public_id, priority=Priority.LATER)
    machine = Machine(do_add_runner("box"))
    job, told = machine.claim()
    assert told["kind"] == SCRUBBING
    key = Rendition.objects.get().key
    assert job.ask("GET", "original")["X-Accel-Redirect"] == records.objects().internal_path(key)
    said = dict(zip(("width", "height", "columns", "cells", "step_ms"), BOARD, strict=True))
    assert job.ask("POST", "scrubbing", said).status_code == 409  # bring them first
    for name in ("storyboard.webp", "preview.mp4"):
        assert job.ask("PUT", f"files/{name}", b"x").status_code == 204
    assert job.ask("POST", "scrubbing", said | {"cells": 0}).status_code == 422
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.do_requeue_lost() == 1
    assert job.ask("POST", "scrubbing", said).status_code == 410  # silent for too long
    job, _ = machine.claim()
    for name in ("storyboard.webp", "preview.mp4"):
        assert job.ask("PUT", f"files/{name}", b"x").status_code == 204
    assert job.ask("POST", "scrubbing", said).status_code == 204
    assert job.ask("POST", "end", {"how": "done"}).status_code == 204
    card = browser().get(f"/api/videos/{made.public_id}").json()
    assert card["storyboard"]["cells"] == 3
    assert machine.ask("POST", "claims").status_code == 204


@pytest.mark.slow
def test_made_of_a_real_rendition(tmp_path: Path) -> None:
    made = video(person(), run="r")
    file = clip(tmp_path / "small.mp4", seconds=4.0)
    records.objects().put(Rendition.objects.get().key, file, content_type="video/mp4")
    records.enqueue(SCRUBBING, made.public_id, priority=Priority.LATER)
    assert run_jobs() == [(SCRUBBING, "done")]
    made.refresh_from_db()
    assert made.storyboard is not None
    *_, cells, step_ms = made.storyboard
    assert 1 <= cells <= 4
    assert cells * step_ms >= 4000
    preview = tmp_path / "preview.mp4"
    preview.write_bytes(records.objects().read(f"{made.scrub_base}preview.mp4"))
    assert abs(media.probe(preview, media.Limits()).duration_ms - 3000) < 150
