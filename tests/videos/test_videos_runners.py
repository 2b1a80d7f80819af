"""What a runner's token and a job's token open, and what they do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import msgspec
import pytest
from django.test import Client
from django.utils import timezone
from typer.testing import CliRunner

from jhalak import media, records
from jhalak.border.log.entries import Kind, read_entry
from jhalak.cli.runner import runner_cli
from jhalak.records import leases
from jhalak.records.models import AuditEntry, Job, LedgerEntry
from jhalak.stores.objects import StoreAway, StoreFull
from jhalak.videos.models import Piece, Runner, Video
from jhalak.videos.runners import do_add_runner, do_remove_runner
from tests.factories import browser, person, sound
from tests.factories import video as clip
from tests.videos.tools import upload

pytestmark = pytest.mark.django_db(transaction=True)


class Machine:
    """A runner, by hand."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = Client()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body, enc_hook=str)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.generic(method, f"/api/runner/{path}", data, kind, headers=headers)

    def claim(self) -> tuple[Machine, dict[str, Any]]:
        answer = self.ask("POST", "claims")
        assert answer.status_code == 200, answer.content
        return Machine(answer.json()["token"]), answer.json()


@pytest.fixture
def video() -> str:
    return upload(browser(person("asha")), b"the original " * 50)


@pytest.fixture
def machine() -> Machine:
    return Machine(do_add_runner("box"))


def facts() -> dict[str, int]:
    return {"duration_ms": 3000, "width": 540, "height": 960}


def rendition(name: str = "540", size: int = 100) -> dict[str, Any]:
    one = media.Rendition(
        name=name, path="x", width=540, height=960, bitrate_bps=1000, average_bps=900,  # type: ignore[arg-type]
        codecs="avc1.64001f", frame_rate=30.0, duration_ms=3000, size=size, init_size=10,
        index=(media.Fragment(10, 90, 3000),),
    )  # fmt: skip
    return msgspec.json.decode(msgspec.json.encode(one, enc_hook=str))


def test_a_whole_job(machine: Machine, video: str) -> None:
    job, told = machine.claim()
    assert told["kind"] == "videos.process"
    assert told["start"] == {"playable": False, "known": {}, "init": ""}
    assert machine.ask("POST", "claims").status_code == 204  # nothing else waits
    source = job.ask("GET", "original")
    assert source["X-Accel-Redirect"] == records.objects().internal_path(
        Video.objects.get().source_key
    )
    assert job.ask("POST", "progress", {"progress": 0.5}).status_code == 204
    assert job.ask("POST", "progress", {"progress": 0.2}).status_code == 204
    assert Job.objects.get(subject=video).progress == 0.5  # it never falls
    assert job.ask("POST", "prepared", facts()).status_code == 204
    assert job.ask("POST", "posters", {"colour": "#112233"}).status_code == 409  # bring them first
    for ending in ("webp", "jpg"):
        assert job.ask("PUT", f"files/poster.{ending}", b"picture").status_code == 204
    assert job.ask("POST", "posters", {"colour": "#112233"}).status_code == 204
    for number in range(3):
        piece = {"number": number, "duration_ms": 1000 if number else 0}
        assert job.ask("POST", "pieces", piece).status_code == 409
        assert job.ask("PUT", f"files/piece-{number}.m4s", b"piece %d" % number).status_code == 204
        assert job.ask("POST", "pieces", piece).status_code == 204
        assert job.ask("POST", "pieces", piece).status_code == 204  # said twice is once
    assert Video.objects.get().state == "playable"
    assert Piece.objects.count() == 3
    given = {"rendition": rendition(), "more": False}
    assert job.ask("PUT", "files/540.mp4", b"x" * 99).status_code == 204
    assert job.ask("POST", "first", given).status_code == 409  # not of the size that it should be
    assert job.ask("PUT", "files/540.mp4", b"x" * 100).status_code == 204
    assert job.ask("POST", "first", given).status_code == 204
    assert job.ask("POST", "end", {"how": "done"}).status_code == 204
    assert Video.objects.get().state == "complete"
    assert Job.objects.get(subject=video, kind="videos.process").state == "done"
    assert job.ask("GET", "original").status_code == 410  # over: it opens nothing any more


