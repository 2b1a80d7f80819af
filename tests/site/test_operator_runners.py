"""The operator's runners, by API and on the queue's page: what is seen of them, and letting go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories import browser, person
from tests.videos.test_videos_runners import Machine
from tests.videos.tools import upload

from jhalak.people.roles import Role
from jhalak.records.models import AuditEntry, Job
from jhalak.videos.models import Runner
from jhalak.videos.runners import do_add_runner

pytestmark = pytest.mark.django_db(transaction=True)
RUNNERS = "/api/operator/runners"
PAGE = "/operator/queue"


@pytest.fixture
def operator() -> Client:
    return browser(person("boss", Role.OPERATOR))


def test_none_is_there(operator: Client) -> None:
    assert operator.get(RUNNERS).json() == {"items": []}
    assert "jhalak runner add" in operator.get(PAGE).content.decode()
    hindi = operator.get(PAGE, headers={"Accept-Language": "hi"}).content.decode()
    assert "कोई और मशीन मदद नहीं करती" in hindi


def test_what_is_seen_of_one(operator: Client) -> None:
    machine = Machine(do_add_runner("box"))
    do_add_runner("attic")
    idle = {"seen_s": None, "silent": True, "done_today": 0, "jobs": []}
    attic, box = operator.get(RUNNERS).json()["items"]
    assert attic == idle | {"name": "attic"}
    video = upload(browser(person("asha")))
    job, _ = machine.claim()
    assert job.ask("POST", "progress", {"progress": 0.25}).status_code == 204
    box = operator.get(RUNNERS).json()["items"][1]
    assert (box["silent"], box["done_today"]) == (False, 0)
    assert 0 <= box["seen_s"] < 30
    assert [(one["subject"], one["progress"]) for one in box["jobs"]] == [(video, 0.25)]
    page = operator.get(PAGE).content.decode()
    for text in ("box", "attic", video, "Silent", "Never"):
        assert text in page
    assert "jhalak runner add" not in page
    assert job.ask("POST", "end", {"how": "done"}).status_code == 204
    assert job.ask("POST", "end", {"how": "done"}).status_code == 410  # counted once
    box = operator.get(RUNNERS).json()["items"][1]
    assert (box["done_today"], box["jobs"]) == (1, [])
    yesterday = timezone.localdate() - timedelta(days=1)
    Runner.objects.update(done_on=yesterday, seen=timezone.now() - timedelta(seconds=60))
    box = operator.get(RUNNERS).json()["items"][1]
    assert (box["done_today"], box["silent"]) == (0, True)
    assert machine.ask("POST", "claims").status_code == 204
    assert operator.get(RUNNERS).json()["items"][1]["silent"] is False


def test_one_that_is_removed_is_out_and_its_job_is_free(operator: Client) -> None:
    machine = Machine(do_add_runner("box"))
    video = upload(browser(person("asha")))
    job, _ = machine.claim()
    assert operator.delete(f"{RUNNERS}/box").status_code == 204
    assert operator.delete(f"{RUNNERS}/box").status_code == 404
    assert job.ask("POST", "progress", {"progress": 0.5}).status_code == 410
    assert machine.ask("POST", "claims").status_code == 401
    row = Job.objects.get(subject=video)
    assert (row.state, row.attempts) == ("queued", 0)  # that was not the clip's fault
    entry = AuditEntry.objects.get(action="runner.remove")
    assert (entry.object, entry.actor_role) == ("runner:box", "operator")


@pytest.mark.parametrize("role", [None, *(role for role in Role if role != Role.OPERATOR)])
def test_nobody_else_sees_or_removes_one(role: Role | None) -> None:
    do_add_runner("box")
    client = browser(person(role=role) if role else None)
    assert client.get(RUNNERS).status_code == (403 if role else 401)
    assert client.delete(f"{RUNNERS}/box").status_code == (403 if role else 401)
    assert Runner.objects.count() == 1
