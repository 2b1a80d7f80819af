"""What AV1 saves: bits beside H.264 at equal VMAF. Part of `scripts/bench media`.

Each clip is encoded at the CRF that the engine gives it in H.264, at four CRFs in AV1, and at the
one that the engine finds for AV1: three seconds, the product's presets and key frames, in one
process, each compared with what went in. Bits of AV1 at the VMAF of H.264 lie between two of the
four, along the logarithm of bits, as in Bjontegaard's rates ("Calculation of average PSNR
differences between RD-curves", VCEG-M33, 2001). A clip counts where two of them stand around it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from bench.figures import figure
from bench.vmaf import Point, compared

from jhalak import media
from jhalak.media import quality

_X264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0"]
_SVT = ["-c:v", "libsvtav1", "-preset", "6", "-svtav1-params", "lp=2"]
_KEYS = ["-force_key_frames", "expr:gte(t,if(lte(n_forced,2),n_forced,2*(n_forced-1)))"]
_CRFS = (20, 32, 44, 56)
_SECONDS = 3
_FLOOR = 90.0  # of H.264's VMAF: what no CRF brings there is compared by nobody
_SMALLEST = 240


class Pair(NamedTuple):
    step: str
    h264: Point
    equal: float
    """Bits of AV1 at the VMAF of H.264."""
    chosen: Point
    """AV1 as the engine makes it."""


def figures(clips: Iterable[Path]) -> list[dict[str, Any]]:
    """Sums over the clips, by step."""
    pairs = [pair for path in clips for pair in _pairs(path)]
    if not pairs:
        return []
    steps = sorted({pair.step for pair in pairs})
    off = [pair.chosen.score - pair.h264.score for pair in pairs]
    return [
        *(_share(f"av1: bits to H.264, equal VMAF, {step}p", pairs, step) for step in steps),
        _share("av1: bits to H.264, equal VMAF", pairs, "", at_most=0.6),
        figure("av1: the same, median clip", _median(pairs), "x", baseline=1.0),
        figure("av1: VMAF over H.264's, as made, mean", statistics.mean(off), "", at_least=0.0),
        figure("av1: the same, worst clip", min(off), ""),
        figure("av1: clips and sizes that counted", float(len(pairs)), ""),
    ]


def _share(name: str, pairs: list[Pair], step: str, **limits: float) -> dict[str, Any]:
    these = [pair for pair in pairs if step in ("", pair.step)]
    share = sum(pair.equal for pair in these) / sum(pair.h264.bits for pair in these)
    return figure(name, share, "x", baseline=1.0, **limits)


def _median(pairs: list[Pair]) -> float:
    return statistics.median(pair.equal / pair.h264.bits for pair in pairs)


def _pairs(path: Path) -> list[Pair]:
    try:
        plan = media.plan(media.probe(path), media.Limits(remux_side=1))
    except media.Refused:
        return []
    if plan.probe.short_side < _SMALLEST:
        return []
    rest = quality.fitted(plan, plan.rest, path)
    beside = {rung.name: rung for rung in (plan.first, *rest)}
    found = []
    for rung in quality.alike(plan, plan.modern, path):
        step = rung.name.removesuffix("av1")
        points = _encoded(plan, path, beside[step], rung.crf)
        if not points or points[0].score < _FLOOR:
            continue
        h264, chosen, *curve = points
        equal = _at(curve, h264.score)
        if equal is not None:
            found.append(Pair(step, h264, equal, chosen))
    return found


def _at(curve: list[Point], score: float) -> float | None:
    for coarse, fine in pairwise(reversed(curve)):  # where all look alike, the coarsest is enough
        if fine.score >= score >= coarse.score:
            share = (fine.score - score) / max(fine.score - coarse.score, 1e-9)
            return math.exp(math.log(fine.bits) * (1 - share) + math.log(coarse.bits) * share)
    return None


def _encoded(plan: media.Plan, path: Path, rung: media.Rung, chosen: int) -> list[Point]:
    """H.264 as `rung`; AV1 at the chosen CRF and at each of _CRFS. Empty where ffmpeg cannot."""
    coders = [[*_X264, "-crf", str(rung.crf), *_KEYS]]
    coders += [[*_SVT, "-crf", str(crf), *_KEYS] for crf in (chosen, *_CRFS)]
    return compared(plan, path, rung, coders, _SECONDS)
