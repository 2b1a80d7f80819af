"""Random exposure: learn from clicks that a production policy brought about, be judged on
impressions that no recommender chose (KuaiRand-Pure).

Everybody scores the same impressions. AUC over all of them also rewards knowing who clicks much;
the AUC within viewers only rewards knowing what each of them clicks. The value off policy is what
would be clicked of 100 videos, had each viewer been shown videos drawn evenly from the tenth of the
catalogue that scores best for them (jhalak.feed.off_policy; every video was as likely to be shown).
Settings are chosen on half of the viewers' impressions, figures are about the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
from bench.figures import figure
from bench.judge.auc import auc, by_viewer
from bench.judge.data import Exposures
from bench.judge.entries import every
from bench.judge.factors import Als, Bpr
from bench.judge.linear import Ease, ItemKNN
from bench.judge.recommender import Floats, Log
from numpy.typing import NDArray

from jhalak.feed.off_policy import Estimate, estimate

AIM = 0.02  # of AUC over the best baseline
BEST = 0.1  # share of the catalogue that the policy draws from
Targets = NDArray[np.float64]


class Scorer(Protocol):
    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None: ...

    def scores(self, viewer: int) -> Floats:
        """float[n_videos], larger for what this viewer is likelier to click."""


class Counts:
    """How often the video, and the viewer, has a logged click: no taste at all."""

    def __init__(self, viewer_weight: float = 0.0) -> None:
        self._weight = viewer_weight

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        assert logged is not None
        self._videos = np.log1p(logged.counts(n_videos))
        self._viewers = np.log1p(np.bincount(logged.viewer, minlength=n_viewers))

    def scores(self, viewer: int) -> Floats:
        return self._videos + np.float32(self._weight * self._viewers[viewer])


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    make: Callable[..., Scorer]
    settings: list[dict[str, Any]] = field(default_factory=lambda: [{}])


BASELINES = [
    Entry("popularity", Counts),
    Entry(
        "viewer and video counts", Counts,
        every(viewer_weight=[0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5]),
    ),
    Entry("ItemKNN", ItemKNN, every(k=[50, 100, 300, 1000], shrink=[0.0, 50.0])),
    Entry("ALS", Als, every(factors=[8, 16, 32, 64], alpha=[1.0, 10.0])),
    Entry("BPR", Bpr, every(factors=[8, 32], learning_rate=[0.02, 0.05], rounds=[10, 40])),
    Entry("EASE", Ease, every(l2=[50.0, 200.0, 800.0, 3000.0], average=[0.0, 3.0])),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    auc: float
    within: float  # the viewers' own, weighted by impressions
    value: Estimate  # clicks an impression, had the best tenth been shown
    settings: dict[str, Any]


def score(make: Callable[[], Scorer], world: Exposures, log: Log) -> tuple[Floats, Targets]:
    """float[impression] each: its score, and how likely who draws from the viewer's best tenth
    would have been to show that video.
    """
    scorer = make()
    scorer.begin(log, world.n_viewers, world.n_videos)
    found = np.empty(len(world.viewer), np.float32)
    target = np.zeros(len(world.viewer))
    few = max(1, int(BEST * world.n_videos))
    order = np.argsort(world.viewer, kind="stable")
    cuts = np.flatnonzero(np.diff(world.viewer[order])) + 1
    for rows in np.split(order, cuts):
        scores = scorer.scores(int(world.viewer[rows[0]]))
        found[rows] = scores[world.video[rows]]
        edge = np.partition(scores, -few)[-few]
        target[rows] = (found[rows] >= edge) / np.count_nonzero(scores >= edge)
    return found, target


def run(
    world: Exposures, ours: Iterable[Entry] = (), entries: Iterable[Entry] = BASELINES
) -> dict[str, Judged]:
    """Tunes and judges everybody: by AUC on one half of the viewers, then on the other."""
    log = Log(
        np.concatenate([world.logged.viewer, world.valid.viewer]),
        np.concatenate([world.logged.video, world.valid.video]),
    )
    report = np.random.default_rng(1).random(world.n_viewers)[world.viewer] < 0.5
    found = {}
    for entry in [*entries, *ours]:
        tried = []
        for settings in entry.settings:
            scores, target = score(partial(entry.make, **settings), world, log)
            tuned = auc(scores[~report], world.clicked[~report])
            tried.append((tuned, settings, scores[report], target[report]))
        _, settings, scores, target = max(tried, key=lambda one: one[0])
        clicked, viewer = world.clicked[report], world.viewer[report]
        values, weights = by_viewer(scores, clicked, viewer)
        within = float(np.average(values, weights=weights))
        even = np.full(len(target), 1.0 / world.n_videos)
        value = estimate(clicked, even, target, groups=viewer)
        found[entry.name] = Judged(auc(scores, clicked), within, value, settings)
    return found


def figures(
    world: Exposures, found: dict[str, Judged], names: Iterable[str]
) -> list[dict[str, Any]]:
    """For scripts/bench; `names` are the baselines'."""
    names = list(names)
    best = max(found[name].auc for name in names)
    within = max(found[name].within for name in names)
    value = 100.0 * max(found[name].value.value for name in names)
    where = f"{'synthetic' if world.synthetic else world.name} random exposure"
    rows = []
    for name, one in found.items():
        free = world.synthetic or name in names
        aim, above = (None, None) if free else (best + AIM, within)
        rows.append(figure(f"{where}, AUC: {name}", one.auc, "", baseline=best, at_least=aim))
        rows.append(
            figure(
                f"{where}, AUC within viewers: {name}", one.within, "", baseline=within,
                at_least=above,
            )
        )  # fmt: skip
        low, high = 100.0 * one.value.low, 100.0 * one.value.high
        rows.append(
            figure(
                f"{where}, off policy, best tenth: {name} [{low:.1f}, {high:.1f}]",
                100.0 * one.value.value, "clicks/100", baseline=value,
            )
        )  # fmt: skip
    return rows
