"""Fair shares of machine time, and a person's budget for a day, through the claims of workers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhalak import records
from jhalak.options import override
from jhalak.records import leases, shares
from jhalak.records.jobs import Job, JobState, Priority, task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kind(tasks: object) -> None:
    task("kind")(lambda job, progress: None)


def take(cost_s: float = 1.0, *, urgent_only: bool = False) -> Job | None:
    """Claim the next job and finish it as if it had taken `cost_s` seconds."""
    job = leases.do_claim("w", urgent_only=urgent_only)
    if job is not None:
        end(job, cost_s)
    return job


def end(job: Job, cost_s: float) -> None:
    job.claimed = timezone.now() - timedelta(seconds=cost_s)
    assert leases.do_finish(job)


def drain() -> list[str]:
    taken = []
    while job := take():
        taken.append(job.subject)
    return taken


@pytest.mark.slow
def test_a_hundred_at_once_from_twenty_people() -> None:
    """Each person's first before anybody's second, each second before anybody's third."""
    for person in range(20):
        for number in range(5):
            records.enqueue("kind", f"{person}/{number}", owner=f"m{person}")
    taken = drain()
    assert len(taken) == 100
    rounds = [{name.split("/")[0] for name in taken[at : at + 20]} for at in range(0, 100, 20)]
    assert all(len(people) == 20 for people in rounds)
    for person in range(20):  # and one's own in the order in which they came
        own = [name for name in taken if name.startswith(f"{person}/")]
        assert own == [f"{person}/{number}" for number in range(5)]


def test_a_heavy_first_does_not_hold_up_another_s_first_and_is_paid_for() -> None:
    for number in range(2):
        records.enqueue("kind", f"heavy {number}", owner="m1")
    for number in range(4):
        records.enqueue("kind", f"light {number}", owner="m2")
    taken = []
    while job := leases.do_claim("w"):
        end(job, 60.0 if job.owner == "m1" else 10.0)
        taken.append(job.subject)
    assert taken == ["heavy 0", "light 0", "light 1", "light 2", "light 3", "heavy 1"]


def test_a_newcomer_s_first_goes_before_what_waited_for_long() -> None:
    for number in range(4):
        records.enqueue("kind", f"busy {number}", owner="m1")
    take()
    take()
    records.enqueue("kind", "new 0", owner="m2")
    records.enqueue("kind", "new 1", owner="m2")
    assert drain() == ["new 0", "busy 2", "new 1", "busy 3"]


def test_who_was_away_has_saved_up_nothing() -> None:
    records.enqueue("kind", "early", owner="m2")
    take(1.0)
    for number in range(6):
        records.enqueue("kind", f"busy {number}", owner="m1")
    for _ in range(3):
        take(100.0)
    for number in range(3):
        records.enqueue("kind", f"late {number}", owner="m2")
    # Not three at once for the time that m2 did not ask for: it is 100 s behind by then.
    costs = [take(100.0) for _ in range(6)]
    assert Counter(job.owner for job in costs[:4] if job) == {"m1": 2, "m2": 2}


def test_shares_are_within_a_band() -> None:
    for number in range(3):
        records.enqueue("kind", f"patient {number}", owner="m1")
    records.enqueue("kind", "urgent", owner="m1", priority=Priority.URGENT)
    records.enqueue("kind", "later", owner="m2", priority=Priority.LATER)
    assert drain() == ["urgent", "patient 0", "patient 1", "patient 2", "later"]


