"""How finely a clip must be encoded: the CRF that gives it the quality that all clips get.

One CRF for all wastes bits on what is simple and is too coarse for what is hard. So a few frames
at one to six places are encoded twice at phone size, and compared with what went in by VMAF
(Li and others, "Toward a practical perceptual video quality metric", 2016); what lies between the
two is taken to be a straight line. It is not: true curves bend down, so the line is on the safe
side, and nothing is concluded beyond the coarser one. The idea is Netflix' "Per-title encode
optimization" (2015), with one measure in the place of a search over a hull of sizes.

VMAF is `vmaf_v0.6.1` without the phone transform, over pictures of 540 lines, which is what a phone
shows at an arm's length. The transform is made for 1080 lines on a phone: over 540 of them it gives
100 where the picture is seen to be worse (docs/parts/media.md has the figures).

What is made in AV1 shall look no worse than its step in H.264: both are measured at the same
places, at the step's own size.
"""

from __future__ import annotations

import logging
import math
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jhalak.media.commands import quality_command
from jhalak.media.model import Plan, Probe, Reason, Refused, Rung
from jhalak.media.planning import in_h264, phone
from jhalak.media.process import Budget, run

TARGET = 92.0
"""Mean over the places that are looked at."""
FLOOR = 90.0
"""None of the places is below this."""
TRIED = (20, 28)
"""A fine and a coarse CRF; the coarse one is also the coarsest that is ever taken."""
FINEST = 17
AV1_TRIED = (32, 44, 56)
"""Of AV1's own CRFs, 0 to 63. Nothing is coarser than the last."""
AV1_FINEST = 22
_EVERY_S = 10.0  # a place for each, so that the search is a constant share of the encode
_FEWEST, _MOST = 2, 6
_FRAMES = 16  # at each of them
_AV1_FRAMES = 96  # at all of them: where there are few, the frames at one differ much
_APART_S = 2.0  # places are at least so far apart
_END_BYTES = 1 << 16
_LOSS = 1.0  # of VMAF by one CRF, below the fine one
_AV1_LOSS = 0.2

_SCORE = re.compile(r"\[Parsed_libvmaf_(\d) @ [^]]*\] VMAF score: ([\d.]+)")
log = logging.getLogger(__name__)


def crf_for(scores: Sequence[Sequence[float]]) -> int:
    """The CRF for a clip whose places have these scores: VMAF at the fine and at the coarse CRF.

    Never finer than FINEST, never coarser than the coarse one; a score that is lower never gives a
    coarser one.
    """
    fine, coarse = zip(*scores, strict=True)
    mean = _crossing(sum(fine) / len(fine), sum(coarse) / len(coarse), TARGET)
    worst = _crossing(min(fine), min(coarse), FLOOR)
    return round(min(mean, worst))


def _crossing(fine: float, coarse: float, target: float) -> float:
    low, high = TRIED
    if coarse >= target:
        return high
    if fine <= target:
        return max(FINEST, low - (target - fine) / _LOSS)
    return low + (high - low) * (fine - target) / (fine - coarse)


def av1_crf_for(scores: Sequence[Sequence[float]]) -> int:
    """The coarsest CRF whose VMAF is, in the mean over the places, that of H.264.

    `scores` of each place: H.264, then AV1 at each of AV1_TRIED. Between AV1_FINEST and the last
    of these; what looks worse in H.264 never gets a finer one.
    """
    target, *known = (math.fsum(column) / len(scores) for column in zip(*scores, strict=True))
    if known[0] < target:
        return max(AV1_FINEST, math.floor(AV1_TRIED[0] - (target - known[0]) / _AV1_LOSS))
    crf = float(AV1_TRIED[0])
    for low, high, fine, coarse in zip(AV1_TRIED, AV1_TRIED[1:], known, known[1:], strict=False):
        if coarse < target:
            return math.floor(low + (high - low) * (fine - target) / (fine - coarse))
        crf = high
    return math.floor(crf)


