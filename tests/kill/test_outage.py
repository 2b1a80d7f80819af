"""The store of objects is away while people upload, watch and delete: nothing acknowledged is lost,
nobody's video fails, and all of it goes on by itself.

An outage is 12 s here; JHALAK_TEST_OUTAGE=60 makes it as long as one wants.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jhalak.stores.objects import open_objects
from tests.kill.test_full_disk import create, patch
from tests.live import Site, clip, eventually, states, upload
from tests.seaweed import Seaweed, running

pytestmark = pytest.mark.slow
OUTAGE_S = float(os.environ.get("JHALAK_TEST_OUTAGE", "12"))
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with running(tmp_path_factory.mktemp("weed")) as started:
        yield started


def cpu_s(pid: int) -> float:
    """Processor time that a process itself has used, without its children's."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_a_store_that_is_away_for_a_while(weed: Seaweed, tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", seconds=6, size="720x1280", codec="mpeg4")
    small = clip(tmp_path / "small.mp4", seconds=1)
    data = small.read_bytes()
    with Site(tmp_path / "data", objects_url=weed.url("outage")) as site:
        client = site.client("asha")
        client.timeout = httpx.Timeout(90)
        gone, kept = (upload(client, small) for _ in range(2))
        for video in (gone, kept):
            assert list(states(client, video))[-1] == "complete", site.log()[-3000:]
        under_way = create(client, len(data)).headers["Location"]
        assert patch(client, under_way, 0, data[:1000]).status_code == 204
        made = upload(client, source)
        for state in states(client, made):
            if state in ("preparing", "playable"):
                break

        weed.kill()
        away = time.monotonic()
        worker, *_ = site.processes("jhalak", "worker")  # its child bears its name until it is run
        used = cpu_s(worker)
        assert client.delete(f"/api/videos/{gone}").status_code == 204
        last = patch(client, under_way, 1000, data[1000:])
        assert last.status_code == 503  # its bytes are here, its video comes when the store does
        assert last.json()["error"]["code"] == "unavailable"
        late = create(client, len(data)).headers["Location"]
        assert patch(client, late, 0, data[:2000]).status_code == 204
        assert client.get("/api/feed?n=4").status_code == 200
        time.sleep(max(0.0, away + OUTAGE_S - time.monotonic()))
        eventually(
            lambda: site.rows("SELECT 1 FROM records_job WHERE waits > 0"), 60, "a job that waits"
        )
        lasted = time.monotonic() - away
        assert cpu_s(worker) - used < 0.3 * lasted + 1, "the worker spins"
        card = client.get(f"/api/videos/{made}").json()
        assert (card["failure"], card["state"] == "failed") == (None, False)

        weed.start()
        assert list(states(client, made, 120))[-1] == "complete", site.log()[-3000:]
        assert patch(client, late, 2000, data[2000:]).status_code == 204
        for place in (under_way, late):
            head = client.head(place, headers=TUS)
            assert head.headers["Upload-Offset"] == str(len(data))
            assert list(states(client, head.headers["Jhalak-Video"]))[-1] == "complete"
        store = open_objects(weed.url("outage"))
        eventually(lambda: not list(store.list(f"videos/{gone}/")), 120, "a deleted video to go")
        assert not site.rows("SELECT 1 FROM records_job WHERE state = 'failed'")
        assert site.rows("SELECT max(attempts) FROM records_job") == [(1,)]
        for video in (made, kept):
            card = client.get(f"/api/videos/{video}").json()
            part = client.get(card["src"], headers={"Range": "bytes=4-7"})
            assert (part.status_code, part.content) == (206, b"ftyp")
        print(f"the store was away for {lasted:.0f} s")


def test_a_store_that_hangs(weed: Seaweed, tmp_path: Path) -> None:
    """It takes connections and says nothing: as bad as away, and slower to notice."""
    small = clip(tmp_path / "small.mp4", seconds=1)
    with Site(tmp_path / "data", objects_url=weed.url("hangs")) as site:
        client = site.client("asha")
        video = upload(client, small)
        weed.signal(signal.SIGSTOP)
        try:
            time.sleep(OUTAGE_S)
            assert client.get("/healthz").status_code == 200
        finally:
            weed.signal(signal.SIGCONT)
        assert list(states(client, video, 120))[-1] == "complete", site.log()[-3000:]
        assert site.rows("SELECT max(attempts) FROM records_job") == [(1,)]