def test_one_index_is_the_order_of_claims() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a planner that goes by sizes takes no index for a few rows")
    plan = leases.in_line().explain()
    assert "job_claim_order" in plan
    assert "TEMP B-TREE" not in plan


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.integers(0, 4), st.integers(1, 4)),
        st.tuples(st.just("take"), st.integers(1, 60), st.just(0)),
    ),
    max_size=60,
)
LONGEST = 60


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_no_second_before_a_first_and_nobody_starves(steps: list[tuple[str, int, int]]) -> None:
    """Whatever comes whenever, at whatever cost: a person without anything taken goes first; and of
    two people who both wait, neither gets more machine time than the other by more than two jobs.
    """
    Job.objects.all().delete()
    come: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    ahead: dict[tuple[str, str], float] = {}  # by (who got, who waited): since both wait
    for what, number, many in [*steps, *[("take", 7, 0)] * 200]:
        if what == "come":
            owner = f"m{number}"
            for _ in range(many):
                records.enqueue("kind", f"{owner}/{come[owner]}", owner=owner)
                come[owner] += 1
            continue
        waiting = {owner for owner in come if come[owner] > taken[owner]}
        firsts = {owner for owner in waiting if not taken[owner]}
        job = take(float(number))
        if job is None:
            assert not waiting
            continue
        assert job.subject == f"{job.owner}/{taken[job.owner]}"
        if firsts:
            assert job.owner in firsts
        taken[job.owner] += 1
        for other in waiting - {job.owner}:
            ahead[job.owner, other] = ahead.get((job.owner, other), 0.0) + number
            ahead[other, job.owner] = ahead.get((other, job.owner), 0.0) - number
            if not firsts:
                assert ahead[job.owner, other] <= 2 * LONGEST + 1
        for pair in list(ahead):
            if not all(come[owner] > taken[owner] for owner in pair):
                del ahead[pair]
    assert taken == come


@pytest.fixture
def small_budget() -> object:
    with override(compute_budget=30) as given:
        yield given


@pytest.mark.usefixtures("small_budget")
class TestBudget:
    def test_what_is_over_it_waits_behind_everything_and_is_done_all_the_same(self) -> None:
        for number in range(3):
            records.enqueue("kind", f"many {number}", owner="m1", priority=Priority.URGENT)
        assert take(31.0) is not None
        assert set(Job.objects.filter(over_budget=True).values_list("subject", flat=True)) == {
            "many 1",
            "many 2",
        }
        records.enqueue("kind", "many 3", owner="m1", priority=Priority.URGENT)
        records.enqueue("kind", "house", priority=Priority.LATER)
        records.enqueue("kind", "other", owner="m2")
        assert take(urgent_only=True) is None  # the slot for who waits is not theirs
        assert drain() == ["other", "house", "many 1", "many 2", "many 3"]

    def test_it_comes_back_with_the_day(self) -> None:
        records.enqueue("kind", "a", owner="m1")
        take(31.0)
        late = records.enqueue("kind", "b", owner="m1")
        assert late.over_budget
        assert shares.do_lift_budgets() == 0
        Job.objects.filter(subject="a").update(updated=timezone.now() - timedelta(hours=25))
        assert shares.do_lift_budgets() == 1
        late.refresh_from_db()
        assert not late.over_budget

    def test_others_and_the_house_have_none_of_it(self) -> None:
        records.enqueue("kind", "a", owner="m1")
        records.enqueue("kind", "b")
        take(31.0)
        take(31.0)
        assert not records.enqueue("kind", "c", owner="m2").over_budget
        assert not records.enqueue("kind", "d").over_budget

    def test_what_a_worker_lost_or_gave_back_is_not_on_the_bill(self) -> None:
        records.enqueue("kind", "a", owner="m1", max_attempts=9)
        for act in (leases.do_release, lambda job: leases.do_requeue_lost()):
            job = leases.do_claim("elsewhere/1:1:1:1")
            assert job is not None
            Job.objects.update(
                claimed=timezone.now() - timedelta(hours=1),
                lease_until=timezone.now() - timedelta(seconds=1),
            )
            job.refresh_from_db()
            assert act(job)
            assert Job.objects.get().spent_s == 0.0
            assert Job.objects.get().state == JobState.QUEUED

    def test_each_attempt_is_on_the_bill(self) -> None:
        records.enqueue("kind", "a", owner="m1")
        for _ in range(2):
            job = leases.do_claim("w")
            assert job is not None
            job.claimed = timezone.now() - timedelta(seconds=10)
            assert leases.do_try_again(job, "busy", "", 0.0)
        job = leases.do_claim("w")
        assert job is not None
        job.claimed = timezone.now() - timedelta(seconds=11)
        assert records.cancel("kind", "a")  # taken back in the middle of it
        assert 20 <= Job.objects.get().spent_s < 30
