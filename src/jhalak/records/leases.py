"""How a job moves: claimed, kept, finished, tried again, failed, given back. Each is one
transaction.

Every move names the lease it is made under (worker and attempt), and does nothing if that lease is
gone: a worker that was away too long cannot overwrite what its successor did.
"""

from __future__ import annotations

import logging
import random
import unicodedata
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jhalak.records import shares
from jhalak.records.blame import machine_fault
from jhalak.records.joining import do_once_more
from jhalak.records.models import Job, Priority
from jhalak.records.processes import is_gone, own_host
from jhalak.records.registry import TASKS
from jhalak.records.states import DONE_WITH, LIVE, JobState, may_follow

LEASE_S = 15.0
LONGEST_PAUSE_S = 300.0
FIRST_WAIT_S = 10.0
KEEP_DAYS = 30
WORKER_LOST = "worker_lost"
_FREE: dict[str, Any] = {"leased_by": "", "lease_until": None}

logger = logging.getLogger(__name__)


def move(jobs: QuerySet[Job], before: JobState, after: JobState, **changes: Any) -> int:
    """The only place where a state changes. Returns how many of `jobs` were in `before`."""
    if not may_follow(before, after):
        raise ValueError(f"a job that is {before} does not become {after}")
    return jobs.filter(state=before).update(state=after, updated=timezone.now(), **changes)


def held(job: Job) -> QuerySet[Job]:
    """The row of `job`, as long as it is held under the lease that `job` was claimed with."""
    return Job.objects.filter(pk=job.pk, leased_by=job.leased_by, attempts=job.attempts)


def pause_s(attempts: int) -> float:
    """Seconds to wait after this many attempts: at most 1, 4, 16, 64, 256, 300, 300, ..., and at
    least half of that, so that what failed together does not come back together.
    """
    longest = min(4.0 ** (min(attempts, 10) - 1), LONGEST_PAUSE_S)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - no secret hangs on it


def in_line(*, urgent_only: bool = False, remote: bool | None = None) -> QuerySet[Job]:
    """What is due, of a kind that is registered here, in the order in which it is taken: what is
    over a budget last, then by band, by turn, by age. One index is that order. What is to be alone
    with its subject waits for the one that is. `remote`: only what runners may do, or only what
    they may not.
    """
    kinds = [kind for kind, task in TASKS.items() if remote in (None, task.remote)]
    due = Job.objects.filter(state=JobState.QUEUED, run_after__lte=timezone.now(), kind__in=kinds)
    if urgent_only:
        due = due.filter(over_budget=False, priority__lte=Priority.URGENT)
    at_it = _alone().filter(state=JobState.RUNNING, subject=OuterRef("subject"))
    due = due.exclude(Q(kind__in=_alone_kinds()) & Exists(at_it))
    return due.order_by("over_budget", "priority", "turn", "id")


def _alone_kinds() -> list[str]:
    return [kind for kind, task in TASKS.items() if task.alone]


def _alone() -> QuerySet[Job]:
    return Job.objects.filter(kind__in=_alone_kinds())


def _is_claimed_beside(job: Job) -> bool:
    """Whether somebody is just now claiming another job that is to be alone with this subject: its
    row is held, or runs since we looked. `job` is held by us.
    """
    if not TASKS[job.kind].alone:
        return False
    others = _alone().filter(subject=job.subject, state__in=LIVE).exclude(pk=job.pk)
    held_by_us = others.filter(state=JobState.QUEUED).select_for_update(skip_locked=True)
    return len(held_by_us) < others.count()


def do_claim(
    worker: str,
    *,
    urgent_only: bool = False,
    remote: bool | None = None,
    lease_s: float = LEASE_S,
) -> Job | None:
    """Take the next job that is due; its owner's others are behind from now on."""
    due = in_line(urgent_only=urgent_only, remote=remote)
    if not due.exists():  # most polls end here, without asking for the lock of writers
        return None
    with transaction.atomic():
        # PostgreSQL: workers step over each other's rows. SQLite: the transaction holds the one
        # lock.
        job = due.select_for_update(skip_locked=True).first()
        if job is None or _is_claimed_beside(job):
            return None
        job.state = JobState.RUNNING
        job.attempts += 1
        job.leased_by = worker
        job.claimed = timezone.now()
        job.lease_until = job.claimed + timedelta(seconds=lease_s)
        job.progress = 0.0
        if job.owner:
            job.turn = max(job.turn, shares.virtual_time(job.priority))
        move(
            Job.objects.filter(pk=job.pk),
            JobState.QUEUED,
            JobState.RUNNING,
            attempts=job.attempts,
            leased_by=job.leased_by,
            claimed=job.claimed,
            lease_until=job.lease_until,
            progress=job.progress,
            turn=job.turn,
        )
        shares.charge(job)
    return job


def do_keep(job: Job, *, lease_s: float | None, progress: float) -> bool:
    """Write down progress; extend the lease unless `lease_s` is None. False: the lease is lost."""
    changes: dict[str, Any] = {"progress": progress, "updated": timezone.now()}
    if lease_s is not None:
        changes["lease_until"] = timezone.now() + timedelta(seconds=lease_s)
    return bool(held(job).filter(state=JobState.RUNNING).update(**changes))


def _end(job: Job, after: JobState, **changes: Any) -> bool:
    """Out of the hands of its worker, with what it cost. False: the lease was lost, and the job is
    somebody else's.
    """
    spent = shares.spent_s(job)
    with transaction.atomic():
        ended = move(
            held(job), JobState.RUNNING, after, spent_s=F("spent_s") + spent, **_FREE, **changes
        )
        if ended:
            shares.settle(job, spent)
            do_once_more(job.pk)
    return bool(ended)


