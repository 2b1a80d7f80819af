"""Places of videos by who watched them together: a truncated singular value decomposition.

The matrix of viewers and videos is weighed by one over the root of both counts, so that neither a
busy viewer nor a popular video says more than its share (the normalised Laplacian of the bipartite
graph: Dhillon, "Co-clustering documents and words", KDD 2001), and decomposed by the randomised
subspace iteration of Halko, Martinsson and Tropp (SIAM Review 53, 2011, algorithm 4.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

SPARE = 12  # dimensions more than asked for while it iterates: they carry the error
TURNS = 4  # of the iteration: each squares the gap between what is kept and what is not
AT_ONCE = 16  # columns multiplied at a time: bounds memory to pairs x 16 numbers
DOUBT = 3.0  # watches that every video is given, so that one is no discovery
LOUD = 0.5  # length of the coordinate that says how much a video was watched, in the mean


def places(viewers: Ids, videos: Ids, n_videos: int, size: int, seed: int = 0) -> Floats:
    """float64[n_videos, size]: a direction for each video; those of two videos that the same people
    watch have a large product. Centred, and of length 1 in the mean; a video that nobody watched
    lies where an average one does, at 0.

    `viewers`, `videos`: numbers from 0, one pair for each watch that counts; a pair said twice
    counts once. Raises ValueError when they differ in length or a video is out of range.
    """
    if len(viewers) != len(videos):
        raise ValueError(f"{len(viewers)} viewers and {len(videos)} videos make no pairs")
    if len(videos) and not 0 <= int(videos.min()) <= int(videos.max()) < n_videos:
        raise ValueError(f"a video outside 0 to {n_videos - 1}")
    found = np.zeros((n_videos, size))
    if not len(videos):
        return found
    pairs = np.unique(np.stack([viewers, videos], 1).astype(np.int64), axis=0)
    matrix = _Sparse(pairs, n_videos)
    rank = min(size, min(matrix.shape) - 1)
    if rank > 0:
        found[:, :rank] = _right(matrix, rank, np.random.default_rng(seed))
    length = np.linalg.norm(found, axis=1, keepdims=True)
    known = length[:, 0] > 1e-9
    if not known.any():
        return found
    found[known] /= length[known]
    found[known] -= found[known].mean(0)
    spread = np.sqrt((found[known] ** 2).sum(1).mean())
    return found / spread if spread > 1e-9 else np.zeros_like(found)


def described(viewers: Ids, videos: Ids, n_videos: int, size: int, seed: int = 0) -> Floats:
    """float64[n_videos, size]: `places` of size - 1, and in the last coordinate how much each video
    was watched, as a logarithm, centred. Arguments and errors as there; repeated pairs count here.
    """
    found = np.zeros((n_videos, size))
    found[:, :-1] = places(viewers, videos, n_videos, size - 1, seed)
    logs = np.log(np.bincount(videos, minlength=n_videos) + DOUBT)
    spread = float(logs.std())
    if spread > 1e-9:
        found[:, -1] = LOUD * (logs - logs.mean()) / spread
    return found


def _right(matrix: _Sparse, rank: int, rng: np.random.Generator) -> Floats:
    """The `rank` strongest right singular vectors times their values: float64[columns, rank]."""
    width = min(rank + SPARE, *matrix.shape)
    basis = np.linalg.qr(matrix.times(rng.standard_normal((matrix.shape[1], width))))[0]
    for _ in range(TURNS):
        basis = np.linalg.qr(matrix.turned(basis))[0]
        basis = np.linalg.qr(matrix.times(basis))[0]
    _, values, rows = np.linalg.svd(matrix.turned(basis).T, full_matrices=False)
    return np.asarray(rows[:rank].T * values[:rank])


class _Sparse:
    """The weighed matrix of pairs, by rows and by columns."""

    def __init__(self, pairs: npt.NDArray[np.int64], n_videos: int) -> None:
        viewers = np.unique(pairs[:, 0], return_inverse=True)[1]
        videos = pairs[:, 1]
        self.shape = (int(viewers.max()) + 1, n_videos)
        weight = 1.0 / np.sqrt(
            np.bincount(viewers)[viewers] * np.bincount(videos, minlength=n_videos)[videos]
        )
        self._by_viewer = _Sums(viewers, videos, weight, self.shape[0])
        self._by_video = _Sums(videos, viewers, weight, n_videos)

    def times(self, right: Floats) -> Floats:
        return self._by_viewer.apply(right)

    def turned(self, right: Floats) -> Floats:
        """The transpose times `right`."""
        return self._by_video.apply(right)


class _Sums:
    """Rows of a sparse matrix, for products with a dense one."""

    def __init__(self, rows: Ids, columns: Ids, weight: Floats, count: int) -> None:
        order = np.argsort(rows, kind="stable")
        self._columns, self._weight = columns[order], weight[order, None]
        self._held, self._starts = np.unique(rows[order], return_index=True)
        self._count = count

    def apply(self, right: Floats) -> Floats:
        result = np.zeros((self._count, right.shape[1]))
        for at in range(0, right.shape[1], AT_ONCE):
            part = right[:, at : at + AT_ONCE]
            products = part[self._columns] * self._weight
            result[self._held, at : at + AT_ONCE] = np.add.reduceat(products, self._starts, axis=0)
        return result
