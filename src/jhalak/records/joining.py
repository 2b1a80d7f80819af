"""How a job gets into the queue: as a new row, into one that waits, or behind one that runs.

There is one live job for a kind and subject. One that waits takes a second wish along: it has read
nothing yet. One that runs has: the wish stays beside it (`Job.again`) until its run ends, whatever
its end, so that nothing that was wanted is lost and never two work on the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from jhalak.records import shares
from jhalak.records.models import Job
from jhalak.records.states import LIVE, JobState


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants done. Of two for the same, the newer counts; their payloads are one, and
    the more urgent priority is kept.
    """

    payload: dict[str, Any]
    priority: int
    max_attempts: int
    owner: str
    delay_s: float

    def after(self, older: dict[str, Any] | None) -> Wish:
        if older is None:
            return self
        before = msgspec.convert(older, Wish)
        return msgspec.structs.replace(
            self,
            payload={**before.payload, **self.payload},
            priority=min(before.priority, self.priority),
        )


def do_join(kind: str, subject: str, wish: Wish) -> Job:
    """The live job for this wish, made when there is none."""
    for _ in range(20):
        try:
            with transaction.atomic():
                rows = Job.objects.select_for_update().filter(kind=kind, subject=subject)
                job = rows.filter(state__in=LIVE).first()
                return _new(kind, subject, wish) if job is None else _take_along(job, wish)
        except IntegrityError:
            continue  # somebody was first with the same: their row is seen now
    raise RuntimeError(f"the job {kind} for {subject} can be neither made nor found")


def _new(kind: str, subject: str, wish: Wish) -> Job:
    return Job.objects.create(
        kind=kind,
        subject=subject,
        payload=wish.payload,
        owner=wish.owner,
        priority=wish.priority,
        turn=shares.turn_of(wish.owner, wish.priority),
        over_budget=shares.is_over_budget(wish.owner),
        max_attempts=wish.max_attempts,
        run_after=timezone.now() + timedelta(seconds=wish.delay_s),
    )


def _take_along(job: Job, wish: Wish) -> Job:
    """`job` is locked."""
    if job.state == JobState.RUNNING:
        job.again = msgspec.to_builtins(wish.after(job.again))
        Job.objects.filter(pk=job.pk).update(again=job.again)
        return job
    payload = {**job.payload, **wish.payload}
    if payload != job.payload or wish.priority < job.priority:
        job.payload = payload
        if wish.priority < job.priority:
            job.priority, job.turn = wish.priority, shares.turn_of(job.owner, wish.priority)
        Job.objects.filter(pk=job.pk).update(payload=payload, priority=job.priority, turn=job.turn)
    return job


def do_once_more(pk: int) -> None:
    """A run has just ended, in this transaction: what was wanted meanwhile comes next."""
    job = Job.objects.filter(pk=pk, again__isnull=False).first()
    if job is None:
        return
    Job.objects.filter(pk=pk).update(again=None)
    wish = msgspec.convert(job.again, Wish)
    if job.state == JobState.CANCELLED:  # nor this; the operator may have both tried again
        Job.objects.filter(pk=pk).update(payload={**job.payload, **wish.payload})
    else:
        do_join(job.kind, job.subject, wish)
