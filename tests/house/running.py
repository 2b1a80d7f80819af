"""Starts the house with the stand-in application, and looks at its processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[2]
START = """
import sys
from jhalak.site import serve
from jhalak.site.serve import FrontError, InstanceError, ServeError
serve._worker = lambda drain: serve.Program("worker", ("sleep", "600"))
try:
    sys.exit(serve.serve(application="tests.house.standin:application", before=()))
except (FrontError, InstanceError, ServeError) as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""


class House:
    """`jhalak serve` with a stand-in behind it. A context manager; nothing of it is alive
    afterwards.
    """

    def __init__(self, data: Path, port: int = 0, **options: object) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.port = port
        self._options = {f"JHALAK_{name.upper()}": str(value) for name, value in options.items()}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "jhalak.site.settings",  # not this test run's own
            **self._options,
            "JHALAK_DATA": str(self.data),
            "JHALAK_PORT": str(self.port),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
        }
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START], env=env, stdout=log, stderr=log
            )
        return self.process

    def __enter__(self) -> House:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def wait_ready(self, times: int = 1) -> None:
        def look() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            return self.said().count("Jhalak is ready") >= times

        eventually(look, "ready")
        found = re.findall(r"ready: http://[^:/]+:(\d+)/", self.said())
        self.port = int(found[-1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def get(self, path: str, **more: object) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30, **more)  # type: ignore[arg-type]

    def child(self, name: str) -> psutil.Process:
        """The newest process that the supervisor started as `name`."""
        pids = re.findall(rf"{name} started \(pid (\d+)\)", self.said())
        return psutil.Process(int(pids[-1]))

    def family(self) -> list[psutil.Process]:
        """Every process below the supervisor."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def eventually(look: Callable[[], object], what: str, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds:g} s"
        time.sleep(0.05)


def kill(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)
