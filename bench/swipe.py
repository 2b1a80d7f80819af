"""From a swipe to the first frame, in headless Chromium on loopback.

The player marks both moments itself (docs/parts/screens.md): `jhalak:swipe` when another clip
becomes the visible one, `jhalak:frame` when its first frame was presented. Preloaded: the viewer
stays a second and a half with each clip. Cold: a new browser with nothing in its cache jumps over
the preloaded clip as soon as the first one plays. The baseline of both is a bare `<video>` of the
same file in an empty page.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
from bench.figures import figure
from bench.serving import data_folder, serving
from bench.upload import put
from playwright.sync_api import Browser, Page, sync_playwright

CLIPS = 24
SWIPES = 20
COLD = 12
PHONE = {"width": 390, "height": 844}
MARKS = """() => performance.getEntriesByType("mark")
  .filter((mark) => mark.name.startsWith("jhalak:")).map((mark) => [mark.name, mark.startTime])"""
BARE = """(src) => new Promise((shown) => {
  const video = document.createElement("video");
  video.muted = true;
  const began = performance.now();
  video.requestVideoFrameCallback(() => shown(performance.now() - began));
  document.body.replaceChildren(video);
  video.src = src;
  video.play();
})"""


def _clip(path: Path, number: int) -> Path:
    picture = f"testsrc2=size=540x960:rate=30:duration=6,hue=h={number * 15},noise=alls=4:allf=t"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", picture,
        "-f", "lavfi", "-i", f"sine=frequency={200 + 20 * number}:duration=6",
        "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "1500k", "-maxrate", "2M",
        "-bufsize", "2M", "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _fill(port: int, folder: Path) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        person = {"handle": "bench", "password": "a long enough one 7"}
        client.post("/api/people", json=person).raise_for_status()
        videos = [put(client, _clip(folder / f"{number}.mp4", number)) for number in range(CLIPS)]
        for video in videos:
            while client.get(f"/api/videos/{video}").json()["state"] != "complete":
                time.sleep(0.1)


def _first_frame(page: Page) -> None:
    page.wait_for_function(
        "() => performance.getEntriesByName('jhalak:frame').length > 0", timeout=20_000
    )


def _advance(page: Page, by: int) -> float | None:
    """Milliseconds from the swipe to the frame of the clip that is visible then."""
    page.evaluate("() => performance.clearMarks()")
    page.locator("#feed").evaluate(
        "(feed, by) => feed.scrollBy({top: by * feed.clientHeight, behavior: 'instant'})", by
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        marks = page.evaluate(MARKS)
        swipes = [at for name, at in marks if name == "jhalak:swipe"]
        frames = [at for name, at in marks if name == "jhalak:frame" and swipes]
        after = [at for at in frames if at >= swipes[-1]] if swipes else []
        if after:
            return float(after[0] - swipes[-1])
        time.sleep(0.02)
    return None


def _measure(browser: Browser, url: str) -> tuple[list[float], list[float], list[float]]:
    warm: list[float] = []
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    page.goto(url)
    _first_frame(page)
    for _ in range(SWIPES):
        page.wait_for_timeout(1_500)
        took = _advance(page, 1)
        if took is not None:
            warm.append(took)
    context.close()
    cold: list[float] = []
    bare: list[float] = []
    for _ in range(COLD):
        context = browser.new_context(viewport=PHONE, has_touch=True)
        page = context.new_page()
        page.goto(url)
        _first_frame(page)
        took = _advance(page, 2)
        if took is not None:
            cold.append(took)
        item = page.evaluate("fetch('/api/feed?n=1').then((answer) => answer.json())")["items"][0]
        page.goto(f"{url}/healthz")
        bare.append(page.evaluate(BARE, item["src"]))
        context.close()
    return warm, cold, bare


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def run() -> list[dict[str, Any]]:
    with data_folder() as folder, serving(folder / "data") as port:
        _fill(port, folder)
        with sync_playwright() as playwright:
            found = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            warm, cold, bare = _measure(browser, f"http://127.0.0.1:{port}")
            browser.close()
    if len(warm) < SWIPES * 0.9 or len(cold) < COLD * 0.9:
        raise RuntimeError(
            f"{len(warm)} of {SWIPES} and {len(cold)} of {COLD} swipes showed a frame"
        )
    base = statistics.median(bare)
    return [
        figure(
            "swipe to first frame, preloaded, p95", _p95(warm), "ms", baseline=base, at_most=100
        ),
        figure("swipe to first frame, preloaded, median", statistics.median(warm), "ms"),
        figure("swipe to first frame, cold, p95", _p95(cold), "ms", baseline=base, at_most=400),
        figure("swipe to first frame, cold, median", statistics.median(cold), "ms"),
    ]
