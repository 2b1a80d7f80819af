"""Whose turn it is: machine time shared fairly between people, and each person's budget for a day.

Start-time fair queueing (Goyal, Vin, Cheng 1996) by seconds of machine time. `Job.turn` is the
virtual time, in ms, at which its owner is due within a band. All that one owner has waiting in a
band stands at one turn, so a hundred uploads are one place in the line. A claim moves what is left
of the owner's behind (by `CHARGE_MS`: what it will cost is not known yet), and the end of the job
corrects that to what it did cost.

Somebody of whom nothing was taken up in this band for a day stands at `FIRST`, before all others:
nobody's second is taken before anybody's first. Somebody who was away has saved up nothing: they
stand at the virtual time of the band, which is the turn of what was claimed last. So who waits is
passed by each other owner for at most a job or two, however heavy the jobs are.

Over the budget (option `compute_budget`), what a person has waiting goes behind everything else,
and comes back when the day has moved on. Races cost a little fairness, nothing else.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, QuerySet, Sum, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from jhalak.options import options
from jhalak.records.models import Job
from jhalak.records.registry import every
from jhalak.records.states import JobState

DAY = timedelta(days=1)
FIRST = 0
CHARGE_MS = 10_000


def virtual_time(priority: int) -> int:
    """The turn of what was claimed last in this band, in ms."""
    turns = [
        Job.objects.filter(state=state, over_budget=over, priority=priority)
        .order_by("-turn")
        .values_list("turn", flat=True)
        .first()
        for state in (JobState.RUNNING, JobState.DONE)
        for over in (False, True)
    ]
    return max(turn or 0 for turn in turns)


def turn_of(owner: str, priority: int) -> int:
    """Where a new job of this owner stands in this band. What is nobody's is the house's: first."""
    if not owner:
        return FIRST
    own = Job.objects.filter(owner=owner, priority=priority)
    waiting = own.filter(state=JobState.QUEUED).order_by("-turn").first()
    if waiting is not None:
        return waiting.turn
    taken = own.filter(updated__gt=timezone.now() - DAY, claimed__isnull=False)
    last = taken.order_by("-turn").first()
    if last is None:
        return FIRST
    cost = CHARGE_MS if last.state == JobState.RUNNING else round(last.spent_s * 1000)
    return max(virtual_time(priority), last.turn + cost, FIRST + 1)


def spent_s(job: Job) -> float:
    """Seconds of this attempt. None for one that was lost or given back: that is not the owner's
    doing (`claimed` is None then).
    """
    if job.claimed is None:
        return 0.0
    return max(0.0, (timezone.now() - job.claimed).total_seconds())


def charge(job: Job) -> None:
    """`job` was claimed: what else its owner has waiting in this band stands behind."""
    behind = Greatest(F("turn"), Value(job.turn)) + CHARGE_MS
    _waiting(job).filter(priority=job.priority).update(turn=behind)


def settle(job: Job, spent: float) -> None:
    """An attempt of `job` ended after `spent` seconds: correct the charge, look at the budget."""
    if not job.owner:
        return
    waiting = _waiting(job)
    corrected = Greatest(F("turn") + (round(spent * 1000) - CHARGE_MS), Value(FIRST + 1))
    waiting.filter(priority=job.priority).update(turn=corrected)
    if is_over_budget(job.owner):
        waiting.filter(over_budget=False).update(over_budget=True)


def _waiting(job: Job) -> QuerySet[Job]:
    """What else the owner of `job` has in the queue, held. What somebody claims this moment is left
    out: waiting for it could be mutual.
    """
    own = Job.objects.filter(owner=job.owner, state=JobState.QUEUED).exclude(pk=job.pk)
    if not job.owner:
        return own.none()
    free = own.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return Job.objects.filter(pk__in=list(free), state=JobState.QUEUED)


def is_over_budget(owner: str) -> bool:
    """Whether the jobs of this owner took as much of the last 24 hours as the operator gives."""
    if not owner:
        return False
    recent = Job.objects.filter(owner=owner, updated__gt=timezone.now() - DAY)
    spent: float | None = recent.aggregate(seconds=Sum("spent_s"))["seconds"]
    return (spent or 0.0) >= options().compute_budget


@every(60, "records.budgets")
def do_lift_budgets() -> int:
    """Whoever is within their budget again waits like everybody. Returns how many jobs moved."""
    over = Job.objects.filter(state=JobState.QUEUED, over_budget=True)
    moved = 0
    for owner in list(over.order_by().values_list("owner", flat=True).distinct()):
        if not is_over_budget(owner):
            moved += over.filter(owner=owner).update(over_budget=False)
    return moved
