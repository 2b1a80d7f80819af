"""Watch time as a discrete hazard, censored at the length of the clip.

The network says for each bin of seconds how likely somebody who is still watching leaves within it:
hazard h = sigmoid(a), so log(1 - h) = -softplus(a) (discrete survival: Singer and Willett, 1993;
Gensheimer and Narasimhan, "A scalable discrete-time survival model for neural networks", 2019). A
clip that ends within a bin is exposed to that part of it. From this one family come

    the chance of a skip     1 - S(skip_below x length)
    of a finish              S(END x length)
    the expected watch       the integral of S up to the length
    the expected verdict     what feed.fairness says of each share watched, by its chance

and so nothing favours long clips: the verdict is a quantile among watches of clips about as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jhalak.feed.fairness import BINS as SHARES
from jhalak.feed.fairness import END, FINISH_FLOOR, OCTAVES, SKIP_FLOOR, Fairness
from jhalak.feed.ranker.layout import EDGES

Floats = npt.NDArray[np.float64]

_WIDTHS = np.diff(EDGES)
_STARTS = np.arange(SHARES) / SHARES  # of the bins of share watched
_MIDDLES = _STARTS + 0.5 / SHARES
LEFT = int(END * SHARES)  # bins of share that end before the clip counts as finished


def exposure(seconds: npt.ArrayLike) -> Floats:
    """float[..., bins]: the part of each bin that lies before so many seconds."""
    at = np.asarray(seconds, np.float64)[..., None]
    return np.asarray(np.clip((at - EDGES[:-1]) / _WIDTHS, 0.0, 1.0))


def survival(logits: npt.NDArray[Any], seconds: Floats) -> Floats:
    """float[n, t]: the chance to watch longer than `seconds` float[n, t]. `logits` float[n, bins].
    A straight line of the summed hazard within each bin.
    """
    hazard = np.logaddexp(0.0, logits.astype(np.float64))
    summed = np.concatenate([np.zeros((len(hazard), 1)), hazard.cumsum(1)], 1)
    at = np.clip(EDGES.searchsorted(seconds, side="right") - 1, 0, len(_WIDTHS) - 1)
    part = np.clip((seconds - EDGES[at]) / _WIDTHS[at], 0.0, 1.0)
    rows = np.arange(len(hazard))[:, None]
    return np.asarray(np.exp(-(summed[rows, at] + part * hazard[rows, at])))


def expected(logits: npt.NDArray[Any], length: Floats) -> Floats:
    """float[n]: seconds that will be watched of clips of `length` float[n] seconds."""
    at = length[:, None] * np.linspace(0.0, 1.0, 41)
    chance = survival(logits, at)
    return np.asarray((chance[:, 1:] + chance[:, :-1]).sum(1) * length / 80.0)


def verdicts(fairness: Fairness, skip_below: float) -> Floats:
    """float[octave, LEFT + 1]: what a watch that ends in each bin of share says, in [-1, 1], among
    watches of clips about as long; the last for a finish. As Fairness.judge says it.
    """
    counts = np.array(fairness.counts)
    below = counts.cumsum(1) - counts / 2.0
    fair = 2.0 * below / np.array(fairness.totals)[:, None] - 1.0
    depth = 1.0 - _MIDDLES / skip_below if skip_below > 0.0 else np.zeros(SHARES)
    skipped = np.minimum(fair, SKIP_FLOOR - (1.0 + SKIP_FLOOR) * depth)
    felt = np.where(skip_below > _MIDDLES, skipped, fair)
    finish = np.maximum(fair[:, -1:], FINISH_FLOOR)
    return np.concatenate([felt[:, :LEFT], finish], 1)


def verdict(logits: npt.NDArray[Any], length_ms: npt.NDArray[Any], table: Floats) -> Floats:
    """float[n]: the expected verdict on clips of `length_ms`; `table` as `verdicts` has it."""
    octave = np.minimum(np.frexp(length_ms // 1000)[1], OCTAVES - 1)
    chance = survival(logits, length_ms[:, None] / 1000.0 * _STARTS[: LEFT + 1])
    ends = np.concatenate([chance[:, :-1] - chance[:, 1:], chance[:, -1:]], 1)
    return np.asarray((ends * table[octave]).sum(1))
