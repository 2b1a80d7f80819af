"""How sure a mean over viewers is: percentile bootstrap, resampled by viewer (Efron, 1979)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    mean: float
    low: float
    high: float


def interval(
    values: ArrayLike, *, seed: int = 1, times: int = 2000, sure: float = 0.95
) -> Interval:
    """Of the mean of one value a viewer. Raises ValueError when there is none."""
    given = np.asarray(values, np.float64)
    if given.size == 0:
        raise ValueError("no values")
    rng = np.random.default_rng(seed)
    means = np.array([rng.choice(given, given.size).mean() for _ in range(times)])
    low, high = np.quantile(means, [(1 - sure) / 2, (1 + sure) / 2])
    return Interval(float(given.mean()), float(low), float(high))


def band(
    values: ArrayLike, *, seed: int = 1, times: int = 2000, sure: float = 0.95
) -> list[Interval]:
    """Of the mean over viewers of each column of [viewer, column]: viewers are drawn whole."""
    given = np.asarray(values, np.float64)
    if given.ndim != 2 or given.shape[0] == 0:
        raise ValueError("no viewers")
    drawn = np.random.default_rng(seed).multinomial(
        len(given), np.full(len(given), 1 / len(given)), times
    )
    means = drawn @ given / len(given)
    low, high = np.quantile(means, [(1 - sure) / 2, (1 + sure) / 2], axis=0)
    return [Interval(*map(float, one)) for one in zip(given.mean(0), low, high, strict=True)]


def difference(ours: ArrayLike, theirs: ArrayLike, *, seed: int = 1) -> Interval:
    """Of the mean of ours - theirs for the same viewers: tighter than two separate intervals."""
    return interval(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64), seed=seed)
