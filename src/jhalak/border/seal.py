"""The seal: a program is run so that it reaches nothing but what it was given.

    started = start([program, ...], Rules(reads=..., cpu_seconds=..., memory_bytes=...), keep=[fd])
    started.process    subprocess.Popen
    started.seal       which walls stand, and why others do not

Each wall is built where the kernel allows it, none instead of another, so that where one is refused
the rest still hold; what was refused is told and never passed over. The idea is bubblewrap's and
nsjail's; done here because both are programs that a machine need not have, and set up walls or
fail. See docs/parts/border.md.
"""

from __future__ import annotations

import enum
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
# Few arenas: on a machine of many cores their reserved space alone passes RLIMIT_AS.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/nonexistent", "MALLOC_ARENA_MAX": "4"}
_REPORT_BYTES = 1 << 16
_BEGUN = "."


class Wall(enum.StrEnum):
    USER = "user"
    """Nobody, in a user namespace of its own."""
    NETWORK = "network"
    """A network namespace with no interface."""
    IPC = "ipc"
    """Own System V objects and own host name."""
    MOUNT = "mount"
    """A file tree with nothing in it but what is read and written."""
    FILES = "files"
    """All files as they are, but read-only; written is what is named. System folders with sockets
    and devices (`hides`) are empty but for what is named: for services, in place of MOUNT."""
    PID = "pid"
    """Sees no process but its own; all that it started ends with it."""
    PRIVILEGES = "privileges"
    """No capability."""
    LANDLOCK = "landlock"
    """Files by path; from version 4 on no TCP, from 6 on no signal or abstract socket outwards."""
    CALLS = "calls"
    """A filter of system calls: threads but no process, no socket, no hand on another process."""
    FAMILIES = "families"
    """A filter: only sockets whose families a network namespace shuts. For services, in place of
    CALLS."""
    LIMITS = "limits"
    """Of CPU time, memory, size of a file, open files; of threads too, where USER stands."""


SERVICE_WALLS = frozenset(
    [Wall.USER, Wall.NETWORK, Wall.IPC, Wall.FILES, Wall.PRIVILEGES, Wall.FAMILIES]
)
"""Around a process of ours, which starts others and writes its data."""
PROGRAM_WALLS = frozenset(Wall) - {Wall.FILES, Wall.FAMILIES}
"""Around a program that reads what strangers made; the tightest there is."""


class SealError(Exception):
    """The program could not be started at all."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may. Itself and the system's shared libraries are always readable."""

    cpu_seconds: int
    """This and the next, like the other numbers, count only where LIMITS stands."""
    memory_bytes: int
    """Of address space; of one process, so of the whole where CALLS stands."""
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    hides: tuple[Path, ...] = ()
    """Folders that FILES empties; also within what is read or written."""
    file_bytes: int = 0
    """How large a file may become that it writes. Pipes and sockets do not count."""
    open_files: int = 64
    threads: int = 512
    nice: int = 0
    nobody: bool = True
    """False: it keeps its user's name inside, though none of the rights."""
    orphan: int = int(signal.SIGKILL)
    """The signal that it gets when what started it ends."""
    walls: frozenset[Wall] = PROGRAM_WALLS


class Seal(msgspec.Struct, frozen=True):
    standing: frozenset[Wall]
    refused: dict[Wall, str]
    """What was wanted and does not stand, with the kernel's reason."""

    @property
    def shut(self) -> bool:
        """Whether nothing leaves: no network, no right to get one, no socket around it."""
        needed = [{Wall.NETWORK}, {Wall.PRIVILEGES}]
        needed += [{Wall.FAMILIES, Wall.CALLS}, {Wall.FILES, Wall.MOUNT}]
        return not any(self.standing.isdisjoint(walls) for walls in needed)

    def __str__(self) -> str:
        standing = ", ".join(wall for wall in Wall if wall in self.standing) or "none"
        refused = ", ".join(f"{wall} ({why})" for wall, why in self.refused.items())
        return f"walls that stand: {standing}; refused: {refused or 'none'}"


class Started(msgspec.Struct, frozen=True):
    process: subprocess.Popen[bytes]
    seal: Seal


