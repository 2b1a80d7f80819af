"""By which numbers a page is drawn: the defaults, the operator's changes, and what experiments try
on this viewer, in this order. One pipeline for each such set, put together once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jhalak.feed import tuning
from jhalak.feed.config import Config
from jhalak.feed.experiments import assignment
from jhalak.feed.experiments.assignment import BOTH, Assigned
from jhalak.feed.learning import State
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.query import Query, Scope

KEPT = 64  # sets for which a pipeline is kept


class Variant(NamedTuple):
    config: Config
    pipeline: Pipeline
    arms: str  # of experiments, as assignment.written


class Asked(NamedTuple):
    """By which a page is drawn: one variant, or two that fill it in turn. `arms`: those of what no
    side is credited with.
    """

    variants: tuple[Variant, ...]
    arms: str


class Variants:
    def __init__(self, state: State, make: Callable[[Config], Pipeline]) -> None:
        self._state = state
        self._make = make
        self._made: dict[tuple[int, tuple[Assigned, ...]], Variant] = {}
        self.of(())  # what cannot be put together is refused here, and by no page

    def asked(self, query: Query) -> Asked:
        """Experiments are about the For You feed, and about nobody from whom it may not learn."""
        state = self._state
        personal = query.personal and query.scope is Scope.FOR_YOU
        if not personal or not state.viewers.ties(query.viewer).learns:
            return Asked((self.of(()),), "")
        assigned = state.experiments.assign(query.viewer, query.now_ms)
        both = [one for one in assigned if one.arm == BOTH]
        if not both:
            variant = self.of(assigned)
            return Asked((variant,), variant.arms)
        sides = tuple(
            self.of(tuple(one._replace(arm=arm) if one.arm == BOTH else one for one in assigned))
            for arm in (0, 1)
        )
        return Asked(sides, assignment.written(one for one in assigned if one.arm != BOTH))

    def of(self, assigned: tuple[Assigned, ...]) -> Variant:
        state = self._state
        key = state.tuning.count, assigned
        found = self._made.get(key)
        if found is None:
            values = state.tuning.values | state.experiments.values(assigned)
            config = tuning.configured(state.config, values)
            if len(self._made) >= KEPT:
                self._made.clear()
            found = Variant(config, self._make(config), assignment.written(assigned))
            self._made[key] = found
        return found
