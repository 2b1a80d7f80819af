"""How good videos are and whom they suit, as a posterior that each page of answers sharpens.

The log-odds that a viewer takes to a video are a sum of four things:

    what is true of videos like it      shared weights times (1, hint, place of the video)
    what is true of this video alone    one number for each video
    what is true of this viewer         one number: some people like little, others nearly all
    what suits this viewer              the viewer's own weights times the place of the video

Each has a Gaussian prior, and the answers to a page move all four by one step of assumed density
filtering: the logistic likelihood is replaced by a Gaussian at the point where the posterior stands
(the extended Kalman filter for a logistic output: Opper, "A Bayesian approach to on-line learning",
1998; the same family as Graepel et al., "Web-scale Bayesian click-through rate prediction", ICML
2010). So a step is as large as what is not known yet, and needs no rate to tune: a video of which
much is known is moved little by one more answer, and an answer of somebody who dislikes everything
says little against the video. Covariance within a part is kept whole; between parts it is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SURE = 1e-3  # least variance of an answer: a step stays bounded however surprising it is
STEPS = 4  # of Newton's method: the odds of a page settle to three digits
STEEPEST = 30.0  # log-odds beyond which nothing is told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Means and variances before any answer, in log-odds. Tuned on half of KuaiRec's viewers."""

    level: float = -3.0  # of an average video for an average viewer
    level_variance: float = 0.5
    hint: float = 1.0  # per unit of hint
    hint_variance: float = 0.1
    shared_variance: float = 0.3  # of a video's place, for everybody
    video_variance: float = 0.1  # of a video alone
    viewer_variance: float = 1.5  # of a viewer's mood
    own_variance: float = 2.0  # of a video's place, for one viewer


class Taste:
    """The posterior. Videos are rows of `places`; viewers are any keys."""

    def __init__(self, places: Floats, hint: Floats, prior: Prior | None = None) -> None:
        """`places` float64[videos, size], `hint` float64[videos]: what is known of each before the
        first answer, one number, about standard normal (for instance how often it was watched).
        Raises ValueError when a number is not finite or the lengths differ.
        """
        if len(places) != len(hint):
            raise ValueError(f"{len(places)} places and {len(hint)} hints")
        if not (np.isfinite(places).all() and np.isfinite(hint).all()):
            raise ValueError("places and hints are finite numbers")
        self.prior = prior = prior or Prior()
        self._places = np.ascontiguousarray(places, np.float64)
        self._facts = np.column_stack([np.ones(len(hint)), hint, self._places])
        size = self._places.shape[1]
        self._mean = np.zeros(size + 2)
        self._mean[:2] = prior.level, prior.hint
        self._cov = np.diag([prior.level_variance, prior.hint_variance] + size * [1.0])
        self._cov[2:, 2:] *= prior.shared_variance
        self._video = np.zeros(len(hint))
        self._video_variance = np.full(len(hint), prior.video_variance)
        self._viewers: dict[Any, _Viewer] = {}
        self._all: Floats | None = None  # shared log-odds of every video, until the next answer

    def scores(self, viewer: Any) -> Floats:
        """float64[videos]: the log-odds that this viewer takes to each video."""
        if self._all is None:
            self._all = self._facts @ self._mean + self._video
        known = self._viewers.get(viewer)
        if known is None:
            return self._all.copy()
        return self._all + (self._places @ known.mean + known.level)

    def learn(self, viewer: Any, videos: Ids, liked: Bools) -> None:
        """Answers of one viewer to different videos, at once. Raises ValueError when a video stands
        twice, or the lengths differ.
        """
        if len(videos) != len(liked) or len(np.unique(videos)) != len(videos):
            raise ValueError("one answer for each of different videos")
        if not len(videos):
            return
        own = self._viewers.get(viewer)
        if own is None:
            own = self._viewers[viewer] = _Viewer.new(self._places.shape[1], self.prior)
        facts, places = self._facts[videos], self._places[videos]
        alone = self._video_variance[videos]
        odds = facts @ self._mean + self._video[videos] + places @ own.mean + own.level
        shared, personal = self._cov @ facts.T, own.cov @ places.T
        unsure = facts @ shared + places @ personal + own.level_variance + np.diag(alone)
        gain, step = _answer(odds, unsure, liked)
        self._mean += shared @ step
        self._cov -= _product(shared, gain)
        self._video[videos] += alone * step
        self._video_variance[videos] -= alone**2 * np.diag(gain)
        own.mean += personal @ step
        own.cov -= _product(personal, gain)
        own.level += own.level_variance * float(step.sum())
        own.level_variance -= own.level_variance**2 * float(gain.sum())
        self._all = None

    def forget(self, viewer: Any) -> None:
        """What is held about one viewer goes; what everybody's answers say together stays."""
        self._viewers.pop(viewer, None)


@dataclass(slots=True)
class _Viewer:
    mean: Floats
    cov: Floats
    level_variance: float
    level: float = 0.0

    @classmethod
    def new(cls, size: int, prior: Prior) -> _Viewer:
        return cls(np.zeros(size), prior.own_variance * np.eye(size), prior.viewer_variance)


def _answer(odds: Floats, cov: Floats, liked: Bools) -> tuple[Floats, Floats]:
    """The Gaussian nearest to what these answers say of log-odds with this prior: Newton's steps to
    the mode (Rasmussen and Williams, Gaussian Processes for Machine Learning, algorithm 3.1). The
    inverse of prior covariance plus noise, and what it makes of the surprise: [n, n] and [n].
    """
    moved = np.zeros_like(odds)
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(odds + moved, -STEEPEST, STEEPEST)))
        noise = 1.0 / np.maximum(chance * (1.0 - chance), SURE)
        gain = np.asarray(np.linalg.inv(cov + np.diag(noise)), np.float64)
        step = gain @ (moved + noise * (liked - chance))
        moved = cov @ step
    return gain, step


def _product(left: Floats, middle: Floats) -> Floats:
    """left @ middle @ left.T, symmetric to the last bit, so that a covariance stays one."""
    product = left @ middle @ left.T
    return np.asarray((product + product.T) / 2.0)
