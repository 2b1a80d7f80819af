"""Bits and VMAF of one clip in several encodings, in one bare ffmpeg process: for benches."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jhalak import media
from jhalak.media.commands import filter_graph
from jhalak.media.process import ffmpeg

_SCORE = re.compile(r"Parsed_libvmaf_(\d+) @ [^]]*\] VMAF score: ([\d.]+)")


class Point(NamedTuple):
    bits: float
    score: float


def compared(
    plan: media.Plan, path: Path, rung: media.Rung, coders: Sequence[Sequence[str]], seconds: int
) -> list[Point]:
    """The first `seconds` at the size of `rung`, by each of these coders (words of ffmpeg), decoded
    again and compared with what went in. Empty where ffmpeg cannot say.
    """
    count = len(coders)
    graph = filter_graph(plan.probe, [rung]).removesuffix("[v0]") + f",split={2 * count}"
    graph += "".join(f"[e{n}][r{n}]" for n in range(count))
    words = ["-t", str(seconds), "-i", str(path), "-filter_complex", graph]
    with tempfile.TemporaryDirectory() as folder:
        for n, coder in enumerate(coders):
            words += ["-map", f"[e{n}]", *coder, "-g", "600", "-fps_mode", "vfr"]
            words += ["-f", "mp4", f"{folder}/{n}.mp4", "-dec", f"{n}:0"]
        pairs = [f"[dec:{n}][r{n}]libvmaf=ts_sync_mode=nearest[q{n}]" for n in range(count)]
        words += ["-filter_complex", ";".join(pairs)]
        for n in range(count):
            words += ["-map", f"[q{n}]", "-f", "null", "-"]
        done = subprocess.run(
            [ffmpeg(), "-nostdin", *words], capture_output=True, text=True, check=False
        )
        scores = dict(_SCORE.findall(done.stderr))
        if len(scores) != count:
            return []
        sizes = [Path(f"{folder}/{n}.mp4").stat().st_size for n in range(count)]
    return [Point(8 * size, float(scores[str(n)])) for n, size in enumerate(sizes)]
