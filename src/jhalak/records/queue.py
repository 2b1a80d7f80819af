"""The queue as its operator sees it, and what the operator does in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak.problems import Conflict, NotFound
from jhalak.records.actions import Actor, audit, enqueue
from jhalak.records.leases import do_fail
from jhalak.records.models import Job
from jhalak.records.registry import TASKS
from jhalak.records.states import LIVE, JobState

CANCELLED = "cancelled"  # the code of what an operator took out
AT_MOST = 50  # rows of each list


class JobRow(msgspec.Struct, frozen=True):
    """A job as the operator reads it. `waited_s`: since it was enqueued; `due_s`: until it may be
    taken, 0 when it may be now; `lease_s`: until its worker must be heard of.
    """

    id: int
    kind: str
    subject: str
    owner: str
    state: str
    priority: int
    over_budget: bool
    attempts: int
    max_attempts: int
    progress: float
    spent_s: float
    worker: str
    waited_s: float
    due_s: float
    running_s: float
    lease_s: float
    code: str
    reason: str
    updated: datetime
    retry: bool


class Overview(msgspec.Struct, frozen=True):
    """`counts` by kind and state; the lists are cut at `AT_MOST`, what matters most first."""

    counts: list[dict[str, Any]]
    oldest_s: float  # how long the oldest that is due has waited, 0 for none
    waiting_count: int
    over_budget: int
    running: list[JobRow]
    waiting: list[JobRow]
    failed: list[JobRow]


def overview() -> Overview:
    now = timezone.now()
    counts = Job.objects.order_by().values("kind", "state").annotate(count=Count("pk"))
    queued = Job.objects.filter(state=JobState.QUEUED)
    oldest = queued.filter(run_after__lte=now).order_by("created").first()
    waiting = queued.order_by("over_budget", "priority", "turn", "id")
    ended = Job.objects.filter(state__in=(JobState.FAILED, JobState.CANCELLED))
    return Overview(
        counts=[dict(one) for one in counts.order_by("kind", "state")],
        oldest_s=(now - oldest.created).total_seconds() if oldest else 0.0,
        waiting_count=queued.count(),
        over_budget=queued.filter(over_budget=True).count(),
        running=_rows(Job.objects.filter(state=JobState.RUNNING).order_by("claimed", "id"), now),
        waiting=_rows(waiting, now),
        failed=_rows(ended.exclude(error_code="").order_by("-updated", "-id"), now),
    )


def _rows(jobs: QuerySet[Job], now: datetime) -> list[JobRow]:
    found = list(jobs[:AT_MOST])
    again = _tried_again(found)
    return [_row(job, now, again) for job in found]


def _tried_again(jobs: list[Job]) -> set[int]:
    """Those of these jobs after which the same was enqueued again."""
    subjects = {job.subject for job in jobs}
    latest: dict[tuple[str, str], int] = {}
    same = Job.objects.filter(kind__in={job.kind for job in jobs}, subject__in=subjects)
    for pk, kind, subject in same.values_list("pk", "kind", "subject"):
        latest[kind, subject] = max(pk, latest.get((kind, subject), 0))
    return {job.pk for job in jobs if latest[job.kind, job.subject] > job.pk}


def _row(job: Job, now: datetime, again: set[int]) -> JobRow:
    running = job.state == JobState.RUNNING

    def since(then: datetime | None) -> float:
        return round((now - then).total_seconds(), 1) if then else 0.0

    return JobRow(
        id=job.pk,
        kind=job.kind,
        subject=job.subject,
        owner=job.owner,
        state=job.state,
        priority=job.priority,
        over_budget=job.over_budget,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        progress=job.progress,
        spent_s=round(job.spent_s, 1),
        worker=job.leased_by,
        waited_s=since(job.created),
        due_s=max(0.0, -since(job.run_after)),
        running_s=since(job.claimed) if running else 0.0,
        lease_s=-since(job.lease_until),
        code=job.error_code,
        reason=job.error_text,
        updated=job.updated,
        retry=job.state in (JobState.FAILED, JobState.CANCELLED) and job.pk not in again,
    )


def _held(job_id: int) -> Job:
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise NotFound("no_such_job", _("There is no such job."))
    return job


def do_cancel_job(actor: Actor, job_id: int, reason: str) -> None:
    """Take a live job out of the queue. What it stood for fails with it, and can be tried again.

    Raises NotFound; Conflict when it has ended.
    """
    with transaction.atomic():
        job = _held(job_id)
        if job.state not in LIVE or not do_fail(job, CANCELLED, reason, JobState.CANCELLED):
            raise Conflict("job_ended", _("This job has ended: there is nothing to cancel."))
        audit(actor, "job.cancel", f"job:{job.kind}:{job.subject}", job=job.pk, reason=reason)


def do_retry_job(actor: Actor, job_id: int) -> Job:
    """Have a job that failed or was cancelled tried again, as a new one. Returns it.

    Raises NotFound; Conflict when it has not ended so, was tried again, or its subject is gone.
    """
    with transaction.atomic():
        job = _held(job_id)
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict("not_failed", _("This job has not failed: there is nothing to retry."))
        if _tried_again([job]):
            raise Conflict("tried_again", _("This job was tried again already."))
        task = TASKS.get(job.kind)
        if task is not None and task.on_retry is not None:
            task.on_retry(job)
        new = enqueue(
            job.kind,
            job.subject,
            job.payload,
            priority=job.priority,
            max_attempts=job.max_attempts,
            owner=job.owner,
        )
        audit(actor, "job.retry", f"job:{job.kind}:{job.subject}", job=job.pk, new=new.pk)
    return new
