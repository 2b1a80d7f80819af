"""Whether watches feel worse since something was put in force: looked at again and again.

A watch is judged by its quantile among the watches before (feed.fairness), so clips of another
length are no fall. The share that felt good is compared with the share before by an asymptotic
confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit
theory", Annals of Statistics 2024), which stays true however often it is looked at. Watches of one
viewer go together: they count as so many fewer as their variance between viewers is larger.

It compares before and after, and cannot tell the artefact's fault from a bad day. So a fall must be
WORSE at least, and a mistake costs what was gained and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from jhalak.feed.config import Config
from jhalak.feed.events import Watched, WatchKind
from jhalak.feed.fairness import Fairness

ALPHA = 0.01  # the chance that a fall is seen, at any time, where there is none
TIGHTEST = 1_000.0  # watches at which the sequence is narrowest
WORSE = 0.02  # of the share that felt good
FEWEST = 200  # watches on either side, before which nothing is said
ENDED = frozenset({WatchKind.FINISHED, WatchKind.REPLAYED})


@dataclass(frozen=True, slots=True)
class Change:
    """Shares that felt good, of how many watches; `bound`: a fall of more is no chance."""

    watches_before: int
    before: float
    watches_after: int
    after: float
    bound: float

    @property
    def fallen(self) -> bool:
        fall = self.before - self.after
        enough = min(self.watches_before, self.watches_after) >= FEWEST
        return enough and fall > max(self.bound, WORSE)

    def __str__(self) -> str:
        return (
            f"{self.after:.1%} of {self.watches_after} watches felt good,"
            f" {self.before:.1%} of {self.watches_before} before"
            f" (a fall of over {self.bound:.1%} is no chance)"
        )


def compare(before: Sequence[Watched], after: Sequence[Watched]) -> Change:
    """How watches felt since, beside those before."""
    fairness = Fairness(Config().skip_below)
    for one in before:
        verdict = fairness.judge(one.watched_ms, one.duration_ms, one.kind in ENDED)
        fairness.learn(verdict.octave, verdict.bin)
    (first, worth), (second, now_worth) = (_felt(fairness, some) for some in (before, after))
    sigma = sqrt(max(first * (1.0 - first), 1e-4))
    bound = 1.96 * sigma / sqrt(worth) + sigma * _radius(now_worth) if worth and now_worth else 1.0
    return Change(len(before), first, len(after), second, bound)


def _felt(fairness: Fairness, watches: Iterable[Watched]) -> tuple[float, float]:
    """The share that felt good, and how many independent watches it is worth."""
    by_viewer: dict[str, list[float]] = {}
    for one in watches:
        felt = fairness.judge(one.watched_ms, one.duration_ms, one.kind in ENDED).felt
        by_viewer.setdefault(one.viewer, []).append(float(felt > 0.0))
    if not by_viewer:
        return 0.0, 0.0
    sums = np.array([sum(line) for line in by_viewer.values()])
    counts = np.array([len(line) for line in by_viewer.values()], np.float64)
    share, count = float(sums.sum() / counts.sum()), float(counts.sum())
    apart = float(((sums - share * counts) ** 2).sum())
    alone = share * (1.0 - share) * count
    return share, count / max(1.0, apart / alone if alone > 0 else 1.0)


def _radius(count: float) -> float:
    """Of the confidence sequence after so many watches, in standard deviations of one."""
    rho2 = (-2.0 * log(ALPHA) + log(-2.0 * log(ALPHA)) + 1.0) / TIGHTEST
    grown = count * rho2 + 1.0
    return sqrt(2.0 * grown / (count * count * rho2) * log(sqrt(grown) / ALPHA))