def alike(
    plan: Plan,
    rungs: Sequence[Rung],
    source: Path,
    stop: threading.Event | None = None,
    *,
    nice: int = 0,
) -> tuple[Rung, ...]:
    """Rungs in AV1, each as coarse as it may be and look like its step in H.264.

    They stay as they are where the clip cannot be looked at. Raises Stopped, Failed.
    """
    beside = [in_h264(plan, rung) for rung in rungs]
    later = [rung for rung in beside if rung.name != plan.first.name]
    fit = {rung.name: rung for rung in fitted(plan, later, source, stop, nice=nice)}
    count = len(places(plan.probe))
    made: list[Rung] = []
    for rung, other in zip(rungs, beside, strict=True):
        crfs = [msgspec.structs.replace(rung, crf=crf) for crf in AV1_TRIED]
        tried = [fit.get(other.name, other), *crfs]
        try:
            scores = _looks(plan, tried, source, _AV1_FRAMES // count, stop, nice=nice)
        except Refused as error:
            log.warning("quality could not be measured: %s", error)
            made.append(rung)
            continue
        made.append(msgspec.structs.replace(rung, crf=av1_crf_for(scores)))
    return tuple(made)


def fitted(
    plan: Plan,
    rungs: Sequence[Rung],
    source: Path,
    stop: threading.Event | None = None,
    *,
    nice: int = 0,
) -> tuple[Rung, ...]:
    """Rungs of one ladder, all finer or coarser by what this clip needs. What is smaller than a
    phone's picture is never made coarser: it has lost by its size what could be spared.

    They stay as they are where the clip cannot be looked at: whoever encodes it meets the same, and
    says so. Raises Stopped, Failed.
    """
    if not rungs:
        return ()
    middle = phone(plan.probe)
    try:
        tried = [msgspec.structs.replace(middle, crf=crf) for crf in TRIED]
        scores = _looks(plan, tried, source, _FRAMES, stop, nice=nice)
        change = crf_for(scores) - middle.crf
    except Refused as error:
        log.warning("quality could not be measured: %s", error)
        return tuple(rungs)
    return tuple(
        msgspec.structs.replace(
            rung, crf=rung.crf + (min(0, change) if rung.width < middle.width else change)
        )
        for rung in rungs
    )


def places(probe: Probe) -> list[float]:
    """Seconds at which a clip is looked at: the middles of equal parts. ffmpeg begins at the key
    frame before each, so there are no more of them than key frames.
    """
    seconds = probe.duration_ms / 1000
    wanted = min(_MOST, max(_FEWEST, int(seconds / _EVERY_S)))
    count = max(1, min(wanted, probe.keys, int(seconds / _APART_S)))
    return [round(seconds * (2 * at + 1) / (2 * count), 3) for at in range(count)]


def _looks(
    plan: Plan,
    tried: Sequence[Rung],
    source: Path,
    frames: int,
    stop: threading.Event | None,
    *,
    nice: int,
) -> list[list[float]]:
    """VMAF of each of these rungs of one size, at each place. Raises Refused, Stopped, Failed."""
    budget = Budget.of(plan.limits, plan.probe.duration_ms, nice=nice)
    scores = []
    for at in places(plan.probe):
        said = _End()
        command = quality_command(plan.probe, source, tried, at, frames)
        run(command, [_nothing] * len(command.outputs), budget, log=said, stop=stop)
        found = dict(_SCORE.findall(said.text()))
        if len(found) != len(tried):
            raise Refused(Reason.DAMAGED, "no score was told")
        scores.append([float(found[str(number)]) for number in range(len(tried))])
    return scores


class _End:
    """Keeps the end of what is said: the scores come last, and a stranger's clip may have ffmpeg
    complain for as long as it runs.
    """

    def __init__(self) -> None:
        self._bytes = b""

    def __call__(self, data: bytes) -> None:
        self._bytes = (self._bytes + data)[-_END_BYTES:]

    def text(self) -> str:
        return self._bytes.decode("utf-8", "replace")


def _nothing(data: bytes) -> None:
    """What is encoded for the comparison is not kept."""
