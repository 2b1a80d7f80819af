"""Do the off-policy intervals cover the truth? A simulated feed whose truth can be computed.

Viewers of a few kinds, videos that each kind likes with a known chance. The logging policy is a
softmax over one score, the other policy a softmax over another, so both propensities are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.figures import figure
from numpy.typing import NDArray

from jhalak.feed.off_policy import Method, estimate

KINDS, VIDEOS, IMPRESSIONS = 6, 30, 2000
RUNS = 100


@dataclass(frozen=True, slots=True)
class Log:
    reward: NDArray[np.float64]
    propensity: NDArray[np.float64]
    target: NDArray[np.float64]
    guess: NDArray[np.float64]
    guessed_mean: NDArray[np.float64]


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    odds = np.exp(scores - scores.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


class Simulated:
    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._chance = rng.beta(1.0, 6.0, (KINDS, VIDEOS))
        self._logging = _softmax(rng.normal(0, 0.5, (KINDS, VIDEOS)))
        self._target = _softmax(4.0 * self._chance + rng.normal(0, 0.3, (KINDS, VIDEOS)))
        # A model that is wrong: doubly robust must not need a right one.
        self._guess = np.clip(0.5 * self._chance + rng.normal(0, 0.05, (KINDS, VIDEOS)), 0, 1)

    @property
    def truth(self) -> float:
        """Likes an impression under the target policy; kinds are equally frequent."""
        return float((self._target * self._chance).sum(1).mean())

    def log(self, seed: int, impressions: int = IMPRESSIONS) -> Log:
        rng = np.random.default_rng([seed, 77])
        kind = rng.integers(0, KINDS, impressions)
        order = self._logging.cumsum(1)[kind]
        shown = np.minimum((rng.random(impressions)[:, None] > order).sum(1), VIDEOS - 1)
        reward = (rng.random(impressions) < self._chance[kind, shown]).astype(np.float64)
        mean = (self._target * self._guess).sum(1)[kind]
        at = kind, shown
        return Log(reward, self._logging[at], self._target[at], self._guess[at], mean)


def covered(method: Method, *, runs: int = RUNS, sure: float = 0.95) -> float:
    """Share of runs whose interval holds the truth; each run is another world and another log."""
    held = 0
    for seed in range(runs):
        world = Simulated(seed)
        log = world.log(seed)
        model: dict[str, Any] = {}
        if method is Method.DR:
            model = {"guesses": log.guess, "guessed_means": log.guessed_mean}
        found = estimate(log.reward, log.propensity, log.target, method=method, sure=sure, **model)
        held += found.low <= world.truth <= found.high
    return held / runs


def figures() -> list[dict[str, Any]]:
    """Synthetic by nature: the truth of real logs is not known."""
    rows = []
    for method in Method:
        share = covered(method)
        rows.append(
            figure(
                f"off-policy {method.name}: 95 % intervals that cover the simulated truth",
                100.0 * share, "of 100", baseline=95.0, at_least=93.0,
            )
        )  # fmt: skip
    return rows
