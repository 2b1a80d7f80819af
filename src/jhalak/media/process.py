"""One sealed process (ffmpeg, mostly): started, watched, and ended when asked or over its time.

It gets one file, or two, open for reading, and writes only to pipes that we hold: it needs no path,
and may write no file at all. What keeps it from all else is jhalak.border.seal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from jhalak.border import Rules, SealError, start
from jhalak.media.arguments import check
from jhalak.media.model import Failed, Limits, Reason, Refused, Stopped
from jhalak.media.stall import Watch

Sink = Callable[[bytes], None]

SOUND_OPENING = (
    *("-protocol_whitelist", "fd,pipe", "-f", "mov"),
    *("-enable_drefs", "0", "-use_absolute_path", "0"),
)
_PIPE_BYTES = 1 << 20
_CHUNK = 1 << 18
_TICK_SECONDS = 0.1


class Command(msgspec.Struct, frozen=True):
    """What to do, without descriptors: `run` adds their numbers."""

    source: Path
    opening: tuple[str, ...]
    """Options of the input."""
    outputs: tuple[tuple[str, ...], ...]
    """Options of each output, in the order of the sinks."""
    graph: str = ""
    """Filters from the input to the outputs."""
    sound: Path | None = None
    """A second input: a sound of our own making, see `sounds`."""


class Budget(msgspec.Struct, frozen=True):
    cpu_seconds: int
    wall_seconds: float
    memory_bytes: int
    nice: int = 0
    quiet_seconds: float = 30.0
    """It is taken to hang after twice this without a byte or any work, see `stall`."""

    @classmethod
    def of(cls, limits: Limits, duration_ms: int, *, nice: int = 0) -> Budget:
        cpu = limits.cpu_seconds_base + limits.cpu_seconds_per_second * (duration_ms // 1000 + 1)
        return cls(cpu, cpu * limits.wall_factor, limits.memory_bytes, nice)

    def rules(self, reads: Sequence[Path]) -> Rules:
        return Rules(
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_bytes,
            nice=self.nice,
            reads=tuple(reads),
        )


class Usage(msgspec.Struct, frozen=True):
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


class Ended(msgspec.Struct, frozen=True):
    """How a sealed process ended."""

    status: int
    """What it said, or minus the number of the signal that ended it."""
    complaint: str
    """The end of its stderr."""
    out_of_time: bool
    usage: Usage

    @property
    def crashed(self) -> bool:
        return self.status < 0 and self.status != -signal.SIGKILL


def ffmpeg() -> str:
    """Path of the program that came with its wheel. Raises Failed when it is not there."""
    import imageio_ffmpeg  # 40 ms, only workers

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise Failed("ffmpeg is not installed") from error


def run(
    command: Command,
    sinks: Sequence[Sink],
    budget: Budget,
    *,
    duration_ms: int = 0,
    on_progress: Callable[[float], None] | None = None,
    stop: threading.Event | None = None,
    log: Sink | None = None,
) -> Usage:
    """Run ffmpeg to its end, each output's bytes going to its sink as they come.

    `log` gets what ffmpeg says of itself, not errors alone.

    `on_progress` gets the share of `duration_ms` that is written, rising from 0 to 1. A sink's
    exception ends the process and is raised. Raises Refused (the clip cannot be read, or takes too
    much), Stopped (`stop` was set), Failed (the machine).
    """
    if len(sinks) != len(command.outputs):
        raise ValueError("one sink for each output")
    program = ffmpeg()
    progress = _Progress(duration_ms, on_progress)

    sources = [command.source, *([command.sound] if command.sound else [])]

    def words(files: list[int], pipes: list[int]) -> list[str]:
        arguments = ["-hide_banner", "-nostdin", "-nostats"]
        arguments += ["-loglevel", "error" if log is None else "info"]
        arguments += ["-stats_period", "0.2", "-progress", f"pipe:{pipes[-1]}"]
        openings = (command.opening, SOUND_OPENING)
        for opening, file in zip(openings, files, strict=False):
            arguments += [*opening, "-fd", str(file), "-i", "fd:"]
        arguments += ["-filter_complex", command.graph] if command.graph else []
        for options, pipe in zip(command.outputs, pipes, strict=False):
            arguments += [*options, f"pipe:{pipe}"]
        check(arguments)
        return [program, *arguments]

    every: list[Sink] = [*sinks, progress]
    ended = run_sealed(words, sources, every, budget, chatter=progress, stop=stop, log=log)
    _judge(ended)
    if on_progress is not None:
        on_progress(1.0)
    return ended.usage


def run_sealed(
    words: Callable[[list[int], list[int]], list[str]],
    sources: Sequence[Path],
    sinks: Sequence[Sink],
    budget: Budget,
    *,
    reads: Sequence[Path] = (),
    chatter: Sink | None = None,
    stop: threading.Event | None = None,
    log: Sink | None = None,
) -> Ended:
    """Run a program to its end, each pipe's bytes going to its sink as they come.

    `words` gets the numbers of the descriptors that `sources` are open as (only to be read), and of
    the pipes, and gives the program and its arguments. `reads`: what else it may read. `chatter`:
    the sink whose bytes are no sign that it gets on. `log` gets its stderr. A sink's exception ends
    the process and is raised. Raises Refused (too much wall time), Stopped, Failed (the machine, or
    it hung).
    """
    if stop is not None and stop.is_set():
        raise Stopped("stopped before it began")
    errors = _Tail(log)
    with contextlib.ExitStack() as cleanup:
        try:
            files = [cleanup.enter_context(one.open("rb", buffering=0)) for one in sources]
            pipes = [_Pipe(cleanup, take) for take in sinks]
            begun = time.monotonic()
            read = [file.fileno() for file in files]
            written = [pipe.write.fileno() for pipe in pipes]
            rules = budget.rules(reads)
            process = start(words(read, written), rules, keep=[*read, *written]).process
        except (OSError, SealError) as error:
            raise Failed(f"not started: {error}") from error
        try:
            for pipe in pipes:
                pipe.write.close()
            assert process.stderr is not None
            readers: list[tuple[IO[bytes], Sink]] = [(pipe.read, pipe.take) for pipe in pipes]
            readers.append((process.stderr, errors))
            clock = _Clock(process.pid, begun, budget)
            _pump(readers, clock, chatter, stop)
            # All its pipes are closed; a process that stays for all that is ended by the clock.
            status, usage = _reap(process, clock)
        except BaseException:
            _kill(process)
            raise
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Ended(
        status=status,
        complaint=errors.text(),
        # Some catch SIGXCPU and then end as if they had failed.
        out_of_time=status != 0 and cpu_seconds >= budget.cpu_seconds - 0.5,
        usage=Usage(
            cpu_seconds=cpu_seconds,
            wall_seconds=time.monotonic() - begun,
            peak_bytes=usage.ru_maxrss * 1024,
        ),
    )


class _Pipe:
    def __init__(self, cleanup: contextlib.ExitStack, take: Sink) -> None:
        read, write = os.pipe()
        self.read: IO[bytes] = cleanup.enter_context(os.fdopen(read, "rb", buffering=0))
        self.write: IO[bytes] = cleanup.enter_context(os.fdopen(write, "wb", buffering=0))
        self.take = take
        with contextlib.suppress(OSError, AttributeError):  # a smaller pipe is only slower
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class _Tail:
    """The end of what the process complained about."""

    def __init__(self, also: Sink | None, keep: int = 2000) -> None:
        self._also = also
        self._keep = keep
        self._bytes = b""

    def __call__(self, data: bytes) -> None:
        if self._also is not None:
            self._also(data)
        self._bytes = (self._bytes + data)[-self._keep :]

    def text(self) -> str:
        return self._bytes.decode("utf-8", "replace").strip()


class _Progress:
    """Reads `-progress` lines (`out_time_us=2000000`) and tells a share that only rises."""

    def __init__(self, duration_ms: int, tell: Callable[[float], None] | None) -> None:
        self._total_us = duration_ms * 1000
        self._tell = tell
        self._line = b""
        self._told = 0.0

    def __call__(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            name, _, value = line.partition(b"=")
            if name == b"out_time_us" and value.strip().isdigit():
                self._reach(int(value))

    def _reach(self, microseconds: int) -> None:
        if self._tell is None or self._total_us <= 0:
            return
        share = min(microseconds / self._total_us, 0.999)  # 1 is told by its end alone
        if share > self._told:
            self._told = share
            self._tell(share)


class _Clock:
    """Ends what takes too long, and what hangs."""

    def __init__(self, pid: int, begun: float, budget: Budget) -> None:
        self._deadline = begun + budget.wall_seconds
        self.watch = Watch(pid, budget.quiet_seconds)

    def check(self) -> None:
        if time.monotonic() > self._deadline:
            raise Refused(Reason.TOO_HEAVY, "out of wall time")
        if self.watch.hangs():
            raise Failed("it hung: no work and no word")


def _pump(
    readers: Sequence[tuple[IO[bytes], Sink]],
    clock: _Clock,
    chatter: Sink | None,
    stop: threading.Event | None,
) -> None:
    """Hand on what comes until every pipe is closed."""
    with selectors.DefaultSelector() as selector:
        for file, take in readers:
            selector.register(file, selectors.EVENT_READ, take)
        while selector.get_map():
            for key, _ in selector.select(_TICK_SECONDS):
                data = os.read(key.fd, _CHUNK)
                if data:
                    key.data(data)
                    if key.data is not chatter:
                        clock.watch.heard()
                else:
                    selector.unregister(key.fileobj)
            if stop is not None and stop.is_set():
                raise Stopped("asked to stop")
            clock.check()


def _reap(process: subprocess.Popen[bytes], clock: _Clock) -> tuple[int, resource.struct_rusage]:
    """Its exit status (minus the signal's number when one ended it) and what it used."""
    while True:
        pid, raw, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(raw)
            if process.stderr is not None:
                process.stderr.close()
            return process.returncode, usage
        clock.check()
        time.sleep(0.002)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _judge(ended: Ended) -> None:
    """Nothing when all went well, else the exception that says whose fault it was."""
    if ended.status == 0:
        return
    if ended.out_of_time:
        raise Refused(Reason.TOO_HEAVY, "out of CPU time")
    if "Cannot allocate memory" in ended.complaint:
        raise Refused(Reason.TOO_HEAVY, ended.complaint)
    if ended.status == -signal.SIGKILL:
        # Not by us (that raises elsewhere): the kernel, for memory, or somebody's hand.
        raise Failed("ffmpeg was killed")
    raise Refused(Reason.DAMAGED, f"ffmpeg ended with {ended.status}: {ended.complaint}")
