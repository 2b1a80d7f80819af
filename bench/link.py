"""What a phone sees on a line of 1.6 Mbit/s and 150 ms: first frames, stalls, bytes for nothing.

A real site behind bench.relay, and one headless Chromium. Clips are 1080x1920 and 12 to 14 s: one
in three fits and is copied (5 Mb/s), the others are over 12 Mb/s and become a ladder. Preparing
forty of them would take the most of an hour, so three are prepared and the others are doubles.

A session (seeded) opens the feed and watches half of the clips to the end, a quarter for some
seconds, and skips a quarter. The baseline is the same session of a player without Media Source: the
browser fetches a file that the line carries as far ahead as it likes.

Stalled is the time in which a clip that had begun and was not paused did not move. Shown is a
byte of a fragment in as far as that fragment's time was played; a byte fetched again, or cut off by
the end of its request, is not.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import imageio_ffmpeg
from bench.figures import figure
from bench.relay import Line, line
from bench.serving import data_folder, serving
from bench.upload import put
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

BPS, RTT = 1_600_000, 0.15
FAST = 1_000_000_000
CLIPS = 40
SWIPES = 20
COLD = 12
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "locale": "en",
}
PREPARED = ((12, "5M", 1), (13, "14M", 2), (14, "16M", 3))  # seconds, rate, noise

WATCH = """
(() => {
  const seen = (window.seen = { watched: 0, stalled: 0, played: {} });
  let last = performance.now(), before = null;
  setInterval(() => {
    const now = performance.now(), dt = now - last;
    last = now;
    const slide = document.querySelector(".slide.current");
    const video = slide?.querySelector("video");
    if (!video || !slide.classList.contains("shown")) return (before = null);
    const parts = [];
    for (let at = 0; at < video.played.length; at += 1)
      parts.push([video.played.start(at), video.played.end(at)]);
    if (parts.length) seen.played[slide.dataset.id] = parts;
    const state = { video, id: slide.dataset.id, at: video.currentTime };
    if (before?.video === video && before.id === state.id && !video.paused) {
      seen.watched += dt;
      if (before.at === state.at) seen.stalled += dt;
    }
    before = state;
  }, 50);
})();
"""
PLAIN = "delete window.MediaSource; delete window.ManagedMediaSource;"
MARKS = """() => performance.getEntriesByType("mark")
  .filter((mark) => mark.name.startsWith("jhalak:")).map((mark) => [mark.name, mark.startTime])"""


# ---- clips ---------------------------------------------------------------------------------------


def _clip(path: Path, seconds: int, rate: str, noise: int) -> Path:
    picture = f"testsrc2=size=1080x1920:rate=30:duration={seconds},hue=h={noise * 90}"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y",
        "-f", "lavfi", "-i", f"{picture},noise=alls={noise}:allf=t",
        "-f", "lavfi", "-i", f"sine=frequency={200 + 90 * noise}:duration={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-b:v", rate, "-minrate", rate, "-maxrate", rate,
        "-bufsize", "8M", "-nal-hrd", "cbr", "-pix_fmt", "yuv420p", "-g", "60",
        "-c:a", "aac", "-b:a", "128k", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _tiny(path: Path) -> Path:
    picture = "testsrc2=size=108x192:rate=30:duration=1"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", picture,
               "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _complete(client: httpx.Client, video: str) -> str:
    while (state := client.get(f"/api/videos/{video}").json()["state"]) != "complete":
        if state == "failed":
            raise RuntimeError(f"{video} failed")
        time.sleep(0.2)
    return video


def fill(port: int, data: Path, folder: Path) -> None:
    """Prepared clips and their doubles, in a site that runs on `data`."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        person = {"handle": "bench", "password": "a long enough one 7"}
        client.post("/api/people", json=person).raise_for_status()
        tiny = _tiny(folder / "tiny.mp4")
        doubles = [put(client, tiny) for _ in range(CLIPS - len(PREPARED))]
        files = [_clip(folder / f"{number}.mp4", *how) for number, how in enumerate(PREPARED)]
        originals = [put(client, file) for file in files]
        for video in [*doubles, *originals]:
            _complete(client, video)
    with contextlib.closing(sqlite3.connect(data / "jhalak.db", timeout=20)) as rows, rows:
        for number, video in enumerate(doubles):
            _double(rows, data / "objects", originals[number % len(originals)], video)


