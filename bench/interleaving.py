"""How many views until a better setting is known as better: interleaved, and as an A/B.

Synthetic: a generated crowd in front of the real engine. People take more to what is new than the
control's weights say, so that the arm is better; how easily somebody likes anything differs much
more from person to person than one arm from the other, as it does on real platforms. Both kinds of
experiment run through the log, with the same crowd and the same always-valid test at 95 %, and are
looked at after every 25 viewers.
"""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple

import numpy as np
from bench.figures import figure

from jhalak.feed import Config, Engine, Pick, Query, Slate
from jhalak.feed import events as ev
from jhalak.feed.config import HOUR_MS
from jhalak.feed.experiments.plans import SHORTEST_MS
from jhalak.feed.experiments.results import Verdict

NOW = 1_790_000_000_000
VIDEOS, PAGE, LENGTH_MS = 240, 8, 10_000
SEEDS = range(5)
LOOK, MOST = 25, 2_000  # viewers between two looks, and at most
APART_MS = 60_000  # one viewer after the other
LOVE_OF_NEW = 0.3  # more of the newest is liked than of the oldest
ARM = (ev.Arm("newer", {"weights.fresh": 5.0}),)


class Ended(NamedTuple):
    """`views` until the arm was told to be better; all of them when it never was."""

    views: int
    viewers: int
    told: bool


class Crowd:
    """Videos from an hour to ten days old, and people who like some 4 to 60 of 100."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        hours = self._rng.permutation(np.linspace(1.0, 240.0, VIDEOS))
        self._new = 2.0 ** (-hours / 48.0)
        self.videos = [
            ev.Published(
                video=number + 1, author=1_000 + number % 60, channel=f"c{number % 12}",
                tags=(), language="hi", duration_ms=LENGTH_MS,
                published_ms=int(NOW - age * HOUR_MS),
            )
            for number, age in enumerate(hours)
        ]  # fmt: skip

    def somebody(self) -> tuple[float, int]:
        """How easily this one likes, and how many clips they watch."""
        return float(self._rng.beta(1.0, 2.5)), 4 + int(self._rng.poisson(16.0))

    def watched(self, viewer: str, ease: float, slate: Slate, pick: Pick, now: int) -> ev.Watched:
        chance = ease * (1.0 - LOVE_OF_NEW) + LOVE_OF_NEW * self._new[pick.video - 1]
        good = self._rng.random() < chance
        return ev.Watched(
            viewer,
            pick.video,
            ev.WatchKind.FINISHED if good else ev.WatchKind.SKIPPED,
            LENGTH_MS if good else LENGTH_MS // 20,
            LENGTH_MS,
            now,
            slate.slate,
            source=pick.source,
            arms=pick.arms,
        )


def until_told(seed: int, interleaved: bool) -> Ended:
    crowd, engine = Crowd(seed), Engine.new(Config(source_deadline_ms=1e9, score_deadline_ms=1e9))
    offset = 0

    def tell(events: list[ev.Event]) -> None:
        nonlocal offset
        engine.observe(list(enumerate(events, offset + 1)))
        offset += len(events)

    started = ev.ExperimentStarted(
        name="newer", layer="feed", share=1000, arms=ARM, window_ms=SHORTEST_MS,
        ends_ms=NOW + 30 * 24 * HOUR_MS, reason="Is newer better?", at_ms=NOW,
        interleaved=interleaved,
    )  # fmt: skip
    tell([*crowd.videos, started])
    views = 0
    for number in range(1, MOST + 1):
        viewer, now = f"g{seed}.{number}", NOW + number * APART_MS
        ease, patience = crowd.somebody()
        while patience:
            slate = engine.slate(Query(viewer=viewer, now_ms=now, n=PAGE))
            seen = [
                crowd.watched(viewer, ease, slate, pick, now) for pick in slate.picks[:patience]
            ]
            patience -= len(seen)
            views += len(seen)
            tell(seen)
        if number % LOOK == 0:
            (found,) = engine.report()["experiments"]
            if found["arms"][1]["verdict"] == Verdict.BETTER:
                return Ended(views, number, True)
    return Ended(views, MOST, False)


def run() -> list[dict[str, Any]]:
    apart = [until_told(seed, interleaved=False) for seed in SEEDS]
    mixed = [until_told(seed, interleaved=True) for seed in SEEDS]
    ab, turns = (statistics.median(one.views for one in ended) for ended in (apart, mixed))
    where = "synthetic crowd"
    told = {name: sum(one.told for one in ended) for name, ended in
            (("A/B", apart), ("interleaved", mixed))}  # fmt: skip
    return [
        figure(f"{where}: better arm told, A/B", told["A/B"], f"of {len(SEEDS)}"),
        figure(
            f"{where}: better arm told, interleaved", told["interleaved"], f"of {len(SEEDS)}",
            baseline=told["A/B"],
        ),
        figure(f"{where}: views until it is told, A/B (at least)", ab, "views"),
        figure(f"{where}: views until it is told, interleaved", turns, "views", baseline=ab),
        figure(f"{where}: of the A/B's views, interleaved needs", turns / ab, "x", at_most=1.0),
    ]  # fmt: skip
