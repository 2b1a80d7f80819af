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
        process.wait(timeout=60)


def _wait_healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the site did not start:\n{log.read_text()[-3000:]}")
