"""One page in the making: the question, and everything that stages may read to answer it."""

from __future__ import annotations

import copy
import enum
from collections.abc import Callable, Sequence
from functools import cached_property
from heapq import nsmallest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jhalak.feed.catalogue import WORD, Catalogue
from jhalak.feed.columns import Mask
from jhalak.feed.config import Config
from jhalak.feed.draws import Draws
from jhalak.feed.fairness import Fairness
from jhalak.feed.in_flight import InFlight
from jhalak.feed.orderings import NO_ROWS, Flags, Floats, Newest, Rows
from jhalak.feed.owed import Ledger
from jhalak.feed.query import Query, Scope
from jhalak.feed.served_before import Ranking
from jhalak.feed.taste import Learner, Own
from jhalak.feed.viewers import KINDS, Session, Ties

if TYPE_CHECKING:
    from jhalak.feed.ranker.model import Ranker

SLACK = 32  # rows of an order looked at beyond what is wanted of it
LIKED = 0.05  # a weaker interest brings nothing to the page
NO_INTEREST: Floats = np.empty(0)
NO_TIMES = np.empty(0, np.int64)


class Refusal(enum.IntEnum):
    """Why a video may not be on this page. The softest first; a harder one overwrites."""

    OPEN = 0
    SERVED = 1  # to this viewer, just now
    SEEN = 2
    EXCLUDED = 3  # by the query
    OUT_OF_SCOPE = 4
    OWN = 5
    NOT_INTERESTED = 6
    HIDDEN = 7  # for followers only
    BLOCKED = 8
    WITHDRAWN = 9
    RULE_FAILED = 10  # a rule that cannot say yes says no

    @property
    def code(self) -> str:
        return CODES[self]


CODES: tuple[str, ...] = tuple(refusal.name.lower() for refusal in Refusal)


