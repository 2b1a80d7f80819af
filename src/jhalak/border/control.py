"""The positive control: somebody tries to leave from inside a process's seal. It must fail, and the
kernel must have counted it.

A zero on a meter says nothing while a broken meter reads zero too. So the attempt is made where the
process is, in its own namespaces (setns(2)), by a small program of ours (control_leak.py) that asks
for addresses which are nobody's (RFC 5737, RFC 3849). What counts it is not that program but the
kernel's counter of packets without a route, read from outside (`services.attempts`).

    blocked   the kernel refused it, and with which error
    seen      the counter moved

Not blocked is a leak, not seen a dead meter: both are red.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from jhalak.border.services import Process, Processes, attempts, is_there

_LEAK = Path(__file__).with_name("control_leak.py")
WAYS = ("tcp", "udp", "tcp6", "udp6", "dns")


class ControlError(Exception):
    """The control could not be made; the message says why. That is as red as a leak."""


class Finding(msgspec.Struct, frozen=True):
    """One attempt, as its entry in the log says it."""

    attempt: str
    blocked: bool
    seen: bool
    process: str
    errno: str

    @property
    def green(self) -> bool:
        return self.blocked and self.seen


def choose(processes: Sequence[Process]) -> Process | None:
    """One of those that say they are sealed and are there; None when there is none."""
    there = [one for one in processes if one.sealed and is_there(one)]
    return random.SystemRandom().choice(there) if there else None


def control(process: Process, *, meter: Callable[[int], int | None] = attempts) -> list[Finding]:
    """Try each way out of it. `meter`: the count for its pid. Raises ControlError."""
    words = [sys.executable, "-I", "-S", str(_LEAK), str(process.pid)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as leak:
        try:
            return [_attempt(leak, way, process, meter) for way in _ways()]
        finally:
            leak.kill()


def _ways() -> list[str]:
    """Where the machine has no IPv6 it is no way."""
    six = Path("/proc/net/snmp6").exists()
    return [way for way in WAYS if six or not way.endswith("6")]


class Last(msgspec.Struct, frozen=True):
    """The control that was made last, as `<data>/border/control.json`."""

    at: int
    process: str
    findings: list[Finding]
    error: str = ""

    @property
    def green(self) -> bool:
        return not self.error and bool(self.findings) and all(one.green for one in self.findings)


def make(data: Path) -> Last:
    """The control of a period: one process by chance; kept in the file. Never raises ControlError:
    what went wrong stands in `error`.
    """
    processes = Processes(data)
    chosen = choose(processes.all())
    findings: list[Finding] = []
    error = "" if chosen else "no sealed process runs here"
    if chosen:
        try:
            findings = control(chosen)
        except ControlError as failed:
            error = str(failed)
    last = Last(time.time_ns() // 1_000_000, chosen.name if chosen else "", findings, error)
    draft = processes.folder.parent / ".control"
    draft.write_bytes(msgspec.json.encode(last))
    draft.replace(draft.with_name("control.json"))
    return last


def last(data: Path) -> Last | None:
    """The control that was made last; None when there was none."""
    try:
        text = (data / "border" / "control.json").read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(text, type=Last)


def _attempt(
    leak: subprocess.Popen[str], way: str, process: Process, meter: Callable[[int], int | None]
) -> Finding:
    assert leak.stdin is not None
    assert leak.stdout is not None
    assert leak.stderr is not None
    before = meter(process.pid)
    try:
        leak.stdin.write(f"{way}\n")
        leak.stdin.flush()
    except BrokenPipeError:
        pass  # its words say why
    answer = leak.stdout.readline().strip()
    if not answer:
        raise ControlError(f"{process.name} cannot be entered: {leak.stderr.read().strip()[-300:]}")
    after = meter(process.pid)
    seen = before is not None and after is not None and after > before
    return Finding(way, answer != "out", seen, process.name, "" if answer == "out" else answer)
