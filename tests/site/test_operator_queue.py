"""The operator's queue, by API and as a page: what is seen, who sees it, and what is done in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories import browser, person
from tests.videos.tools import FakeMedia, faked, run_jobs, upload

from jhalak import media, records
from jhalak.people.roles import Role
from jhalak.records import leases
from jhalak.records.jobs import Job, JobState
from jhalak.records.models import AuditEntry
from jhalak.videos import processing
from jhalak.videos.actions import LADDER, PROCESS
from jhalak.videos.models import Piece, Video

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "/api/operator/jobs"


@pytest.fixture
def operator() -> Client:
    return browser(person("boss", Role.OPERATOR))


@pytest.fixture
def author() -> Client:
    return browser(person("asha"))


def act(client: Client, job: Job, what: str) -> int:
    body = {"reason": "Too heavy."} if what == "cancel" else {}
    answer = client.post(f"{JOBS}/{job.pk}/{what}", body, "application/json")
    return answer.status_code


def job_of(video: str, kind: str = PROCESS) -> Job:
    return Job.objects.filter(kind=kind, subject=video).latest("pk")


def test_what_is_seen(operator: Client, author: Client) -> None:
    empty = operator.get(JOBS).json()
    assert (empty["counts"], empty["running"], empty["oldest_s"]) == ([], [], 0.0)
    for _ in range(2):
        upload(author)
    running = leases.do_claim("machine-1")
    assert running is not None
    leases.do_keep(running, lease_s=20, progress=0.25)
    records.enqueue("videos.tidy", "later", delay_s=60)
    failed = records.enqueue("videos.tidy", "bad")
    Job.objects.filter(pk=failed.pk).update(state="failed", error_code="no", error_text="Why.")
    Job.objects.filter(state="queued").update(created=timezone.now() - timedelta(seconds=90))
    seen = operator.get(JOBS).json()
    assert {"kind": PROCESS, "state": "queued", "count": 1} in seen["counts"]
    assert seen["oldest_s"] >= 90
    assert [row["kind"] for row in seen["waiting"]] == [PROCESS, "videos.tidy"]
    assert 50 < seen["waiting"][1]["due_s"] <= 60
    (row,) = seen["running"]
    assert (row["worker"], row["progress"], row["owner"]) == ("machine-1", 0.25, running.owner)
    assert 15 < row["lease_s"] <= 20
    (row,) = seen["failed"]
    assert (row["code"], row["reason"], row["retry"]) == ("no", "Why.", True)
    page = operator.get("/operator/queue").content.decode()
    for text in ("machine-1", "videos.tidy", "Why.", running.subject):
        assert text in page


@pytest.mark.parametrize("role", [None, *(role for role in Role if role != Role.OPERATOR)])
def test_the_page_is_the_operator_s_alone(role: Role | None) -> None:
    answer = browser(person(role=role) if role else None).get("/operator/queue")
    assert answer.status_code == (404 if role else 302)
    if not role:
        assert answer["Location"] == "/login?next=/operator/queue"


def test_cancel_a_waiting_video_and_undo_it(operator: Client, author: Client) -> None:
    with faked(FakeMedia()):
        video = upload(author)
        job = job_of(video)
        assert act(operator, job, "retry") == 409
        assert act(operator, job, "cancel") == 204
        card = author.get(f"/api/videos/{video}").json()
        assert (card["state"], card["failure"]["code"], card["queue"]) == (
            "failed", "cancelled", None,
        )  # fmt: skip
        assert act(operator, job, "cancel") == 409
        assert act(operator, job, "retry") == 200
        assert act(operator, job, "retry") == 409  # once
        assert author.get(f"/api/videos/{video}").json()["state"] == "received"
        run_jobs()
    assert author.get(f"/api/videos/{video}").json()["state"] == "complete"
    entries = AuditEntry.objects.filter(action__startswith="job.").order_by("pk")
    assert [(entry.action, entry.object, entry.actor_role) for entry in entries] == [
        ("job.cancel", f"job:videos.process:{video}", "operator"),
        ("job.retry", f"job:videos.process:{video}", "operator"),
    ]
    assert entries[0].detail == {"job": job.pk, "reason": "Too heavy."}


def test_cancelled_in_the_middle_of_it(operator: Client, author: Client) -> None:
    """Its worker writes nothing more, whatever it still makes; nothing is left of it."""
    with faked(FakeMedia()) as engine:
        video = upload(author)

        def cancel(step: str) -> None:
            if step == "piece 3":
                assert author.get(f"/api/videos/{video}").json()["state"] == "playable"
                assert act(operator, job_of(video), "cancel") == 204

        engine.at = cancel
        assert run_jobs(PROCESS) == [(PROCESS, "lost")]
        assert author.get(f"/api/videos/{video}").json()["state"] == "failed"
        assert not Piece.objects.exists()
        left = {found.key.rpartition("/")[2] for found in records.objects().list("videos/")}
        assert left == {"poster.webp", "poster.jpg"}  # its author still sees which one it was
        engine.at = lambda step: None
        assert act(operator, job_of(video), "retry") == 200
        run_jobs()
    assert author.get(f"/api/videos/{video}").json()["state"] == "complete"


def test_a_finer_version_that_was_cancelled_can_be_had_after_all(
    operator: Client, author: Client
) -> None:
    with faked(FakeMedia()):
        video = upload(author)
        run_jobs(PROCESS)
        assert act(operator, job_of(video, LADDER), "cancel") == 204
        card = author.get(f"/api/videos/{video}").json()
        assert (card["state"], card["failure"]) == ("complete", None)
        assert Video.objects.get().renditions.count() == 1
        assert act(operator, job_of(video, LADDER), "retry") == 200
        run_jobs()
        assert Video.objects.get().renditions.count() == 2
        assert processing.do_begin_rest(video) is None  # not a third time
    assert author.get(f"/api/videos/{video}").json()["state"] == "complete"


def test_what_is_gone_is_not_tried_again(operator: Client, author: Client) -> None:
    with faked(FakeMedia()) as engine:
        video = upload(author)
        engine.refuse = media.Reason.DAMAGED
        run_jobs(PROCESS)
    job = job_of(video)
    assert job.state == JobState.FAILED
    assert author.delete(f"/api/videos/{video}").status_code == 204
    assert act(operator, job, "retry") == 409
    assert operator.post(f"{JOBS}/999999/retry").status_code == 404
    assert not AuditEntry.objects.filter(action="job.retry").exists()


def test_its_author_sees_its_place() -> None:
    clients = [browser(person(f"p{number}")) for number in range(3)]
    videos = [[upload(client) for client in clients] for _ in range(2)]
    for number, client in enumerate(clients):
        items = client.get("/api/me/videos").json()["items"]
        places = {item["id"]: item["queue"] for item in items}
        assert places[videos[0][number]] == {"ahead": number, "many_today": False}
        assert places[videos[1][number]] == {"ahead": 3 + number, "many_today": False}
    assert leases.do_claim("w") is not None
    card = clients[0].get(f"/api/videos/{videos[0][0]}").json()
    assert card["queue"] is None
    assert clients[1].get(f"/api/videos/{videos[0][1]}").json()["queue"]["ahead"] == 0
    Job.objects.filter(subject=videos[1][1]).update(over_budget=True)
    card = clients[1].get(f"/api/videos/{videos[1][1]}").json()
    assert card["queue"] == {"ahead": 4, "many_today": True}
    assert "queue" not in browser(person()).get(f"/api/videos/{videos[0][1]}").json()
