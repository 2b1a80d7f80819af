"""Whether a sealed process hangs: nothing comes of it, it uses no CPU and does not wait for any.

Threads of ffmpeg were seen to wait for one another for ever. No limit of CPU ends that, and the one
by the clock is long, because a slow machine is no fault of a clip. What ffmpeg says of its progress
goes on while it hangs, so it is not asked; the kernel is, by proc(5).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_PROC = Path("/proc")
_LEAST_SHARE = 0.01  # of one core; a hung ffmpeg that tells its progress uses a tenth of that
_LONGEST_S = 0.5
"""What one look adds to the quiet: the time that our own sinks take is not the process's."""


class Watch:
    """Looks at a process and its children; where the system has no /proc it never sees a hang."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self._seconds = seconds
        self._quiet = 0.0
        self._looked = time.monotonic()
        self._used: float | None = None

    def heard(self) -> None:
        """Something came of it."""
        self._quiet, self._used = 0.0, None

    def hangs(self) -> bool:
        """Whether two spans of `seconds` passed without a byte, and the second without work. To be
        asked often.
        """
        now = time.monotonic()
        self._quiet += min(now - self._looked, _LONGEST_S)
        self._looked = now
        if self._quiet < self._seconds:
            return False
        before, self._used, self._quiet = self._used, _resting(self._pid), 0.0
        if before is None or self._used is None:
            return False
        return self._used - before <= self._seconds * _LEAST_SHARE


def _resting(pid: int) -> float | None:
    """CPU seconds that it and its children have used; None when one of their threads runs, or would
    if it had a core.
    """
    ticks = 0
    try:
        children = (_PROC / f"{pid}/task/{pid}/children").read_text().split()
        for one in (str(pid), *children):
            ticks += sum(map(int, _fields(_PROC / one)[11:13]))  # utime and stime
            if any(_fields(thread)[0] == "R" for thread in (_PROC / one / "task").iterdir()):
                return None
    except OSError:
        return None
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(process: Path) -> list[str]:
    """Of its `stat`, from the state on; the name before it may hold anything."""
    return (process / "stat").read_text().rpartition(")")[2].split()
