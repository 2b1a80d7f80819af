"""How soon a decoder that goes beyond its limits is ended, beside the limit of two seconds.

A real clip is decoded at a frame rate that would take hours: what a hostile file can make of any
decoder. Each figure is the time from when a limit is reached to when the call is over, with every
process gone (of CPU time: the CPU time); the memory limit is met as soon as the decoder begins.
"""

from __future__ import annotations

import resource
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.figures import figure

from jhalak.media import Failed, Refused, Stopped
from jhalak.media.process import Budget, Command, run

MOST_S = 2.0
_TIMES = 5
_AT_S = 1  # when the limit is reached
_MUCH = Budget(cpu_seconds=600, wall_seconds=600, memory_bytes=6 << 30)


def figures(source: Path) -> list[dict[str, Any]]:
    tried: dict[str, Callable[[], float]] = {
        "wall time": lambda: _over(source, _with(wall_seconds=_AT_S)) - _AT_S,
        "CPU time": lambda: _cpu(source) - _AT_S,
        "memory": lambda: _over(source, _with(memory_bytes=64 << 20)),
        "asked to stop": lambda: _stopped(source),
    }
    return [
        figure(
            f"limits: ended after {name}",
            max(0.0, statistics.median(late() for _ in range(_TIMES))),
            "s",
            at_most=MOST_S,
        )
        for name, late in tried.items()
    ]


def _with(**limits: int) -> Budget:
    return Budget(
        cpu_seconds=limits.get("cpu_seconds", _MUCH.cpu_seconds),
        wall_seconds=limits.get("wall_seconds", _MUCH.wall_seconds),
        memory_bytes=limits.get("memory_bytes", _MUCH.memory_bytes),
    )


def _over(source: Path, budget: Budget, stop: threading.Event | None = None) -> float:
    """Seconds until it was over. Raises AssertionError when it came to its own end."""
    outputs = (("-map", "[v0]", "-c:v", "rawvideo", "-f", "rawvideo"),)
    endless = Command(source, ("-f", "mov"), outputs, "[0:0]fps=100000[v0]")
    begun = time.perf_counter()
    try:
        run(endless, [lambda _: None], budget, stop=stop)
    except (Refused, Stopped, Failed):
        return time.perf_counter() - begun
    raise AssertionError("what has no end came to one")


def _cpu(source: Path) -> float:
    """Seconds of CPU that it had used in the end: by the clock it depends on who else is busy."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _over(source, _with(cpu_seconds=_AT_S))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _stopped(source: Path) -> float:
    stop = threading.Event()
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.perf_counter())
        stop.set()

    timer = threading.Timer(_AT_S, ask)
    timer.start()
    _over(source, _MUCH, stop)
    return time.perf_counter() - asked[0]
