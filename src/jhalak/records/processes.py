"""Who a process is, and whether it still lives: so that the jobs of a killed worker are taken up at
once.

A name is `host/namespace:pid:start`. The start time tells a process from a later one with the same
number, the namespace one container from another that was given the same host name.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

PROC = Path("/proc")


def _start_of(pid: int) -> str | None:
    """When a process was started, in clock ticks since boot; None if there is no such process, or
    only its remains.
    """
    if PROC.is_dir():
        try:
            stat = (PROC / str(pid) / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name in brackets may hold anything; after it: state (field 3), ..., start time (field
        # 22).
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it lives, and is somebody else's
    return "0"


def _host() -> str:
    namespace = PROC / "self" / "ns" / "pid"
    inode = namespace.stat().st_ino if namespace.exists() else 0
    return f"{socket.gethostname().replace(':', '-')[:60]}/{inode}"


@cache
def _name_of(pid: int) -> str:
    return f"{_host()}:{pid}:{_start_of(pid)}"


def own_name() -> str:
    """The name of this process."""
    return _name_of(os.getpid())


def own_host() -> str:
    """What the names of all processes that can be looked up from here start with."""
    return _name_of(os.getpid()).split(":")[0] + ":"


def is_gone(name: str) -> bool:
    """Whether the process of this name (or of a name that continues it) has certainly ended."""
    host, pid, start, *_ = [*name.split(":"), "", "", ""]
    if host + ":" != own_host() or not pid.isdigit():
        return False
    return _start_of(int(pid)) != start
