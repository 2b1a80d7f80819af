"""Jhalak's learner with a catalogue and viewers of its own, as the judge's parts need it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jhalak.feed.taste import Learner, Own, Prior

Ids = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]


class Taste:
    """Videos are rows of `places`; viewers are any keys."""

    def __init__(self, places: Floats, prior: Prior | None = None) -> None:
        """`places` float[videos, size]. Raises ValueError for a number that is not finite."""
        if not np.isfinite(places).all():
            raise ValueError("places are finite numbers")
        prior = prior or Prior()
        self._places = np.ascontiguousarray(places, np.float32)
        self._learner = Learner(self._places.shape[1], prior)
        self._alone = np.zeros(len(places))
        self._unsure = np.full(len(places), prior.video_variance)
        self._viewers: dict[Any, Own] = {}
        self._all: Floats | None = None  # log-odds for everybody, until the next answer

    def scores(self, viewer: Any) -> Floats:
        """float[videos]: the log-odds that this viewer takes to each video."""
        if self._all is None:
            self._all = self._learner.everybody(self._places, self._alone)
        own = self._viewers.get(viewer)
        if own is None:
            return self._all.copy()
        return np.asarray(self._all + (self._places @ own.mean + own.level))

    def learn(self, viewer: Any, videos: Ids, answers: Floats | npt.NDArray[np.bool_]) -> None:
        """Answers of one viewer, one after the other: in [0, 1], or true for a like."""
        own = self._viewers.get(viewer)
        if own is None:
            own = self._viewers[viewer] = self._learner.new()
        for video, answer in zip(videos.tolist(), answers.tolist(), strict=True):
            self._alone[video], self._unsure[video] = self._learner.learn(
                own,
                self._places[video],
                self._alone.item(video),
                self._unsure.item(video),
                float(answer),
            )
        self._all = None
