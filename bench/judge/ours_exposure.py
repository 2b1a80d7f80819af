"""Jhalak at random exposure: what clicks alone say about impressions that nobody chose.

The log holds clicks and no impressions, and who was shown what was the choice of a policy. Three
things are read out of it, each divided by its own spread so that weights compare:

    quality   log clicks of the video, less what its clickers explain: clicks of people who click
              much of what everybody clicks say less about the video
    taste     the video's place (jhalak.feed.taste) times the mean place of what the viewer clicked
    company   how busy the videos are that the viewer clicks. How often somebody would click at
              random cannot be counted without impressions; who shares clicks with many does more

Places come from a matrix without popularity, so that it enters once, by its own weight.
"""

from __future__ import annotations

import numpy as np
from bench.judge.entries import every
from bench.judge.exposure import Entry
from bench.judge.recommender import Floats, Log
from numpy.typing import NDArray
from scipy import sparse

from jhalak.feed.taste import places

DOUBT = 10.0  # clicks at no more than usual company that every video is given
BUSY = 0.75  # power of a video's clicks that divides its clickers' clicks: 1 is their mean
EXPLAINED = 0.5  # of quality's spread that the clickers' company takes back


class Ours:
    def __init__(self, size: int = 64, taste: float = 1.0, company: float = 1.0) -> None:
        self._size, self._taste, self._company = size, taste, company

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        if logged is None:
            raise ValueError("this one is fitted on a log")
        clicks = logged.matrix(n_viewers, n_videos).astype(np.float64)
        clicked = np.asarray(clicks.sum(0)).ravel()
        mean = sparse.diags(1.0 / np.maximum(np.asarray(clicks.sum(1)).ravel(), 1.0)) @ clicks
        company = _company(clicks, mean)
        explained = (clicks.T @ company) / (clicked + DOUBT)
        quality = _spread(np.log1p(clicked)) - EXPLAINED * _spread(explained)
        where = places(logged.viewer, logged.video, n_videos, self._size)
        who = mean @ where
        some = who[np.linspace(0, n_viewers - 1, min(n_viewers, 500)).astype(int)] @ where.T
        self._who, self._where = who, self._taste / max(float(some.std()), 1e-9) * where
        self._rest = quality, self._company * company

    def scores(self, viewer: int) -> Floats:
        quality, company = self._rest
        found = quality + company[viewer] + self._where @ self._who[viewer]
        return found.astype(np.float32)


def _company(clicks: sparse.csr_matrix, mean: sparse.csr_matrix) -> NDArray[np.float64]:
    """float[viewer], in standard deviations; 0 for who clicked nothing."""
    each = np.asarray(clicks.sum(1)).ravel()
    busy = (clicks.T @ each) / np.maximum(np.asarray(clicks.sum(0)).ravel(), 1.0) ** BUSY
    found = np.asarray(mean @ busy)
    found[each > 0] = _spread(np.log(found[each > 0]))
    return found


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return (values - values.mean()) / max(float(values.std()), 1e-9)


SCORERS = [
    Entry("Jhalak", Ours, every(size=[32, 64], taste=[0.7, 1.2], company=[0.8, 1.4])),
]  # fmt: skip
