"""Real viewing logs, when the shared folder is there. They are never part of the repository.

KuaiRec (Gao et al., CIKM 2022, CC BY-SA 4.0), a short-video app: 705 viewers whose true answer to
each of 3,327 videos is known, and the likes of 7,176 viewers in the app's own biased log. A like is
a watch of at least twice the length. KuaiRand-Pure (Gao et al., CIKM 2022, CC BY-SA 4.0): clicks
under the production policy, and impressions at random. Amazon Beauty (2014, 5-core): one line a
viewer, in time order.

Leakage: none of the 705 viewers has a logged like of one of the 3,327 videos; `kuairec` checks it.
Their history is about other videos.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench.judge.recommender import Bools, Ids, Log

SHARED = Path(__file__).parents[3] / "shared" / "data"


def here(folder: Path = SHARED) -> bool:
    return all((folder / name).is_dir() for name in ("kuairec", "kuairand", "sequences"))


@dataclass(frozen=True, slots=True)
class World:
    """`liked[i, j]`: would `viewers[i]` like `catalogue[j]`? Known for every pair."""

    name: str
    synthetic: bool
    logged: Log
    n_viewers: int
    n_videos: int
    viewers: Ids
    catalogue: Ids
    liked: Bools

    def of(self, rows: Ids) -> World:
        """The same world, judged on some of its viewers (row numbers of `liked`)."""
        return World(
            self.name, self.synthetic, self.logged, self.n_viewers, self.n_videos,
            self.viewers[rows], self.catalogue, self.liked[rows],
        )  # fmt: skip

    def halves(self, seed: int = 1) -> tuple[World, World]:
        """Viewers for tuning, and others for the report."""
        order = np.random.default_rng(seed).permutation(len(self.viewers))
        half = len(order) // 2
        return self.of(np.sort(order[:half])), self.of(np.sort(order[half:]))


@dataclass(frozen=True, slots=True)
class Exposures:
    """Clicks to learn from, and impressions that no recommender chose to be judged on."""

    name: str
    synthetic: bool
    logged: Log
    valid: Log
    n_viewers: int
    n_videos: int
    viewer: Ids
    video: Ids
    clicked: Bools


def kuairec(folder: Path = SHARED) -> World:
    """Raises FileNotFoundError without the data, ValueError if the log holds an answer."""
    logged = np.load(folder / "kuairec" / "logged.npz")
    observed = np.load(folder / "kuairec" / "observed.npz")
    log = Log(
        np.concatenate([logged["train_user"], logged["valid_user"]]).astype(np.int64),
        np.concatenate([logged["train_video"], logged["valid_video"]]).astype(np.int64),
    )
    viewers = observed["users"].astype(np.int64)
    catalogue = observed["videos"].astype(np.int64)
    if (np.isin(log.viewer, viewers) & np.isin(log.video, catalogue)).any():
        raise ValueError("the log holds answers that the judge asks for")
    liked = np.unpackbits(observed["liked"], axis=1)[:, : len(catalogue)].astype(bool)
    n_viewers = int(max(log.viewer.max(), viewers.max())) + 1
    n_videos = int(max(log.video.max(), catalogue.max())) + 1
    return World("KuaiRec", False, log, n_viewers, n_videos, viewers, catalogue, liked)


def kuairand(folder: Path = SHARED) -> Exposures:
    logged = np.load(folder / "kuairand" / "logged.npz")
    shown = np.load(folder / "kuairand" / "random_exposure.npz")
    train = Log(logged["train_user"].astype(np.int64), logged["train_video"].astype(np.int64))
    valid = Log(logged["valid_user"].astype(np.int64), logged["valid_video"].astype(np.int64))
    viewer, video = shown["user"].astype(np.int64), shown["video"].astype(np.int64)
    n_viewers = int(max(train.viewer.max(), valid.viewer.max(), viewer.max())) + 1
    n_videos = int(max(train.video.max(), valid.video.max(), video.max())) + 1
    clicked = shown["click"].astype(bool)
    return Exposures("KuaiRand", False, train, valid, n_viewers, n_videos, viewer, video, clicked)


def beauty(folder: Path = SHARED) -> list[list[int]]:
    """Each viewer's videos in time order (here: products), numbered from 0."""
    lines = (folder / "sequences" / "Beauty.txt").read_text("ascii").splitlines()
    return [[int(word) - 1 for word in line.split()[1:]] for line in lines]
