"""The worker with its threads, and as a process that is killed."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from tests.records.conftest import until

from jhalak import records
from jhalak.feed.events import Liked
from jhalak.records import leases
from jhalak.records import worker as worker_module
from jhalak.records.actions import new_key
from jhalak.records.jobs import Job, JobState, LeaseLost, Priority, Progress, every, task
from jhalak.records.models import OutboxEvent
from jhalak.stores.events import EventsError
from jhalak.stores.objects import StoreAway, StoreFull, StoreRefused

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("tasks"),
]
Start = Callable[..., threading.Event]


def state_of(subject: str) -> str:
    return Job.objects.get(subject=subject).state


def test_what_was_done_while_the_database_was_away_is_not_done_again(
    run_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    refused: list[int] = []
    finish = worker_module.do_finish

    def away_twice(job: Job) -> bool:
        if len(refused) < 2:
            refused.append(1)
            raise OperationalError("the database is away")
        return finish(job)

    monkeypatch.setattr(worker_module, "do_finish", away_twice)
    task("kind")(lambda job, progress: done.append(job.subject))
    records.enqueue("kind", "a")
    run_worker()
    until(lambda: state_of("a") == JobState.DONE)
    assert done == ["a"]
    assert len(refused) == 2


def test_a_job_outlasts_a_machine_that_cannot(
    run_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a layer between has wrapped what happened."""
    monkeypatch.setattr(leases, "FIRST_WAIT_S", 0.0)
    full = OSError(errno.ENOSPC, "no space left")
    faults = [StoreAway("a"), StoreRefused("b"), StoreFull("c"), full, OperationalError("locked")]
    tries: list[int] = []

    def away(job: Job, progress: Progress) -> None:
        tries.append(job.attempts)
        if len(tries) <= 2 * len(faults):
            try:
                raise faults[len(tries) % len(faults)]
            except OSError as error:
                raise RuntimeError("cannot write") from error

    task("kind")(away)
    records.enqueue("kind", "a")
    run_worker()
    until(lambda: state_of("a") == JobState.DONE)
    assert set(tries) == {1}
    assert Job.objects.get().waits == 2 * len(faults)


