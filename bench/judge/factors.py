"""Baselines of low rank, from the library `implicit`: weighted ALS and BPR."""

from __future__ import annotations

import numpy as np
from bench.judge.recommender import Bools, Floats, Ids, Log, best
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from scipy import sparse
from threadpoolctl import threadpool_limits


class Als:
    """Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008.

    `fold`: a viewer's factors are solved anew after each page, on all their likes. Who has none
    gets the mean viewer's.
    """

    def __init__(
        self,
        factors: int = 64,
        regularization: float = 10.0,
        alpha: float = 10.0,
        rounds: int = 15,
        fold: bool = False,
        seed: int = 1,
    ) -> None:
        with threadpool_limits(1, "blas"):  # implicit has threads of its own
            self._model = AlternatingLeastSquares(
                factors=factors, regularization=regularization, alpha=alpha, iterations=rounds,
                random_state=seed, num_threads=1, use_gpu=False, calculate_training_loss=False,
            )  # fmt: skip
        self._fold = fold

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        if logged is None:
            raise ValueError("this one is fitted on a log")
        likes = logged.matrix(n_viewers, n_videos)
        with threadpool_limits(1, "blas"):
            self._model.fit(likes, show_progress=False)
        self._likes = {viewer: likes.indices[a:b] for viewer, (a, b) in _spans(likes)}
        active = np.diff(likes.indptr) > 0
        self._usual = self._model.user_factors[active].mean(0)

    def scores(self, viewer: int) -> Floats:
        own = viewer in self._likes
        return self._model.item_factors @ (self._model.user_factors[viewer] if own else self._usual)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return best(self.scores(viewer), n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        if not self._fold or not liked.any():
            return
        before = self._likes.get(viewer, np.empty(0, np.int64))
        self._likes[viewer] = now = np.concatenate([before, videos[liked]])
        row = sparse.csr_matrix(
            (np.ones(len(now), np.float32), (np.zeros(len(now), int), now)),
            shape=(1, len(self._model.item_factors)),
        )
        self._model.user_factors[viewer] = self._model.recalculate_user(0, row)


class Bpr:
    """Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009. Fitted
    once: it has no closed form to fold a page in.
    """

    def __init__(
        self,
        factors: int = 64,
        learning_rate: float = 0.05,
        regularization: float = 0.01,
        rounds: int = 60,
        seed: int = 1,
    ) -> None:
        self._model = BayesianPersonalizedRanking(
            factors=factors, learning_rate=learning_rate, regularization=regularization,
            iterations=rounds, random_state=seed, num_threads=1, use_gpu=False,
        )  # fmt: skip

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        if logged is None:
            raise ValueError("this one is fitted on a log")
        likes = logged.matrix(n_viewers, n_videos)
        self._model.fit(likes, show_progress=False)
        self._active = np.diff(likes.indptr) > 0
        self._usual = self._model.user_factors[self._active].mean(0)

    def scores(self, viewer: int) -> Floats:
        own = self._active[viewer]
        return self._model.item_factors @ (self._model.user_factors[viewer] if own else self._usual)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        return best(self.scores(viewer), n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        pass


def _spans(likes: sparse.csr_matrix):
    for viewer, (start, end) in enumerate(zip(likes.indptr, likes.indptr[1:], strict=False)):
        if end > start:
            yield viewer, (start, end)
