"""Baselines that are linear in what a viewer liked: ItemKNN and EASE, fitted once on the log.

`fold` adds each page's answers to the viewer's own likes (and `dislike` times what was not liked),
`average` puts so many logged likes of the average viewer before anybody's own, and `rate` adds so
much of the like rate that is learnt across viewers in the loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
from bench.judge.counting import Rates
from bench.judge.recommender import Bools, Floats, Ids, Log, best
from scipy import linalg, sparse


def ease(likes: sparse.csr_matrix, l2: float) -> Floats:
    """float32[video, video]: weights of the shallow autoencoder with a zero diagonal, closed form.
    Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019.
    """
    known = np.flatnonzero(np.asarray(likes.sum(0)).ravel())  # the inversion is cubic in these
    few = likes[:, known]
    gram = (few.T @ few).toarray().astype(np.float32)
    gram[np.diag_indices_from(gram)] += l2
    factor, _ = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    (invert,) = linalg.get_lapack_funcs(("potri",), (factor,))
    inverse, info = invert(factor, lower=True, overwrite_c=True)
    if info:
        raise ArithmeticError("the Gram matrix could not be inverted")
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    if len(known) == likes.shape[1]:
        return np.ascontiguousarray(weights, np.float32)
    found = np.zeros((likes.shape[1],) * 2, np.float32)
    found[np.ix_(known, known)] = weights
    return found


def item_knn(likes: sparse.csr_matrix, k: int, shrink: float) -> sparse.csr_matrix:
    """float32[video, video]: cosine of who liked both, `shrink` likes of doubt, k neighbours a
    column. Sarwar et al., WWW 2001.
    """
    both = (likes.T @ likes).tocsc()
    norms = np.sqrt(both.diagonal())
    columns, rows, values = [], [], []
    for column in range(both.shape[1]):
        start, end = both.indptr[column], both.indptr[column + 1]
        near = both.indices[start:end]
        alike = both.data[start:end] / (norms[near] * norms[column] + shrink + 1e-9)
        alike[near == column] = 0.0
        if len(near) > k:
            few = np.argpartition(alike, -k)[-k:]
            near, alike = near[few], alike[few]
        columns.append(np.full(len(near), column))
        rows.append(near)
        values.append(alike)
    parts = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(parts, shape=both.shape, dtype=np.float32)


class Linear(ABC):
    """Scores are the sum of the weights' rows of what the viewer liked."""

    def __init__(
        self,
        fold: bool = False,
        dislike: float = 0.0,
        average: float = 1.0,
        rate: float = 0.0,
        rates: Rates | None = None,
    ) -> None:
        self._fold, self._dislike, self._average, self._rate = fold, dislike, average, rate
        self.rates = rates or Rates(30.0, 0.05, 0.5)

    @abstractmethod
    def _weights(self, logged: Log, n_viewers: int, n_videos: int) -> Any:
        """[video, video], dense or sparse."""

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        if logged is None:
            raise ValueError("this one is fitted on a log")
        likes = logged.matrix(n_viewers, n_videos)
        self._w = self._weights(logged, n_viewers, n_videos)
        self._likes = likes
        usual = np.asarray(likes.mean(0), np.float32).ravel()
        usual /= usual.sum()
        self._usual = self._average * (usual @ self._w)
        self._scores: dict[int, Floats] = {}
        self.rates.begin(logged, n_videos)

    def scores(self, viewer: int) -> Floats:
        if viewer not in self._scores:
            own = self._likes[viewer]
            self._scores[viewer] = self._usual + self._rows(own.indices)
        return self._scores[viewer]

    def _rows(self, videos: Ids) -> Floats:
        return np.asarray(self._w[videos].sum(0), np.float32).ravel()

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        scores = self.scores(viewer)
        if self._rate:
            scores = scores + self._rate * self.rates.mean
        return best(scores, n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self.rates.observe(videos, liked)
        if self._fold:
            scores = self.scores(viewer)
            if liked.any():
                scores += self._rows(videos[liked])
            if self._dislike and not liked.all():
                scores -= self._dislike * self._rows(videos[~liked])


class ItemKNN(Linear):
    def __init__(self, k: int = 100, shrink: float = 10.0, **rest: Any) -> None:
        super().__init__(**rest)
        self._k, self._shrink = k, shrink

    def _weights(self, logged: Log, n_viewers: int, n_videos: int) -> sparse.csr_matrix:
        return item_knn(logged.matrix(n_viewers, n_videos), self._k, self._shrink)


class Ease(Linear):
    def __init__(self, l2: float = 500.0, **rest: Any) -> None:
        super().__init__(**rest)
        self._l2 = l2

    def _weights(self, logged: Log, n_viewers: int, n_videos: int) -> Floats:
        return _kept_ease(logged, n_viewers, n_videos, self._l2)


@lru_cache(maxsize=4)  # each half a gigabyte on KuaiRec, and half a minute of work
def _kept_ease(logged: Log, n_viewers: int, n_videos: int, l2: float) -> Floats:
    return ease(logged.matrix(n_viewers, n_videos), l2)