def _double(rows: sqlite3.Connection, objects: Path, original: str, video: str) -> None:
    """`video` has copies of the files of `original` instead of its own."""
    columns = "width, height, duration_ms, sources, first_rendition, poster_base, poster_colour"
    rows.execute(
        f"UPDATE videos_video SET ({columns}) = "
        f"(SELECT {columns} FROM videos_video WHERE public_id = ?) WHERE public_id = ?",
        (original, video),
    )
    find = "SELECT id FROM videos_video WHERE public_id = ?"
    ((mine,),) = rows.execute(find, (video,))
    ((theirs,),) = rows.execute(find, (original,))
    rows.execute("DELETE FROM videos_rendition WHERE video_id = ?", (mine,))
    kept = "name, width, height, bitrate_bps, average_bps, frame_rate, codecs, size, init_size"
    for pk, key in rows.execute(
        "SELECT id, key FROM videos_rendition WHERE video_id = ?", (theirs,)
    ).fetchall():
        copy = f"videos/{video}/{Path(key).parent.name}/{Path(key).name}"
        (objects / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(objects / key, objects / copy)
        rows.execute(
            f"INSERT INTO videos_rendition (video_id, key, fragments, {kept}) "
            f"SELECT ?, ?, fragments, {kept} FROM videos_rendition WHERE id = ?",
            (mine, copy, pk),
        )


Fragments = dict[str, list[tuple[int, int, float, float]]]


def _fragments(data: Path) -> Fragments:
    """By path: offset, size, begin and end in seconds of each fragment."""
    found: Fragments = {}
    query = """SELECT public_id, name, fragments FROM videos_rendition
      JOIN videos_video ON videos_video.id = video_id"""
    with contextlib.closing(sqlite3.connect(data / "jhalak.db")) as rows:
        for video, name, fragments in rows.execute(query):
            at, listed = 0.0, []
            for offset, size, ms in json.loads(fragments):
                listed.append((offset, size, at, at + ms / 1000))
                at += ms / 1000
            found[f"/media/{video}/{name}.mp4"] = listed
    return found


# ---- bytes ---------------------------------------------------------------------------------------


@dataclass
class Bytes:
    """What a page fetched of media, by the browser's own log: [path, first byte, bytes] each."""

    got: dict[str, list[Any]] = field(default_factory=dict)

    def listen(self, page: Page) -> None:
        log = page.context.new_cdp_session(page)
        log.send("Network.enable")
        log.on("Network.responseReceived", self._answered)
        log.on("Network.dataReceived", self._came)

    def _answered(self, event: dict[str, Any]) -> None:
        answer = event["response"]
        path = urlsplit(answer["url"]).path
        if not path.endswith(".mp4") or answer.get("fromDiskCache"):
            return
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        first = headers.get("content-range", "bytes 0-").split()[1].split("-")[0]
        self.got[event["requestId"]] = [path, int(first), 0]

    def _came(self, event: dict[str, Any]) -> None:
        if one := self.got.get(event["requestId"]):
            one[2] += event["dataLength"]

    def wasted(self, played: dict[str, list[list[float]]], fragments: Fragments) -> float:
        """The share that was never shown."""
        fetched = shown = 0.0
        seen: set[tuple[str, int]] = set()
        for path, first, size in self.got.values():
            fetched += size
            parts = played.get(path.split("/")[2], [])
            index = fragments[path]
            if first < index[0][0]:  # ftyp, moov and sidx are used whenever anything was shown
                shown += min(size, index[0][0] - first) if parts else 0
            for offset, long, begin, end in index:
                have = min(first + size, offset + long) - max(first, offset)
                if have <= 0 or (path, offset) in seen:
                    continue
                if have == long:
                    seen.add((path, offset))
                over = sum(max(0.0, min(end, b) - max(begin, a)) for a, b in parts)
                shown += min(have, long * min(1.0, over / (end - begin)))
        return 1 - shown / fetched if fetched else 0.0


# ---- sessions ------------------------------------------------------------------------------------


@dataclass
class Seen:
    swipes: list[float]
    stalled: float
    wasted: float


def _context(browser: Browser, script: str) -> BrowserContext:
    context = browser.new_context(**PHONE)
    context.add_init_script(WATCH)
    if script:
        context.add_init_script(script)
    return context


def _frame(page: Page, since: str = "") -> float:
    """Milliseconds from the last mark of that name (or the navigation) to the next first frame."""
    page.wait_for_function(
        """(since) => {
          const marks = performance.getEntriesByName(since);
          const at = since ? (marks.at(-1)?.startTime ?? Infinity) : 0;
          return performance.getEntriesByName("jhalak:frame").some((one) => one.startTime >= at);
        }""",
        arg=since,
        timeout=60_000,
        polling=50,
    )
    marks = page.evaluate(MARKS)
    begun = [at for name, at in marks if name == since][-1] if since else 0.0
    return float(next(at for name, at in marks if name == "jhalak:frame" and at >= begun) - begun)


def _advance(page: Page, by: int = 1) -> float:
    page.evaluate("() => performance.clearMarks()")
    page.locator("#feed").evaluate(
        "(feed, by) => feed.scrollBy({top: by * feed.clientHeight, behavior: 'instant'})", by
    )
    return _frame(page, "jhalak:swipe")


def _mix() -> Iterator[float]:
    """Seconds with each clip, from its first frame on."""
    draw = random.Random(16)
    for _ in range(SWIPES):
        kind = draw.random()
        if kind < 0.5:
            yield 13.5
        elif kind < 0.75:
            yield draw.uniform(3, 9)
        else:
            yield draw.uniform(0.4, 1.5)


def _session(browser: Browser, url: str, fragments: Fragments, script: str = "") -> Seen:
    context = _context(browser, script)
    page = context.new_page()
    media = Bytes()
    media.listen(page)
    page.goto(url, wait_until="commit")
    _frame(page)
    swipes: list[float] = []
    for seconds in _mix():
        page.wait_for_timeout(seconds * 1000)
        swipes.append(_advance(page))
    page.wait_for_timeout(3000)
    seen = page.evaluate("() => window.seen")
    context.close()
    return Seen(swipes, seen["stalled"] / seen["watched"], media.wasted(seen["played"], fragments))


def _openings(browser: Browser, url: str, slow: Line) -> tuple[list[float], list[float], float]:
    """Cold clips in a page that is there, the feed opened again with a warm shell, and the first
    visit of all.
    """
    clips: list[float] = []
    pages: list[float] = []
    for _ in range(COLD):
        context = _context(browser, "")
        page = context.new_page()
        slow.bps = FAST  # the shell comes at once
        page.goto(f"{url}/login")
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        slow.bps = BPS
        page.goto(url, wait_until="commit")
        pages.append(_frame(page))
        page.wait_for_timeout(1000)
        clips.append(_advance(page, 3))
        context.close()
    context = _context(browser, "")
    page = context.new_page()
    page.goto(url, wait_until="commit")
    first = _frame(page)
    context.close()
    return clips, pages, first


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def measure(port: int, data: Path) -> list[dict[str, Any]]:
    """All figures of a filled site on `data` that listens on `port`."""
    fragments = _fragments(data)
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with line(port, bps=BPS, rtt=RTT) as slow, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        url = f"http://127.0.0.1:{slow.port}"
        clips, pages, first = _openings(browser, url, slow)
        now = _session(browser, url, fragments)
        plain = _session(browser, url, fragments, PLAIN)
        browser.close()
    return [
        figure("cold clip to first frame, p95", _p95(clips) / 1000, "s", at_most=1.0),
        figure("feed opened with a warm shell to first frame, p95", _p95(pages) / 1000, "s"),
        figure("first visit to first frame", first / 1000, "s"),
        figure(
            "swipe to first frame, p95", _p95(now.swipes) / 1000, "s",
            baseline=_p95(plain.swipes) / 1000, at_most=0.2,
        ),
        figure(
            "stalled, of watch time", 100 * now.stalled, "%",
            baseline=100 * plain.stalled, at_most=0.5,
        ),
        figure(
            "fetched and never shown, of media bytes", 100 * now.wasted, "%",
            baseline=100 * plain.wasted, at_most=25,
        ),
    ]  # fmt: skip


def run() -> list[dict[str, Any]]:
    with data_folder() as folder, serving(folder / "data") as port:
        fill(port, folder / "data", folder)
        return measure(port, folder / "data")
