"""Starts programs, watches them, restarts what dies, and stops all of them in order.

One thread and one loop: signals are blocked and taken with sigtimedwait (POSIX), so nothing happens
between two lines of it and children can be prepared between fork and exec. The idea is that of
daemontools and of "let it crash" supervisors: a program that dies is started again, sooner or
later, and one that dies over and over is given up with its last exit in plain words.

Every program is in a process group of its own. A terminal's Ctrl-C reaches the supervisor alone,
and what a dead program left running is killed with its group before the program is started again.
"""

from __future__ import annotations

import enum
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import msgspec

from jhalak.border import Rules, Seal, SealError, reported, sealed
from jhalak.site.supervisor_child import prepare_child

TICK = 0.1  # seconds between two looks when nothing is reported
SOON = 10.0  # a program that ends sooner than this after its start has failed to start
PAUSES = (
    0.0,
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
)  # before the next try after each such failure in a row; then it is given up
PATIENCE = 10.0  # seconds that walls may take to build; it is some 20 ms
_TAKEN = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class When(enum.Enum):
    """At what moment a program is started."""

    AT_ONCE = "at once"
    WHEN_READY = "when the site answers"


@dataclass(frozen=True)
class Program:
    """One thing to keep running.

    `stage`: programs of a lower stage are stopped, and have ended, before the next stage is asked
    to stop. `drain`: seconds between the request to stop and SIGKILL. `once`: an exit with 0 is the
    end of its work. `vital`: when it cannot be kept running, everything stops; otherwise only it
    does. `gives_up`: False for what is tried again without end, since the rest can do without it.
    `seal`: what it is started in; None with the reason in `unsealed`. `exception`: its name in the
    register of what reaches outside. `every`: seconds after which what has finished is started
    again; `first`: seconds from when it may be started the first time.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    stage: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    drain: float = 10.0
    once: bool = False
    vital: bool = True
    gives_up: bool = True
    when: When = When.AT_ONCE
    seal: Rules | None = None
    unsealed: str = ""
    exception: str = ""
    every: float = 0.0
    first: float = 0.0


class State(enum.Enum):
    WAITING = "waiting"  # to be started at `start_at`
    RUNNING = "running"
    ENDED = "ended"  # for good


@dataclass
class _Child:
    program: Program
    state: State = State.WAITING
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    failures: int = 0
    kill_at: float = 0.0


def say(line: str) -> None:
    """One line for the person at the terminal or in the journal."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


