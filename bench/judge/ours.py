"""Jhalak's learner in the closed loop: jhalak.feed.taste, always the best first.

What the log gives it: where videos lie by who liked both, and how often each was liked, as the last
coordinate of a place. The log's likes are not answers (nobody knows what else was shown), so they
teach it nothing more.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from bench.judge.entries import Entry, every
from bench.judge.recommender import Bools, Ids, Log, best
from bench.judge.taste import Taste
from numpy.typing import NDArray

from jhalak.feed.taste import Prior, described

RARE = -3.0  # log-odds of a like on KuaiRec: 1 of 20
POPULAR = 2.0  # log-odds that a place's last coordinate adds


class Ours:
    """The learner alone."""

    def __init__(self, size: int = 64, own: float = 1.0, shared: float = 0.3) -> None:
        self._size = size
        self._prior = Prior(level=RARE, popular=POPULAR, own_variance=own, shared_variance=shared)

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        where = (
            np.zeros((n_videos, 0))
            if logged is None
            else described_log(logged, n_videos, self._size)
        )
        self._taste = Taste(where, self._prior)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return best(self._taste.scores(viewer).astype(np.float32), n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._taste.learn(viewer, videos, liked)


class Frozen(Ours):
    """Learns nothing from the loop: what the log alone is good for."""

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        pass


@lru_cache(maxsize=4)  # one log with several settings is asked for in turn
def described_log(logged: Log, n_videos: int, size: int) -> NDArray[np.float64]:
    return described(logged.viewer, logged.video, n_videos, size)


OURS = [
    Entry("Jhalak", Ours, every(size=[64, 128], own=[1.0, 2.0], shared=[0.3, 1.0]), needs_log=False)
]
FROZEN = Entry("Jhalak, frozen", Frozen, learns=False, needs_log=False)