def start(words: Sequence[str], rules: Rules, *, keep: Sequence[int] = ()) -> Started:
    """Run `words` sealed; returns when the program has begun. Its stderr is a pipe.

    `words[0]` is an absolute path. `keep`: descriptors that it inherits by their numbers, which may
    be all that it reads and writes. It leads its own session and is killed when the calling thread
    ends. Raises SealError when it cannot be started.
    """
    program = Path(words[0]).resolve()
    reads = _outermost([program, *map(Path, _LIBRARIES), *rules.reads])
    rules = msgspec.structs.replace(rules, reads=tuple(reads))
    report, told = os.pipe()
    try:
        with os.fdopen(report, "rb") as lines:
            try:
                process = subprocess.Popen(
                    sealed([str(program), *words[1:]], rules, told, keep=keep),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    pass_fds=[*keep, told],
                    start_new_session=True,
                    cwd="/",
                    env=_ENVIRONMENT,
                )
            finally:
                os.close(told)
            text = lines.read(_REPORT_BYTES).decode(errors="replace")
    except OSError as error:
        raise SealError(f"{program.name} cannot be started: {error}") from error
    return Started(process, _read_report(process, program, text))


_NUMBERS = ("cpu_seconds", "memory_bytes", "file_bytes", "open_files", "threads", "nice", "orphan")


def sealed(words: Sequence[str], rules: Rules, told: int, *, keep: Sequence[int] = ()) -> list[str]:
    """The command that runs `words` sealed when this process starts it. What became of the walls
    is written to `told`, which it must inherit and which ends when the program begins: `reported`.
    `words[0]` is an absolute path; all that the program needs stands in the rules.
    """
    given = [f"parent={os.getpid()}", f"report={told}", f"nobody={int(rules.nobody)}"]
    given += [f"{name}={getattr(rules, name)}" for name in _NUMBERS]
    given += [f"wall={wall}" for wall in Wall if wall in rules.walls]
    given += [f"hide={path}" for path in rules.hides]
    given += [f"read={path}" for path in rules.reads]
    given += [f"write={path.resolve()}" for path in rules.writes]
    given += [f"keep={number}" for number in keep]
    return [sys.executable, "-I", "-S", str(_LAUNCHER), *given, "--", *words]


def _read_report(process: subprocess.Popen[bytes], program: Path, text: str) -> Seal:
    try:
        return reported(text)
    except SealError as error:
        complaint = process.communicate()[1].decode(errors="replace").strip()[-500:]
        why = str(error) or complaint or "its launcher was killed"
        raise SealError(f"{program.name} cannot be started: {why}") from error


def reported(text: str) -> Seal:
    """What a launcher told. Raises SealError when the program did not begin, with its words."""
    *lines, last = text.splitlines() or [""]
    if last != _BEGUN:
        raise SealError(last[1:] if last.startswith("!") else "")
    found = [line.partition(" ") for line in lines]
    return Seal(
        frozenset(Wall(name) for name, _, why in found if not why),
        {Wall(name): why for name, _, why in found if why},
    )


def _outermost(paths: Sequence[Path]) -> list[Path]:
    """Those that are there and lie in no other of them."""
    there = {path for path in paths if os.path.exists(path)}  # noqa: PTH110  also where not allowed
    return sorted(path for path in there if there.isdisjoint(path.parents))


@cache
def python() -> tuple[str, tuple[Path, ...]]:
    """The interpreter behind this one's environment, to be run with -I -S, and what it reads."""
    program = Path(sys.executable).resolve()
    base = Path(sys.base_prefix)
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": str(base)}))
    return str(program), (library, base / "lib", base / "lib64")


def survey(wanted: Rules | None = None) -> Seal:
    """Which walls the kernel lets this process build around a program: tried, not guessed. By
    default those of a program that reads what strangers made.
    """
    program, reads = python()
    rules = wanted or Rules(reads=reads, cpu_seconds=10, memory_bytes=1 << 30)
    started = start([program, "-I", "-S", "-c", "pass"], rules)
    complaint = started.process.communicate()[1].decode(errors="replace")
    if started.process.returncode:
        raise SealError(f"a sealed program does not run here: {complaint.strip()[-500:]}")
    return started.seal
