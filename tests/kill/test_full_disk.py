"""A disk that runs full under a running site: refused in words, nothing lost, nothing half, and all
of it goes on when there is room. The ground is a tmpfs, which only root may mount.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kill.test_kill import orphans, playable
from tests.live import Site, clip, eventually, states, upload

pytestmark = pytest.mark.slow
MB = 1 << 20
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 128 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=128m", "jhalak-test", str(folder)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Ballast:
    """What else lies on the disk."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.file = disk / "ballast"

    def fill(self, *, leave: int) -> None:
        with self.file.open("ab") as file, contextlib.suppress(OSError):
            while (free := shutil.disk_usage(self.disk).free) > leave:
                file.write(b"x" * min(MB, free - leave))
                file.flush()

    def drop(self) -> None:
        self.file.unlink(missing_ok=True)


def large(folder: Path) -> Path:
    """A real clip of some 5 MB: what ends it is a box that every reader passes over."""
    path = clip(folder / "large.mp4", seconds=2)
    with path.open("ab") as file:
        size = 5 * MB
        file.write(size.to_bytes(4, "big") + b"free" + os.urandom(size - 8))
    return path


def create(client: httpx.Client, size: int) -> httpx.Response:
    name = base64.b64encode(b"clip.mp4").decode()
    given = {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    return client.post("/api/uploads", headers=TUS | given)


def patch(client: httpx.Client, place: str, offset: int, data: bytes) -> httpx.Response:
    """On a line of its own: one whose body was refused half-way is closed after the answer."""
    kind = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    kind |= {"Connection": "close"}
    return client.patch(place, content=data, headers=TUS | kind)


def sound(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def job_of(site: Site, video: str) -> tuple[Any, ...]:
    columns = "state, attempts, waits, error_code"
    where = f"kind = 'videos.process' AND subject = '{video}'"
    return site.rows(f"SELECT {columns} FROM records_job WHERE {where}")[0]


def test_a_disk_that_runs_full(disk: Path, tmp_path: Path) -> None:
    ballast = Ballast(disk)
    source = large(tmp_path)
    data = source.read_bytes()
    with Site(disk / "data", disk_reserve=16 * MB) as site:
        client = site.client("asha")
        first = upload(client, clip(tmp_path / "small.mp4", seconds=1))
        assert list(states(client, first))[-1] == "complete"

        # Nearly full: a new upload is refused before its first byte, one under way before its next.
        begun = create(client, len(data))
        place = begun.headers["Location"]
        third = len(data) // 3
        assert patch(client, place, 0, data[:third]).status_code == 204
        ballast.fill(leave=6 * MB)
        refused = [create(client, len(data)), patch(client, place, third, data[third:])]
        # Full to the last byte: what is on its way all the same is not acknowledged.
        ballast.fill(leave=0)
        refused.append(patch(client, place, third, data[third:]))
        for answer in refused:
            assert answer.status_code == 507, answer.text
            assert answer.json()["error"]["code"] == "no_room"
        assert client.put(f"/api/videos/{first}/like").status_code in (200, 503)
        playable(site, client, first)  # reading goes on
        head = client.head(place, headers=TUS)
        assert int(head.headers["Upload-Offset"]) == third
        ballast.drop()
        assert patch(client, place, third, data[third:]).status_code == 204
        assert client.put(f"/api/videos/{first}/like").status_code == 200
        second = client.head(place, headers=TUS).headers["Jhalak-Video"]
        assert list(states(client, second))[-1] == "complete"

        # Full when a video is to be made: it waits, and its original with it.
        workers = site.pause("jhalak", "worker")
        third_video = upload(client, source)
        ballast.fill(leave=6 * MB)
        site.resume(workers)
        eventually(lambda: job_of(site, third_video)[2], 60, "a job that waits for room")
        assert job_of(site, third_video)[1:] == (0, 1, "no_room")
        card = client.get(f"/api/videos/{third_video}").json()
        assert (card["failure"], card["state"] != "failed") == (None, True)
        ballast.fill(leave=0)
        assert client.get("/api/feed?n=4").status_code == 200
        ballast.drop()
        site.change("UPDATE records_job SET run_after = created WHERE state = 'queued'")
        assert list(states(client, third_video))[-1] == "complete"
        playable(site, client, third_video)
        assert not site.rows("SELECT 1 FROM records_job WHERE state = 'failed'")
        eventually(lambda: not orphans(site), 60, "a clean store")
        work = site.data / "work"  # a storyboard may still be made
        eventually(lambda: not list(work.iterdir()), 60, "an empty folder")
        assert not list((site.data / "objects" / ".new").iterdir())
    assert [path.name for path in (disk / "data" / "uploads").iterdir()] == []
    sound(disk / "data" / "events.db")
    if not site.env["JHALAK_DATABASE_URL"]:
        sound(disk / "data" / "jhalak.db")
