"""Who takes part in the closed loop, and the settings each may try.

Equal effort: each baseline that has settings tries EFFORT of them, on the tuning half of the
viewers, with the whole log; what wins stands in tuned.json (bench.judge.tuning) and is used for
every figure.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.judge.counting import LikeRate, Popularity, Random
from bench.judge.factors import Als, Bpr
from bench.judge.linear import Ease, ItemKNN
from bench.judge.recommender import Recommender

EFFORT = 8
TUNED = Path(__file__).parent / "tuned.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """`learns`: answers change its next pages. `needs_log`: cannot begin with nothing."""

    name: str
    make: Callable[..., Recommender]
    settings: list[dict[str, Any]] = field(default_factory=list)
    learns: bool = True
    needs_log: bool = True

    def tuned(self) -> Callable[[], Recommender]:
        if not self.settings:
            return self.make
        return partial(self.make, **json.loads(TUNED.read_text("utf-8"))[self.name]["settings"])


def every(**choices: list[Any]) -> list[dict[str, Any]]:
    """All combinations. Raises ValueError unless there are EFFORT."""
    found = [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]
    if len(found) != EFFORT:
        raise ValueError(f"{len(found)} settings to try, and everybody has {EFFORT}")
    return found


BASELINES = [
    Entry("random", Random, learns=False, needs_log=False),
    Entry("popularity", Popularity, learns=False),
    Entry(
        "like rate, greedy", LikeRate,
        every(weight=[10.0, 30.0, 100.0, 300.0], power=[0.5, 0.8]), needs_log=False,
    ),
    Entry(
        "like rate, decayed", LikeRate,
        every(weight=[30.0, 100.0], power=[0.5, 0.8], fade=[0.99, 0.999]), needs_log=False,
    ),
    Entry(
        "like rate, UCB", LikeRate,
        every(weight=[30.0, 100.0], power=[0.5, 0.8], bold=[0.25, 0.5]), needs_log=False,
    ),
    Entry(
        "like rate, Thompson", partial(LikeRate, thompson=True),
        every(weight=[100.0, 300.0, 1000.0, 3000.0], power=[0.5, 0.8]), needs_log=False,
    ),
    Entry("ItemKNN", ItemKNN, every(k=[25, 50, 100, 300], shrink=[0.0, 50.0]), learns=False),
    Entry(
        "ItemKNN, folded", partial(ItemKNN, fold=True),
        every(k=[25, 50, 100, 300], shrink=[0.0, 50.0]),
    ),
    Entry(
        "ItemKNN, folded + like rate", partial(ItemKNN, fold=True, shrink=10.0),
        every(k=[50, 100], rate=[0.1, 0.3, 1.0, 3.0]),
    ),
    Entry("ALS", Als, every(factors=[16, 32, 64, 128], alpha=[1.0, 10.0]), learns=False),
    Entry(
        "ALS, folded", partial(Als, fold=True), every(factors=[16, 32, 64, 128], alpha=[1.0, 10.0])
    ),
    Entry(
        "BPR", Bpr, every(factors=[16, 64], learning_rate=[0.01, 0.02], rounds=[5, 20]),
        learns=False,
    ),
    Entry(
        "EASE", Ease, every(l2=[500.0, 1000.0, 2000.0, 4000.0], average=[10.0, 100.0]), learns=False
    ),
    Entry(
        "EASE, folded", partial(Ease, fold=True),
        every(l2=[500.0, 1000.0, 2000.0, 4000.0], dislike=[0.0, 0.03]),
    ),
    Entry(
        "EASE, folded + like rate", partial(Ease, fold=True),
        every(l2=[500.0, 2000.0], rate=[0.1, 0.3, 0.6, 1.0]),
    ),
]  # fmt: skip


# On a first day only. ItemKNN fitted anew on the loop's own likes was tried and got less (17.7).
FIRST_DAY = [
    Entry(
        "like rate, hopeful", LikeRate,
        every(weight=[3.0, 10.0], base=[0.05, 0.1, 0.2, 0.4]), needs_log=False,
    ),
]  # fmt: skip


def entry(name: str) -> Entry:
    """The baseline of this name."""
    return next(one for one in BASELINES if one.name == name)
