"""Hand-made worlds for the judge, small enough to count on fingers."""

from __future__ import annotations

import numpy as np
from bench.judge.data import World
from bench.judge.recommender import Log


def tiny(liked, logged=((), ()), n_viewers=4, n_videos=12) -> World:
    """Viewers 1, 3, ... are judged; the catalogue is the videos 2, 3, ..."""
    answers = np.asarray(liked, bool)
    viewer, video = logged
    return World(
        "tiny", True, Log(np.array(viewer, np.int64), np.array(video, np.int64)),
        n_viewers, n_videos, 2 * np.arange(len(answers)) + 1, 2 + np.arange(answers.shape[1]),
        answers,
    )  # fmt: skip


class Fixed:
    """Shows these pages one after the other, and remembers what it was told."""

    def __init__(self, *pages):
        self.pages, self.turn, self.seen, self.began = pages, {}, [], None

    def begin(self, logged, n_viewers, n_videos):
        self.began = logged

    def page(self, viewer, n, closed):
        turn = self.turn.get(viewer, 0)
        self.turn[viewer] = turn + 1
        return np.asarray(self.pages[turn])

    def observe(self, viewer, videos, liked):
        self.seen.append((viewer, videos.tolist(), liked.tolist()))
