"""The same job wanted twice: nothing is lost, and never two work on the same."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction
from tests.people.threads import at_once, on_a_file

from jhalak import records
from jhalak.records import leases
from jhalak.records.jobs import GiveUp, Job, JobState, Progress, Retry, run_due, task
from jhalak.records.processes import own_name
from jhalak.records.states import LIVE

pytestmark = pytest.mark.usefixtures("tasks")


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["done", "failed", "tried again", "given back", "waits", "lost"])
def test_what_is_wanted_while_it_runs_is_done_after_it(how: str) -> None:
    seen: list[dict[str, int]] = []

    @task("kind")
    def run(job: Job, progress: Progress) -> None:
        seen.append(job.payload)
        if len(seen) > 1:
            return
        records.enqueue("kind", "a", {"y": 2}, priority=90)
        with transaction.atomic():
            assert records.enqueue("kind", "a", {"z": 3}, priority=10).pk == job.pk
        assert Job.objects.count() == 1
        match how:
            case "failed":
                raise GiveUp("bad")
            case "tried again":
                raise Retry("later", after_s=0)
            case "given back":
                assert leases.do_release(job)
            case "waits":
                assert leases.do_wait(job, "away", "")
                Job.objects.update(run_after=job.created)
            case "lost":
                Job.objects.update(lease_until=job.created)
                assert leases.do_requeue_lost() == 1

    first = records.enqueue("kind", "a", {"x": 1}, max_attempts=9)
    assert run_due() == 2
    # A new job has what was wanted since; one that runs again has all of it.
    rest = {"y": 2, "z": 3}
    assert seen == [{"x": 1}, rest if how in ("done", "failed") else {"x": 1, **rest}]
    last = Job.objects.latest("pk")
    assert (last.state, last.again, last.priority) == (JobState.DONE, None, 10)
    assert (last.pk == first.pk) == (how not in ("done", "failed"))


@pytest.mark.django_db
def test_what_waits_takes_the_second_wish_along() -> None:
    seen: list[dict[str, int]] = []
    task("kind")(lambda job, progress: seen.append(job.payload))
    first = records.enqueue("kind", "a", {"x": 1, "y": 1}, priority=90, owner="m1")
    assert records.enqueue("kind", "a", {"y": 2}, priority=30).pk == first.pk
    assert records.enqueue("kind", "a", priority=50).pk == first.pk
    first.refresh_from_db()
    assert first.priority == 30
    assert run_due() == 1
    assert seen == [{"x": 1, "y": 2}]


@pytest.mark.django_db
def test_who_cancels_it_cancels_the_second_wish_too() -> None:
    task("kind")(lambda job, progress: None)
    job = records.enqueue("kind", "a")
    assert leases.do_claim(f"{own_name()}:1") is not None
    records.enqueue("kind", "a", {"y": 2})
    assert records.cancel("kind", "a")
    assert not leases.do_finish(job)
    job.refresh_from_db()
    assert (job.state, job.again, job.payload) == (JobState.CANCELLED, None, {"y": 2})
    assert Job.objects.count() == 1


def _threads_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection.ensure_connection()
    on_a_file(monkeypatch, tmp_path)


@pytest.mark.django_db(transaction=True)
def test_no_wish_is_lost_between_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four want, two work, all at once. A wish counts when it is committed; a run takes those that
    it finds in its payload. In the end each was taken, and no two runs were at it at once.
    """
    _threads_share(monkeypatch, tmp_path)
    wanted, each = 4, 25
    taken: set[str] = set()
    busy = threading.Lock()
    enough = threading.Event()
    numbers = itertools.count()

    @task("kind")
    def run(job: Job, progress: Progress) -> None:
        assert busy.acquire(blocking=False), "two runs of one job"
        try:
            taken.update(job.payload)
        finally:
            busy.release()

    def want(who: int) -> None:
        for number in range(each):
            with transaction.atomic():
                records.enqueue("kind", "a", {f"{who}.{number}": 1})

    def work() -> int:
        runs = 0
        while not (enough.is_set() and not Job.objects.filter(state__in=LIVE).exists()):
            job = leases.do_claim(f"{own_name()}:{next(numbers)}")
            if job is None:
                continue
            run(job, lambda _share: None)
            with transaction.atomic():
                assert leases.do_finish(job)
            runs += 1
        return runs

    def all_want() -> None:
        try:
            for error in at_once([lambda who=who: want(who) for who in range(wanted)]):  # type: ignore[misc]
                assert error is None
        finally:
            enough.set()

    ended = at_once([all_want, work, work])
    assert ended[0] is None
    runs = sum(ended[1:])
    assert taken == {f"{who}.{number}" for who in range(wanted) for number in range(each)}
    assert 0 < runs <= wanted * each


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["wish", "end"])
def test_a_wish_and_the_end_of_a_run_at_the_same_moment(
    first: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One is written and not yet committed when the other comes."""
    _threads_share(monkeypatch, tmp_path)
    task("kind")(lambda job, progress: None)
    written = threading.Event()

    def claim() -> Job | None:
        records.enqueue("kind", "a")
        return leases.do_claim(f"{own_name()}:1")

    def in_turn(name: str, act: Callable[[], object]) -> None:
        if name != first:
            assert written.wait(60)
        with transaction.atomic():
            act()
            written.set()
            if name == first:
                time.sleep(0.2)

    (running,) = at_once([claim])
    wish = partial(records.enqueue, "kind", "a", {"late": 1})
    end = partial(leases.do_finish, running)
    both = [partial(in_turn, "wish", wish), partial(in_turn, "end", end)]
    assert at_once(both) == [None, None]
    (left,) = at_once([lambda: list(Job.objects.order_by("pk").values_list("state", "payload"))])
    assert left == [(JobState.DONE, {}), (JobState.QUEUED, {"late": 1})]


@pytest.mark.django_db(transaction=True)
def test_no_two_are_at_one_subject_when_many_claim(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Six kinds that are to be alone, six subjects, four workers."""
    _threads_share(monkeypatch, tmp_path)
    kinds, subjects = [f"kind{n}" for n in range(6)], [f"subject{n}" for n in range(6)]
    for kind in kinds:
        task(kind, alone=True)(lambda job, progress: None)
    busy = {subject: threading.Lock() for subject in subjects}
    numbers = itertools.count()

    def work() -> int:
        done = 0
        while Job.objects.filter(state__in=LIVE).exists():
            job = leases.do_claim(f"{own_name()}:{next(numbers)}")
            if job is None:
                continue
            assert busy[job.subject].acquire(blocking=False), "two at one subject"
            time.sleep(0.002)
            busy[job.subject].release()
            assert leases.do_finish(job)
            done += 1
        return done

    def begin() -> None:
        for kind in kinds:
            for subject in subjects:
                records.enqueue(kind, subject)

    assert at_once([begin]) == [None]
    assert sum(at_once([work] * 4)) == len(kinds) * len(subjects)


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_is_not_committed_is_seen() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one lock for all writers")
    for kind in ("long", "short"):
        task(kind, alone=True)(lambda job, progress: None)
        records.enqueue(kind, "a")
    claimed, looked = threading.Event(), threading.Event()

    def first() -> str:
        with transaction.atomic():
            job = leases.do_claim(f"{own_name()}:1")
            claimed.set()
            assert looked.wait(60)
        assert job is not None
        return job.kind

    def second() -> Job | None:
        assert claimed.wait(60)
        try:
            return leases.do_claim(f"{own_name()}:2")
        finally:
            looked.set()

    assert at_once([first, second]) == ["long", None]
