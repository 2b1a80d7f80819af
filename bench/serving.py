"""A real `jhalak serve` on a temporary data folder, for benches that measure over HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from jhalak.border.services import Processes

REST = 900  # seconds at most
START = 300  # seconds until it answers: an engine of a million videos is read first


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jhalak-bench-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def serving(
    data: Path, command: Sequence[str] = ("-m", "jhalak", "serve"), **options: object
) -> Iterator[int]:
    """Runs the site on `data` until the block ends; gives its port. `command`: Python's words."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    env = dict(os.environ, JHALAK_DATA=str(data), JHALAK_PORT=str(port))
    env.update({f"JHALAK_{name.upper()}": str(value) for name, value in options.items()})
    with (data / "serve.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *command], env=env, stderr=log, stdout=log)
    try:
        _wait_healthy(port, process, data / "serve.log")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=START)  # its engine keeps a snapshot


def processes(data: Path) -> list[int]:
    """Those of a site: its supervisor and all below."""
    (root,) = [one.pid for one in Processes(data).all() if one.name == "supervisor"]
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            below.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [root]
    for pid in found:
        found += below.get(pid, [])
    return found


def spent(data: Path) -> float:
    """Seconds of processor time that a site's processes have spent, and those they waited for."""
    total = 0
    for pid in processes(data):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def at_rest(data: Path) -> None:
    """Waits until the worker has done what it does when a site starts (it sweeps, it learns): what
    is measured begins then. Raises RuntimeError when there is no end to it.
    """
    deadline = time.monotonic() + REST
    while time.monotonic() < deadline:
        before = spent(data)
        time.sleep(2.0)
        if spent(data) - before < 0.2:
            return
    raise RuntimeError(f"the site's processes are not at rest after {REST} s")


def memory(data: Path) -> float:
    """GiB that a site's processes hold together, what several share counted once (PSS)."""
    total = 0
    for pid in processes(data):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / (1 << 20)


def _wait_healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the site did not start:\n{log.read_text()[-3000:]}")