def test_a_worker_whose_helper_dies_ends(
    run_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its supervisor starts it again; one that no longer extends leases would only look alive."""
    monkeypatch.setattr(worker_module, "do_requeue_lost", lambda **_: 1 / 0)
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    stop = run_worker()
    until(stop.is_set)


class Gate:
    """A task that waits at a gate, and who is inside."""

    def __init__(self, kind: str) -> None:
        self.open = threading.Event()
        self.inside: list[str] = []
        self.ended: list[str] = []
        task(kind)(self.run)

    def run(self, job: Job, progress: Progress) -> None:
        self.inside.append(job.subject)
        while not self.open.wait(0.01):
            progress(0.5)
        self.ended.append(job.subject)


def test_jobs_are_done(run_worker: Start) -> None:
    done: list[str] = []

    @task("kind")
    def run(job: Job, progress: Progress) -> None:
        done.append(job.subject)

    for number in range(10):
        records.enqueue("kind", str(number))
    run_worker(slots=3)
    until(lambda: Job.objects.filter(state=JobState.DONE).count() == 10)
    records.enqueue("kind", "one more")
    until(lambda: state_of("one more") == JobState.DONE)
    assert sorted(done) == sorted([*map(str, range(10)), "one more"])


def test_chores_are_done_at_the_start_and_again_and_one_that_fails_holds_up_none(
    run_worker: Start,
) -> None:
    seen: list[str] = []

    def away() -> None:
        seen.append("away")
        raise OperationalError("the database is away")

    def broken() -> None:
        seen.append("broken")
        raise KeyError("nobody foresaw it")

    every(0.1, "away")(away)
    every(0.1, "broken")(broken)
    every(0.1, "often")(lambda: seen.append("often"))
    every(3600, "seldom")(lambda: seen.append("seldom"))
    with pytest.raises(ValueError, match="two chores"):
        every(1, "often")(lambda: None)
    run_worker()
    until(lambda: seen.count("often") >= 2)
    assert seen.count("seldom") == 1
    assert seen.count("away") >= 1
    until(lambda: seen.count("broken") >= 2)


def test_two_workers_share_and_never_take_the_same(run_worker: Start) -> None:
    done: list[str] = []

    @task("kind")
    def run(job: Job, progress: Progress) -> None:
        done.append(job.subject)
        time.sleep(0.01)

    with transaction.atomic():
        for number in range(40):
            records.enqueue("kind", str(number), max_attempts=1)
    run_worker(slots=3)
    run_worker(slots=3)
    until(lambda: Job.objects.filter(state=JobState.DONE).count() == 40)
    assert sorted(done, key=int) == [str(number) for number in range(40)]


def test_one_slot_is_kept_for_who_waits(run_worker: Start) -> None:
    gate = Gate("kind")
    for number in range(3):
        records.enqueue("kind", f"patient {number}")
    run_worker(slots=2)
    until(lambda: len(gate.inside) == 1)
    time.sleep(0.2)
    assert gate.inside == ["patient 0"]
    records.enqueue("kind", "urgent", priority=Priority.URGENT)
    until(lambda: len(gate.inside) == 2)
    assert gate.inside == ["patient 0", "urgent"]
    gate.open.set()
    until(lambda: len(gate.ended) == 4)


def test_a_single_slot_takes_everything(run_worker: Start) -> None:
    gate = Gate("kind")
    gate.open.set()
    records.enqueue("kind", "a", priority=Priority.LATER)
    run_worker(slots=1)
    until(lambda: state_of("a") == JobState.DONE)


def test_progress_is_seen_and_leases_are_kept(run_worker: Start) -> None:
    gate = Gate("kind")
    records.enqueue("kind", "a", max_attempts=1)
    run_worker(lease_s=1.0)
    until(lambda: Job.objects.get().progress == 0.5)
    time.sleep(2.0)  # twice the lease
    assert state_of("a") == JobState.RUNNING
    gate.open.set()
    until(lambda: state_of("a") == JobState.DONE)
    assert gate.inside == ["a"]


@pytest.mark.parametrize(
    ("given", "kept"), [(float("nan"), 0.0), (float("inf"), 0.0), (-1.0, 0.0), (7.0, 1.0)]
)
def test_progress_is_a_share(given: float, kept: float) -> None:
    held = worker_module.Held(Job())
    held.progress(given)
    assert held.fraction == kept


def test_a_cancelled_job_stops(run_worker: Start) -> None:
    stopped = threading.Event()

    @task("kind")
    def run(job: Job, progress: Progress) -> None:
        try:
            while True:
                progress(time.monotonic() % 1)
                time.sleep(0.01)
        except LeaseLost:
            stopped.set()
            raise

    records.enqueue("kind", "a")
    run_worker()
    until(lambda: state_of("a") == JobState.RUNNING)
    assert records.cancel("kind", "a")
    assert stopped.wait(60)
    assert state_of("a") == JobState.CANCELLED


def test_stopping_waits_for_what_runs(run_worker: Start) -> None:
    gate = Gate("kind")
    records.enqueue("kind", "a")
    stop = run_worker(slots=1)
    until(lambda: gate.inside)
    records.enqueue("kind", "b")
    stop.set()
    time.sleep(0.2)
    gate.open.set()
    until(lambda: state_of("a") == JobState.DONE)
    assert state_of("b") == JobState.QUEUED  # no new one


def test_stopping_gives_back_what_does_not_end(run_worker: Start) -> None:
    gate = Gate("kind")
    records.enqueue("kind", "a", max_attempts=1)
    stop = run_worker(drain_s=0.2)
    until(lambda: gate.inside)
    stop.set()
    until(lambda: state_of("a") == JobState.QUEUED)
    job = Job.objects.get()
    assert (job.attempts, job.leased_by, job.lease_until) == (0, "", None)
    gate.open.set()
    run_worker()
    until(lambda: state_of("a") == JobState.DONE)
    assert gate.inside == ["a", "a"]


def test_the_outbox_is_emptied_when_the_log_is_back(
    run_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = threading.Event()
    away.set()
    log = records.events()

    def events() -> object:
        if away.is_set():
            raise EventsError("away")
        return log

    monkeypatch.setattr("jhalak.records.outbox.events", events)
    OutboxEvent.objects.create(key=new_key(), body=b"left over")
    run_worker()
    with transaction.atomic():
        records.emit(Liked(viewer="m1", video=1, at_ms=1))
    time.sleep(0.3)
    assert OutboxEvent.objects.count() == 2
    away.clear()
    until(lambda: log.last() == 2)
    until(lambda: not OutboxEvent.objects.exists())
    assert log.read(0)[0].body == b"left over"


def test_a_lease_that_ran_out_is_taken_up(run_worker: Start) -> None:
    gate = Gate("kind")
    gate.open.set()
    records.enqueue("kind", "a")
    Job.objects.update(
        state=JobState.RUNNING,
        attempts=1,
        leased_by="elsewhere/1:1:1:1",
        lease_until=timezone.now() + timedelta(seconds=0.5),
    )
    run_worker()
    until(lambda: state_of("a") == JobState.DONE)
    assert Job.objects.get().attempts == 2


def pointed_here(data: Path) -> dict[str, str]:
    """The environment of a child that uses this test's database, and a data folder of its own."""
    data.mkdir()
    here = connection.settings_dict
    url = ""
    if connection.vendor == "sqlite":
        (data / "jhalak.db").symlink_to(here["NAME"])
    else:
        user = f"{quote(here['USER'])}:{quote(here['PASSWORD'])}"
        host = quote(here["HOST"], safe="")  # which may be a socket's folder
        url = f"postgres://{user}@{host}:{here['PORT']}/{here['NAME']}"
    return {
        "JHALAK_DATA": str(data),
        "JHALAK_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "jhalak.site.settings",
        "PYTHONPATH": "src",
    }


WORKER = """
import threading, time
import django
django.setup()
from jhalak.records.jobs import run_worker, task

@task("test.hang")
def hang(job, progress):
    progress(0.25)
    print("started", flush=True)
    time.sleep(60)

run_worker(threading.Event(), lease_s=3600.0)
"""


def test_a_killed_worker_is_followed_at_once(run_worker: Start, tmp_path: Path) -> None:
    """kill -9 in the middle of a job: the next worker has it at once, not after the lease."""
    ran: list[int] = []
    task("test.hang")(lambda job, progress: ran.append(job.attempts))
    records.enqueue("test.hang", "a")
    with subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env=pointed_here(tmp_path / "child"),
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        guard = threading.Timer(120, child.kill)
        guard.start()
        assert child.stdout.readline() == "started\n"
        guard.cancel()
        run_worker()
        time.sleep(1.5)
        assert state_of("a") == JobState.RUNNING  # it lives: its lease is respected
        child.send_signal(signal.SIGKILL)
    until(lambda: state_of("a") == JobState.DONE)  # the lease is an hour
    assert ran == [2]
