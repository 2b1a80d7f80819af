"""Jhalak's picker for owed slots: pays everybody first, then asks where an answer decides most.

The log-odds of a like are the viewer's mood plus the video's quality (Rasch, 1960), both with a
Gaussian prior whose variance is found on the way (empirical Bayes): a viewer who dislikes
everything says little against a video, and is shown the one where little is at stake. How far a
mood follows from how often the viewer liked before is fitted too. Each video's likes among all
viewers who came are known answers plus expected ones, with a variance. Shown is the video whose
answer takes most doubt away near the edge between the best tenth and the rest: the
allocation of OCBA-m (Chen, He, Fu and Lee, "Efficient simulation budget allocation for selecting an
optimal subset", INFORMS Journal on Computing 20, 2008), with the reduction of variance by one
answer of this viewer in place of sampling noise that is the same for all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from bench.judge.recommender import Bools, Ids, Log
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

BEST = 0.1  # the share that is looked for
DOUBT = 3.0  # likes that every viewer is given, so that none is not minus infinity
EVERY = 50  # answers between two fits of everything; one answer moves only its own video
STEPS = 2  # of Newton's method, by parts, at each fit: it begins where the last one ended
LEAST, MOST = 0.1, 4.0  # variances of the priors stay between


class Focus:
    def __init__(self, seed: int = 1) -> None:
        """`seed` is the judge's; nothing is drawn."""

    def begin(self, n: int, owed: int, logged: Log | None) -> None:
        self._owed, self._k = owed, max(1, int(n * BEST))
        self._busy = _busy(logged)
        self._shown = np.zeros(n, np.int64)
        self._rows: dict[int, int] = {}
        self._asked = np.zeros((0, n), bool)
        self._liked = np.zeros((0, n), bool)
        self._level, self._mood_prior, self._prior = -3.0, 1.0, 0.5
        self._slope = 0.0  # of the mood by how busy the viewer was
        self._hint = np.zeros(0)  # how busy, by row
        self._mood = np.zeros(0)  # what the hint does not say of it
        self._quality = np.zeros(n)
        self._doubt = np.full(n, self._prior)  # variance of quality
        self._open = np.ones(n)  # variance of the answers that are still out, at known quality
        self._total = np.zeros(n)  # likes among all viewers, as expected
        self._since = 0

    def pick(self, viewer: int, seen: Bools) -> int:
        value = np.where(seen, -1.0, self._value(self._chance(self._row(viewer))))
        owed = (self._shown < self._owed) & ~seen
        if owed.any():
            value[~owed | (self._shown > self._shown[owed].min())] = -1.0
        return int(np.argmax(value))

    def observe(self, viewer: int, place: int, liked: bool) -> None:
        row = self._row(viewer)
        chance = float(self._chance(row)[place])
        says, doubt = chance * (1.0 - chance), self._doubt[place]
        moved = doubt / (1.0 + says * doubt)
        surprise = float(liked) - chance
        self._total[place] += surprise * (1.0 + self._open[place] * moved)
        self._quality[place] += moved * surprise
        self._doubt[place] = moved
        self._open[place] = max(self._open[place] - says, 1e-6)
        self._asked[row, place], self._liked[row, place] = True, liked
        self._shown[place] += 1
        self._since += 1
        if self._since >= EVERY:
            self._fit()

    def guess(self, k: int) -> Ids:
        return np.argsort(-self._total, kind="stable")[:k]

    def _value(self, chance: Numbers) -> Numbers:
        """How much doubt about the edge one answer takes away: the density of the video's total at
        the edge times the variance that goes.
        """
        says = chance * (1.0 - chance)
        variance = np.maximum(self._open + self._open**2 * self._doubt, 1e-9)
        goes = says * (1.0 + self._open * self._doubt) ** 2
        above = np.partition(self._total, (-self._k - 1, -self._k))
        edge = (above[-self._k] + above[-self._k - 1]) / 2.0
        near = np.exp(-0.5 * (self._total - edge) ** 2 / variance) / np.sqrt(variance)
        return np.asarray(near * goes)

    def _chance(self, row: int) -> Numbers:
        return _sigmoid(self._moods(row) + self._quality)

    def _row(self, viewer: int) -> int:
        row = self._rows.setdefault(viewer, len(self._rows))
        if row >= len(self._mood):
            more = np.zeros((64, len(self._shown)), bool)
            self._asked = np.concatenate([self._asked, more])
            self._liked = np.concatenate([self._liked, more])
            self._mood = np.concatenate([self._mood, np.zeros(64)])
            self._hint = np.concatenate([self._hint, np.zeros(64)])
        self._hint[row] = self._busy.get(viewer, 0.0)
        return row

    def _fit(self) -> None:
        """Level, quality and moods on all answers, each by a step of Newton's method in turn; what
        moods have in common with the hint becomes the slope's.
        """
        came = len(self._rows)
        asked, liked, mood = self._asked[:came], self._liked[:came], self._mood[:came]
        hint = self._hint[:came]
        for _ in range(STEPS):
            surprise, says = self._answers(asked, liked)
            self._level += surprise.sum() / (says.sum() + 1.0)
            known = says.sum(0) + 1.0 / self._prior
            self._quality += (surprise.sum(0) - self._quality / self._prior) / known
            surprise, says = self._answers(asked, liked)
            mood_known = says.sum(1) + 1.0 / self._mood_prior
            mood += (surprise.sum(1) - mood / self._mood_prior) / mood_known
            follows = float(mood @ hint) / (float(hint @ hint) + 1.0)
            self._slope += follows
            mood -= follows * hint
        chance = self._chances(came)
        says = chance * (1.0 - chance)
        self._doubt = 1.0 / ((says * asked).sum(0) + 1.0 / self._prior)
        self._open = np.maximum((says * ~asked).sum(0), 1e-6)
        self._total = liked.sum(0) + (chance * ~asked).sum(0)
        self._prior = _nearer(self._prior, self._quality**2 + self._doubt)
        self._mood_prior = _nearer(self._mood_prior, mood**2 + 1.0 / mood_known)
        self._since = 0

    def _answers(self, asked: Bools, liked: Bools) -> tuple[Numbers, Numbers]:
        """What was not expected of each answer that came, and its variance; 0 elsewhere."""
        chance = self._chances(len(asked)) * asked
        return liked - chance, chance * (1.0 - chance)

    def _chances(self, came: int) -> Numbers:
        return _sigmoid(self._moods(slice(came))[:, None] + self._quality)

    def _moods(self, rows: int | slice) -> Any:
        return self._level + self._slope * self._hint[rows] + self._mood[rows]


def _busy(logged: Log | None) -> dict[int, float]:
    """How often each viewer liked before, as log counts in standard deviations from the mean."""
    if logged is None or not len(logged.viewer):
        return {}
    viewers, counts = np.unique(logged.viewer, return_counts=True)
    logs = np.log(counts + DOUBT)
    spread = (logs - logs.mean()) / max(float(logs.std()), 1e-9)
    return dict(zip(viewers.tolist(), spread.tolist(), strict=True))


def _sigmoid(odds: Numbers) -> Numbers:
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _nearer(prior: float, squares: Numbers) -> float:
    """A fifth of the way to what the squares say: the fit it follows from is not finished."""
    return float(np.clip(0.8 * prior + 0.2 * squares.mean(), LEAST, MOST))
