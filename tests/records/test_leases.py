"""How one job moves, step by step and without threads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from jhalak import records
from jhalak.records import leases
from jhalak.records.jobs import GiveUp, Job, JobState, Priority, Retry, run_due, task
from jhalak.records.models import AuditEntry
from jhalak.records.processes import own_host, own_name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tasks")]


def due_now() -> None:
    Job.objects.update(run_after=timezone.now())


def only() -> Job:
    return Job.objects.get()


@pytest.fixture
def kind() -> str:
    task("kind")(lambda job, progress: None)
    return "kind"


def test_done() -> None:
    seen: list[tuple[str, dict[str, int], int, str]] = []

    @task("kind")
    def run(job: Job, progress: object) -> None:
        seen.append((job.subject, job.payload, job.attempts, only().state))

    records.enqueue("kind", "a", {"x": 1})
    assert run_due() == 1
    assert run_due() == 0
    assert seen == [("a", {"x": 1}, 1, JobState.RUNNING)]
    job = only()
    assert (job.state, job.progress, job.error_code) == (JobState.DONE, 1.0, "")
    assert (job.leased_by, job.lease_until) == ("", None)


def test_what_is_unforeseen_is_tried_again_later_and_later_and_then_failed() -> None:
    failed: list[str] = []

    def on_failed(job: Job) -> None:
        assert transaction.get_connection().in_atomic_block
        failed.append(f"{job.state} {job.error_code} {job.error_text}")
        records.audit(None, "hook", job.subject)

    @task("kind", on_failed=on_failed)
    def run(job: Job, progress: object) -> None:
        raise ValueError(f"attempt {job.attempts}\0\ud800\n" + "x" * 1000)

    records.enqueue("kind", "a", max_attempts=3)
    for attempt, pause in ((1, 1), (2, 4)):
        due_now()
        assert run_due() == 1
        job = only()
        assert (job.state, job.attempts, job.error_code) == ("queued", attempt, "unexpected")
        assert job.error_text.startswith(f"ValueError: attempt {attempt}���x")
        assert len(job.error_text) == 500
        wait = (job.run_after - timezone.now()).total_seconds()
        assert pause / 2 - 1 < wait <= pause
        assert run_due() == 0  # not before its time
        assert failed == []
    due_now()
    assert run_due() == 1
    assert (only().state, only().attempts) == (JobState.FAILED, 3)
    assert failed[0].startswith("failed unexpected ValueError: attempt 3")
    assert len(failed) == AuditEntry.objects.count() == 1
    due_now()
    assert run_due() == 0


def test_give_up_fails_at_once() -> None:
    failed: list[str] = []

    @task("kind", on_failed=lambda job: failed.append(job.error_code))
    def run(job: Job, progress: object) -> None:
        raise GiveUp("no_video", "There is no picture in this file.")

    records.enqueue("kind", "a")
    run_due()
    job = only()
    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert (job.error_code, job.error_text) == ("no_video", "There is no picture in this file.")
    assert failed == ["no_video"]


def test_retry_says_when() -> None:
    @task("kind")
    def run(job: Job, progress: object) -> None:
        if job.attempts < 2:
            raise Retry("busy", "not yet", after_s=0.0)

    records.enqueue("kind", "a")
    assert run_due() == 2
    assert (only().state, only().attempts) == (JobState.DONE, 2)


def test_a_hook_that_fails_leaves_the_job_as_it_was() -> None:
    broken = [True]

    def on_failed(job: Job) -> None:
        records.audit(None, "hook", job.subject)
        if broken[0]:
            raise RuntimeError("the hook fails")

    @task("kind", on_failed=on_failed)
    def run(job: Job, progress: object) -> None:
        raise GiveUp("no")

    records.enqueue("kind", "a", max_attempts=1)
    with pytest.raises(RuntimeError, match="the hook fails"):
        run_due()
    assert only().state == JobState.RUNNING
    assert not AuditEntry.objects.exists()

    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.do_requeue_lost() == 0  # fails again: logged, and looked at again later
    assert only().state == JobState.RUNNING
    assert leases.do_requeue_lost() == 0

    broken[0] = False
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.do_requeue_lost() == 1
    assert only().state == JobState.FAILED
    assert AuditEntry.objects.count() == 1


def test_the_order_of_claims(kind: str) -> None:
    records.enqueue(kind, "later", priority=Priority.LATER)
    records.enqueue(kind, "m1-a", owner="m1")
    records.enqueue(kind, "m1-b", owner="m1")
    records.enqueue(kind, "m2-a", owner="m2")
    records.enqueue(kind, "urgent", priority=Priority.URGENT)
    records.enqueue(kind, "not yet", priority=Priority.URGENT, delay_s=60)
    records.enqueue("unknown", "nobody knows how", priority=Priority.URGENT)
    urgent = leases.do_claim("w", urgent_only=True)
    assert urgent is not None
    assert urgent.subject == "urgent"
    assert leases.do_claim("w", urgent_only=True) is None
    claimed = []
    while job := leases.do_claim("w"):
        claimed.append(job.subject)
    assert claimed == ["m1-a", "m2-a", "m1-b", "later"]
    assert leases.kinds_waiting() == ["unknown"]


def test_a_lost_lease_can_do_nothing(kind: str) -> None:
    """Somebody who was away for too long, and comes back while another one works."""
    records.enqueue(kind, "a")
    old = leases.do_claim("elsewhere/1:1:1:1")
    assert old is not None
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.do_requeue_lost() == 1
    assert (only().error_code, only().error_text) == ("worker_lost", "its lease ran out")
    new = leases.do_claim("elsewhere/2:2:2:2")
    assert new is not None
    assert new.attempts == 2
    for act in (
        lambda: leases.do_finish(old),
        lambda: leases.do_fail(old, "x", ""),
        lambda: leases.do_try_again(old, "x", ""),
        lambda: leases.do_release(old),
        lambda: leases.do_keep(old, lease_s=60, progress=0.5),
    ):
        assert act() is False
    assert only().leased_by == "elsewhere/2:2:2:2"
    assert leases.do_keep(new, lease_s=60, progress=0.5)
    assert leases.do_finish(new)


def test_leases_of_processes_that_ended(kind: str) -> None:
    records.enqueue(kind, "a", max_attempts=2)
    gone = f"{own_host()}999999999:5:1"
    for state in (JobState.QUEUED, JobState.FAILED):
        assert leases.do_claim(gone) is not None
        assert leases.do_requeue_lost() == 1  # at once, the lease is still good
        assert only().state == state
        assert only().error_text == "its worker ended"


def test_leases_of_the_living_stay(kind: str) -> None:
    for name in (f"{own_name()}:1", "elsewhere/1:1:1:1"):
        records.enqueue(kind, name)
        assert leases.do_claim(name) is not None
    assert leases.do_requeue_lost() == 0
    assert Job.objects.filter(state=JobState.RUNNING).count() == 2


def test_given_back_counts_no_attempt(kind: str) -> None:
    records.enqueue(kind, "a", max_attempts=1)
    for _ in range(3):
        job = leases.do_claim("w")
        assert job is not None
        assert job.attempts == 1
        assert leases.do_release(job)
    assert run_due() == 1
    assert only().state == JobState.DONE


def test_cancelled_while_it_runs(kind: str) -> None:
    records.enqueue(kind, "a")
    job = leases.do_claim("w")
    assert job is not None
    assert records.cancel(kind, "a")
    assert not leases.do_keep(job, lease_s=60, progress=0.5)
    assert not leases.do_finish(job)
    assert only().state == JobState.CANCELLED


def test_old_jobs_are_forgotten(kind: str) -> None:
    for number, state in enumerate(JobState):
        records.enqueue(kind, str(number))
        Job.objects.filter(subject=str(number)).update(state=state)
    Job.objects.update(updated=timezone.now() - timedelta(days=31))
    records.enqueue(kind, "new")
    Job.objects.filter(subject="new").update(state=JobState.DONE)
    assert leases.do_forget_old() == 3
    assert {job.state for job in Job.objects.exclude(subject="new")} == {"queued", "running"}


def test_two_tasks_of_one_name() -> None:
    task("kind")(lambda job, progress: None)
    with pytest.raises(ValueError, match="two tasks"):
        task("kind")(lambda job, progress: None)


def test_pauses_grow_and_are_spread() -> None:
    for attempts, longest in ((1, 1), (2, 4), (3, 16), (4, 64), (5, 256), (6, 300), (30_000, 300)):
        pauses = {leases.pause_s(attempts) for _ in range(50)}
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(pauses) > 1


def test_a_file_that_kills_its_worker_is_not_taken_up_at_once_twice(kind: str) -> None:
    """So what ran beside it gets through meanwhile; and it is set aside in the end."""
    records.enqueue(kind, "poison", max_attempts=3)
    records.enqueue(kind, "beside")
    gone = f"{own_host()}999999999:5:1"
    for subject in ("poison", "beside"):
        job = leases.do_claim(gone)
        assert job is not None
        assert job.subject == subject
    assert leases.do_requeue_lost() == 2
    again = leases.do_claim(gone)
    assert again is not None
    assert again.subject == "poison"  # the first time nobody knows whose fault it was
    assert leases.do_requeue_lost() == 1
    assert run_due() == 1
    assert Job.objects.get(subject="beside").state == JobState.DONE
    due_now()
    assert leases.do_claim(gone) is not None
    assert leases.do_requeue_lost() == 1
    poison = Job.objects.get(subject="poison")
    assert (poison.state, poison.attempts, poison.error_code) == ("failed", 3, "worker_lost")
    assert poison.spent_s == 0.0


def test_what_waits_again_has_no_progress(kind: str) -> None:
    records.enqueue(kind, "a")
    job = leases.do_claim("w")
    assert job is not None
    leases.do_keep(job, lease_s=60, progress=0.5)
    assert leases.do_try_again(job, "busy", "", 0.0)
    assert only().progress == 0.0


def test_of_kinds_that_are_to_be_alone_one_works_on_a_subject() -> None:
    for name in ("long", "short"):
        task(name, alone=True)(lambda job, progress: None)
    task("other")(lambda job, progress: None)
    for name, subject in (("long", "a"), ("short", "a"), ("other", "a"), ("short", "b")):
        records.enqueue(name, subject)

    def claim() -> tuple[str, str] | None:
        job = leases.do_claim(f"{own_name()}:1")
        return None if job is None else (job.kind, job.subject)

    assert [claim() for _ in range(4)] == [("long", "a"), ("other", "a"), ("short", "b"), None]
    assert leases.do_finish(Job.objects.get(kind="long"))
    assert claim() == ("short", "a")
