"""The arithmetic of `posterior`, compiled by numba: one answer reads and writes each matrix once.

Everything is added up in one fixed order, without fused multiply-add: the products of a symmetric
matrix are sums of its rows, which vector units do side by side without changing a single sum. So
the same answers give the same bits on every processor, and both matrices stay symmetric to the
last bit.

Importing this module loads numba (60 MB of memory); `Learner` does so when one is made.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import numpy as np

from jhalak.feed.taste.compiled import compiled, part

SURE = 1e-3  # least variance of an answer: a step stays bounded however surprising it is
STEPS = 4  # of Newton's method: the odds settle to three digits
STEEPEST = 30.0  # log-odds beyond which nothing is told apart

single = np.float32


@part
def judge(odds: float, variance: float, answer: float) -> tuple[float, float]:
    """(step, gain) of the Gaussian nearest to what an answer says of log-odds with this mean and
    variance: Newton's steps to the mode. What moves a part of covariance c by c * step, and takes
    c * c * gain off its variance.
    """
    moved, noise, surprise = 0.0, 0.0, 0.0
    for turn in range(STEPS + 1):
        if turn:
            moved = variance / (variance + noise) * (moved + noise * surprise)
        chance = 1.0 / (1.0 + exp(-min(STEEPEST, max(-STEEPEST, odds + moved))))
        noise = 1.0 / max(chance * (1.0 - chance), SURE)
        surprise = answer - chance
    gain = 1.0 / (variance + noise)
    return gain * (moved + noise * surprise), gain


@part
def _times(cov: Any, place: Any, product: Any) -> None:
    """product = cov @ place, for a symmetric matrix."""
    product[:] = single(0.0)
    for row in range(len(place)):
        by = place[row]
        for column in range(len(place)):
            product[column] += cov[row, column] * by


@part
def _move(
    mean: Any, cov: Any, personal: Any, step: float, gain: float, fade: Any, back: Any
) -> None:
    """The viewer's part after an answer; `personal` is used up."""
    size = len(mean)
    by, root = single(step), single(sqrt(gain))
    for column in range(size):
        mean[column] += personal[column] * by
        personal[column] *= root
    for row in range(size):
        by = personal[row]
        for column in range(size):
            cov[row, column] = cov[row, column] * fade - by * personal[column]
        cov[row, row] += back


@compiled(
    "UniTuple(f8, 4)(f8[::1], f8[:, ::1], f4[::1], f4[:, ::1], f8, f8, f4[::1], f8, f8, f8,"
    " f8, f8, f8, f8[::1], f4[::1])"
)
def learn(
    shared_mean: Any, shared_cov: Any, mean: Any, cov: Any, level: float, level_variance: float,
    place: Any, alone: float, unsure: float, answer: float,
    fade: float, own_variance: float, mood_variance: float, shared: Any, personal: Any,
) -> tuple[float, float, float, float]:  # fmt: skip
    """One answer: see `Learner.learn`. Returns alone, unsure, level and level_variance as they are
    now; `shared` float64[1 + size] and `personal` float32[size] are room to work in.
    """
    size = len(place)
    _times(cov, place, personal)
    shared[:] = shared_cov[0]
    for row in range(size):
        by = place[row] * 1.0
        for column in range(size + 1):
            shared[column] += shared_cov[row + 1, column] * by
    keep, back = single(fade), single((1.0 - fade) * own_variance)
    level *= fade
    level_variance += (1.0 - fade) * (mood_variance - level_variance)
    odds = shared_mean[0] + alone + level
    variance = shared[0] + unsure + level_variance
    for at in range(size):
        by = place[at] * 1.0
        mean[at] *= keep
        personal[at] = personal[at] * keep + place[at] * back
        odds += (shared_mean[at + 1] + mean[at]) * by
        variance += (shared[at + 1] + personal[at]) * by
    step, gain = judge(odds, variance, answer)
    root = sqrt(gain)
    for row in range(size + 1):
        shared_mean[row] += shared[row] * step
        shared[row] *= root
    for row in range(size + 1):
        by = shared[row]
        for column in range(size + 1):
            shared_cov[row, column] -= by * shared[column]
    _move(mean, cov, personal, step, gain, keep, back)
    return (
        alone + unsure * step,
        unsure - unsure * unsure * gain,
        level + level_variance * step,
        level_variance - level_variance * level_variance * gain,
    )


@compiled(
    "UniTuple(f8, 2)(f4[::1], f4[:, ::1], f8, f8, f4[:, ::1], f8[::1], f8[::1],"
    " f8, f8, f8, f4[::1])"
)
def learn_own(
    mean: Any, cov: Any, level: float, level_variance: float,
    places: Any, common: Any, answers: Any,
    fade: float, own_variance: float, mood_variance: float, personal: Any,
) -> tuple[float, float]:  # fmt: skip
    """Answers that say something about the viewer only, one after the other: see
    `Learner.learn_own`. Returns level and level_variance as they are now.
    """
    keep, back = single(fade), single((1.0 - fade) * own_variance)
    for one in range(len(answers)):
        place = places[one]
        _times(cov, place, personal)
        level *= fade
        level_variance += (1.0 - fade) * (mood_variance - level_variance)
        odds, variance = common[one] + level, level_variance
        for at in range(len(place)):
            by = place[at] * 1.0
            mean[at] *= keep
            personal[at] = personal[at] * keep + place[at] * back
            odds += mean[at] * by
            variance += personal[at] * by
        step, gain = judge(odds, variance, answers[one])
        _move(mean, cov, personal, step, gain, keep, back)
        level += level_variance * step
        level_variance -= level_variance * level_variance * gain
    return level, level_variance
