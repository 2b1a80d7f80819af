"""What seal and map cost: two sites with the same 500 videos run side by side, one sealed and one
not, and are asked in turns, in short slices, so that whatever else the machine does meets both.

Of each pair of neighbouring slices two ratios are taken: of what a client sees (time of a page,
time to playable), and of the processor time that all processes of a site spend on one page or
upload. The second hardly knows what else the machine does. The figure is the median over the
pairs, with the 95 % interval that a bootstrap over pairs gives it. A limit is held when the whole
interval is under it: a median alone may be luck.

Upload time: from the first byte sent to the first byte of the playable video, which goes through
front, intake, worker and the sealed ffmpeg; the latter is sealed in both. The next begins when all
work on the last has ended. The map is looked at when the site starts, and never for a page: its
cost is a time, beside that of the start.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import imageio_ffmpeg
import numpy as np
from bench import catalogue, load
from bench.feed_pages import guest_cookies
from bench.figures import figure
from bench.serving import at_rest, data_folder, serving, spent
from bench.upload import put

from jhalak.border import survey
from jhalak.border.seal import python
from jhalak.border.services import Processes, service_rules

VIDEOS = 500
PAIRS = 60
SLICE = 1.0
UPLOADS = 200
SECONDS = 30
RESAMPLES = 2_000
# The site without its seals: nothing else of it is different.
OPEN = """
from jhalak.cli import main
from jhalak.site.sealing import Sealing
Sealing._obstacle = lambda self, name: "a bench"
import sys
sys.argv = ["jhalak", "serve"]
main()
"""


class Slice(NamedTuple):
    seen: float  # what a client sees: seconds for one page, or one upload
    spent: float  # processor seconds of the site for it


def _pages(port: int, cookies: list[str], spent: Callable[[], float]) -> Callable[[], Slice]:
    requests = itertools.cycle(
        load.request("GET", "/api/feed?n=8", cookie=cookie) for cookie in cookies
    )

    def slice_of() -> Slice:
        before = spent()
        result = load.run(port, lambda _i: next(requests), connections=4, seconds=SLICE, warm_up=0)
        if set(result.statuses) != {200}:
            raise RuntimeError(f"answers other than 200: {result.statuses}")
        return Slice(1 / result.rate, (spent() - before) / len(result.latencies_ms))

    return slice_of


def _all_done(data: Path, video: str) -> bool:
    """Whether nothing of an upload is left to do but to tidy up after it."""
    with contextlib.closing(sqlite3.connect(f"file:{data}/jhalak.db?mode=ro", uri=True)) as rows:
        query = (
            "SELECT count(*) FROM records_job WHERE subject = ? AND state IN (?, ?) AND kind <> ?"
        )
        ((left,),) = rows.execute(query, (video, "queued", "running", "videos.prune"))
    return left == 0


def _uploads(
    data: Path, port: int, source: Path, spent: Callable[[], float]
) -> Callable[[], Slice]:
    clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) for _ in range(40)]
    for number, client in enumerate(clients):  # nobody may upload so much in an hour
        person = {"handle": f"uploader{number}", "password": "a long enough one 7"}
        client.post("/api/people", json=person).raise_for_status()
    turns = itertools.cycle(clients)

    def one() -> Slice:
        client = next(turns)
        before, started = spent(), time.perf_counter()
        video = put(client, source)
        while True:
            card = client.get(f"/api/videos/{video}").json()
            if card["src"]:
                client.get(card["src"], headers={"Range": "bytes=0-99"}).raise_for_status()
                took = time.perf_counter() - started
                break
            if card["state"] == "failed":
                raise RuntimeError(f"the upload failed: {card}")
            time.sleep(0.005)
        while not _all_done(data, video):
            time.sleep(0.05)  # the next shall not share the machine with this one's storyboard
        return Slice(took, spent() - before)

    return one


def _source(path: Path) -> Path:
    """So small that it is copied and no ladder follows: the site's own part is what differs."""
    picture = f"testsrc2=size=424x752:rate=30:duration={SECONDS},noise=alls=4:allf=t"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", picture,
        "-f", "lavfi", "-i", f"sine=frequency=330:duration={SECONDS}", "-c:v", "libx264",
        "-preset", "ultrafast", "-b:v", "1500k", "-maxrate", "2M", "-bufsize", "2M",
        "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _paired(
    count: int, first: Callable[[], Slice], second: Callable[[], Slice]
) -> tuple[list[Slice], list[Slice]]:
    """Each in turn, and in turn the first: sealed, open; open, sealed; ... One round before warms
    both.
    """
    ours: list[Slice] = []
    theirs: list[Slice] = []
    for number in range(-1, count):
        turns = [(first, ours), (second, theirs)]
        for ask, kept in turns if number % 2 else reversed(turns):
            found = ask()
            if number >= 0:
                kept.append(found)
    return ours, theirs


