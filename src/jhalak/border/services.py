"""The seal around a process of the site: what it may see and write, and what to do where the kernel
refuses it.

A service keeps the file tree, read-only, with its data writable in it. The folders in which a
system keeps its sockets and devices (/run, /tmp, /dev) are empty but for what is named: a name
service's or a bus's Unix socket is a way out that no network namespace shuts, and root may open a
disk.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from jhalak.border.seal import SERVICE_WALLS, Rules, Seal, Wall

_DEVICES = tuple(Path("/dev") / name for name in ("null", "zero", "full", "random", "urandom"))
HIDDEN = tuple(Path(name) for name in ("/dev", "/run", "/tmp", "/var/tmp"))  # noqa: S108
_SYSTEM = tuple(Path(name) for name in ("/etc", "/proc", "/sys", "/usr"))
_NEVER = (Path("/dev"), Path("/run"), *_SYSTEM)
# A process that seals others writes their maps of users there; these parts stay read-only.
_PROC, _PROC_SHUT = Path("/proc"), (Path("/proc/sys"), Path("/proc/sysrq-trigger"))
# Each switch, the value that shuts, and one that opens.
_SWITCHES = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "28633"),
    ("user.max_net_namespaces", "0", "28633"),
    ("user.max_mnt_namespaces", "0", "28633"),
)


def service_rules(
    data: Path,
    *,
    reads: Iterable[Path] = (),
    shut: Iterable[Path] = (),
    opened: Iterable[Path] = (),
    unseen: Iterable[Path] = (),
    seals: bool = False,
    orphan: int = 9,
) -> Rules:
    """What a process of the site may. `reads`: sockets and folders that it needs though they may
    lie in a hidden folder; its own program is known. `shut`: parts of the data that it may not
    write, but for `opened` in them. `unseen`: folders of the data that it may not read. `seals`: it
    starts sealed programs itself.

    Links in the data folder are followed to where an operator put a part of it, on another disk.
    Who took over a process may have put one there too, for the next start: none opens what the seal
    hides, or the code that runs outside of it.
    """
    own = [Path(sys.prefix), Path(sys.base_prefix), *map(Path, filter(None, sys.path))]
    links = [path.resolve() for path in data.iterdir() if path.is_symlink()]
    links = [path for path in links if _elsewhere(path, [data, *own])]
    writes = [data, *links, *(path.resolve() for path in opened)]
    named = {path.absolute() for path in [*_DEVICES, *own, *reads]}
    locked = _PROC_SHUT if seals else ()
    seen = [path for path in named if not any(path.is_relative_to(one) for one in writes)]
    return Rules(
        cpu_seconds=0,
        memory_bytes=0,
        reads=tuple(_there([*seen, *(path.resolve() for path in shut), *locked])),
        writes=tuple(_there([*writes, *([_PROC] if seals else [])])),
        hides=(
            *(path for path in HIDDEN if path.is_dir() and not path.is_symlink()),
            *(path.resolve() for path in unseen),
        ),
        nobody=os.geteuid() == 0,
        orphan=orphan,
        walls=SERVICE_WALLS,
    )


def _elsewhere(path: Path, own: Iterable[Path]) -> bool:
    """Whether a link may lead here: to a folder that neither holds nor lies in one of our own or of
    a system's, and is not what the seal hides; of /tmp and /var/tmp to something in them.
    """
    for one in (*own, *HIDDEN, *_SYSTEM):
        if one.resolve().is_relative_to(path):
            return False
    return not any(path.is_relative_to(one.resolve()) for one in (*own, *_NEVER))


def _there(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.exists())


def how_to_allow(seal: Seal) -> str:
    """Why a seal does not stand and what an operator may do about it, in one line; "" when it
    does.
    """
    if seal.shut:
        return ""
    wall, why = next(((w, seal.refused[w]) for w in Wall if w in seal.refused), (Wall.NETWORK, ""))
    text = f"the kernel refuses the wall {wall.value} ({why or 'not wanted'})"
    if sys.platform != "linux":
        return f"{text}: a seal needs Linux"
    return f"{text}; {_advice()}"


def _advice() -> str:
    for name, shuts, opens in _SWITCHES:
        try:
            value = Path("/proc/sys", *name.split(".")).read_text().strip()
        except OSError:
            continue
        if value == shuts:
            return f"to allow it: sysctl -w {name}={opens}"
    return (
        "in a container allow user namespaces (Docker: --security-opt seccomp=unconfined"
        " --security-opt apparmor=unconfined --security-opt systempaths=unconfined)"
    )


_CLOCKS_DIFFER_MS = 600_000  # a pid that was given again is much younger
EXCUSED = {
    "supervisor": "it opens the listening sockets and starts the others",
    "broker": "it connects to the destinations that are declared",
    "client": "it speaks HTTP to the site, as visitors do",
    "control": "it enters the seal of another, to try to leave it",
}
"""Those that cannot be sealed by what they are for, and why."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one running process, as `<data>/border/processes/<name>.json`."""

    name: str
    pid: int
    started_ms: int
    sealed: bool
    walls: dict[str, str] = {}
    """Each wall that was wanted: "stands", or "refused: " and the kernel's words."""
    exception: str = ""
    """What it is, if it is one of those whose work reaches outside: front, supervisor, broker."""
    why: str = ""
    """Why it is not sealed, or what it does outside."""

    @property
    def as_declared(self) -> bool:
        """Sealed, or one of those that cannot be by what they are for. The front can."""
        return self.sealed or self.exception in EXCUSED


