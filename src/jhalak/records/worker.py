"""The worker: takes jobs, runs them in threads, keeps their leases, and tidies up.

    dispatcher   the caller's thread: claims what is due whenever a slot is free, else looks
                 again every 50 ms
    job-N        one thread for each running job; media work is a process of its own, so
                 threads are enough
    keeper       writes progress (at most every 0.5 s), extends leases
    tidier       once a second: outbox left-overs, lost leases; once an hour: old rows
    chores       what apps registered with `every`

With two slots or more, one is never given to anything but URGENT jobs, so that a first rendition
starts at once however long the queue of second ones is.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from jhalak.options import options
from jhalak.records.blame import machine_fault
from jhalak.records.leases import (
    LEASE_S,
    do_blame,
    do_claim,
    do_fail,
    do_finish,
    do_forget_old,
    do_keep,
    do_release,
    do_requeue_lost,
    do_try_again,
    kinds_waiting,
)
from jhalak.records.models import Job
from jhalak.records.outbox import relay
from jhalak.records.processes import own_name
from jhalak.records.registry import CHORES, TASKS, GiveUp, LeaseLost, Progress, Retry
from jhalak.stores.events import EventsError

POLL_S = 0.05
KEEP_S = 0.5
TIDY_S = 1.0
FORGET_S = 3600.0
GIVE_BACK_S = 2.0

logger = logging.getLogger(__name__)
_numbers = itertools.count(1)


def run_worker(
    stop: threading.Event,
    *,
    slots: int = 2,
    drain_s: float | None = None,
    lease_s: float = LEASE_S,
) -> None:
    """Work until `stop` is set; then let running jobs finish, and give back the rest.

    `drain_s`: seconds to finish in. By default a little less than the option `drain`, so that a
    supervisor which goes by the same option finds the leases given back and the process gone.
    """
    if drain_s is None:
        drain_s = max(1.0, options().drain - GIVE_BACK_S)
    Worker(stop, slots=slots, drain_s=drain_s, lease_s=lease_s).run()


def run_due(limit: int = 1000) -> int:
    """Run what is due now, here, one after another; returns how many. For tests and for repairs by
    hand.
    """
    for number in range(limit):
        job = do_claim(f"{own_name()}:{next(_numbers)}")
        if job is None:
            return number
        execute(job, lambda _fraction: None)()
    return limit


def execute(job: Job, progress: Progress) -> Callable[[], bool]:
    """Run the task of a claimed job. Returns how it ended, as the action that writes that down."""
    try:
        TASKS[job.kind].run(job, progress)
    except GiveUp as end:
        logger.info("job %s: gave up: %s %s", job, end.code, end.message)
        return partial(do_fail, job, end.code, end.message)
    except Retry as end:
        logger.info("job %s: not now: %s %s", job, end.code, end.message)
        return partial(do_try_again, job, end.code, end.message, end.after_s)
    except LeaseLost:
        logger.warning("job %s: its lease is lost, stopped", job)
        return lambda: False
    except Exception as error:
        # Whatever a task did not foresee is the job's or the machine's, not the worker's: kept with
        # the job, and tried again.
        if not machine_fault(error):
            logger.exception("job %s: attempt %d of %d failed", job, job.attempts, job.max_attempts)
        return partial(do_blame, job, error)
    return partial(do_finish, job)


class Held:
    """A job that runs here. `progress` is what its task calls, from any thread; it does no input or
    output.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lost = threading.Event()
        self.fraction = 0.0
        self.written = 0.0
        self.kept_at = time.monotonic()

    def progress(self, fraction: float) -> None:
        if self.lost.is_set():
            raise LeaseLost
        if math.isfinite(fraction):
            self.fraction = max(self.fraction, min(1.0, fraction))  # it never falls


