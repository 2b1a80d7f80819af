"""What may not be on a page, one reason each.

The same rules run before scoring and again on the finished page, and they read the facts
themselves, not the marks that let sources walk past: two ways that have to agree.
"""

from __future__ import annotations

import numpy as np

from jhalak.feed.columns import Batch, Mask
from jhalak.feed.page import Page, Refusal
from jhalak.feed.protocols import Rule
from jhalak.feed.query import Scope


class _Rule:
    name = ""
    refusal = Refusal.OPEN
    needs: frozenset[str] = frozenset({"rows"})
    provides: frozenset[str] = frozenset()


class NotWithdrawn(_Rule):
    """Deleted, withdrawn by order, made private, or without a rendition that plays."""

    name, refusal = "withdrawn", Refusal.WITHDRAWN

    def refuse(self, page: Page, batch: Batch) -> Mask:
        return page.withdrawn(batch.rows)


class NotBlocked(_Rule):
    name, refusal = "blocked", Refusal.BLOCKED

    def refuse(self, page: Page, batch: Batch) -> Mask:
        return page.by(batch.rows, page.ties.blocks)


class NotOwn(_Rule):
    name, refusal = "own", Refusal.OWN

    def refuse(self, page: Page, batch: Batch) -> Mask:
        if page.own < 0:
            return np.zeros(len(batch), np.bool_)
        return np.asarray(page.catalogue.author.take(batch.rows) == page.own)


class NotRefused(_Rule):
    """The viewer was not interested."""

    name, refusal = "not_interested", Refusal.NOT_INTERESTED

    def refuse(self, page: Page, batch: Batch) -> Mask:
        refused = page.ties.refused
        if not refused:
            return np.zeros(len(batch), np.bool_)
        return np.array([row in refused for row in batch.rows.tolist()], np.bool_)


class NotHidden(_Rule):
    """For followers only, and the viewer is none."""

    name, refusal = "hidden", Refusal.HIDDEN

    def refuse(self, page: Page, batch: Batch) -> Mask:
        return page.hidden(batch.rows)


class InScope(_Rule):
    """Of the channel, tag, author or people asked for."""

    name, refusal = "scope", Refusal.OUT_OF_SCOPE

    def refuse(self, page: Page, batch: Batch) -> Mask:
        if page.query.scope is Scope.FOR_YOU:
            return np.zeros(len(batch), np.bool_)
        return ~page.in_scope(batch.rows)


class _NotClosed(_Rule):
    """Reads the marks: these three are a matter of taste, not of anybody's right."""

    def refuse(self, page: Page, batch: Batch) -> Mask:
        return np.asarray(page.closed.take(batch.rows) == self.refusal.value)


class NotExcluded(_NotClosed):
    name, refusal = "excluded", Refusal.EXCLUDED


class NotSeen(_NotClosed):
    name, refusal = "seen", Refusal.SEEN


class NotServed(_NotClosed):
    name, refusal = "served", Refusal.SERVED


def rules() -> list[Rule]:
    return [
        NotWithdrawn(),
        NotBlocked(),
        NotOwn(),
        NotRefused(),
        NotHidden(),
        InScope(),
        NotExcluded(),
        NotSeen(),
        NotServed(),
    ]
