"""What the judge asks of a recommender, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ids = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Likes that were logged before the loop began: (viewer[i], video[i]). No times, no dislikes,
    no exposures, because the data has none. Hashed by identity, so that fits can be kept.
    """

    viewer: Ids
    video: Ids

    def without(self, viewers: Ids) -> Log:
        """The log of everybody else."""
        kept = ~np.isin(self.viewer, viewers)
        return Log(self.viewer[kept], self.video[kept])

    def without_videos(self, videos: Ids) -> Log:
        kept = ~np.isin(self.video, videos)
        return Log(self.viewer[kept], self.video[kept])

    def matrix(self, n_viewers: int, n_videos: int) -> sparse.csr_matrix:
        """float32[n_viewers, n_videos], 1 where a like was logged, however often."""
        ones = np.ones(len(self.viewer), np.float32)
        shape = (n_viewers, n_videos)
        found = sparse.csr_matrix((ones, (self.viewer, self.video)), shape=shape)
        found.data[:] = 1.0
        return found

    def counts(self, n_videos: int) -> Floats:
        """Logged likes of each video, repeated ones too."""
        return np.bincount(self.video, minlength=n_videos).astype(np.float32)


class Recommender(Protocol):
    """Viewers and videos are numbered from 0. One object is one life: the judge makes a new one for
    each run.
    """

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        """Warms up. `logged` is None on a platform that has no past."""

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        """n videos for this viewer. `closed[video]` is true for what may not be shown: it is not in
        the catalogue, or this viewer has seen it. The judge refuses any other answer.
        """

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        """The true answers to the page that was just served."""


def best(scores: Floats, n: int, closed: Bools) -> Ids:
    """The n open videos with the highest scores, highest first; ties by lower number."""
    open_scores = np.where(closed, -np.inf, scores)
    if n < len(scores):
        edge = np.partition(open_scores, -n)[-n]
        few = np.flatnonzero(open_scores >= edge)
    else:
        few = np.arange(len(scores))
    return few[np.argsort(-open_scores[few], kind="stable")][:n]
