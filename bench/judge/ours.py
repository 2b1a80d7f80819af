"""Jhalak's learner in the closed loop: jhalak.feed.taste, always the best first.

What the log gives it: where videos lie by who liked both, and as the hint how often each was liked.
The log's likes are not answers (nobody knows what else was shown), so they teach it nothing more.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from bench.judge.entries import Entry, every
from bench.judge.recommender import Bools, Floats, Ids, Log, best
from numpy.typing import NDArray

from jhalak.feed.taste import Prior, Taste, places

DOUBT = 3.0  # likes that every video is given, so that one like is no discovery


class Ours:
    def __init__(self, size: int = 64, own: float = 2.0, shared: float = 0.3) -> None:
        self._size = size
        self._prior = Prior(own_variance=own, shared_variance=shared)

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        if logged is None:
            where, hint = np.zeros((n_videos, 0)), np.zeros(n_videos)
        else:
            where, hint = _places(logged, n_videos, self._size), _hint(logged.counts(n_videos))
        self._taste = Taste(where, hint, self._prior)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return best(self._taste.scores(viewer).astype(np.float32), n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._taste.learn(viewer, videos, liked)


@lru_cache(maxsize=4)  # one log with several settings is asked for in turn
def _places(logged: Log, n_videos: int, size: int) -> NDArray[np.float64]:
    return places(logged.viewer, logged.video, n_videos, size)


def _hint(counts: Floats) -> NDArray[np.float64]:
    logs = np.log(counts.astype(np.float64) + DOUBT)
    return np.asarray((logs - logs.mean()) / max(float(logs.std()), 1e-9))


OURS = [
    Entry("Jhalak", Ours, every(size=[64, 128], own=[1.0, 2.0], shared=[0.3, 1.0]), needs_log=False)
]
