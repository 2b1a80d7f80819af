"""A generated world in the shape of KuaiRec, for where the real logs are not: always labelled
synthetic, and it says nothing about real viewers.

Tastes are of low rank; some videos please more people than others, and some viewers like more. The
log is biased as a real one: what is popular was shown more often. As in KuaiRec, the judged viewers
have no logged view of a video that is asked about.
"""

from __future__ import annotations

import numpy as np
from bench.judge.data import Exposures, World
from bench.judge.recommender import Log
from numpy.typing import NDArray

RANK = 8
LIKE_RATE = 0.048  # of KuaiRec's observed matrix
LOGGED = 0.16  # share of all pairs that the app had shown; KuaiRec's is 16.3 %
POPULAR_FIRST = 1.0  # how strongly a video's appeal raised its chance to be shown


def _logit(viewer, video, appeal, ease_of_viewer) -> NDArray[np.float64]:
    """float[viewer, video]: log odds of a like."""
    return viewer @ video.T + appeal[None] + ease_of_viewer[:, None]


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-x))


def kuairec(share: float = 1.0, seed: int = 1) -> World:
    """`share` of KuaiRec's viewers and videos; 1.0 takes about 20 s and 1 GB."""
    rng = np.random.default_rng(seed)
    n_viewers, n_videos = int(7176 * share), int(10728 * share)
    judged, asked = max(2, int(705 * share)), max(20, int(3327 * share))
    tastes = rng.normal(0, 1.1 / np.sqrt(np.sqrt(RANK)), (n_viewers, RANK))
    looks = rng.normal(0, 1.1 / np.sqrt(np.sqrt(RANK)), (n_videos, RANK))
    appeal = rng.normal(0, 1.0, n_videos)
    ease_of_viewer = rng.normal(0, 0.8, n_viewers) + np.log(LIKE_RATE) - 1.4
    viewers = np.sort(rng.choice(n_viewers, judged, replace=False))
    catalogue = np.sort(rng.choice(n_videos, asked, replace=False))
    shown = np.exp(POPULAR_FIRST * appeal)
    shown = np.clip(LOGGED * shown / shown.mean(), 0, 1)
    who, what = [], []
    answers = np.zeros((judged, asked), bool)
    for viewer in range(n_viewers):
        logit = _logit(tastes[viewer][None], looks, appeal, ease_of_viewer[viewer : viewer + 1])[0]
        likes = rng.random(n_videos) < _sigmoid(logit)
        seen = rng.random(n_videos) < shown
        row = np.searchsorted(viewers, viewer)
        if row < judged and viewers[row] == viewer:
            answers[row] = likes[catalogue]
            seen[catalogue] = False
        found = np.flatnonzero(likes & seen)
        who.append(np.full(len(found), viewer))
        what.append(found)
    log = Log(np.concatenate(who).astype(np.int64), np.concatenate(what).astype(np.int64))
    return World(
        "generated in KuaiRec's shape", True, log, n_viewers, n_videos,
        viewers.astype(np.int64), catalogue.astype(np.int64), answers,
    )  # fmt: skip


def kuairand(share: float = 1.0, seed: int = 1) -> Exposures:
    """Clicks of an exposure that favours the popular, and impressions at random."""
    rng = np.random.default_rng(seed)
    n_viewers, n_videos = int(19685 * share), int(5169 * share)
    tastes = rng.normal(0, 0.6, (n_viewers, RANK))
    looks = rng.normal(0, 0.6, (n_videos, RANK))
    appeal = rng.normal(0, 0.7, n_videos)
    ease_of_viewer = rng.normal(-1.8, 0.8, n_viewers)
    popular = np.exp(POPULAR_FIRST * appeal)

    def clicks(impressions: int, chance: NDArray[np.float64] | None):
        viewer = rng.integers(0, n_viewers, impressions)
        video = rng.choice(n_videos, impressions, p=chance)
        logit = (tastes[viewer] * looks[video]).sum(1) + appeal[video] + ease_of_viewer[viewer]
        return viewer, video, rng.random(impressions) < _sigmoid(logit)

    viewer, video, clicked = clicks(int(1_200_000 * share), popular / popular.sum())
    log = Log(viewer[clicked], video[clicked])
    valid = rng.random(len(log.viewer)) < 0.3
    viewer, video, clicked = clicks(int(293_050 * share), None)
    return Exposures(
        "generated in KuaiRand's shape", True,
        Log(log.viewer[~valid], log.video[~valid]), Log(log.viewer[valid], log.video[valid]),
        n_viewers, n_videos, viewer, video, clicked,
    )  # fmt: skip


def sequences(viewers: int = 2000, items: int = 600, seed: int = 1) -> list[list[int]]:
    """Lines in which two items of three are near the one before, and the others are popular."""
    rng = np.random.default_rng(seed)
    popular = 1.0 / np.arange(1, items + 1) ** 0.7
    order = rng.permutation(items)
    lines = []
    for _ in range(viewers):
        line = [int(rng.integers(items))]
        while len(line) < 5 + rng.poisson(4):
            near = (line[-1] + int(rng.integers(1, 5))) % items
            far = int(order[rng.choice(items, p=popular / popular.sum())])
            after = near if rng.random() < 2 / 3 else far
            if after not in line:
                line.append(after)
        lines.append(line)
    return lines
