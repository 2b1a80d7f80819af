"""Every pair of states of a job: the table, and the one place that moves rows."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jhalak.records.leases import move
from jhalak.records.models import Job
from jhalak.records.states import DONE_WITH, FOLLOWS, LIVE, JobState, may_follow

Q, R, D, F, C = JobState  # queued, running, done, failed, cancelled
ALLOWED = {(Q, R), (Q, C), (R, D), (R, F), (R, Q), (R, C)}


def test_the_table_is_whole() -> None:
    assert set(FOLLOWS) == set(JobState)
    assert set(DONE_WITH) == {D, F, C}
    assert set(LIVE) | set(DONE_WITH) == set(JobState)
    reached = {Q}
    for _ in JobState:
        reached |= {after for state in reached for after in FOLLOWS[state]}
    assert reached == set(JobState)


@pytest.mark.django_db
@pytest.mark.parametrize("before", JobState)
@pytest.mark.parametrize("after", JobState)
def test_every_pair(before: JobState, after: JobState) -> None:
    assert may_follow(before, after) == ((before, after) in ALLOWED)
    job = Job.objects.create(kind="k", subject="s", state=before, run_after=timezone.now())
    rows = Job.objects.filter(pk=job.pk)
    if may_follow(before, after):
        assert move(rows, before, after) == 1
        assert move(rows, before, after) == 0  # it has moved already
        assert rows.get().state == after
    else:
        with pytest.raises(ValueError, match="does not become"):
            move(rows, before, after)
        assert rows.get().state == before
