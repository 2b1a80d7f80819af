"""Jobs run in threads, and kinds of jobs are registered for one test only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jhalak.records import registry


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, registry.Task]:
    """Empty registries: `@task` and `every` in a test fill them, and they are gone afterwards."""
    monkeypatch.setattr(registry, "CHORES", {})
    monkeypatch.setattr("jhalak.records.worker.CHORES", registry.CHORES)
    empty: dict[str, registry.Task] = {}
    monkeypatch.setattr(registry, "TASKS", empty)
    for module in ("jhalak.records.leases", "jhalak.records.worker"):
        monkeypatch.setattr(f"{module}.TASKS", empty)
    return empty


@pytest.fixture
def run_worker(transactional_db: None) -> Iterator[Callable[..., threading.Event]]:
    """Start workers in threads; all are stopped at the end."""
    from jhalak.records.jobs import run_worker as run

    started: list[tuple[threading.Event, threading.Thread]] = []

    def start(**options: Any) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(stop,), kwargs={"drain_s": 5.0, **options})
        thread.start()
        started.append((stop, thread))
        return stop

    yield start
    for stop, _ in started:
        stop.set()
    for _, thread in started:
        thread.join(60)
        assert not thread.is_alive()


def until(true: Callable[[], Any]) -> None:
    """Wait for other threads, but not for ever."""
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
