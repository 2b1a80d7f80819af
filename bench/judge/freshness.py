"""What it costs to serve a model that is behind: AUC by synchronisation interval.

Shaped as table 2 of the Monolith paper (Liu et al., "Monolith: real time recommendation system with
collisionless embedding table", 2022), which trains online and copies the model to serving every
minutes or hours. Here viewers answer videos that chance chose, a page each in turn; each answer is
predicted by the copy that is served, then learnt by the model behind it, which is copied every so
many answers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from bench.figures import figure
from bench.judge.auc import auc
from bench.judge.data import World
from bench.judge.ours import POPULAR, RARE, described_log
from bench.judge.taste import Taste

from jhalak.feed.taste import SIZE, Prior

PAGE, PAGES = 10, 10
INTERVALS = (10, 100, 1_000, 10_000)  # answers; the smallest is every page


def run(
    world: World, intervals: Sequence[int] = INTERVALS, *, pages: int = PAGES, seed: int = 1
) -> dict[int | None, float]:
    """AUC over all impressions by interval; None: what was known before is never renewed."""
    places = described_log(world.logged, world.n_videos, SIZE)[world.catalogue]
    live = Taste(places, Prior(level=RARE, popular=POPULAR))
    copies = {interval: copy.deepcopy(live) for interval in (*intervals, None)}
    rng = np.random.default_rng(seed)
    shown = np.stack([rng.permutation(len(places))[: PAGE * pages] for _ in world.viewers])
    scores: dict[int | None, list[np.ndarray]] = {interval: [] for interval in copies}
    liked, learnt = [], 0
    for turn in range(pages):
        for row in rng.permutation(len(world.viewers)).tolist():
            page = shown[row, turn * PAGE : (turn + 1) * PAGE]
            for interval, served in copies.items():
                scores[interval].append(served.scores(row)[page])
            answers = world.liked[row, page]
            liked.append(answers)
            live.learn(row, page, answers)
            for interval in intervals:
                if (learnt + PAGE) // interval > learnt // interval:
                    copies[interval] = copy.deepcopy(live)
            learnt += PAGE
    truth = np.concatenate(liked)
    return {interval: auc(np.concatenate(found), truth) for interval, found in scores.items()}


def figures(world: World) -> list[dict[str, Any]]:
    _, report = world.halves()
    found = run(report)
    where = "synthetic freshness" if world.synthetic else f"{world.name} freshness"
    return [
        figure(
            f"{where}: AUC, served model copied every {interval:,} answers",
            found[interval], "", baseline=found[None],
            at_least=None if world.synthetic else found[None],
        )
        for interval in INTERVALS
    ]  # fmt: skip
