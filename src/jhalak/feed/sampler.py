"""The slate sampler: one slot after the other, each drawn by softmax of the scores.

That is the Plackett-Luce model (Plackett 1975; Luce 1959), drawn in sequence and not by Gumbel
noise because what was picked changes the scores of what is left: each earlier pick of the same
author or channel takes a fixed amount off, and neither may fill more than a share of the page
while anything else is left. A small share of slots is drawn evenly from the random slice instead,
and some slots of a page are reserved for videos that are owed viewers (see owed), which are then
drawn by softmax among themselves, the more urgent with more weight. What came only because it is
owed stands in no other slot while there is anything else: it is a debt, not a boost.

The propensity of a pick is the chance that its slot had of getting it, given the candidates and
the slots before: exact, as it is read off the distribution that was drawn from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jhalak.feed.columns import Batch, Mask
from jhalak.feed.config import Config
from jhalak.feed.draws import Draws
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.page import Page
from jhalak.feed.protocols import Drawn, Scores
from jhalak.feed.query import Scope

TAKEN = -math.inf  # log-odds of what may not be drawn
FAR = 30.0  # log-odds below the best: nothing is shown for a debt that the scores put this low
UNRESERVED = 2  # the first slots of a page, by which a viewer judges it


class SlateSampler:
    name = "slate"
    needs = frozenset({"sources", "author", "channel"})
    provides: frozenset[str] = frozenset()

    def __init__(self, config: Config, random_bit: int, owed_bit: int) -> None:
        """The bits, in the column "sources", of the random slice and of what is owed."""
        self._config = config
        self._random_bit, self._owed_bit = random_bit, owed_bit

    def select(
        self,
        page: Page,
        batch: Batch,
        scores: Scores,
        taken: Sequence[int],
        barred: Sequence[int],
        count: int,
    ) -> list[Drawn]:
        count = min(count, len(batch) - len(taken) - len(barred))
        draft = self.begin(page, batch, scores, taken, barred, count)
        drawn: list[Drawn] = []
        for at in range(count):
            slot = draft.draw(at)
            drawn.append(slot)
            draft.take(slot.place)
        return drawn

    def begin(
        self,
        page: Page,
        batch: Batch,
        scores: Scores,
        taken: Sequence[int],
        barred: Sequence[int],
        count: int,
    ) -> Draft:
        odds = scores.total / max(self._config.temperature, 1e-6)
        even = (batch["sources"] & self._random_bit) != 0
        spreads = [
            _Spread(batch[column], amount, most) for column, amount, most in self._limits(page)
        ]
        for place in barred:
            odds[place] = TAKEN
        for place in taken:
            _take(place, odds, spreads)
        # A page filled up after a rule refused something has had its reserved slots.
        reserved = self._reserve(page, batch, scores.total, 0 if taken or barred else count)
        return Draft(page.draws, self._config.explore, odds, even, spreads, reserved)

    def _reserve(self, page: Page, batch: Batch, total: Floats, count: int) -> _Reserved:
        """What is owed, and how many of `count` slots are for it."""
        sources = batch["sources"]
        owed = (sources & self._owed_bit != 0) & (total > total.max() - FAR)
        places = np.flatnonzero(owed)
        boost, slots = np.full(len(batch), TAKEN), 0.0
        if len(places) and count:
            slots = self._config.owed.share * count
            urgency = page.owed.urgency(batch.rows[places].tolist(), page.query.now_ms)
            boost[places] = self._config.owed.urgency * urgency
        return _Reserved(boost, sources != self._owed_bit, Places(slots, count))

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


class Draft:
    """A page being drawn, slot by slot."""

    def __init__(
        self,
        draws: Draws,
        explore: float,
        odds: Floats,
        even: Mask,
        spreads: list[_Spread],
        reserved: _Reserved,
    ) -> None:
        self._draws, self._explore = draws, explore
        self._odds, self._even, self._spreads = odds, even, spreads
        self._reserved = reserved

    def draw(self, at: int) -> Drawn:
        """Slot `at`. It is taken only by `take`."""
        parts = self._parts(at)
        part, place, propensity = _mixed(self._draws, parts)
        if parts[0][1].any():  # else nothing was left to be owed
            self._reserved.places.drawn(at, part == 0)
        return Drawn(place, propensity, explore=part == 1, owed=part == 0)

    def chance(self, place: int, at: int) -> float:
        """That `draw` gives this place."""
        return _chance(self._parts(at), place)

    def take(self, place: int) -> None:
        _take(place, self._odds, self._spreads)

    def reserve_as(self, other: Draft) -> None:
        """Two that fill one page together have the same reserved slots between them."""
        mine, theirs = self._reserved, other._reserved
        mine.places = theirs.places = (
            theirs.places if np.isfinite(theirs.boost).any() else mine.places
        )

    def _parts(self, at: int) -> list[tuple[float, Floats]]:
        reserved, odds = self._reserved, self._odds
        left = odds
        for spread in self._spreads:
            if spread.full is not None:
                left = np.where(spread.full, TAKEN, left)
        free = np.where(reserved.free, left, TAKEN)
        if free.max() == TAKEN:  # whoever is left is at the limit: better than a gap
            free = np.where(reserved.free, odds, TAKEN)
        if free.max() == TAKEN:  # or owed
            free = odds
        chance = reserved.places.chance(at)
        return [
            (chance, _softmax(left + reserved.boost) if chance > 0.0 else np.zeros(len(odds))),
            (self._explore, (self._even & (free > TAKEN)).astype(np.float64)),
            (1.0, _softmax(free)),
        ]


def _softmax(odds: Floats) -> Floats:
    """Weights beside the best one's; all 0 when nothing may be drawn. The best of what is left and
    not of all: a draw that is nearly greedy stays so on the whole page.
    """
    best = odds.max()
    return np.asarray(np.exp(odds - best)) if best > TAKEN else np.zeros(len(odds))


def _mixed(draws: Draws, parts: list[tuple[float, Floats]]) -> tuple[int, int, float]:
    """Draws one of the parts, each with its chance when those before it were not drawn, and in it
    a place by its weights. A part of no weights has no chance; the last has chance 1 and weights.
    Returns the number of the part, the place, and the chance that the place had in all of this.
    """
    at, rest, drawn = draws.uniform(), 1.0, -1
    shares = _shares(parts)
    for number, (share, _) in enumerate(shares):
        if share > 0.0 and (drawn < 0 or at >= 1.0 - rest):
            drawn = number
        rest -= share
    weights = parts[drawn][1]
    sums = weights.cumsum()
    place = int(sums.searchsorted(draws.uniform() * sums.item(-1), side="right"))
    place = min(place, len(sums) - 1)
    while weights.item(place) <= 0.0:  # rounding, at the very end of the sums
        place -= 1
    return drawn, place, _chance(parts, place, shares)


def _shares(parts: list[tuple[float, Floats]]) -> list[tuple[float, float]]:
    """The chance of each part, and of each unit of its weights."""
    rest, shares = 1.0, []
    for chance, weights in parts:
        total = float(weights.sum()) if chance > 0.0 else 0.0
        share = rest * min(1.0, chance) if total > 0.0 else 0.0
        rest -= share
        shares.append((share, share / total if share else 0.0))
    return shares


def _chance(
    parts: list[tuple[float, Floats]],
    place: int,
    shares: list[tuple[float, float]] | None = None,
) -> float:
    chances = [
        unit * part.item(place) if unit else 0.0  # what has no share may hold -inf
        for (_, unit), (_, part) in zip(shares or _shares(parts), parts, strict=True)
    ]
    return min(1.0, sum(chances))


class Places:
    """Which of a page's `count` slots are reserved: `slots` of them on the average, a part of one
    as often. Drawn as the page goes on; any but the first UNRESERVED have the same chance.

    Whether there is one more is never drawn by itself: what the slots before say of it is in the
    chance of the next. So nothing decides a slot that is not seen on the page, and its propensity
    is of the slots before alone.
    """

    def __init__(self, slots: float, count: int) -> None:
        self._whole, self._count = int(slots), count
        self._more = slots - self._whole  # the chance that there is one more
        self._had = 0
        self._last: tuple[int, bool] | None = None

    def chance(self, at: int) -> float:
        """That slot `at` is reserved, given which ones before it were (selection sampling: Knuth,
        "Seminumerical Algorithms", 3.4.2, algorithm S).
        """
        if self._last is not None and self._last[0] < at:
            self._learn(*self._last)
            self._last = None
        return self._chance(at)

    def drawn(self, at: int, reserved: bool) -> None:
        self._last = at, reserved

    def _chance(self, at: int) -> float:
        without, with_it = self._both(at)
        return without + self._more * (with_it - without)

    def _both(self, at: int) -> tuple[float, float]:
        """The chance of a slot without the one more, and with it."""
        if at < UNRESERVED:
            return 0.0, 0.0
        left = self._count - at
        without, with_it = (
            min(1.0, max(0.0, (slots - self._had) / left))
            for slots in (self._whole, self._whole + 1)
        )
        return without, with_it

    def _learn(self, at: int, reserved: bool) -> None:
        before = self._chance(at) if reserved else 1.0 - self._chance(at)
        with_it = self._both(at)[1]
        if before > 0.0:
            self._more *= (with_it if reserved else 1.0 - with_it) / before
        self._had += reserved


class _Reserved:
    """`boost` float64[n]: log-odds that urgency adds; -inf where nothing is owed. `free`: what came
    for other reasons too, and may stand in any slot.
    """

    def __init__(self, boost: Floats, free: Mask, places: Places) -> None:
        self.boost, self.free, self.places = boost, free, places


class _Spread:
    """One column whose values are to be spread over the page. -1 is no value, and spreads not."""

    def __init__(self, codes: Rows, amount: float, most: int) -> None:
        self.codes = codes
        self.amount = amount
        self.most = most
        self.full: Mask | None = None
        self._held: dict[int, int] = {}

    def take(self, place: int, odds: Floats) -> None:
        code = self.codes.item(place)
        if code < 0:
            return
        same = self.codes == code
        np.subtract(odds, self.amount, out=odds, where=same)
        held = self._held[code] = self._held.get(code, 0) + 1
        if held >= self.most:
            self.full = same if self.full is None else self.full | same


def _take(place: int, odds: Floats, spreads: list[_Spread]) -> None:
    odds[place] = TAKEN
    for spread in spreads:
        spread.take(place, odds)