class Supervisor:
    """Keeps `programs` running until a signal says stop. `ready()` is asked until it first says
    True.

    `on_ready` is called then, and programs that wait for it are started. `on_start` is told of each
    program that was started, its pid, and its seal.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        ready: Callable[[], bool],
        on_ready: Callable[[], None],
        on_stop: Callable[[], None] = lambda: None,
        on_start: Callable[[Program, int, Seal | None], None] = lambda _program, _pid, _seal: None,
    ) -> None:
        self._children = [_Child(program) for program in programs]
        self._ready = ready
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._on_start = on_start
        self._is_ready = False
        self._exit = 0
        self._stopping = False

    def run(self) -> int:
        """Blocks until everything has ended. Returns the exit code: 0 after an orderly stop, 1
        after giving up.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _TAKEN)
        try:
            while not self._stopping:
                self._start_due()
                self._take_signal()
                self._reap()
                self._look_ready()
            self._drain()
        finally:
            self._kill_all()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self._exit

    def _take_signal(self) -> None:
        taken = signal.sigtimedwait(_TAKEN, TICK)
        if taken is None or taken.si_signo == signal.SIGCHLD:
            return
        if self._stopping:
            say("stopping at once")
            self._exit = 130
            self._kill_all()
            return
        say("stopping; once more to stop at once")
        self._stopping = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            waits = child.program.when is When.WHEN_READY and not self._is_ready
            if child.state is State.WAITING and not waits and now >= child.start_at:
                self._start(child)

    def _start(self, child: _Child) -> None:
        program = child.program
        try:
            child.process, seal = _spawn(program)
        except (OSError, subprocess.SubprocessError) as error:
            child.started = time.monotonic()
            self._failed(child, f"cannot be started: {error}")
            return
        child.started = time.monotonic()
        child.state = State.RUNNING
        if not program.every:  # what comes and goes each hour is not worth a line
            say(f"{program.name} started (pid {child.process.pid})")
            self._on_start(program, child.process.pid, seal)

    def _reap(self) -> None:
        for child in self._children:
            if child.state is not State.RUNNING or child.process is None:
                continue
            code = child.process.poll()
            if code is None:
                continue
            _kill_group(child.process.pid)  # what it forked and left behind
            if self._stopping:
                child.state = State.ENDED
                say(f"{child.program.name} stopped")
            elif child.program.every and code == 0:
                child.state = State.WAITING
                child.start_at = time.monotonic() + child.program.every
            elif child.program.once and code == 0:
                child.state = State.ENDED
                say(f"{child.program.name} finished")
            else:
                self._failed(child, _words(code))

    def _failed(self, child: _Child, how: str) -> None:
        name = child.program.name
        lived = time.monotonic() - child.started
        again = lived < SOON or child.program.once
        child.failures = child.failures + 1 if again else 1
        if not child.program.gives_up:
            child.failures = min(child.failures, len(PAUSES))
        if child.failures > len(PAUSES):
            child.state = State.ENDED
            if not child.program.vital:
                say(f"{name} {how}; it is left out now, the rest goes on")
                return
            say(f"{name} {how}, {child.failures} times in a row: giving up.")
            say(f"What {name} said before is above; mend that, then start again.")
            self._exit = 1
            self._stopping = True
            return
        pause = PAUSES[child.failures - 1]
        child.state = State.WAITING
        child.start_at = time.monotonic() + pause
        say(f"{name} {how}; starting it again {f'in {pause:g} s' if pause else 'now'}")

    def _look_ready(self) -> None:
        if not self._is_ready and not self._stopping and self._ready():
            self._is_ready = True
            for child in self._children:
                if child.program.when is When.WHEN_READY:
                    child.start_at = time.monotonic() + child.program.first
            self._on_ready()

    def _drain(self) -> None:
        """Stage by stage: ask, wait until all of it have ended, kill what is over its time."""
        self._on_stop()
        for stage in sorted({child.program.stage for child in self._children}):
            members = [child for child in self._children if child.program.stage == stage]
            for child in members:
                if child.state is State.RUNNING and child.process is not None:
                    child.kill_at = time.monotonic() + child.program.drain
                    _send(child.process.pid, child.program.stop_signal)
            while any(child.state is State.RUNNING for child in members):
                self._take_signal()
                self._reap()
                for child in members:
                    if child.state is State.RUNNING and time.monotonic() > child.kill_at:
                        say(
                            f"{child.program.name} did not end in {child.program.drain:g} s: killed"
                        )
                        assert child.process is not None
                        _kill_group(child.process.pid)
                        child.kill_at = time.monotonic() + 5

    def _kill_all(self) -> None:
        for child in self._children:
            if child.process is not None and child.state is State.RUNNING:
                _kill_group(child.process.pid)
                child.process.wait()
                child.state = State.ENDED


def _spawn(program: Program) -> tuple[subprocess.Popen[bytes], Seal | None]:
    """Returns when it has begun, with the walls that it stands behind."""

    def start(words: Sequence[str], *more: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words,
            env={**os.environ, **program.env},
            stdin=subprocess.DEVNULL,
            pass_fds=(*program.pass_fds, *more),
            preexec_fn=partial(prepare_child, os.getpid(), program.orphan_signal),
        )

    if program.seal is None:
        return start(program.argv), None
    rules = msgspec.structs.replace(program.seal, orphan=int(program.orphan_signal))
    report, told = os.pipe()
    try:
        process = start(sealed(program.argv, rules, told), told)
    except BaseException:
        os.close(report)
        raise
    finally:
        os.close(told)
    try:
        return process, reported(_heard(report))
    except SealError as error:
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)  # it never began, and so never was without its seal
            why = str(error) or "it was killed before it began"
            raise subprocess.SubprocessError(why) from error
        say(f"{program.name}: {error or 'was not sealed in time'}")
        return process, Seal(frozenset(), {})


def _heard(report: int) -> str:
    """All that is written to it until it is closed, within PATIENCE. Closes it."""
    with os.fdopen(report, "rb", buffering=0) as lines:
        looks = select.poll()
        looks.register(lines, select.POLLIN)
        text, until = b"", time.monotonic() + PATIENCE
        while looks.poll(max(0, until - time.monotonic()) * 1000):
            if not (part := lines.read(4096)):
                break
            text += part
    return text.decode(errors="replace")


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself a moment ago: reaped on the next look


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it (macOS answers EPERM for a group of zombies)


def _words(code: int) -> str:
    if code >= 0:
        return f"ended (exit {code})"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