def test_a_job_opens_the_sound_that_its_clip_takes_and_no_other(machine: Machine) -> None:
    taken = sound(clip(person()))
    public_id = upload(browser(person()), b"x" * 100, sound=taken.public_id)
    job, told = machine.claim()
    assert told["sound"] is True
    given = job.ask("GET", "sound")
    assert given["X-Accel-Redirect"] == records.objects().internal_path(taken.key)
    assert machine.ask("GET", "sound").status_code == 401
    assert job.ask("POST", "end", {"how": "released"}).status_code == 204
    assert job.ask("GET", "sound").status_code == 410
    Video.objects.filter(pk=taken.origin_id).update(visibility="private")
    assert machine.ask("POST", "claims").status_code == 204  # nobody makes it without its sound
    failed = Video.objects.get(public_id=public_id)
    assert (failed.state, failed.failure) == ("failed", "sound_gone")


def test_a_clip_with_its_own_sound_opens_none(machine: Machine, video: str) -> None:
    sound(clip(person()))
    job, told = machine.claim()
    assert told["sound"] is False
    assert job.ask("GET", "sound").status_code == 404


def test_tokens_open_their_own_and_nothing_else(machine: Machine, video: str) -> None:
    job, _ = machine.claim()
    assert job.ask("POST", "claims").status_code == 401  # a job's token claims nothing
    assert machine.ask("GET", "original").status_code == 401  # a runner's opens no clip
    assert Machine(job.token[:-2] + "xx").ask("GET", "original").status_code == 401
    assert Machine("").ask("POST", "claims").status_code == 401
    bearer = {"Authorization": f"Bearer {machine.token}"}
    assert Client().get("/api/me", headers=bearer).status_code == 401
    assert Client().get(f"/media/{video}/poster.webp", headers=bearer).status_code == 404
    for name in ("..%2f..%2fx.mp4", "x.svg", "540.html", "piece--1.m4s", "a" * 9 + ".mp4"):
        assert job.ask("PUT", f"files/{name}", b"x").status_code in (404, 422), name
    bad = {"rendition": rendition("../../x"), "more": False}
    assert job.ask("POST", "first", bad).status_code == 422
    assert job.ask("POST", "first", {"rendition": {"name": 7}, "more": False}).status_code == 422
    assert job.ask("POST", "end", {"how": "well"}).status_code == 422
    assert [found.key for found in records.objects().list("videos/")] == []


def test_a_silent_runner_is_replaced_and_can_do_nothing_more(machine: Machine, video: str) -> None:
    old, _ = machine.claim()
    assert old.ask("POST", "prepared", facts()).status_code == 204
    for number in range(2):
        assert old.ask("PUT", f"files/piece-{number}.m4s", b"piece %d" % number).status_code == 204
        piece = {"number": number, "duration_ms": 1000 * number}
        assert old.ask("POST", "pieces", piece).status_code == 204
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.do_requeue_lost() == 1
    for method, path, body in (
        ("GET", "original", None),
        ("PUT", "files/540.mp4", b"late"),
        ("POST", "progress", {"progress": 0.9}),
        ("POST", "first", {"rendition": rendition(), "more": False}),
        ("POST", "end", {"how": "done"}),
    ):
        assert old.ask(method, path, body).status_code == 410, path
    new, told = machine.claim()
    assert told["start"]["playable"] is True
    assert told["start"]["known"] == {"0": 0, "1": 1000}
    assert len(told["start"]["init"]) == 64
    assert old.ask("PUT", "files/540.mp4", b"late").status_code == 410
    assert new.ask("POST", "end", {"how": "refused", "code": "damaged"}).status_code == 204
    assert Video.objects.get().failure == "damaged"
    assert not Piece.objects.exists()


