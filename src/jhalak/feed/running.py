"""One page on its way through the stages: the clock, the outcomes, and the checks of what a stage
hands over.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from jhalak.feed.columns import Batch, ColumnError, Mask
from jhalak.feed.orderings import Rows
from jhalak.feed.page import Page, Refusal
from jhalak.feed.protocols import Feature, Rule, Scorer, Scores
from jhalak.feed.query import Outcome, StageReport

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


OK, EMPTY, LATE, FAILED = Outcome.OK, Outcome.EMPTY, Outcome.LATE, Outcome.FAILED
NONE: dict[str, int] = {}


class Run:
    """`reports`: one for each stage that had its turn, in order. A stage that came to an end is
    reported by its caller, who can count what it brought; one that did not, here.
    """

    def __init__(self, page: Page, timer: Callable[[], int], failures: Counter[str]) -> None:
        self._page = page
        self._timer = timer
        self._failures = failures
        self._start = self._now = timer()
        self._stage = ""
        self._micros = 0
        self.reports: list[StageReport] = []

    def stage(
        self,
        name: str,
        deadline_ms: float | None,
        work: Callable[P, T],
        *args: P.args,
        **named: P.kwargs,
    ) -> T | None:
        """Runs one stage. None when it was late or raised; `report` has to follow otherwise."""
        if deadline_ms is not None and self._now - self._start > deadline_ms * 1e6:
            self.reports.append(StageReport(name, LATE, 0, 0))
            return None
        try:
            result = work(*args, **named)
        except Exception as error:
            self._failed(name, error)
            return None
        self._stage, self._micros = name, self._took()
        return result

    def _took(self) -> int:
        """Microseconds since the stage before ended."""
        before, self._now = self._now, self._timer()
        return (self._now - before) // 1000

    def _failed(self, name: str, error: Exception, removed: dict[str, int] = NONE) -> None:
        text = f"{type(error).__name__}: {error}"
        self.reports.append(StageReport(name, FAILED, 0, self._took(), removed, text))
        self._failures[name] += 1
        times = self._failures[name]
        if times & (times - 1) == 0:  # the 1st, 2nd, 4th, 8th ...: every one is counted
            log.warning("feed stage %s failed (%d times)", name, times, exc_info=True)

    def report(self, count: int, removed: dict[str, int] = NONE) -> None:
        """What the stage that just ended brought, kept or scored, and took out."""
        outcome = OK if count else EMPTY
        self.reports.append(StageReport(self._stage, outcome, count, self._micros, removed))

    def fail(self, error: str) -> None:
        """What the stage that just ended brought cannot be used."""
        self.reports.append(StageReport(self._stage, FAILED, 0, self._micros, error=error))

    def refuse(self, name: str, rule: Rule, batch: Batch) -> Mask | None:
        """What a rule refuses, None for nothing; everything when it raises."""
        size = len(batch)
        try:
            refused = _checked(rule.refuse(self._page, batch), size)
        except Exception as error:
            self._failed(name, error, {Refusal.RULE_FAILED.code: size} if size else NONE)
            return np.ones(size, np.bool_)
        count = int(np.count_nonzero(refused))
        removed = {rule.refusal.code: count} if count else NONE
        outcome = OK if count < size else EMPTY
        self.reports.append(StageReport(name, outcome, size - count, self._took(), removed))
        return refused if count else None


def _checked(mask: Mask, size: int) -> Mask:
    if mask.dtype != np.bool_ or mask.shape != (size,):
        raise ColumnError(f"a rule answered {mask.dtype}{mask.shape} for {size} rows")
    return mask


def brought(draw: Callable[P, Rows], catalogue_size: int, *args: P.args, **named: P.kwargs) -> Rows:
    """What a source or rung draws. Raises ColumnError for what is no array of known rows."""
    rows = draw(*args, **named)
    if rows.dtype != np.int32 or rows.ndim != 1:
        raise ColumnError(f"brought {rows.dtype} of {rows.ndim} dimensions, not rows")
    # Seen as unsigned, a negative row is a huge one: one comparison finds both.
    if len(rows) and rows.view(np.uint32).max() >= catalogue_size:
        raise ColumnError("brought rows that the catalogue has not")
    return rows


def made(feature: Feature, page: Page, batch: Batch) -> bool:
    """Puts a feature's columns into the batch. Raises ColumnError for any but those declared."""
    columns = feature.make(page, batch)
    if columns.keys() != feature.provides:
        raise ColumnError(f"made {sorted(columns)}, declared {sorted(feature.provides)}")
    for name, column in columns.items():
        batch.put(name, column, feature.name)
    return True


def scored(scorer: Scorer, page: Page, batch: Batch, earlier: Scores | None) -> Scores:
    scores = scorer.score(page, batch, earlier)
    size = len(batch)
    if scores.total.shape != (size,) or scores.terms.shape != (len(scores.names), size):
        raise ColumnError(f"scored {scores.total.shape}, {scores.terms.shape} for {size} rows")
    return scores
