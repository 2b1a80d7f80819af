"""What another policy would have earned, from what this one served: IPS, SNIPS and DR.

Each estimate weighs a logged reward by how much likelier the other policy was to show that video,
so it needs the exact propensities that `Pick.propensity` keeps. It refuses where the log holds too
little: an estimate that hangs on a few impressions is a guess with a decimal point.

    ips     mean(w r)                  unbiased; Horvitz and Thompson, JASA 1952
    snips   sum(w r) / sum(w)          less variance, a little bias; Swaminathan and Joachims,
                                       NeurIPS 2015
    dr      mean(m + w (r - q))        as good as the better of weights and model; Dudik, Langford
                                       and Li, ICML 2011

w = target / logged propensity, q = the model's guess for what was shown, m = its mean under the
target policy. Intervals are of the normal approximation, from the variance of each impression's
term (snips: of the ratio, by the delta method); impressions of one viewer lean on each other, so
`groups` sums them first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST = 30  # independent impressions (or groups) that the normal approximation asks for
LEAST_SHARE = 0.01  # of the impressions must be effective
LARGEST_WEIGHT = 0.05  # of the sum of weights may hang on one impression (or group)

Floats = NDArray[np.float64]


class TooFew(ValueError):
    """The log says too little about the other policy. The message says what is missing."""


class Method(Enum):
    IPS = "ips"
    SNIPS = "snips"
    DR = "dr"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Reward an impression under the other policy, its standard error, and the interval."""

    value: float
    error: float
    low: float
    high: float
    effective: float  # impressions (or groups) that the weights are worth: Kish, 1965
    impressions: int


@dataclass(frozen=True, slots=True)
class Logged:
    """What was served, one value an impression. Raises ValueError on what cannot be: lengths that
    differ, NaN, propensities outside (0, 1], target propensities outside [0, 1].
    """

    reward: Floats
    propensity: Floats
    target: Floats
    group: NDArray[np.int64] | None

    @classmethod
    def of(
        cls,
        rewards: ArrayLike,
        propensities: ArrayLike,
        targets: ArrayLike,
        groups: ArrayLike | None = None,
    ) -> Logged:
        reward, propensity, target = (
            np.asarray(given, np.float64) for given in (rewards, propensities, targets)
        )
        group = None
        if groups is not None:
            group = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
        if reward.ndim != 1 or not reward.shape == propensity.shape == target.shape:
            raise ValueError("rewards and propensities are not one for each impression")
        if group is not None and group.shape != reward.shape:
            raise ValueError("groups are not one for each impression")
        if not np.isfinite(reward).all():
            raise ValueError("a reward is not a number")
        if not ((propensity > 0.0) & (propensity <= 1.0)).all():
            raise ValueError("a logged propensity is not in (0, 1]")
        if not ((target >= 0.0) & (target <= 1.0)).all():
            raise ValueError("a target propensity is not in [0, 1]")
        return cls(reward, propensity, target, group)


def estimate(
    rewards: ArrayLike,
    propensities: ArrayLike,
    targets: ArrayLike,
    *,
    method: Method = Method.SNIPS,
    groups: ArrayLike | None = None,
    guesses: ArrayLike | None = None,
    guessed_means: ArrayLike | None = None,
    sure: float = 0.95,
) -> Estimate:
    """Mean reward an impression, had the policy of `targets` served.

    `rewards`, `propensities` and `targets` are of the video shown in each impression. DR needs
    `guesses` (a model's reward for the video shown) and `guessed_means` (its mean reward over all
    candidates under the target policy), from a model that did not learn from these impressions.
    `groups` names what is independent, such as the viewer. Raises TooFew, or ValueError on input
    that cannot be.
    """
    if not 0.0 < sure < 1.0:
        raise ValueError("an interval is sure by more than 0 and less than 1")
    logged = Logged.of(rewards, propensities, targets, groups)
    if not logged.reward.size:
        raise TooFew("no impressions")
    weight = logged.target / logged.propensity
    effective = _worth(logged, weight)
    given: Floats | None = None
    if method is Method.DR:
        if guesses is None or guessed_means is None:
            raise ValueError("doubly robust needs guesses and their means")
        guess, mean = (np.asarray(one, np.float64) for one in (guesses, guessed_means))
        if not guess.shape == mean.shape == logged.reward.shape:
            raise ValueError("guesses are not one for each impression")
        if not (np.isfinite(guess).all() and np.isfinite(mean).all()):
            raise ValueError("a guess is not a number")
        given = mean + weight * (logged.reward - guess)
    elif guesses is not None or guessed_means is not None:
        raise ValueError("only doubly robust reads guesses")
    value, error = _METHODS[method](logged, weight, given)
    reach = NormalDist().inv_cdf((1.0 + sure) / 2.0) * error
    return Estimate(value, error, value - reach, value + reach, effective, int(logged.reward.size))


def _worth(logged: Logged, weight: Floats) -> float:
    """The effective number of independent units. Raises TooFew."""
    unit = _summed(logged, weight)
    total = float(unit.sum())
    if not np.isfinite(total) or not np.isfinite(unit @ unit):
        raise TooFew("the weights are too large to add")
    if total <= 0.0:
        raise TooFew("the other policy would have shown nothing of this")
    effective = total * total / float(unit @ unit)
    least = max(float(LEAST), LEAST_SHARE * len(unit))
    if effective < least:
        raise TooFew(f"{len(unit)} impressions are worth {effective:.1f} of {least:.0f} asked")
    largest = float(unit.max()) / total
    if largest > LARGEST_WEIGHT:
        raise TooFew(f"{largest:.0%} of the estimate would hang on one impression")
    return effective


def _summed(logged: Logged, values: Floats) -> Floats:
    """Values by independent unit: an impression, or a group's sum."""
    if logged.group is None:
        return values
    return np.bincount(logged.group, weights=values).astype(np.float64)


def _mean(logged: Logged, terms: Floats) -> tuple[float, float]:
    """Mean an impression and its standard error; groups are the units of the variance."""
    n = logged.reward.size
    value = float(terms.mean())
    return value, _spread(_summed(logged, terms - value)) / n


def _spread(units: Floats) -> float:
    """Standard error of a sum of independent units with mean 0."""
    return float(np.sqrt(len(units) / (len(units) - 1.0) * (units @ units)))


def _ips(logged: Logged, weight: Floats, _given: Floats | None) -> tuple[float, float]:
    return _mean(logged, weight * logged.reward)


def _snips(logged: Logged, weight: Floats, _given: Floats | None) -> tuple[float, float]:
    total = float(weight.sum())
    value = float(weight @ logged.reward) / total
    return value, _spread(_summed(logged, weight * (logged.reward - value))) / total


def _dr(logged: Logged, _weight: Floats, given: Floats | None) -> tuple[float, float]:
    assert given is not None
    return _mean(logged, given)


_METHODS: dict[Method, Callable[[Logged, Floats, Floats | None], tuple[float, float]]] = {
    Method.IPS: _ips,
    Method.SNIPS: _snips,
    Method.DR: _dr,
}