def built_in_exceptions() -> list[dict[str, str]]:
    """The names that such processes have, as the register of exceptions has them."""
    names = {"supervisor": "supervisor", "keeper": "supervisor", "broker": "broker"}
    names |= {"control": "control", "world": "client", "crowd": "client"}
    return [
        {
            "kind": "unsealed",
            "subject": name,
            "reason": EXCUSED[what],
            "owner": "jhalak",
            "expires": "9999-12-31",
        }
        for name, what in names.items()
    ]


def walls_of(seal: Seal) -> dict[str, str]:
    """As Process has them."""
    walls = {wall.value: "stands" for wall in Wall if wall in seal.standing}
    return walls | {wall.value: f"refused: {why}" for wall, why in seal.refused.items()}


def is_there(process: Process) -> bool:
    """Whether its pid is alive and as old as it says."""
    try:
        born = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
        since = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, IndexError):
        return False
    age_ms = (since - int(born) / os.sysconf("SC_CLK_TCK")) * 1000
    told_ms = time.time_ns() // 1_000_000 - process.started_ms
    return abs(told_ms - age_ms) < _CLOCKS_DIFFER_MS


class Processes:
    """The folder in which they stand; each is written by who starts it."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "border" / "processes"

    def clear(self) -> None:
        """Forget those that are no more."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in self.folder.glob("*.json"):
            try:
                there = is_there(msgspec.json.decode(file.read_bytes(), type=Process))
            except msgspec.DecodeError:
                there = False
            if not there:
                file.unlink()

    def put(self, process: Process) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{process.name}"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(process)) + b"\n")
        draft.replace(self.folder / f"{process.name}.json")

    def all(self) -> list[Process]:
        """Sorted by name. Raises msgspec.DecodeError on a file that is none of ours."""
        files = sorted(self.folder.glob("*.json"))
        return [msgspec.json.decode(file.read_bytes(), type=Process) for file in files]


def attempts(pid: int) -> int | None:
    """How often something in this process's network namespace found no way out, by the kernel's
    own count (OutNoRoutes of IPv4 and IPv6); None where that cannot be read.

    The count is of the namespace, and one that holds interfaces counts other things too.
    """
    try:
        lines = Path(f"/proc/{pid}/net/snmp").read_text().splitlines()
        more = Path(f"/proc/{pid}/net/snmp6")
        six = more.read_text().splitlines() if more.exists() else []
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("Ip:")]
    if len(found) != 2 or "OutNoRoutes" not in found[0]:
        return None
    total = int(found[1][found[0].index("OutNoRoutes")])
    return total + sum(int(line.split()[1]) for line in six if line.startswith("Ip6OutNoRoutes"))