def _more(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """By how many percent ours are more: the median over pairs, and its 95 % interval."""
    ratios = np.array(ours) / np.array(theirs) - 1.0
    draws = np.random.default_rng(1).choice(ratios, (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return tuple(100.0 * float(one) for one in (np.median(ratios), low, high))  # type: ignore[return-value]


def _costs(
    what: str, ours: list[Slice], theirs: list[Slice], at_most: float
) -> list[dict[str, Any]]:
    rows = []
    for way, limit in (("seen", at_most), ("spent", None)):
        middle, low, high = _more(
            [getattr(one, way) for one in ours], [getattr(one, way) for one in theirs]
        )
        name = f"{what}: {'time that a client sees' if way == 'seen' else 'processor time'}, more"
        rows.append(figure(f"{name}, median of {len(ours)} pairs", middle, "%"))
        rows.append(figure(f"{name}, lower end of its interval", low, "%"))
        rows.append(figure(f"{name}, upper end of its interval", high, "%", at_most=limit))
    return rows


def _start_ms(data: Path) -> tuple[float, float]:
    """An empty Python, in the seal and without it, in turns."""
    rules, (program, _) = service_rules(data), python()
    sealed, plain = [], []
    for _ in range(20):
        started = time.perf_counter()
        if not survey(rules).shut:
            raise RuntimeError("the seal does not stand here, so there is nothing to measure")
        between = time.perf_counter()
        subprocess.run([program, "-I", "-S", "-c", "pass"], check=True, capture_output=True)
        sealed.append((between - started) * 1000)
        plain.append((time.perf_counter() - between) * 1000)
    return statistics.median(sealed), statistics.median(plain)


def _same_work(*ports: int) -> None:
    """Raises RuntimeError unless all sites give whole pages."""
    for port in ports:
        items = httpx.get(f"http://127.0.0.1:{port}/api/feed?n=8").json()["items"]
        if len(items) != 8:
            raise RuntimeError(f"a page of 8 has {len(items)}")


def _map_ms() -> float:
    """What the look at the map costs when a site starts, on a fresh database."""
    code = (
        "import time, django; django.setup(); from django.core.management import call_command;"
        "call_command('migrate', verbosity=0, interactive=False);"
        "from jhalak.site.live import report; report(); t = time.perf_counter(); report();"
        "print((time.perf_counter() - t) * 1000)"
    )
    with data_folder() as folder:
        env = {**os.environ, "JHALAK_DATA": str(folder / "data")}
        env["DJANGO_SETTINGS_MODULE"] = "jhalak.site.settings"
        (folder / "data").mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, check=True, capture_output=True
        )
    return float(done.stdout.split()[-1])


def run() -> list[dict[str, Any]]:
    with data_folder() as folder:
        sealed, unsealed = folder / "sealed", folder / "open"
        catalogue.fill(sealed, VIDEOS)
        shutil.copytree(sealed, unsealed)
        source = _source(folder / "clip.mp4")
        start, plain = _start_ms(folder)
        with (
            serving(sealed) as ours,
            serving(unsealed, ("-c", OPEN)) as theirs,
        ):
            for data, wanted in ((sealed, True), (unsealed, False)):
                found = {one.name: one.sealed for one in Processes(data).all()}
                if found["web"] is not wanted or found["front"] is not wanted:
                    raise RuntimeError(f"not as it should be: {found}")
            _same_work(ours, theirs)
            at_rest(sealed)
            at_rest(unsealed)
            mine, other = partial(spent, sealed), partial(spent, unsealed)
            pages = _paired(
                PAIRS,
                _pages(ours, guest_cookies(ours, 50), mine),
                _pages(theirs, guest_cookies(theirs, 50), other),
            )
            uploads = _paired(
                UPLOADS,
                _uploads(sealed, ours, source, mine),
                _uploads(unsealed, theirs, source, other),
            )
    medians = [
        statistics.median(one.seen for one in side) for pair in (pages, uploads) for side in pair
    ]
    return [
        figure("feed pages of 8, sealed", 1 / medians[0], "/s", baseline=1 / medians[1]),
        *_costs("a feed page in the seal", *pages, 5.0),
        figure(f"upload of {SECONDS} s to playable, sealed", medians[2], "s", baseline=medians[3]),
        *_costs("an upload in the seal", *uploads, 3.0),
        figure("start of an empty Python in the seal", start, "ms", baseline=plain),
        figure("the look at the data map when a site starts", _map_ms(), "ms"),
    ]
