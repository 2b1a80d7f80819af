"""Small clips, made by ffmpeg for these tests, and ways to spoil them."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from jhalak.media.process import ffmpeg

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30")
AAC = ("-c:a", "aac", "-b:a", "64k")


def clip(
    path: Path,
    *,
    size: str = "192x320",
    seconds: float = 3,
    rate: int = 30,
    sound: bool = True,
    video: Sequence[str] = H264,
    extra: Sequence[str] = (),
    before: Sequence[str] = (),
) -> Path:
    picture = f"testsrc2=s={size}:r={rate}:d={seconds}"
    words = [*before, "-f", "lavfi", "-i", picture]
    if sound:
        words += ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}"]
    bare(*words, *video, *(AAC if sound else ()), *extra, str(path))
    return path


def bare(*words: str) -> None:
    subprocess.run(
        [ffmpeg(), "-nostdin", "-loglevel", "error", "-y", *words],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def with_matrix(source: Path, target: Path, matrix: tuple[int, int, int, int]) -> Path:
    """A copy whose picture track is turned by a tkhd matrix (a, b, c, d), as phones write it."""
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4  # the first track is the picture
    assert data[at] == 0
    a, b, c, d = matrix
    whole = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, at + 40, *whole)
    target.write_bytes(data)
    return target


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body
