"""From an upload to something to watch: each step, each way to fail, and a kill at each step.

The media engine only pretends here; the real one is in test_videos_real.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jhalak import media, records
from jhalak.options import options
from jhalak.people.models import Person
from jhalak.records.models import Job
from jhalak.videos import processing, sweeping
from jhalak.videos.actions import WrongState
from jhalak.videos.keys import all_work
from jhalak.videos.models import Piece, Rendition, Upload, Video
from jhalak.videos.states import State
from jhalak.videos.sweeping import sweep
from tests.factories import browser, person
from tests.videos.tools import FakeMedia, Killed, create, faked, patch, run_jobs, upload

pytestmark = pytest.mark.django_db

STEPS = (
    "probe", "posters", "piece 0", "piece 1", "piece 2", "piece 3", "whole", "rest", "storyboard",
    "preview",
)  # fmt: skip


@pytest.fixture
def me() -> Person:
    return person("asha")


@pytest.fixture
def client(me: Person) -> Client:
    return browser(me)


def stored() -> set[str]:
    return {found.key for found in records.objects().list()}


def named() -> set[str]:
    keys = set(Rendition.objects.values_list("key", flat=True))
    keys |= set(Piece.objects.values_list("key", flat=True))
    keys |= set(Video.objects.values_list("source_key", flat=True))
    for base in Video.objects.exclude(poster_base="").values_list("poster_base", flat=True):
        keys |= {f"{base}.webp", f"{base}.jpg"}
    for base in Video.objects.exclude(scrub_base="").values_list("scrub_base", flat=True):
        keys |= {f"{base}storyboard.webp", f"{base}preview.mp4"}
    return keys


def events() -> list[str]:
    from jhalak.feed.events import decode
    from jhalak.records.models import OutboxEvent

    rows = OutboxEvent.objects.order_by("pk")
    return [type(decode(bytes(row.body))).__name__ for row in rows]


def test_from_upload_to_complete(client: Client) -> None:
    seen: list[tuple[str, str, str]] = []
    with faked(FakeMedia()) as engine:
        public_id = upload(client)

        def look(step: str) -> None:
            card = client.get(f"/api/videos/{public_id}").json()
            seen.append((step, card["state"], card["src"].rpartition("/")[2]))

        engine.at = look
        assert run_jobs() == [
            ("videos.process", "done"), ("videos.ladder", "done"), ("videos.prune", "done"),
            ("videos.sound", "done"), ("videos.scrubbing", "done"), ("videos.tidy", "done"),
        ]  # fmt: skip
    assert seen == [
        ("probe", "checking", ""),
        ("posters", "preparing", ""),
        ("piece 0", "preparing", ""),
        ("piece 1", "preparing", ""),  # it is looked at before it is put
        ("piece 2", "playable", "growing.m3u8"),
        ("piece 3", "playable", "growing.m3u8"),
        ("whole", "playable", "growing.m3u8"),
        ("probe", "playable", "540.mp4"),  # once more, for the other renditions
        ("rest", "playable", "540.mp4"),
        ("probe", "complete", "540.mp4"),  # of what was made, for what shows its moments
        ("storyboard", "complete", "540.mp4"),
        ("preview", "complete", "540.mp4"),
    ]
    card = client.get(f"/api/videos/{public_id}").json()
    assert (card["state"], card["progress"], card["failure"]) == ("complete", 1.0, None)
    assert (card["width"], card["height"], card["duration_ms"]) == (540, 960, 3000)
    assert card["colour"] == "#112233"
    assert set(Rendition.objects.values_list("name", flat=True)) == {"540", "720"}
    assert not Piece.objects.exists()
    assert stored() == named()
    assert not all_work()
    assert events()[0] == "Published"
    assert set(events()) == {"Published"}


def test_a_remux_is_complete_at_once(client: Client) -> None:
    with faked(FakeMedia(remux=True, rest=0)):
        public_id = upload(client)
        assert run_jobs() == [
            ("videos.process", "done"), ("videos.sound", "done"), ("videos.scrubbing", "done"),
        ]  # fmt: skip
    card = client.get(f"/api/videos/{public_id}").json()
    assert card["state"] == "complete"
    assert card["src"].endswith("/source.mp4")
    assert events() == ["Published"]
    assert stored() == named()


def test_a_copy_that_is_too_loud_plays_until_another_takes_its_place(client: Client) -> None:
    def names() -> list[str]:
        card = client.get(f"/api/videos/{public_id}").json()
        assert card["src"] in [one["src"] for one in card["sources"]]
        return [card["src"], *(one["src"] for one in card["sources"])]

    with faked(FakeMedia(remux=True, level=True)):
        public_id = upload(client)
        base = f"/media/{public_id}/"
        assert run_jobs("videos.process") == [("videos.process", "done")]
        assert names() == [f"{base}source.mp4"] * 2
        assert run_jobs("videos.ladder") == [("videos.ladder", "done")]
        assert names() == [f"{base}levelled.mp4", f"{base}levelled.mp4", f"{base}720.mp4"]
        old = client.get(f"{base}source.mp4")  # somebody is in the middle of it
        assert old["X-Accel-Redirect"].endswith("/source.mp4")
        master = client.get(f"{base}master.m3u8").content.decode().splitlines()
        assert [line for line in master if line.endswith(".m3u8")] == ["levelled.m3u8", "720.m3u8"]
        records.enqueue("videos.ladder", public_id)  # as an operator who retries
        assert run_jobs("videos.ladder") == [("videos.ladder", "done")]
        run_jobs()
    assert set(Rendition.objects.values_list("name", flat=True)) == {"levelled", "720"}
    assert stored() == named()
    late = client.get(f"{base}source.mp4")
    assert (late.status_code, late["Location"]) == (302, "levelled.mp4")
    assert browser(person("b")).get(f"{base}master.m3u8").status_code == 200


@pytest.mark.parametrize("reason", list(media.Reason))
def test_refused_with_a_reason_and_a_retry(client: Client, reason: media.Reason) -> None:
    with faked(FakeMedia()) as engine:
        public_id = upload(client)
        engine.refuse = reason
        assert run_jobs("videos.process") == [("videos.process", "failed")]
        (mine,) = client.get("/api/me/videos").json()["items"]
        assert (mine["state"], mine["retry"]) == ("failed", True)
        assert mine["failure"]["code"] == reason.value
        assert mine["failure"]["text"].endswith(".")
        assert mine["state_text"] == "Could not be used"
        assert mine["src"] == ""
        engine.refuse = None
        again = client.post(f"/api/videos/{public_id}/retry").json()
        assert (again["state"], again["failure"], again["retry"]) == ("received", None, False)
        assert client.post(f"/api/videos/{public_id}/retry").status_code == 409
        run_jobs()
    assert client.get(f"/api/videos/{public_id}").json()["state"] == "complete"
    assert stored() == named()


def test_every_reason_has_its_own_words(client: Client) -> None:
    from django.utils import translation

    from jhalak.videos import reasons

    assert set(reasons.TEXTS) == {reason.value for reason in media.Reason} | {
        "internal",
        "cancelled",
        "sound_gone",
    }
    assert len(set(reasons.TEXTS.values())) == len(reasons.TEXTS)
    with translation.override("en"):
        assert reasons.text("no_picture") == "This file has no picture in it. Choose a video."
        assert reasons.text("never heard of") == reasons.text("internal")


def test_a_poison_file_fails_after_its_attempts(client: Client) -> None:
    with faked(FakeMedia()) as engine:
        public_id = upload(client)

        def fall(step: str) -> None:
            raise media.Failed("no memory")

        engine.at = fall
        assert run_jobs("videos.process", again=3) == [("videos.process", "failed")]
    card = client.get(f"/api/videos/{public_id}").json()
    assert card["failure"]["code"] == "internal"
    assert "no memory" not in card["failure"]["text"]
    run_jobs()
    assert stored() == named()


def test_half_a_video_is_no_video(client: Client) -> None:
    """Pieces are being watched, and then it turns out that the rest is damaged."""
    with faked(FakeMedia()) as engine:
        public_id = upload(client)

        def break_off(step: str) -> None:
            if step == "piece 3":
                raise media.Refused(media.Reason.DAMAGED, "no more frames")

        engine.at = break_off
        run_jobs()
    card = client.get(f"/api/videos/{public_id}").json()
    assert (card["state"], card["failure"]["code"]) == ("failed", "damaged")
    assert events() == ["Published", "Withdrawn"]
    assert not Piece.objects.exists()
    assert stored() == named()
    assert browser().get(f"/media/{public_id}/piece-1.m4s").status_code == 404


def test_a_ladder_that_fails_leaves_what_plays(client: Client) -> None:
    with faked(FakeMedia()) as engine:
        public_id = upload(client)

        def fall(step: str) -> None:
            if step == "rest":
                raise media.Failed("no memory")

        engine.at = fall
        outcome = dict(run_jobs(again=2))
    assert outcome["videos.ladder"] == "failed"
    card = client.get(f"/api/videos/{public_id}").json()
    assert (card["state"], card["failure"]) == ("complete", None)
    assert card["src"].endswith("/540.mp4")
    assert events().count("Withdrawn") == 0


@pytest.mark.parametrize("remux", [False, True])
@pytest.mark.parametrize("fatal", STEPS)
def test_killed_at_each_step_and_taken_up_again(client: Client, fatal: str, remux: bool) -> None:
    watched: list[str] = []
    with faked(FakeMedia(remux=remux)) as engine:
        public_id = upload(client)

        def die(step: str) -> None:
            if step == fatal:
                raise Killed

        engine.at = die
        try:
            run_jobs()
        except Killed:
            before = client.get(f"/api/videos/{public_id}").json()["state"]

            def look(step: str) -> None:
                card = client.get(f"/api/videos/{public_id}").json()
                watched.append(card["state"])
                if card["src"].endswith("m3u8"):
                    lines = browser().get(card["src"]).content.decode().splitlines()
                    pieces = [line for line in lines if not line.startswith("#")]
                    for piece in pieces:
                        assert browser().get(f"/media/{public_id}/{piece}").status_code == 200

            engine.at = look
            if before == "playable":  # never taken away from those who watch it
                run_jobs()
                assert set(watched) == {"playable", "complete"}
            else:
                run_jobs()
    card = client.get(f"/api/videos/{public_id}").json()
    assert card["state"] == "complete"
    assert Rendition.objects.count() == 2
    assert stored() == named()
    assert not all_work()
    assert set(events()) == {"Published"}


def test_a_repeat_whose_encoder_set_out_differently_adds_no_pieces(client: Client) -> None:
    with faked(FakeMedia()) as engine:
        public_id = upload(client)

        def die(step: str) -> None:
            if step == "piece 3":
                raise Killed

        engine.at = die
        with pytest.raises(Killed):
            run_jobs()
        assert Piece.objects.count() == 3
        engine.seed = b"another init"

        def look(step: str) -> None:
            assert Piece.objects.count() == 3
            assert records.objects().read(Piece.objects.get(number=0).key) == b"init"

        engine.at = look
        run_jobs("videos.process")
        # The pieces end early; the growing list is the whole file's own from now on.
        text = browser().get(f"/media/{public_id}/growing.m3u8").content.decode()
        assert "540.mp4" in text
        assert text.endswith("#EXT-X-ENDLIST\n")
        engine.at = lambda step: None
        run_jobs()
    assert stored() == named()


def test_a_worker_that_was_overtaken_changes_nothing(client: Client) -> None:
    """It hung at a piece, its lease ran out, another made the video; then it wakes up."""
    with faked(FakeMedia()) as engine:
        public_id = upload(client)
        nested: list[Any] = []

        def hang(step: str) -> None:
            if step == "piece 2" and not nested:
                nested.append(None)
                nested[0] = processing.do_begin(public_id)

        engine.at = hang
        assert run_jobs("videos.process") == [("videos.process", "lost")]
        assert Piece.objects.count() == 2
        assert nested[0].state == State.PLAYABLE
        old = Video.objects.get()
        old.run = "first"
        with pytest.raises(WrongState):
            processing.do_add_piece(old, 2, "videos/x", 1000)
        sweep()  # the job is gone; the video is taken up again
        run_jobs()
    assert client.get(f"/api/videos/{public_id}").json()["state"] == "complete"
    assert stored() == named()


@pytest.mark.parametrize("moment", ["posters", "piece 2", "whole", "rest"])
def test_deleted_while_it_is_made(client: Client, moment: str) -> None:
    with faked(FakeMedia()) as engine:
        public_id = upload(client)

        def delete(step: str) -> None:
            if step == moment:
                assert client.delete(f"/api/videos/{public_id}").status_code == 204

        engine.at = delete
        run_jobs()
    assert not Video.objects.exists()
    assert stored() == set()
    assert not all_work()


def test_the_sweep_leaves_what_is_needed_and_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "GRACE_S", -1.0)
    with faked(FakeMedia()):
        done = upload(client)
        run_jobs()
        waiting = upload(client)
        partial = create(client, 10)["Location"]
        patch(client, partial, 0, b"12345")
        whole = create(client, 4)["Location"]
        patch(client, whole, 0, b"123")
        files = options().folder / "uploads"
        with (files / whole.rpartition("/")[2]).open("ab") as file:
            file.write(b"4")
        Upload.objects.filter(pk=whole.rpartition("/")[2]).update(offset=4)
        objects = records.objects()
        for key in (
            "originals/" + "0" * 32, f"videos/{done}/dead/540.mp4", "videos/nobodysvideo/run/x.mp4"
        ):  # fmt: skip
            objects.put(key, b"left", content_type="video/mp4")
        (files / ("f" * 32)).write_bytes(b"left")
        room = options().folder / "work" / f"{done}.deadrun"
        room.mkdir(parents=True)
        (room / "540.mp4").write_bytes(b"left")
        Job.objects.filter(subject=waiting).delete()  # however that came about
        sweep()
        sweep()
        assert Video.objects.count() == 3
        assert stored() == named()
        assert not all_work()
        assert [path.name for path in files.iterdir()] == [partial.rpartition("/")[2]]
        run_jobs()
    assert set(Video.objects.values_list("state", flat=True)) == {"complete"}
    assert patch(client, partial, 5, b"67890").status_code == 204


def test_originals_are_never_served(client: Client) -> None:
    with faked(FakeMedia()):
        public_id = upload(client)
        run_jobs()
    video = Video.objects.get()
    name = video.source_key.rpartition("/")[2]
    for address in (name, "original", "source", f"{name}.mp4", "source.mp4"):
        assert client.get(f"/media/{public_id}/{address}").status_code == 404
