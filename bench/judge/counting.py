"""Baselines that know no taste: chance, and how much everybody likes a video."""

from __future__ import annotations

import numpy as np
from bench.judge.recommender import Bools, Floats, Ids, Log, best


class Random:
    def __init__(self, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        pass

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return self._rng.choice(np.flatnonzero(~closed), n, replace=False)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        pass


class Popularity:
    """Most logged likes first. The log has no times, so that a decayed count of it is the same
    count; decay shows in the loop only (`LikeRate`, `fade`).
    """

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        empty = np.zeros(n_videos, np.float32)
        self._counts = empty if logged is None else logged.counts(n_videos)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return best(self._counts, n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        pass


class Rates:
    """What share of its impressions each video is liked in: Beta-Bernoulli. Its prior mean comes
    from the log, `base` x (likes / mean likes) ^ `power`, and weighs `weight` impressions.
    """

    def __init__(self, weight: float, base: float, power: float, fade: float = 1.0) -> None:
        self._weight, self._base, self._power, self._fade = weight, base, power, fade

    def begin(self, logged: Log | None, n_videos: int) -> None:
        mean = np.full(n_videos, self._base, np.float32)
        if logged is not None:
            counts = logged.counts(n_videos) + 1.0
            mean *= (counts / counts.mean()) ** self._power
        mean = np.clip(mean, 0.001, 0.9)
        self.likes = (self._weight * mean).astype(np.float32)
        self.passes = (self._weight * (1.0 - mean)).astype(np.float32)

    def observe(self, videos: Ids, liked: Bools) -> None:
        if self._fade < 1.0:  # only what is shown fades: what nobody sees says nothing new
            self.likes[videos] *= self._fade
            self.passes[videos] *= self._fade
        self.likes[videos] += liked
        self.passes[videos] += ~liked

    @property
    def mean(self) -> Floats:
        return self.likes / (self.likes + self.passes)

    @property
    def spread(self) -> Floats:
        """Standard deviation of each rate."""
        total = self.likes + self.passes
        return np.sqrt(self.likes * self.passes / (total * total * (total + 1.0)))


class LikeRate:
    """Popularity that learns in the loop: the best like rates first, by mean + `bold` standard
    deviations (UCB), or by a draw from each posterior (`thompson`).
    """

    def __init__(
        self,
        weight: float = 30.0,
        base: float = 0.05,
        power: float = 0.5,
        fade: float = 1.0,
        bold: float = 0.0,
        thompson: bool = False,
        seed: int = 1,
    ) -> None:
        self._rates = Rates(weight, base, power, fade)
        self._bold, self._thompson = bold, thompson
        self._rng = np.random.default_rng(seed)

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        self._rates.begin(logged, n_videos)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        rates = self._rates
        if self._thompson:
            return best(self._rng.beta(rates.likes, rates.passes), n, closed)
        return best(rates.mean + self._bold * rates.spread, n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._rates.observe(videos, liked)
