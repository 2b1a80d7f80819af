"""Renditions in AV1: of what is watched most, once, beside the others and never in their way."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from jhalak import media, records
from jhalak.options import override
from jhalak.records.models import Job, Priority
from jhalak.records.queue import do_cancel_job, do_retry_job
from jhalak.records.states import LIVE
from jhalak.videos import processing, sweeping
from jhalak.videos.actions import LADDER, MODERN, PROCESS, WrongState
from jhalak.videos.keys import all_work, work_folder
from jhalak.videos.models import Rendition, Video
from jhalak.videos.runners import do_add_runner
from jhalak.videos.tasks import modern_soon
from tests.factories import browser, person, sound, video
from tests.videos.test_videos_processing import named, stored
from tests.videos.test_videos_runners import Machine, rendition
from tests.videos.tools import FakeMedia, Killed, faked, run_jobs, upload

pytestmark = pytest.mark.django_db

NAMES = {"540", "720", "540av1", "720av1"}


def queued() -> list[str]:
    return list(
        Job.objects.filter(kind=MODERN, state__in=LIVE)
        .order_by("pk")
        .values_list("subject", flat=True)
    )


def names() -> set[str]:
    return set(Rendition.objects.values_list("name", flat=True))


def watched(views: int = 1000, **columns: Any) -> str:
    """An upload that is complete, and was watched. To be called with a faked engine."""
    public_id = upload(browser(person()), **columns)
    run_jobs()
    Video.objects.filter(public_id=public_id).update(views=views)
    return public_id


def test_what_is_watched_most_is_first_and_the_queue_stays_short() -> None:
    author = person()
    for number, views in enumerate((150, 99, 5000, 300, 100, 700)):
        video(author, public_id=f"clip{number}", views=views)
    for columns in (
        {"state": "playable"}, {"withdrawn_at": timezone.now()}, {"av1": True}, {"av1": False}
    ):  # fmt: skip
        video(author, views=9000, **columns)
    modern_soon()
    modern_soon()
    assert queued() == ["clip2", "clip5", "clip3", "clip0"]
    assert set(Job.objects.values_list("priority", "owner")) == {(Priority.LATER, "")}
    Job.objects.filter(subject="clip2").delete()
    Video.objects.filter(public_id="clip2").update(av1=True)
    modern_soon()
    modern_soon()
    assert queued() == ["clip5", "clip3", "clip0", "clip4"]
    Job.objects.all().delete()
    with override(av1_views=0):
        modern_soon()
    assert queued() == []


def test_they_are_made_once_and_stand_beside_the_others() -> None:
    with faked(FakeMedia()) as engine:
        public_id = watched()
        modern_soon()
        assert run_jobs() == [(MODERN, "done")]
        modern_soon()
        assert queued() == []
        records.enqueue(MODERN, public_id)
        engine.at = lambda step: pytest.fail(f"{step} once more")
        assert run_jobs() == [(MODERN, "done")]
    assert names() == NAMES
    assert stored() == named()
    assert not all_work()
    base = f"/media/{public_id}/"
    card = browser().get(f"/api/videos/{public_id}").json()
    assert (card["state"], card["src"]) == ("complete", f"{base}540.mp4")
    shown = ("src", "codecs", "bps", "start")
    av1, avc1 = "av01.0.04M.08,opus", "avc1.64001f,mp4a.40.2"
    assert [tuple(one[name] for name in shown) for one in card["sources"]] == [
        (f"{base}720av1.mp4", av1, 600, 110), (f"{base}540av1.mp4", av1, 600, 110),
        (f"{base}540.mp4", avc1, 900, 110), (f"{base}720.mp4", avc1, 900, 110),
    ]  # fmt: skip
    for name in ("540av1", "720av1"):
        key = Rendition.objects.get(name=name).key
        file = browser().get(f"{base}{name}.mp4")
        assert file["X-Accel-Redirect"] == records.objects().internal_path(key)
        assert f"{name}.mp4" in browser().get(f"{base}{name}.m3u8").content.decode()
    master = browser().get(f"{base}master.m3u8").content.decode()
    listed = [line for line in master.splitlines() if not line.startswith("#")]
    assert listed == ["540.m3u8", "720.m3u8", "720av1.m3u8", "540av1.m3u8"]
    assert 'CODECS="av01.0.04M.08,opus",RESOLUTION=540x1080' in master


def test_turned_off_nothing_is_made_of_what_waits() -> None:
    with faked(FakeMedia()):
        watched()
        modern_soon()
        with override(av1_views=0):
            assert run_jobs() == [(MODERN, "done")]
        assert names() == {"540", "720"}
        modern_soon()  # and on again
        run_jobs()
    assert names() == NAMES


@pytest.mark.parametrize("fatal", ["probe", "modern", "stored"])
def test_killed_and_taken_up_again(fatal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    with faked(FakeMedia()) as engine:
        watched()
        modern_soon()
        with monkeypatch.context() as patch:
            if fatal == "stored":  # the files are there, and no row names them
                patch.setattr(processing, "do_finish_modern", die)
            else:
                engine.at = lambda step: die() if step == fatal else None
            with pytest.raises(Killed):
                run_jobs()
        assert names() == {"540", "720"}
        engine.at = lambda step: None
        assert run_jobs() == [(MODERN, "done")]
    assert names() == NAMES
    assert stored() == named()
    assert not all_work()


def test_deleted_while_they_are_made_and_after() -> None:
    with faked(FakeMedia()) as engine:
        for moment in ("modern", "never"):
            public_id = watched()
            author = browser(Video.objects.get().author)
            modern_soon()

            def delete(
                step: str, moment: str = moment, public_id: str = public_id, author: Any = author
            ) -> None:
                if step == moment:
                    assert author.delete(f"/api/videos/{public_id}").status_code == 204

            engine.at = delete
            run_jobs()
            engine.at = lambda step: None
            if moment == "never":
                assert names() == NAMES
                delete("never")
            run_jobs()
            assert not Video.objects.exists()
            assert stored() == set()
    waiting = video(person(), views=1000)
    modern_soon()
    browser(waiting.author).delete(f"/api/videos/{waiting.public_id}")
    assert Job.objects.get(kind=MODERN, subject=waiting.public_id).state == "cancelled"


def test_what_cannot_be_made_is_left_until_the_operator_wants_it() -> None:
    me = person()
    with faked(FakeMedia()) as engine:
        public_id = watched()
        engine.refuse = media.Reason.TOO_HEAVY
        modern_soon()
        assert run_jobs() == [(MODERN, "failed")]
        modern_soon()
        assert queued() == []
        card = browser().get(f"/api/videos/{public_id}").json()
        assert (card["state"], len(card["sources"])) == ("complete", 2)
        engine.refuse = None
        do_retry_job(me, Job.objects.get(kind=MODERN).pk)
        assert run_jobs() == [(MODERN, "done")]
    assert names() == NAMES


def test_cancelled_while_they_are_made() -> None:
    me = person()
    with faked(FakeMedia()) as engine:
        watched()
        modern_soon()

        def cancel(step: str) -> None:
            if step == "modern":
                do_cancel_job(me, Job.objects.get(kind=MODERN).pk, "not now")

        engine.at = cancel
        assert run_jobs() == [(MODERN, "lost")]
    assert names() == {"540", "720"}
    assert stored() == named()
    assert Video.objects.get().av1 is False


def test_a_ladder_that_was_missing_is_still_made_after_them() -> None:
    with faked(FakeMedia()) as engine:
        public_id = upload(browser(person()))

        def fall(step: str) -> None:
            if step == "rest":
                raise media.Failed("no memory")

        engine.at = fall
        run_jobs()
        Video.objects.update(views=1000)
        modern_soon()
        run_jobs()
        assert names() == NAMES - {"720"}
        engine.at = lambda step: None
        records.enqueue(LADDER, public_id)
        run_jobs()
    assert names() == NAMES


def test_a_copy_that_was_replaced_goes_and_they_stay() -> None:
    with faked(FakeMedia(remux=True, level=True)):
        upload(browser(person()))
        run_jobs(PROCESS)
        run_jobs(LADDER)
        Video.objects.update(views=1000)
        modern_soon()
        run_jobs(MODERN)
        assert names() == {"source", "levelled", "720", "540av1", "720av1"}
        run_jobs()
    assert names() == {"levelled", "720", "540av1", "720av1"}
    assert stored() == named()
    assert "source" not in [one[0] for one in Video.objects.get().sources]


def test_they_have_the_sound_that_was_chosen_or_are_not_made() -> None:
    taken = sound(video(person()))
    records.objects().put(taken.key, b"a song", content_type="audio/mp4")
    with faked(FakeMedia()) as engine:
        for visible in ("public", "private"):
            public_id = watched(sound=taken.public_id)
            Video.objects.filter(pk=taken.origin_id).update(visibility=visible)
            engine.heard.clear()
            records.enqueue(MODERN, public_id)
            outcome = "done" if visible == "public" else "failed"
            assert run_jobs(MODERN) == [(MODERN, outcome)]
            assert engine.heard == ([b"a song"] if visible == "public" else [])
            Video.objects.filter(pk=taken.origin_id).update(visibility="public")


def test_who_was_overtaken_writes_nothing() -> None:
    made = video(person())
    first = processing.do_begin_modern(made.public_id)
    assert processing.do_begin_modern(made.public_id) is not None
    assert first is not None
    with pytest.raises(WrongState):
        processing.do_finish_modern(first, [])
    assert Video.objects.get().av1 is None


def test_its_room_is_not_swept_under_it() -> None:
    made = video(person(), run="r")
    room = work_folder() / f"{made.public_id}.r"
    room.mkdir(parents=True)
    records.enqueue(MODERN, made.public_id)
    sweeping.sweep_work()
    assert room.is_dir()


def test_a_runner_makes_them_from_the_original() -> None:
    made = video(person(), views=1000)
    modern_soon()
    machine = Machine(do_add_runner("box"))
    job, told = machine.claim()
    assert told["kind"] == MODERN
    given = job.ask("GET", "original")
    assert given["X-Accel-Redirect"] == records.objects().internal_path(made.source_key)
    said = rendition("540av1") | {"codecs": "av01.0.04M.08,opus"}
    assert job.ask("POST", "modern", {"renditions": [said]}).status_code == 409
    assert job.ask("PUT", "files/540av1.mp4", b"x" * 100).status_code == 204
    assert job.ask("POST", "modern", {"renditions": [said]}).status_code == 204
    assert job.ask("POST", "end", {"how": "done"}).status_code == 204
    assert job.ask("POST", "modern", {"renditions": [said]}).status_code == 410
    card = browser().get(f"/api/videos/{made.public_id}").json()
    assert card["sources"][0]["codecs"] == "av01.0.04M.08,opus"
    with override(av1_views=0):
        other = video(person(), views=1000)
        records.enqueue(MODERN, other.public_id)
        assert machine.ask("POST", "claims").status_code == 204
