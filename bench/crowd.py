"""100 uploads at once from 20 people, through the whole site: whose turn it is, and what it needs.

Each person sends five clips of a few seconds at the same moment, half of which are copied and half
encoded. Playable is what the site itself published, and checked afterwards by fetching its bytes.
What is promised of the order is that no second clip is taken up while somebody's first waits; a
copy that is taken up beside the last first may still be playable before it. The baseline is first
come, first served: how many second clips came in before the last person's first. The memory is what
all processes of the site have to themselves (PSS: what is shared is divided among those that share
it), looked at twice a second; its baseline is the idle site.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
from bench.figures import figure
from bench.serving import data_folder, serving

PEOPLE, EACH = 20, 5
PATIENCE_S = 220.0
MOST_BYTES = 2 << 30
COPIED = ("libx264", "540x960", 4)
ENCODED = ("mpeg4", "720x1280", 3)


def _clip(path: Path, codec: str, size: str, seconds: int) -> bytes:
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y",
        "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=30:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=330:duration={seconds}",
        "-c:v", codec, "-pix_fmt", "yuv420p", "-g", "30", "-b:v", "1500k", "-c:a", "aac", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path.read_bytes()


class Person:
    """Somebody with an address of their own: the front counts uploads by address."""

    def __init__(self, port: int, number: int) -> None:
        line = httpx.HTTPTransport(local_address=f"127.0.0.{number + 2}", retries=2)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=line, timeout=120)
        given = {"handle": f"person{number}", "password": "a long enough one 7"}
        assert self.client.post("/api/people", json=given).status_code == 201

    def send(self, clip: bytes, name: str) -> None:
        """A whole upload; a site that is too busy is asked again, as a browser does."""
        words = {"filename": "clip.mp4", "filetype": "video/mp4", "caption": name}
        told = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(clip)),
            "Upload-Metadata": told,
            "Content-Type": "application/offset+octet-stream",
        }
        for _ in range(20):
            answer = self.client.post("/api/uploads", content=clip, headers=headers)
            if answer.status_code == 201:
                return
            time.sleep(0.5)
        raise RuntimeError(f"an upload was refused: {answer.status_code} {answer.text}")


class Memory:
    """The most that all processes of a site had at one moment, in bytes."""

    def __init__(self, data: Path) -> None:
        self.data = str(data).encode()
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def now(self) -> int:
        parents: dict[int, int] = {}
        ours: set[int] = set()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(stat[1])
                if self.data in (folder / "environ").read_bytes():
                    ours.add(int(folder.name))
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        return sum(_pss(pid) for pid in ours)

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.peak = max(self.peak, self.now())

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


def _rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    file = f"file:{data / 'jhalak.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def _seconds_too_early(times: dict[int, list[float]]) -> int:
    """How many people's second came before the last of all people's first."""
    last_first = max(min(own) for own in times.values())
    return sum(sorted(own)[1] < last_first for own in times.values())


def _taken_too_early(data: Path) -> int:
    """How many people's second clip was taken up while another person's first one waited."""
    jobs: dict[str, list[tuple[str, str]]] = {}
    query = "SELECT owner, claimed, created FROM records_job WHERE kind = 'videos.process'"
    for owner, claimed, created in _rows(data, query):
        jobs.setdefault(owner, []).append((claimed, created))
    firsts = [min(own) for own in jobs.values()]
    seconds = [sorted(own)[1][0] for own in jobs.values()]
    return sum(any(created < at < claimed for claimed, created in firsts) for at in seconds)


def _by_author(data: Path, column: str) -> dict[int, list[float]]:
    times: dict[int, list[float]] = {}
    for author, at in _rows(data, f"SELECT author_id, {column} FROM videos_video"):
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
        times.setdefault(author, []).append(moment)
    return times


@contextlib.contextmanager
def _people(port: int) -> Iterator[list[Person]]:
    everybody = [Person(port, number) for number in range(PEOPLE)]
    try:
        yield everybody
    finally:
        for one in everybody:
            one.client.close()


def run() -> list[dict[str, Any]]:
    with data_folder() as data:
        kinds = [_clip(data / f"{kind[0]}.mp4", *kind) for kind in (COPIED, ENCODED)]
        with serving(data / "site", database_url="") as port, _people(port) as everybody:
            return _measure(data / "site", everybody, kinds)


def _measure(data: Path, everybody: list[Person], kinds: list[bytes]) -> list[dict[str, Any]]:
    whole = PEOPLE * EACH
    gate = threading.Barrier(whole + 1)

    def send(person: int, number: int) -> None:
        gate.wait()
        everybody[person].send(kinds[(person + number) % 2], f"{person}.{number}")

    with Memory(data) as memory, ThreadPoolExecutor(whole) as pool:
        idle = memory.now()
        sent = [pool.submit(send, p, n) for p in range(PEOPLE) for n in range(EACH)]
        gate.wait()
        begun = time.time()
        for one in sent:
            one.result()
        received = time.time() - begun
        end = begun + PATIENCE_S
        while _rows(data, "SELECT count(*) FROM videos_video WHERE published_at IS NOT NULL") != [
            (whole,)
        ]:
            if time.time() > end:
                raise RuntimeError(f"not all is playable after {PATIENCE_S:g} s")
            time.sleep(1)
        playable = sum(_plays(person) for person in everybody)
    arrived, published = _by_author(data, "created"), _by_author(data, "published_at")
    at = sorted(moment - begun for own in published.values() for moment in own)
    firsts = max(min(own) for own in published.values()) - begun
    failed = _rows(data, "SELECT count(*) FROM records_job WHERE state = 'failed'")[0][0]
    return [
        figure(
            "second clips taken up while somebody's first waited",
            _taken_too_early(data),
            "clips",
            at_most=0,
        ),
        figure(
            "second clips playable before the last person's first",
            _seconds_too_early(published),
            "clips",
            baseline=_seconds_too_early(arrived),
        ),
        figure("memory of all processes at its most", memory.peak / (1 << 20), "MiB",
               baseline=idle / (1 << 20), at_most=MOST_BYTES / (1 << 20)),
        figure("clips that can be fetched", playable, "clips", at_least=whole),
        figure("jobs that failed", failed, "jobs", at_most=0),
        figure("all received", received, "s"),
        figure("first clip playable", at[0], "s"),
        figure("everybody's first playable", firsts, "s"),
        figure("last clip playable", at[-1], "s"),
    ]  # fmt: skip


def _plays(person: Person) -> int:
    items = person.client.get("/api/me/videos?n=50").json()["items"]
    good = 0
    for item in items:
        card = person.client.get(f"/api/videos/{item['id']}").json()
        part = person.client.get(card["src"], headers={"Range": "bytes=0-99"})
        good += part.status_code in (200, 206) and len(part.content) > 0
    return good
