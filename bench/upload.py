"""From the last byte of an upload to a playable video, through the whole site: 20 s of 1080x1920 at
30 fps.

Playable means that a client can fetch it: the card has a source, and its bytes answer. The baseline
is one bare ffmpeg process that does the same first step (copies, or makes 540p whole) on the same
file in the same run.
"""

from __future__ import annotations

import base64
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
from bench.figures import figure
from bench.serving import data_folder, serving

ROUNDS = 3
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
TUS = {"Tus-Resumable": "1.0.0"}


def _source(path: Path, codec: list[str]) -> Path:
    """A clip as a phone makes it: moving picture, grain, tone, a key frame each second."""
    command = [
        FFMPEG, "-v", "error", "-y",
        "-f", "lavfi", "-i", "testsrc2=size=1080x1920:rate=30:duration=20,noise=alls=6:allf=t",
        "-f", "lavfi", "-i", "sine=frequency=440:duration=20",
        *codec, "-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac", "-b:a", "128k", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _bare(source: Path, out: Path, arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        [FFMPEG, "-v", "error", "-y", "-i", str(source), *arguments, str(out)], check=True
    )
    return time.perf_counter() - started


def put(client: httpx.Client, source: Path) -> str:
    """Uploads a file in chunks, as a person's browser does; the video's id."""
    data = source.read_bytes()
    words = f"filename {base64.b64encode(source.name.encode()).decode()},filetype dmlkZW8vbXA0"
    begun = client.post(
        "/api/uploads",
        headers=TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": words},
    )
    place, offset, video = begun.headers["Location"], 0, ""
    while offset < len(data):
        headers = TUS | {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        answer = client.patch(place, content=data[offset : offset + (8 << 20)], headers=headers)
        answer.raise_for_status()
        offset = int(answer.headers["Upload-Offset"])
        video = answer.headers.get("Jhalak-Video", "")
    return video


def _until_playable(client: httpx.Client, source: Path) -> float:
    """Seconds from the answer to the last byte until the first bytes of the video answer."""
    video = put(client, source)
    finished = time.perf_counter()
    while True:
        card = client.get(f"/api/videos/{video}").json()
        if card["src"]:
            client.get(card["src"], headers={"Range": "bytes=0-99"}).raise_for_status()
            playable = time.perf_counter() - finished
            break
        if card["state"] == "failed":
            raise RuntimeError(f"the upload failed: {card}")
        time.sleep(0.01)
    while client.get(f"/api/videos/{video}").json()["state"] != "complete":
        time.sleep(0.2)  # the next round shall not share the machine with this one's ladder
    return playable


def run() -> list[dict[str, Any]]:
    with data_folder() as folder:
        h264 = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M"]
        hevc = ["-c:v", "libx265", "-preset", "ultrafast", "-b:v", "8M"]
        fits = _source(folder / "fits.mp4", h264)
        other = _source(folder / "hevc.mp4", [*hevc, "-x265-params", "log-level=0"])
        copy = _bare(fits, folder / "copy.mp4", ["-c", "copy"])
        whole = _bare(
            other, folder / "540.mp4", ["-vf", "scale=540:960", "-preset", "veryfast", "-crf", "23"]
        )
        data = folder / "data"
        data.mkdir()
        with serving(data) as port:
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
            person = {"handle": "bench", "password": "a long enough one 7"}
            client.post("/api/people", json=person).raise_for_status()
            remux = [_until_playable(client, fits) for _ in range(ROUNDS)]
            encode = [_until_playable(client, other) for _ in range(ROUNDS)]
    return [
        figure(
            "upload finished to playable, remux (median of 3)", statistics.median(remux), "s",
            baseline=copy, at_most=0.5,
        ),
        figure(
            "upload finished to playable, HEVC (median of 3)", statistics.median(encode), "s",
            baseline=whole, at_most=2.5,
        ),
    ]  # fmt: skip