class Page:
    """`session` is None for a query that is not personal, and only here is that decided.
    `closed` holds a Refusal for every row of the catalogue, so that sources can walk past what
    the rules would take out; it is the engine's scratch, cleared by `release`.
    """

    def __init__(
        self,
        query: Query,
        catalogue: Catalogue,
        config: Config,
        *,
        session: Session | None,
        own: Callable[[], Own | None],
        learner: Learner,
        ties: Ties,
        served: Rows,
        ranking: Ranking,
        closed: Flags,
        draws: Draws,
        owed: Ledger,
        in_flight: InFlight,
        fairness: Fairness,
        ranker: Ranker | None,
    ) -> None:
        self.query = query
        self.catalogue = catalogue
        self.config = config
        self.session = session if query.personal else None
        self._own = own
        self.learner = learner
        self.ties = ties
        self.served = served
        self.ranking = ranking
        self.closed = closed
        self.draws = draws
        self.owed = owed
        self.in_flight = in_flight
        self.fairness = fairness
        self.ranker = ranker
        self.own = _own_author(query.viewer, catalogue)
        self._scope_code = _scope_code(query, catalogue)
        self.passed: dict[str, int] = {}  # what the source at work walked past, by reason
        self._touched: list[Rows] = []
        self._interests: dict[str, tuple[Rows, Floats]] = {}
        self._causes: dict[int, tuple[int, float]] = {}
        self._close()

    def under(self, config: Config) -> Page:
        """The same page by other numbers. It closes and opens what this one does: only this one is
        released.
        """
        other = copy.copy(self)
        other.config = config
        return other

    @cached_property
    def taste(self) -> Own | None:
        """What answers say that suits this viewer; None when there are none, or it is not used."""
        return None if self.session is None else self._own()

    def cause(self, row: int) -> tuple[int, float]:
        """The row of the video whose watching speaks most for this one, and by how much: without
        that answer the log-odds would be lower by about so much. (-1, 0.0) for none.
        """
        found = self._causes.get(row)
        if found is None:
            found = self._causes[row] = self._cause(row)
        return found

    def _cause(self, row: int) -> tuple[int, float]:
        rows, places, surprise, _ = self.liked_before
        if self.taste is None or not len(rows):
            return -1, 0.0
        place = self.catalogue.columns["place"][row]
        found = self.learner.influence(self.taste, place, places, surprise)
        at = int(found.argmax())
        return (rows.item(at), found.item(at)) if found.item(at) > 0.0 else (-1, 0.0)

    @cached_property
    def liked_before(self) -> tuple[Rows, Floats, Floats, npt.NDArray[np.int64]]:
        """Rows of what this viewer liked, their places, how far better each was taken than
        expected, and when; videos that the viewer may not see are left out.
        """
        if self.session is None or self.taste is None:
            return NO_ROWS, NO_INTEREST, NO_INTEREST, NO_TIMES
        rows, felt, at_ms = self.session.answered()
        liked = (felt > 0.0) & ~self.withdrawn(rows) & ~self.hidden(rows)
        liked &= ~self.by(rows, self.ties.blocks)
        rows, felt, at_ms = rows[liked], felt[liked], at_ms[liked]
        columns = self.catalogue.columns
        places = columns["place"][rows]
        odds = self.learner.everybody(places, columns["alone"][rows])
        odds = odds + self.taste.level + places @ self.taste.mean
        return rows, places, (1.0 + felt) / 2.0 - 1.0 / (1.0 + np.exp(-odds)), at_ms

    def interest(self, kind: str) -> tuple[Rows, Floats]:
        """Codes of one kind, and this viewer's interest in each in [-1, 1], strongest first."""
        found = self._interests.get(kind)
        if found is None:
            if self.session is None:
                found = NO_ROWS, NO_INTEREST
            else:
                interest = self.session.interests[KINDS.index(kind)]
                find = self.catalogue.tags.find if kind == "tag" else int
                codes, values = interest.arrays(self.session.growth, find)
                order = (-values).argsort(kind="stable")
                found = codes[order], values[order]
            self._interests[kind] = found
        return found

    def best_tag(self, row: int) -> int:
        """Of a video's tags the one that the viewer likes most; -1 when there is none."""
        codes, _ = self.interest("tag")
        tags = self.catalogue.columns["tags"][row].tolist()
        return next((code for code in codes.tolist() if code in tags), -1)

    def liked(self, kind: str, most: int) -> list[int]:
        """The codes of the strongest interests of a kind."""
        codes, values = self.interest(kind)
        best: list[int] = codes[:most][values[:most] > LIKED].tolist()
        return best

    def _close(self) -> None:
        self._mark(self.served, Refusal.SERVED)
        if self.session is not None:
            self._mark(np.frombuffer(self.session.seen[:], np.int32), Refusal.SEEN)
        if self.query.exclude:
            self._mark(_array(self.catalogue.rows(self.query.exclude)), Refusal.EXCLUDED)
        if self.own >= 0:
            self._mark_author(self.own, Refusal.OWN)
        if self.ties.refused:
            self._mark(_array(list(self.ties.refused)), Refusal.NOT_INTERESTED)
        for author in self.ties.blocks:
            self._mark_author(author, Refusal.BLOCKED)

    def _mark(self, rows: Rows, refusal: Refusal) -> None:
        self.closed[rows] = refusal.value
        self._touched.append(rows)

    def _mark_author(self, author: int, refusal: Refusal) -> None:
        for orders in (self.catalogue.by_author, self.catalogue.inner_by_author):
            if author in orders:
                self._mark(orders[author].all(), refusal)

    def release(self) -> None:
        for rows in self._touched:
            self.closed[rows] = 0
        self._touched.clear()

    def open(self, rows: Rows) -> Rows:
        """Those of the rows that nothing closes, in their order; the others are counted."""
        closed = self.closed.take(rows)
        found: Rows = rows[closed == 0]
        if len(found) < len(rows):
            self._count(closed)
        return found

    def open_in_scope(self, rows: Rows) -> Rows:
        """Those of the rows that nothing closes and that belong to the page's scope."""
        found = self.open(rows)
        return found[self.in_scope(found)]

    def closed_as(self, rows: Rows, refusal: Refusal) -> Rows:
        """Those of the rows that are closed for this reason and no harder one."""
        found: Rows = rows[self.closed.take(rows) == refusal.value]
        return found

    def _count(self, closed: Flags) -> None:
        counts = np.bincount(closed).tolist()
        for refusal in range(1, len(counts)):
            if counts[refusal]:
                code = CODES[refusal]
                self.passed[code] = self.passed.get(code, 0) + counts[refusal]

    def first(
        self, order: Newest | None, count: int, pick: Callable[[Rows], Rows] | None = None
    ) -> Rows:
        """The newest `count` rows of an order that are open (or that `pick` keeps)."""
        if order is None or count <= 0:
            return NO_ROWS
        pick = pick or self.open
        found: list[Rows] = []
        for chunk in order.chunks(count + 8):
            rows = pick(chunk)[:count]
            if not found and len(rows) == count:
                return rows
            found.append(rows)
            count -= len(rows)
            if count <= 0:
                break
        return np.concatenate(found) if found else NO_ROWS

    def share(self, orders: Sequence[Newest], quota: int) -> Rows:
        """The newest open rows of several orders, each row once; an order that has little leaves
        its part to those after it.
        """
        if not orders:
            return NO_ROWS
        # The heads of all orders are looked at in one go; an order is walked only when its head
        # was not enough.
        heads = [order.head(quota // len(orders) + SLACK) for order in orders]
        rows = np.concatenate(heads)
        closed = self.closed.take(rows)
        is_open = closed == 0
        self._count(closed)
        found: list[Rows] = []
        end = 0
        for at, (order, head) in enumerate(zip(orders, heads, strict=True)):
            start, end = end, end + len(head)
            part = max(1, quota // (len(orders) - at))
            some: Rows = rows[start:end][is_open[start:end]][:part]
            if len(some) < part and len(head) < len(order):
                some = self.first(order, part)
            found.append(some)
            quota -= len(some)
            if quota <= 0:
                break
        if len(found) == 1:
            return found[0]
        return np.array(list(dict.fromkeys(np.concatenate(found).tolist())), np.int32)

    def scope_orders(self, followed: int) -> list[Newest]:
        """The orders that hold this page's scope; of people followed, the `followed` latest."""
        catalogue, scope = self.catalogue, self.query.scope
        if scope is Scope.FOR_YOU:
            return [catalogue.newest]
        if scope is Scope.CHANNEL or scope is Scope.TAG:
            orders = catalogue.by_channel if scope is Scope.CHANNEL else catalogue.by_tag
            order = orders.get(self._scope_code)
            return [] if order is None else [order]
        authors = [self._scope_code] if scope is Scope.AUTHOR else self.followed(followed)
        found = [catalogue.by_author.get(author) for author in authors]
        found += [
            catalogue.inner_by_author.get(author)
            for author in authors
            if author in self.ties.follows
        ]
        return [order for order in found if order is not None]

    def in_scope(self, rows: Rows) -> Mask:
        columns, scope = self.catalogue.columns, self.query.scope
        if scope is Scope.FOR_YOU:
            return np.ones(len(rows), np.bool_)
        if scope is Scope.FOLLOWING:
            return self.by(rows, self.ties.follows)
        if self._scope_code < 0:
            return np.zeros(len(rows), np.bool_)
        if scope is Scope.TAG:
            return np.asarray((columns["tags"].take(rows, axis=0) == self._scope_code).any(axis=1))
        return np.asarray(columns[scope.value].take(rows) == self._scope_code)

    def by(self, rows: Rows, authors: set[int]) -> Mask:
        """Which rows are by one of these authors."""
        if not authors:
            return np.zeros(len(rows), np.bool_)
        found = self.catalogue.author.take(rows).tolist()
        return np.array([author in authors for author in found], np.bool_)

    def hidden(self, rows: Rows) -> Mask:
        """Which rows are for followers only, of somebody whom the viewer does not follow."""
        inner = np.asarray(self.catalogue.columns["followers_only"].take(rows))
        return inner & ~self.by(rows, self.ties.follows) if inner.any() else inner

    def withdrawn(self, rows: Rows) -> Mask:
        return np.asarray(self.catalogue.columns["removed"].take(rows) != 0)

    def still_fit(self, rows: Rows) -> Rows:
        """Rows remembered from earlier, less those that are no longer to be shown here."""
        return rows[self.in_scope(rows) & ~self.hidden(rows) & ~self.withdrawn(rows)]

    def followed(self, most: int) -> list[int]:
        """The `most` authors followed who published last, of those who have something here."""
        latest = self.catalogue.latest
        dated = [(-latest[author], author) for author in self.ties.follows if author in latest]
        return [author for _, author in nsmallest(most, dated)]


def _array(rows: list[int]) -> Rows:
    return np.array(rows, np.int32)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1


def _own_author(viewer: str, catalogue: Catalogue) -> int:
    """The code of the viewer as an author; -1 for guests and those who never published."""
    return catalogue.authors.find(_number(viewer[1:])) if viewer.startswith("m") else -1


def _scope_code(query: Query, catalogue: Catalogue) -> int:
    """The number of the channel, tag or author asked for; -1 when unknown or not asked for."""
    match query.scope:
        case Scope.CHANNEL:
            return catalogue.channels.find(query.scope_value[:WORD])
        case Scope.TAG:
            return catalogue.tags.find(query.scope_value[:WORD])
        case Scope.AUTHOR:
            return catalogue.authors.find(_number(query.scope_value))
        case _:
            return -1
