"""Baselines for owed slots: who decides which cold video is shown next."""

from __future__ import annotations

import numpy as np
from bench.judge.recommender import Bools, Ids, Log
from numpy.typing import NDArray


class _Counting:
    """Likes and passes of each cold video, with a prior of `weight` impressions at `rate`."""

    def __init__(self, rate: float = 0.05, weight: float = 5.0, seed: int = 1) -> None:
        self._rate, self._weight = rate, weight
        self._rng = np.random.default_rng(seed)

    def begin(self, n: int, owed: int, logged: Log | None) -> None:
        self._likes = np.full(n, self._rate * self._weight)
        self._passes = np.full(n, (1.0 - self._rate) * self._weight)
        self._shown = np.zeros(n, np.int64)

    def observe(self, viewer: int, place: int, liked: bool) -> None:
        (self._likes if liked else self._passes)[place] += 1.0
        self._shown[place] += 1

    @property
    def _mean(self) -> NDArray[np.float64]:
        return self._likes / (self._likes + self._passes)

    def guess(self, k: int) -> Ids:
        return np.argsort(-self._mean, kind="stable")[:k]


class InTurn(_Counting):
    """The least shown first: pays everybody alike, and asks nobody what they liked."""

    def pick(self, viewer: int, seen: Bools) -> int:
        return int(np.argmin(np.where(seen, np.inf, self._shown)))


class EpsilonGreedy(_Counting):
    """The best so far, and now and then any other."""

    def __init__(self, epsilon: float = 0.1, **rest: float) -> None:
        super().__init__(**rest)
        self._epsilon = epsilon

    def pick(self, viewer: int, seen: Bools) -> int:
        if self._rng.random() < self._epsilon:
            return int(self._rng.choice(np.flatnonzero(~seen)))
        return int(np.argmax(np.where(seen, -np.inf, self._mean)))


class Thompson(_Counting):
    """The best in a draw from what each may be worth (Thompson, 1933)."""

    def pick(self, viewer: int, seen: Bools) -> int:
        drawn = self._rng.beta(self._likes, self._passes)
        return int(np.argmax(np.where(seen, -np.inf, drawn)))
