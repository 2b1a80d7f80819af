"""The real site for tests: `jhalak serve` with all its processes on a folder of the test's own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import imageio_ffmpeg
import psycopg
from psycopg import sql

T = TypeVar("T")
PASSWORD = "a long enough one 7"


def free_ports(count: int) -> list[int]:
    """All different: each is held until the last is found."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [int(sock.getsockname()[1]) for sock in sockets]


def free_port() -> int:
    return free_ports(1)[0]


def eventually(look: Callable[[], T | None], seconds: float = 60.0, what: str = "it") -> T:
    """The first true answer of `look`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds:g} s")


def database_of(data: Path) -> str:
    """The address of a data folder's own PostgreSQL database, made when it is not there; "" when
    this test run is on SQLite, which is in the folder.
    """
    server = os.environ.get("JHALAK_DATABASE_URL", "")
    if not server:
        return ""
    name = f"site_{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
    with (
        psycopg.connect(server, autocommit=True) as connection,
        contextlib.suppress(psycopg.errors.DuplicateDatabase),
    ):
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server.rpartition('/')[0]}/{name}"


class Site:
    """Start, stop and kill. A context manager; `data` outlives it."""

    def __init__(self, data: Path, **options: object) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = os.environ | {
            "JHALAK_DATA": str(data),
            "JHALAK_DATABASE_URL": database_of(data),
            "JHALAK_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "jhalak.site.settings",  # not this test run's own
            **{f"JHALAK_{name.upper()}": str(value) for name, value in options.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[httpx.Client] = []

    def __enter__(self) -> Site:
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jhalak", "serve"],
                env=self.env,
                stdout=log,
                stderr=log,
            )
        self.wait_healthy()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=60)

    def log(self) -> str:
        return (self.data / "serve.log").read_text(errors="replace")

    def wait_healthy(self) -> None:
        def look() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log()[-3000:]
            try:
                return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        eventually(look, 180, "a healthy site")

    def client(self, handle: str = "") -> httpx.Client:
        """A browser; signed up as `handle` when one is given."""
        client = httpx.Client(base_url=self.url, timeout=20)
        self._clients.append(client)
        if handle:
            answer = client.post("/api/people", json={"handle": handle, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
        return client

    def processes(self, *words: str) -> list[int]:
        """Pids of this site's processes whose command line holds all the words."""
        lines: dict[int, str] = {}
        parents: dict[int, int] = {}
        ours: set[int] = set()
        for folder in Path("/proc").glob("[0-9]*"):
            pid = int(folder.name)
            try:
                lines[pid] = (folder / "cmdline").read_bytes().decode(errors="replace")
                parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                told = f"{(folder / 'environ').read_bytes()!r} {(folder / 'cwd').readlink()}"
            except OSError:
                told = ""
            if str(self.data) in told + lines.get(pid, ""):
                ours.add(pid)
        # What is sealed knows nothing of the site, but was started by what does.
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        return sorted(pid for pid in ours if all(word in lines[pid] for word in words))

    def kill(self, *words: str) -> int:
        """SIGKILL to every process that matches; how many there were."""
        pids = self.processes(*words)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return len(pids)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the database from outside, as an auditor would."""
        if url := self.env["JHALAK_DATABASE_URL"]:
            with psycopg.connect(url) as connection:
                return connection.execute(query).fetchall()  # type: ignore[call-overload]
        return _read(self.data / "jhalak.db", query)

    def change(self, query: str, *parameters: object) -> None:
        """Write to the database from outside. `?` stands for a parameter."""
        if url := self.env["JHALAK_DATABASE_URL"]:
            with psycopg.connect(url) as connection:
                connection.execute(query.replace("?", "%s"), parameters)  # type: ignore[call-overload]
            return
        file = self.data / "jhalak.db"
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as connection, connection:
            connection.execute(query, parameters)

    def pause(self, *words: str) -> list[int]:
        """Stop processes in their tracks, but not with the database's lock in their hands; their
        pids, for `resume`.
        """
        pids = self.processes(*words)
        assert pids, words

        def stopped() -> bool:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            if self._writable():
                return True
            self.resume(pids)
            return False

        eventually(stopped, 60, "processes that hold no lock")
        return pids

    def resume(self, pids: list[int]) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def _writable(self) -> bool:
        if self.env["JHALAK_DATABASE_URL"]:
            return True  # one writer does not wait there for all others
        file = self.data / "jhalak.db"
        with contextlib.closing(sqlite3.connect(file, timeout=1)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.rollback()
            except sqlite3.OperationalError:
                return False
        return True

    def enqueue(self, kind: str, subject: str) -> None:
        """Have a job done that nothing else would begin just now."""
        code = "import sys, django; django.setup(); from jhalak import records;"
        code += "records.enqueue(sys.argv[1], sys.argv[2])"
        subprocess.run([sys.executable, "-c", code, kind, subject], env=self.env, check=True)

    def events(self, query: str) -> list[tuple[Any, ...]]:
        """Read the event log from outside."""
        return _read(self.data / "events.db", query)


def _read(file: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def clip(
    path: Path, *, seconds: float = 3.0, size: str = "360x640", codec: str = "libx264"
) -> Path:
    """A small clip with a moving picture and a tone, as loud as clips shall be."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y",
        "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=30:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=330:duration={seconds},volume=7.8dB",
        "-c:v", codec, "-pix_fmt", "yuv420p", "-g", "30", "-b:v", "1500k", "-c:a", "aac",
        str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def upload(client: httpx.Client, file: Path, **details: str) -> str:
    """A whole upload in one request; the video's id."""
    import base64

    metadata = {"filename": file.name, "filetype": "video/mp4"} | details
    words = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in metadata.items())
    answer = client.post(
        "/api/uploads",
        content=file.read_bytes(),
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(file.stat().st_size),
            "Upload-Metadata": words,
            "Content-Type": "application/offset+octet-stream",
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["Jhalak-Video"]


def states(client: httpx.Client, video: str, seconds: float = 60) -> Iterator[str]:
    """Each new state of a video, until it is complete or failed."""
    last = ""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            answer = client.get(f"/api/videos/{video}")
        except httpx.HTTPError:
            time.sleep(0.05)
            continue
        if answer.status_code == 200 and (state := answer.json()["state"]) != last:
            last = state
            yield state
            if state in ("complete", "failed"):
                return
        time.sleep(0.02)
    raise AssertionError(f"the video stayed {last!r} for {seconds:g} s")
