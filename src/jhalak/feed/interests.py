"""A viewer's several interests, each by itself.

One direction for one viewer is the sum of what they like: where somebody watches twelve clips of
cricket for each one of cooking, the best in that direction are all cricket. So what was liked
lately is put into a few groups, each stood for by a clip that was really watched, its medoid (as in
PinnerSage: Pal et al., KDD 2020), and what lies nearest to each is brought by itself.

Weight is how far better a clip was taken than expected, and decays with its age: what the session
shows comes first, what was liked before is not gone. Nothing of this is kept: it follows from the
last answers (Config.answers), which are the viewer's to see and to take back.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jhalak.feed.config import HOUR_MS
from jhalak.feed.orderings import NO_ROWS, Floats, Rows
from jhalak.feed.page import Page
from jhalak.feed.query import Scope

Doubles = npt.NDArray[np.float64]

MOST = 3  # interests of one viewer
ALIKE = 0.5  # cosine from which on two clips are one interest
SESSION_MS = HOUR_MS / 2  # in which the session's part of a weight falls by half
SESSION = 3.0  # how much more a clip counts that was liked just now
LONG_MS = 72 * HOUR_MS  # the same for what stays
AGAIN = 4  # times the quota are looked at, since much of the best was seen


def several(places: Floats, weights: Doubles) -> list[tuple[int, float]]:
    """(index of its medoid, weight) of up to MOST interests, the strongest first. `places`
    float32[n, size], `weights` float64[n] over nought.

    The medoid is the clip that stands for most of what no interest stands for yet; all that is
    ALIKE to it belongs to it.
    """
    lengths = np.linalg.norm(places, axis=1)
    units = places / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    near = units @ units.T >= ALIKE
    near[np.diag_indices(len(near))] = True
    left = np.where(lengths > 0.0, weights, 0.0)
    found: list[tuple[int, float]] = []
    while len(found) < MOST and left.any():
        stands_for = np.where(left > 0.0, near @ left, -1.0)
        medoid = int(stands_for.argmax())
        found.append((medoid, float(stands_for.item(medoid))))
        left = np.where(near[medoid], 0.0, left)
    return found


def recency(ages_ms: npt.NDArray[np.int64]) -> Doubles:
    """How much an answer of this age counts: the session's part, and one that stays."""
    ages = np.maximum(ages_ms, 0).astype(np.float64)
    made: Doubles = SESSION * 0.5 ** (ages / SESSION_MS) + 0.5 ** (ages / LONG_MS)
    return made


class Interests:
    """What lies nearest to each of a viewer's interests, of the stronger ones more."""

    name = "interest"
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    scopes = frozenset({Scope.FOR_YOU})

    def __init__(self, quota: int, deadline_ms: float) -> None:
        self.quota = quota
        self.deadline_ms = deadline_ms

    def draw(self, page: Page) -> Rows:
        rows, places, surprise, at_ms = page.liked_before
        if page.taste is None or not len(rows):
            return NO_ROWS
        found = several(places, np.maximum(surprise, 0.0) * recency(page.query.now_ms - at_ms))
        if not found:
            return NO_ROWS
        units = places[[medoid for medoid, _ in found]]
        units = units / np.linalg.norm(units, axis=1)[:, None]
        # Each pulls as hard as the whole taste does, in its own direction.
        pull = float(np.linalg.norm(page.taste.mean))
        directions = page.learner.mean[1:].astype(np.float32) + pull * units
        near = page.catalogue.nearest(directions, AGAIN * self.quota)
        total = sum(weight for _, weight in found)
        brought: list[Rows] = []
        held: set[int] = set()
        left = self.quota
        for at, (_, weight) in enumerate(found):
            part = left if at == len(found) - 1 else min(left, round(self.quota * weight / total))
            mine = page.open(near[at])
            suits = page.catalogue.columns["place"].take(mine, axis=0) @ units[at] > 0.0
            fresh = [row for row in mine[suits].tolist() if row not in held][: max(1, part)]
            held.update(fresh)
            left -= len(fresh)
            brought.append(np.array(fresh, np.int32))
            if left <= 0:
                break
        return np.concatenate(brought)