class Worker:
    def __init__(
        self, stop: threading.Event, *, slots: int, drain_s: float, lease_s: float
    ) -> None:
        if slots < 1:
            raise ValueError("a worker has at least one slot")
        self.stop = stop
        self.slots = slots
        self.drain_s = drain_s
        self.lease_s = lease_s
        self.name = f"{own_name()}:{next(_numbers)}"
        self._held: dict[int, Held] = {}  # by job id
        self._changing = threading.Lock()  # guards _held
        self._ended = threading.Event()  # ends keeper and tidier, after the drain

    def run(self) -> None:
        helpers = [
            threading.Thread(target=self._every, args=(KEEP_S, self._keep), name="jobs-keeper"),
            threading.Thread(target=self._every, args=(TIDY_S, self._tidy), name="jobs-tidier"),
            threading.Thread(target=self._every, args=(TIDY_S, self._chores), name="jobs-chores"),
        ]
        self._forgot_at = -math.inf
        self._chore_due: dict[str, float] = {}
        self._log_unknown_kinds()
        for helper in helpers:
            helper.start()
        try:
            while not self.stop.is_set():
                if not self._safely(self._take_one):
                    self.stop.wait(POLL_S)
            self._drain()
        finally:
            self._ended.set()
            for helper in helpers:
                helper.join()
            connections.close_all()

    def _take_one(self) -> bool:
        """Start one job, if a slot is free for one that is due."""
        running = self._running()
        if len(running) >= self.slots:
            return False
        patient = sum(not held.job.urgent for held in running)
        urgent_only = self.slots > 1 and patient >= self.slots - 1
        remote = None if options().local_media else False
        job = do_claim(self.name, urgent_only=urgent_only, remote=remote, lease_s=self.lease_s)
        if job is None:
            return False
        held = Held(job)
        with self._changing:
            self._held[job.pk] = held
        # A daemon: what does not finish within the drain ends with the process.
        threading.Thread(target=self._work, args=(held,), name=f"job-{job.pk}", daemon=True).start()
        return True

    def _work(self, held: Held) -> None:
        began = time.monotonic()
        try:
            settle = execute(held.job, held.progress)
            while not self._settled(settle):
                # The database is away: what was done is not done again because of that. If it comes
                # back and the lease was given to another, the result is dropped.
                if self._ended.wait(KEEP_S):
                    break
            took = time.monotonic() - began
            logger.info("%s %s: %.2f s", held.job.kind, held.job.subject, took)
        finally:
            with self._changing:
                self._held.pop(held.job.pk, None)
            connections.close_all()

    def _settled(self, settle: Callable[[], bool]) -> bool:
        """False: the database was away, and it is worth another try."""
        try:
            if not settle():
                logger.warning("a job ended here after its lease was lost: its result is dropped")
        except DatabaseError:
            logger.exception("cannot write down how a job ended")
            close_old_connections()
            return False
        except Exception:
            # An `on_failed` that fails: nothing was written, the lease runs out, and it is tried
            # again.
            logger.exception("a job's end cannot be written down")
        return True

    def _keep(self) -> None:
        for held in self._running():
            due = time.monotonic() - held.kept_at >= self.lease_s / 3
            fraction = held.fraction
            if held.lost.is_set() or not (due or fraction != held.written):
                continue
            if not do_keep(held.job, lease_s=self.lease_s if due else None, progress=fraction):
                held.lost.set()
                continue
            held.written = fraction
            if due:
                held.kept_at = time.monotonic()

    def _tidy(self) -> None:
        do_requeue_lost(lease_s=self.lease_s)
        relay()
        if time.monotonic() - self._forgot_at > FORGET_S:
            self._forgot_at = time.monotonic()
            do_forget_old()

    def _chores(self) -> None:
        for name, (seconds, chore) in CHORES.items():
            now = time.monotonic()
            if now >= self._chore_due.get(name, 0.0):
                self._chore_due[name] = now + seconds
                try:
                    self._safely(chore)
                except Exception:  # a fault of one chore is no reason to end the worker
                    logger.exception("the chore %s failed", name)

    def _drain(self) -> None:
        end = time.monotonic() + self.drain_s
        while self._running() and time.monotonic() < end:
            time.sleep(POLL_S)
        for held in self._running():
            logger.warning("job %s: given back, the worker stops", held.job)
            held.lost.set()
            self._safely(partial(do_release, held.job))

    def _running(self) -> list[Held]:
        with self._changing:
            return list(self._held.values())

    def _every(self, seconds: float, act: Callable[[], None]) -> None:
        try:
            while True:
                self._safely(act)
                if self._ended.wait(seconds):
                    break
        except BaseException:
            self.stop.set()  # without its helpers a worker only looks alive: end, be started again
            raise
        finally:
            connections.close_all()

    def _safely(self, act: Callable[[], object]) -> bool:
        """`act`; when the database or the log is away, wait a second and go on. Nothing is lost
        meanwhile.
        """
        try:
            return bool(act())
        except (DatabaseError, EventsError, OSError) as error:
            logger.warning("the worker waits: %s", error)
            close_old_connections()
            self._ended.wait(1.0)
            return False

    def _log_unknown_kinds(self) -> None:
        def look() -> None:
            if kinds := kinds_waiting():
                logger.warning("jobs wait that nothing here can do: %s", ", ".join(kinds))

        self._safely(look)
