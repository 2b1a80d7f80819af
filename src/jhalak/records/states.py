"""The states of a job, and what each may become."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")  # waits for a worker, or for its `run_after`
    RUNNING = "running", _("Running")  # a worker holds its lease
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")  # gave up, or tried too often; the row says why
    CANCELLED = "cancelled", _("Cancelled")  # no longer wanted


LIVE = (JobState.QUEUED, JobState.RUNNING)

FOLLOWS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {JobState.DONE, JobState.FAILED, JobState.QUEUED, JobState.CANCELLED}
    ),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),  # trying again is a new job: the old row keeps its reason
    JobState.CANCELLED: frozenset(),
}


def may_follow(before: JobState, after: JobState) -> bool:
    return after in FOLLOWS[before]


DONE_WITH = tuple(state for state, after in FOLLOWS.items() if not after)