def do_finish(job: Job) -> bool:
    """Done. False: the lease was lost, and the job is somebody else's."""
    return _end(job, JobState.DONE, progress=1.0, **_reason("", ""))


def do_fail(job: Job, code: str, text: str, after: JobState = JobState.FAILED) -> bool:
    """Ended for good, together with what the job stood for (the task's `on_failed`, same
    transaction). `after`: FAILED, or CANCELLED when somebody wanted that.
    """
    task = TASKS.get(job.kind)
    reason = _reason(code, text)
    with transaction.atomic():
        if job.state == JobState.RUNNING:
            ended = _end(job, after, **reason)
        else:
            ended = bool(move(held(job), JobState.QUEUED, after, **reason))
        if not ended:
            return False
        job.refresh_from_db()
        if task is not None and task.on_failed is not None:
            task.on_failed(job)
    return True


def do_drop(job: Job) -> bool:
    """Cancelled because what it was for is gone: nothing else hangs on it. False: it moved on."""
    if job.state == JobState.RUNNING:
        return _end(job, JobState.CANCELLED)
    return bool(move(held(job), JobState.QUEUED, JobState.CANCELLED))


def do_try_again(job: Job, code: str, text: str, after_s: float | None = None) -> bool:
    """Back into the queue after a pause; or failed, when that was the last attempt."""
    if job.attempts >= job.max_attempts:
        return do_fail(job, code, text)
    pause = pause_s(job.attempts) if after_s is None else after_s
    due = timezone.now() + timedelta(seconds=pause)
    return _end(job, JobState.QUEUED, run_after=due, progress=0.0, **_reason(code, text))


def wait_s(waits: int) -> float:
    """Seconds to wait for the machine, after so many times: at most 10, 20, 40, ... 300, 300, and
    at least half of that.
    """
    longest = min(FIRST_WAIT_S * 2.0 ** min(waits, 10), LONGEST_PAUSE_S)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - no secret hangs on it


def do_wait(job: Job, code: str, text: str) -> bool:
    """Back into the queue because what it needs of the machine is away or full. That is not the
    job's fault: the attempt does not count, its time is nobody's, and it waits as long as it takes.
    """
    job.claimed = None
    return _end(
        job,
        JobState.QUEUED,
        run_after=timezone.now() + timedelta(seconds=wait_s(job.waits)),
        attempts=F("attempts") - 1,
        waits=job.waits + 1,
        progress=0.0,
        **_reason(code, text),
    )


def do_blame(job: Job, error: Exception) -> bool:
    """Back into the queue because of `error`; the attempt counts when that is the job's fault."""
    text = f"{type(error).__name__}: {error}"
    if code := machine_fault(error):
        logger.warning("job %s: waits for the machine: %s", job, error)
        return do_wait(job, code, text)
    return do_try_again(job, "unexpected", text)


def do_release(job: Job) -> bool:
    """Give a job back because this worker stops. That is not the job's fault: the attempt does not
    count, and its time is nobody's.
    """
    job.claimed = None
    return _end(
        job,
        JobState.QUEUED,
        run_after=timezone.now(),
        attempts=F("attempts") - 1,
        progress=0.0,
    )


def do_requeue_lost(*, lease_s: float = LEASE_S) -> int:
    """Take up what nobody works on any more: leases that ran out, and those of processes on this
    host that ended.

    The attempt counts: a file that kills its worker fails after `max_attempts`, like any other. The
    first time it is taken up at once, for most workers that die do so by no fault of a job; later
    after a pause, so that what runs beside such a file is not lost with it every time.
    """
    running = Job.objects.filter(state=JobState.RUNNING, kind__in=TASKS)
    over = Q(lease_until__lt=timezone.now())
    moved = 0
    for job in running.filter(over | Q(leased_by__startswith=own_host())):
        ran_out = job.lease_until is None or job.lease_until < timezone.now()
        if not ran_out and not is_gone(job.leased_by):
            continue
        why = "its lease ran out" if ran_out else "its worker ended"
        try:
            with transaction.atomic():
                # Locked and looked at again: its worker may have come back just now.
                still = held(job).select_for_update().filter(lease_until=job.lease_until)
                if still.first() is None:
                    continue
                job.claimed = None  # what a dead worker did is nobody's bill
                pause = 0.0 if job.attempts == 1 else None
                moved += do_try_again(job, WORKER_LOST, why, pause)
        except Exception:
            # A hook that fails must not keep us from the next job. This one is looked at again
            # later.
            logger.exception("job %s: cannot be failed yet", job)
            do_keep(job, lease_s=lease_s, progress=job.progress)
    return moved


def do_forget_old(keep_days: int = KEEP_DAYS, at_most: int = 1000) -> int:
    """Delete jobs that ended long ago, some at a time."""
    end = timezone.now() - timedelta(days=keep_days)
    old = Job.objects.filter(state__in=DONE_WITH, updated__lt=end).values_list("pk", flat=True)
    deleted, _ = Job.objects.filter(pk__in=list(old[:at_most])).delete()
    return deleted


def kinds_waiting() -> Collection[str]:
    """Kinds in the queue that nothing here knows: a release that went backwards, or an app taken
    out.
    """
    queued = Job.objects.filter(state=JobState.QUEUED).exclude(kind__in=TASKS)
    return sorted(queued.order_by().values_list("kind", flat=True).distinct())


def _reason(code: str, text: str) -> dict[str, str]:
    """The last reason, in what a column takes: no control characters, and not longer than it."""
    clean = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in ("Cc", "Cs") else letter
        for letter in text[:500]
    )
    return {"error_code": code[:40], "error_text": clean}
