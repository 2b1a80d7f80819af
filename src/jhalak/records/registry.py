"""Kinds of jobs: how an app says what to do, and how a task says how it went.

    @task("videos.process", on_failed=mark_failed)
    def process(job: Job, progress: Progress) -> None: ...

A task runs outside any transaction and may run again from its start: a worker can be killed at any
point. It ends in one of four ways. It returns: done. It raises `Retry`, or anything unforeseen:
tried again, later and later, until `max_attempts`, then failed with the last reason. It raises
`GiveUp`: failed at once. It raises `LeaseLost` out of `progress`: somebody else has the job now, or
nobody wants it; it should clean up and let the exception pass. When it is the machine's fault (a
store or the database is away, a disk is full: see `blame`) the job waits, and no attempt counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jhalak.records.models import Job

Progress = Callable[[float], None]
TaskFunction = Callable[[Job, Progress], None]
FailedHook = Callable[[Job], None]
RetryHook = Callable[[Job], None]


class GiveUp(Exception):
    """This will never work. `code` is stable, `message` is kept with the job."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Retry(Exception):
    """Not now. Counts as an attempt; tried again after `after_s` seconds, or the usual pause."""

    def __init__(self, code: str, message: str = "", *, after_s: float | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.after_s = after_s


class LeaseLost(Exception):
    """This worker no longer holds the job: it ran out, was cancelled, or the worker is stopping."""


@dataclass(frozen=True)
class Task:
    kind: str
    run: TaskFunction
    on_failed: FailedHook | None
    on_retry: RetryHook | None
    remote: bool
    alone: bool


TASKS: dict[str, Task] = {}


def task(
    kind: str,
    *,
    on_failed: FailedHook | None = None,
    on_retry: RetryHook | None = None,
    remote: bool = False,
    alone: bool = False,
) -> Callable[[TaskFunction], TaskFunction]:
    """Register a function for a kind of job. `on_failed(job)` runs in the transaction that marks
    the job failed, with `job.error_code` and `job.error_text` set: what the job stood for fails
    with it, or neither does. The same when the operator cancels it. `on_retry(job)` runs in the
    transaction in which the operator has it tried again, and puts back what failed with it; it
    raises a Problem when there is nothing to try again. `remote`: runners on other machines may do
    it too. `alone`: of all such kinds one at a time works on a subject.
    """

    def register(function: TaskFunction) -> TaskFunction:
        if kind in TASKS:
            raise ValueError(f"two tasks are named {kind!r}")
        TASKS[kind] = Task(kind, function, on_failed, on_retry, remote, alone)
        return function

    return register


Chore = Callable[[], object]
CHORES: dict[str, tuple[float, Chore]] = {}


def every(seconds: float, name: str) -> Callable[[Chore], Chore]:
    """Register a small function that each worker calls at its start and every so many seconds.

    Several workers may call it at once, and one may be killed in it: it must be safe to run twice.
    What takes longer than a moment enqueues a job instead.
    """

    def register(function: Chore) -> Chore:
        if name in CHORES:
            raise ValueError(f"two chores are named {name!r}")
        CHORES[name] = (seconds, function)
        return function

    return register
