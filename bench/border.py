"""What the seal costs: two sites with the same 500 videos run side by side, one sealed and one
not, and are asked in turns, in short slices, so that whatever else the machine does meets both.

The figure is the median over pairs of neighbouring slices. The site that is not asked does nothing
meanwhile. Upload time: from the first byte sent to the first byte of the playable video, which goes
through front, intake, worker and the sealed ffmpeg; the latter is sealed in both.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
from bench import catalogue, load
from bench.feed_pages import guest_cookies
from bench.figures import figure
from bench.serving import data_folder, serving
from bench.upload import put

from jhalak.border import survey
from jhalak.border.services import Processes, service_rules

VIDEOS = 500
PAIRS = 12
SLICE = 1.0
UPLOADS = 8
# The site without its seals: nothing else of it is different.
OPEN = """
from jhalak.cli import main
from jhalak.site.sealing import Sealing
Sealing._obstacle = lambda self, name: "a bench"
import sys
sys.argv = ["jhalak", "serve"]
main()
"""


def _pages(port: int, cookies: list[str]) -> Callable[[], float]:
    requests = itertools.cycle(
        load.request("GET", "/api/feed?n=8", cookie=cookie) for cookie in cookies
    )

    def slice_of() -> float:
        result = load.run(
            port, lambda _i: next(requests), connections=4, seconds=SLICE, warm_up=0.2
        )
        if set(result.statuses) != {200}:
            raise RuntimeError(f"answers other than 200: {result.statuses}")
        return result.rate

    return slice_of


def _uploads(port: int, source: Path) -> Callable[[], float]:
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    person = {"handle": "uploader", "password": "a long enough one 7"}
    client.post("/api/people", json=person).raise_for_status()

    def one() -> float:
        started = time.perf_counter()
        video = put(client, source)
        while True:
            card = client.get(f"/api/videos/{video}").json()
            if card["src"]:
                client.get(card["src"], headers={"Range": "bytes=0-99"}).raise_for_status()
                took = time.perf_counter() - started
                break
            if card["state"] == "failed":
                raise RuntimeError(f"the upload failed: {card}")
            time.sleep(0.002)
        while client.get(f"/api/videos/{video}").json()["state"] != "complete":
            time.sleep(0.05)  # the next shall not share the machine with this one's ladder
        return took

    return one


def _source(path: Path) -> Path:
    """540x960, so that it is copied and no ladder follows: the site's own part is what differs."""
    picture = "testsrc2=size=540x960:rate=30:duration=8,noise=alls=4:allf=t"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", picture,
        "-f", "lavfi", "-i", "sine=frequency=330:duration=8", "-c:v", "libx264",
        "-preset", "ultrafast", "-b:v", "1500k", "-maxrate", "2M", "-bufsize", "2M",
        "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _paired(
    count: int, first: Callable[[], float], second: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Each in turn, and in turn the first: sealed, open; open, sealed; ..."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(count):
        turns = [(first, ours), (second, theirs)]
        for ask, kept in turns if number % 2 else reversed(turns):
            kept.append(ask())
    return ours, theirs


def _start_ms(data: Path) -> float:
    rules = service_rules(data)
    took = []
    for _ in range(20):
        started = time.perf_counter()
        if not survey(rules).shut:
            raise RuntimeError("the seal does not stand here, so there is nothing to measure")
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def run() -> list[dict[str, Any]]:
    with data_folder() as folder:
        sealed, unsealed = folder / "sealed", folder / "open"
        catalogue.fill(sealed, VIDEOS)
        shutil.copytree(sealed, unsealed)
        source = _source(folder / "clip.mp4")
        start = _start_ms(folder)

        with (
            serving(sealed) as ours,
            serving(unsealed, ("-c", OPEN)) as theirs,
        ):
            for data, wanted in ((sealed, True), (unsealed, False)):
                found = {one.name: one.sealed for one in Processes(data).all()}
                if found["web"] is not wanted or found["front"] is not wanted:
                    raise RuntimeError(f"not as it should be: {found}")
            pages = _paired(
                PAIRS,
                _pages(ours, guest_cookies(ours, 50)),
                _pages(theirs, guest_cookies(theirs, 50)),
            )
            uploads = _paired(UPLOADS, _uploads(ours, source), _uploads(theirs, source))
    slower = [theirs / ours for ours, theirs in zip(*pages, strict=True)]
    longer = [ours / theirs for ours, theirs in zip(*uploads, strict=True)]
    return [
        figure(
            "feed pages of 8, sealed", statistics.median(pages[0]), "/s",
            baseline=statistics.median(pages[1]),
        ),
        figure(
            f"feed throughput that the seal costs, median of {PAIRS} pairs",
            (statistics.median(slower) - 1) * 100, "%", at_most=5,
        ),
        figure(
            "upload of 8 s to playable, sealed", statistics.median(uploads[0]), "s",
            baseline=statistics.median(uploads[1]),
        ),
        figure(
            f"upload time that the seal costs, median of {UPLOADS} pairs",
            (statistics.median(longer) - 1) * 100, "%", at_most=3,
        ),
        figure("start of a process in the seal, an empty Python in it", start, "ms"),
    ]  # fmt: skip