def test_a_removed_runner_is_out_at_once(machine: Machine, video: str) -> None:
    job, _ = machine.claim()
    do_remove_runner(None, "box")
    assert job.ask("GET", "original").status_code == 410
    assert machine.ask("POST", "claims").status_code == 401
    assert list(AuditEntry.objects.filter(action__startswith="runner").values_list("action")) == [
        ("runner.add",),
        ("runner.remove",),
    ]


def test_given_back_and_tried_again(machine: Machine, video: str) -> None:
    job, _ = machine.claim()
    assert job.ask("POST", "end", {"how": "released"}).status_code == 204
    assert Job.objects.get(subject=video).attempts == 0
    job, _ = machine.claim()
    assert job.ask("POST", "end", {"how": "again", "text": "no disk"}).status_code == 204
    row = Job.objects.get(subject=video)
    assert (row.state, row.attempts, row.error_text) == ("queued", 1, "no disk")


def test_what_the_site_cannot_take_costs_no_attempt(
    machine: Machine, video: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its store is away when the job is asked for, when a file is brought, or full."""
    store = records.objects()

    def row() -> tuple[str, int, int, str]:
        job = Job.objects.get(subject=video)
        Job.objects.update(run_after=timezone.now())
        return job.state, job.attempts, job.waits, job.error_code

    def away(*_: object, **__: object) -> None:
        raise StoreAway("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(store, "list", away)
        assert machine.ask("POST", "claims").status_code == 503
    assert row() == ("queued", 0, 1, "unavailable")
    job, _ = machine.claim()
    with monkeypatch.context() as patch:
        patch.setattr(store, "put", away)
        assert job.ask("PUT", "files/540.mp4", b"x").status_code == 503
    said = {"how": "waits", "code": "unavailable", "text": "503"}
    assert job.ask("POST", "end", said).status_code == 204
    assert row() == ("queued", 0, 2, "unavailable")
    job, _ = machine.claim()
    with monkeypatch.context() as patch:
        full = StoreFull("no room")
        patch.setattr(store, "put", mock.Mock(side_effect=full))
        assert job.ask("PUT", "files/540.mp4", b"x").status_code == 507
    assert Video.objects.get().failure == ""


def test_the_house_can_leave_videos_to_runners(machine: Machine, video: str) -> None:
    records.enqueue("videos.tidy", "x")
    taken = leases.do_claim("local", remote=False)
    assert taken is not None
    assert taken.kind == "videos.tidy"
    assert leases.do_claim("local", remote=False) is None
    machine.claim()


def test_the_log_of_the_border_has_each_runner_as_an_exception() -> None:
    do_add_runner("box")
    do_remove_runner(None, "box")
    rows = LedgerEntry.objects.order_by("id").values_list("leaf", flat=True)
    entries = [read_entry(bytes(leaf)) for leaf in rows]
    found = [entry.body for entry in entries if entry.kind is Kind.EXCEPTION]
    box = {"exception": "runner", "name": "box"}
    assert found == [box | {"event": "declared"}, box | {"event": "withdrawn"}]


def test_the_command_line_lets_in_and_out() -> None:
    added = CliRunner().invoke(runner_cli, ["add", "box-2"])
    assert added.exit_code == 0
    token = added.output.strip()
    assert Runner.objects.get().token_hash != token
    assert Machine(token).ask("POST", "claims").status_code == 204
    for words in (["add", "box-2"], ["add", "Box 2"], ["remove", "nobody"]):
        assert CliRunner().invoke(runner_cli, words).exit_code == 1
    assert CliRunner().invoke(runner_cli, ["remove", "box-2"]).exit_code == 0
    assert not Runner.objects.exists()
