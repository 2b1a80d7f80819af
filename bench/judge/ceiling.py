"""How much taste the data holds for anybody to find: a recommender that was told every answer of
the other half of the viewers, which no platform could know. Not a baseline: a limit.

The mean and covariance of likes over those viewers predict a viewer's next answers from the first
ones: the best linear prediction (a Gaussian process over videos, of low rank).
"""

from __future__ import annotations

import numpy as np
from bench.judge.data import World
from bench.judge.recommender import Bools, Ids, Log, Recommender, best


class Told:
    def __init__(self, others: World, rank: int = 8, noise: float = 0.4) -> None:
        likes = others.liked.astype(np.float64)
        mean = likes.mean(0)
        _, size, direction = np.linalg.svd(likes - mean, full_matrices=False)
        self._mean = np.zeros(others.n_videos)
        self._mean[others.catalogue] = mean
        self._factors = np.zeros((others.n_videos, rank))
        self._factors[others.catalogue] = (
            direction[:rank].T * size[:rank] / np.sqrt(len(others.viewers))
        )
        self._noise = noise

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        rank = self._factors.shape[1]
        self._known = {v: (np.eye(rank), np.zeros(rank)) for v in range(n_viewers)}

    def scores(self, viewer: int) -> np.ndarray:
        precision, weighted = self._known[viewer]
        return self._mean + self._factors @ np.linalg.solve(precision, weighted)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return best(self.scores(viewer), n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        precision, weighted = self._known[viewer]
        factors = self._factors[videos] / self._noise
        precision += factors.T @ self._factors[videos]
        weighted += factors.T @ (liked - self._mean[videos])


class ToldToo:
    """A folding recommender with `scores(viewer)`, helped by all that `Told` knows."""

    def __init__(self, others: World, recommender: Recommender, share: float = 0.8) -> None:
        self._told, self._other, self._share = Told(others), recommender, share

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        self._told.begin(logged, n_viewers, n_videos)
        self._other.begin(logged, n_viewers, n_videos)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        scores = self._told.scores(viewer) + self._share * self._other.scores(viewer)
        return best(scores, n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._told.observe(viewer, videos, liked)
        self._other.observe(viewer, videos, liked)
