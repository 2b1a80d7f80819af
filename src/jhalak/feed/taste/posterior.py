"""How good videos are and whom they suit, as a posterior that each answer sharpens.

The log-odds that a viewer takes to a video are a sum of four things:

    what is true of videos like it      shared weights times (1, place of the video)
    what is true of this video alone    one number for each video
    what is true of this viewer         one number: some people like little, others nearly all
    what suits this viewer              the viewer's own weights times the place of the video

Each has a Gaussian prior, and an answer moves all four by one step of assumed density filtering:
the logistic likelihood is replaced by a Gaussian at the mode of the posterior (the extended Kalman
filter for a logistic output: Opper, "A Bayesian approach to on-line learning", 1998; the same
family as Graepel et al., "Web-scale Bayesian click-through rate prediction", ICML 2010). So a step
is as large as what is not known yet, and needs no rate to tune: a video of which much is known is
moved little by one more answer, and an answer of somebody who dislikes everything says little
against the video. Covariance within a part is kept whole; between parts it is dropped.

The last coordinate of a place says how much the video was watched before, if anything does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

STEEPEST = 30.0  # log-odds beyond which nothing is told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Means and variances before any answer, in log-odds. Variances tuned on half of KuaiRec's
    viewers.
    """

    level: float = 0.0  # of an average video for an average viewer
    level_variance: float = 0.5
    popular: float = 0.0  # per unit of a place's last coordinate
    shared_variance: float = 0.3  # of a video's place, for everybody
    video_variance: float = 0.1  # of a video alone
    mood_variance: float = 1.5  # of a viewer's mood
    own_variance: float = 1.0  # of a video's place, for one viewer
    fade: float = 0.995  # what is known of a viewer fades to this part with each further answer


class Own:
    """What is held about one viewer: mood, and how each coordinate of a place suits them.
    `mean` float32[size], `cov` float32[size, size], symmetric.
    """

    __slots__ = ("cov", "level", "level_variance", "mean")

    def __init__(self, mean: Floats, cov: Floats, level: float, level_variance: float) -> None:
        self.mean, self.cov = mean, cov
        self.level, self.level_variance = level, level_variance

    def copy(self) -> Own:
        return Own(self.mean.copy(), self.cov.copy(), self.level, self.level_variance)


class Learner:
    """What everybody's answers say together: `mean` float64[1 + size] and `cov`, its square.
    Places are float32 and contiguous throughout. For one thread at a time.
    """

    def __init__(self, size: int, prior: Prior) -> None:
        _kernel()  # loaded now, and not by the first answer
        self.size, self.prior = size, prior
        self._fading = (prior.fade, prior.own_variance, prior.mood_variance)
        self._shared = np.empty(1 + size)  # room for the kernel to work in
        self._personal = np.empty(size, np.float32)
        self.mean = np.zeros(1 + size)
        self.cov = np.diag([prior.level_variance] + size * [prior.shared_variance])
        self.mean[0] = prior.level
        self.forget_places()

    def forget_places(self) -> None:
        """The places are others now: what was learnt about coordinates goes."""
        prior, size = self.prior, self.size
        self.mean[1:] = 0.0
        if size:
            self.mean[-1] = prior.popular
        self.cov[1:, :] = self.cov[:, 1:] = 0.0
        self.cov[1:, 1:] = prior.shared_variance * np.eye(size)

    def new(self) -> Own:
        """What is held about somebody who has not answered yet."""
        prior = self.prior
        cov = np.diag(np.full(self.size, prior.own_variance, np.float32))
        return Own(np.zeros(self.size, np.float32), cov, 0.0, prior.mood_variance)

    def everybody(self, places: Floats, alone: Floats) -> Floats:
        """float[n]: log-odds of an average viewer. `places` float[n, size], `alone` float[n]."""
        return np.asarray(places @ self.mean[1:] + self.mean[0] + alone)

    def average(self, place: Floats, alone: float) -> float:
        """Log-odds of an average viewer, of one video."""
        return float(self.mean[1:] @ place) + self.mean.item(0) + alone

    def chance(self, own: Own, place: Floats, alone: float) -> float:
        """In (0, 1): how this viewer takes to this video, as far as known."""
        return _logistic(self.average(place, alone) + own.level + float(own.mean @ place))

    def learn(
        self,
        own: Own,
        place: Floats,
        alone: float,
        unsure: float,
        answer: float,
        *,
        shared: bool = True,
    ) -> tuple[float, float]:
        """One answer in [0, 1]: 0 is dislike, 1 is like. `alone` and `unsure`: mean and variance of
        what is true of this video alone; returned as they are now. `own` is changed. Not `shared`:
        nothing else is.
        """
        if not shared:
            self.learn_own(own, place, self.average(place, alone), answer)
            return alone, unsure
        alone, unsure, own.level, own.level_variance = _kernel().learn(
            self.mean, self.cov, own.mean, own.cov, own.level, own.level_variance,
            place, alone, unsure, answer, *self._fading, self._shared, self._personal,
        )  # fmt: skip
        return alone, unsure

    def correct(self, place: Floats, alone: float, unsure: float, change: float) -> float:
        """An answer was another by `change`, as a view went on: to first order what it should have
        taught about the video (in a Kalman filter it would be exact). Returns `alone`.
        """
        facts = np.empty(1 + self.size)
        facts[0], facts[1:] = 1.0, place
        self.mean += (self.cov @ facts) * change
        return alone + unsure * change

    def learn_own(self, own: Own, place: Floats, common: float, answer: float) -> None:
        """An answer in [0, 1] that says something about the viewer only; `common`: the log-odds of
        an average viewer. `own` is changed.
        """
        self._learn_own(own, place[None], np.array([common]), np.array([answer]))

    def relearn(self, places: Floats, alone: Floats, answers: Floats) -> Own:
        """What is held about a viewer, from answers given again, oldest first, against what is now
        known of the videos. `places` float[n, size], `alone` and `answers` float[n].
        """
        own = self.new()
        self._learn_own(own, places, self.everybody(places, alone), answers.astype(np.float64))
        return own

    def influence(self, own: Own, place: Floats, answered: Floats, surprise: Floats) -> Floats:
        """float[n]: by how much each answer given raises the log-odds of a video at `place`, to
        first order (the influence function: Koh and Liang, ICML 2017). `answered` float[n, size]:
        places of the videos answered; `surprise` float[n]: answer less chance.
        """
        return np.asarray((answered @ (own.cov @ place)) * surprise)

    def _learn_own(self, own: Own, places: Floats, common: Floats, answers: Floats) -> None:
        own.level, own.level_variance = _kernel().learn_own(
            own.mean, own.cov, own.level, own.level_variance,
            places, common, answers, *self._fading, self._personal,
        )  # fmt: skip


@cache
def _kernel() -> Any:
    """numba costs 0.7 s and 125 MB: it is for who learns only."""
    from jhalak.feed.taste import kernel

    return kernel


def _logistic(odds: float) -> float:
    return 1.0 / (1.0 + exp(-min(STEEPEST, max(-STEEPEST, odds))))
