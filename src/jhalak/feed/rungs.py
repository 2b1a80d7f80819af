"""The fallback ladder: a page comes if anything is eligible.

Climbed when scoring failed or brought too little: the last ranking of this viewer, the hottest,
the newest, those of people followed; then what was served a moment ago, and at the very last what
was seen, longest ago first. No draw here, so the propensity of each is 1.
"""

from __future__ import annotations

import numpy as np

from jhalak.feed.orderings import NO_ROWS, Rows
from jhalak.feed.page import Page, Refusal
from jhalak.feed.protocols import Rung
from jhalak.feed.query import Scope
from jhalak.feed.viewers import last_of_each

FOLLOWED_AT_MOST = 512  # people followed whom one page looks through, the latest to publish first
SERVED = frozenset({Refusal.SERVED})
SEEN = frozenset({Refusal.SERVED, Refusal.SEEN})


class _Rung:
    name = ""
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    relaxes: frozenset[Refusal] = frozenset()


class LastSlate(_Rung):
    """What the last ranking of this viewer had left."""

    name = "last_slate"

    def draw(self, page: Page, count: int) -> Rows:
        if page.query.scope is not Scope.FOR_YOU or not page.query.personal:
            return NO_ROWS
        return page.still_fit(page.open(page.ranking.rows))[:count]


class Hottest(_Rung):
    name = "trending"

    def draw(self, page: Page, count: int) -> Rows:
        if page.query.scope is not Scope.FOR_YOU:
            return NO_ROWS
        catalogue = page.catalogue
        return page.open(catalogue.hot.order(catalogue.heat))[:count]


class Latest(_Rung):
    """The newest of the scope, and of those whom the viewer follows."""

    name = "newest"

    def draw(self, page: Page, count: int) -> Rows:
        orders = [(order, page.open) for order in page.scope_orders(FOLLOWED_AT_MOST)]
        if page.query.scope not in (Scope.FOLLOWING, Scope.AUTHOR):  # whose orders hold these
            inner = page.catalogue.inner_by_author
            orders += [
                (inner[author], page.open_in_scope)
                for author in page.followed(FOLLOWED_AT_MOST)
                if author in inner
            ]
        found: list[Rows] = []
        for order, pick in orders:
            found.append(page.first(order, count, pick))
            count -= len(found[-1])
            if count <= 0:
                break
        return np.concatenate(found) if found else NO_ROWS


class ServedAgain(_Rung):
    """Served a moment ago and not watched since, longest ago first."""

    name, relaxes = "served_again", SERVED

    def draw(self, page: Page, count: int) -> Rows:
        return page.still_fit(page.closed_as(page.served, Refusal.SERVED))[:count]


class SeenAgain(_Rung):
    """Everything else is seen: seen longest ago first."""

    name, relaxes = "seen_again", SEEN

    def draw(self, page: Page, count: int) -> Rows:
        if page.session is None or not page.query.seen_ok:
            return NO_ROWS
        seen = np.frombuffer(page.session.seen[:], np.int32)
        return page.still_fit(last_of_each(page.closed_as(seen, Refusal.SEEN)))[:count]


def rungs() -> list[Rung]:
    return [LastSlate(), Hottest(), Latest(), ServedAgain(), SeenAgain()]
