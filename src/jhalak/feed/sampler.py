"""The slate sampler: one slot after the other, each drawn by softmax of the scores.

That is the Plackett-Luce model (Plackett 1975; Luce 1959), drawn in sequence and not by Gumbel
noise because what was picked changes the scores of what is left: each earlier pick of the same
author or channel takes a fixed amount off, and neither may fill more than a share of the page
while anything else is left. A small share of slots is drawn evenly from the random slice instead.

The propensity of a pick is the chance that its slot had of getting it, given the candidates and
the slots before: exact, as it is read off the distribution that was drawn from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jhalak.feed.columns import Batch, Mask
from jhalak.feed.config import Config
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.page import Page
from jhalak.feed.protocols import Drawn, Scores
from jhalak.feed.query import Scope

DEEPEST = 60.0  # log-odds: nothing gets less than e^-60 of the best one's weight


class SlateSampler:
    name = "slate"
    needs = frozenset({"sources", "author", "channel"})
    provides: frozenset[str] = frozenset()

    def __init__(self, config: Config, random_bit: int) -> None:
        """`random_bit`: the bit of the random slice in the column "sources"."""
        self._config = config
        self._random_bit = random_bit

    def select(
        self,
        page: Page,
        batch: Batch,
        scores: Scores,
        taken: Sequence[int],
        barred: Sequence[int],
        count: int,
    ) -> list[Drawn]:
        weights = self._weights(scores.total)
        even = np.flatnonzero(batch["sources"] & self._random_bit).tolist()
        spreads = [
            _Spread(batch[column], math.exp(-amount), most)
            for column, amount, most in self._limits(page)
        ]
        for place in barred:
            weights[place] = 0.0
        for place in taken:
            _take(place, weights, spreads)
        drawn: list[Drawn] = []
        for _ in range(min(count, len(batch) - len(taken) - len(barred))):
            slot = self._draw(page, weights, even, spreads)
            drawn.append(slot)
            _take(slot.place, weights, spreads)
        return drawn

    def _weights(self, total: Floats) -> Floats:
        scale = max(self._config.temperature, 1e-6)
        return np.asarray(np.exp(np.maximum((total - total.max()) / scale, -DEEPEST)))

    def _limits(self, page: Page) -> list[tuple[str, float, int]]:
        """Column, log-odds per earlier pick, and the most that one value may fill."""
        config, scope = self._config, page.query.scope
        most = max(1, math.floor(page.query.n * config.most_of_one))
        limits = []
        if scope is not Scope.AUTHOR:
            limits.append(("author", config.author_spread, most))
        if scope in (Scope.FOR_YOU, Scope.TAG):
            # A viewer about whom nothing is known is shown a bit of everything.
            _, liked = page.interest("channel")
            strongest = max(0.0, liked.item(0)) if len(liked) else 0.0
            cold = config.cold_spread * (1.0 - strongest) ** 2
            limits.append(("channel", config.channel_spread + cold, most))
        return limits

    def _draw(self, page: Page, weights: Floats, even: list[int], spreads: list[_Spread]) -> Drawn:
        left = weights
        for spread in spreads:
            if spread.full is not None:
                left = np.where(spread.full, 0.0, left)
        sums = left.cumsum()
        if sums.item(-1) <= 0.0:  # whoever is left is at the limit: better than a gap
            left, sums = weights, weights.cumsum()
        total = sums.item(-1)
        share = self._config.explore
        pool = [place for place in even if left.item(place) > 0.0] if share > 0.0 else []
        if not pool:
            share = 0.0
        explore = page.draws.uniform() < share
        if explore:
            place = pool[int(page.draws.uniform() * len(pool))]
        else:
            at = page.draws.uniform() * total
            place = min(int(sums.searchsorted(at, side="right")), len(sums) - 1)
            while left.item(place) <= 0.0:  # rounding, at the very end of the sums
                place -= 1
        propensity = (1.0 - share) * left.item(place) / total
        if place in pool:
            propensity += share / len(pool)
        return Drawn(place, min(1.0, propensity), explore)


class _Spread:
    """One column whose values are to be spread over the page. -1 is no value, and spreads not."""

    def __init__(self, codes: Rows, factor: float, most: int) -> None:
        self.codes = codes
        self.factor = factor
        self.most = most
        self.full: Mask | None = None
        self._held: dict[int, int] = {}

    def take(self, place: int, weights: Floats) -> None:
        code = self.codes.item(place)
        if code < 0:
            return
        same = self.codes == code
        np.multiply(weights, self.factor, out=weights, where=same)
        held = self._held[code] = self._held.get(code, 0) + 1
        if held >= self.most:
            self.full = same if self.full is None else self.full | same


def _take(place: int, weights: Floats, spreads: list[_Spread]) -> None:
    weights[place] = 0.0
    for spread in spreads:
        spread.take(place, weights)
