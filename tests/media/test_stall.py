"""A process that neither works nor says anything is ended, and one that only says nothing is not.

What is true here is true at any speed: the one sleeps for ever, the other never does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jhalak.border import python
from jhalak.media import Failed, Limits, make_first, plan, probe
from jhalak.media.commands import ladder_command
from jhalak.media.process import Budget, Ended, run, run_sealed
from jhalak.media.stall import Watch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's"),
]
_HOUR = 3600.0


def _standin(source: Path, program: str, budget: Budget) -> Ended:
    """A program of Python in the seal; its `out` and `chat` are numbers of descriptors."""
    interpreter, library = python()

    def words(files: list[int], pipes: list[int]) -> list[str]:
        return [interpreter, "-I", "-S", "-c", f"out, chat = {pipes}\n{program}"]

    def chatter(_: bytes) -> None:
        pass

    sinks = [lambda _: None, chatter]
    return run_sealed(words, [source], sinks, budget, reads=library, chatter=chatter)


def test_a_program_that_sleeps_is_ended_whatever_it_says_of_its_progress(plain: Path) -> None:
    budget = Budget(3600, _HOUR, 1 << 30, quiet_seconds=0.5)
    with pytest.raises(Failed, match="hung"):
        _standin(plain, "import time\ntime.sleep(36000)", budget)
    with pytest.raises(Failed, match="hung"):
        _standin(
            plain,
            "import os, time\nwhile True: os.write(chat, b'progress=continue\\n'); time.sleep(0.2)",
            budget,
        )


def test_a_program_that_stays_when_all_its_pipes_are_closed_is_ended(plain: Path) -> None:
    program = "import os, time\nfor n in (2, out, chat): os.close(n)\ntime.sleep(36000)"
    with pytest.raises(Failed, match="hung"):
        _standin(plain, program, Budget(3600, _HOUR, 1 << 30, quiet_seconds=0.5))


def test_a_program_that_works_in_silence_is_left_to_its_budget(plain: Path) -> None:
    ended = _standin(plain, "while True: pass", Budget(4, _HOUR, 1 << 30, quiet_seconds=1))
    assert ended.out_of_time


def test_a_byte_begins_the_watch_anew() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(36000)"]) as sleeper:
        watch = Watch(sleeper.pid, 0)
        try:
            while not watch.hangs():
                time.sleep(0.01)
            watch.heard()
            assert not watch.hangs()
        finally:
            sleeper.kill()


@contextmanager
def _never_ending(path: Path, data: bytes) -> Iterator[None]:
    """A file at `path` that gives `data`, and then neither more nor its end."""
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR)
    try:
        os.set_blocking(both, False)
        assert os.write(both, data) == len(data), "more than a pipe holds"
        yield
    finally:
        os.close(both)


def test_ffmpeg_that_waits_for_ever_is_ended_and_worth_another_try(
    plain: Path, tmp_path: Path
) -> None:
    found = plan(probe(plain), Limits(remux_side=1))
    data = make_first(found, plain, tmp_path).path.read_bytes()
    command = ladder_command(found, [found.first], tmp_path / "endless.mp4")
    budget = Budget(3600, _HOUR, 6 << 30, quiet_seconds=1)
    with (
        _never_ending(tmp_path / "endless.mp4", data[: 60 << 10]),
        pytest.raises(Failed, match="hung"),
    ):
        run(command, [lambda _: None], budget, duration_ms=found.probe.duration_ms)
