"""Where candidates come from: simple, honest sources over orders that are kept.

Each brings at most its quota of rows, best first, none that is closed to this page, and leaves
the weighing to the scorer. None sorts the catalogue; none holds up the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from jhalak.feed.config import Config
from jhalak.feed.interests import Interests
from jhalak.feed.orderings import NO_ROWS, Newest, Rows
from jhalak.feed.owed import Turns
from jhalak.feed.page import SLACK, Page
from jhalak.feed.protocols import OWED, Source
from jhalak.feed.query import Scope

Floats32 = npt.NDArray[np.float32]
FOR_YOU = frozenset({Scope.FOR_YOU})
NOTHING: frozenset[str] = frozenset()
FOLLOWED_AT_ONCE = 16  # people followed whom one page draws on
OF_ONE = 4  # videos of one author in debt that a page looks at
NO_LANGUAGE = -1
K = TypeVar("K")


class _Source:
    name = ""
    needs = NOTHING
    provides = NOTHING
    scopes = FOR_YOU

    def __init__(self, quota: int, deadline_ms: float) -> None:
        self.quota = quota
        self.deadline_ms = deadline_ms


class Following(_Source):
    """The newest of the people followed, of each about as many."""

    name = "following"

    def draw(self, page: Page) -> Rows:
        authors = page.followed(most=FOLLOWED_AT_ONCE)
        catalogue = page.catalogue
        orders = [
            everyone[author]
            for author in authors
            for everyone in (catalogue.by_author, catalogue.inner_by_author)
            if author in everyone
        ]
        return page.share(orders, self.quota)


class _Liked(_Source):
    """The newest of what the session shows an interest in, the stronger interests with more."""

    most = 3  # interests drawn on

    def draw(self, page: Page) -> Rows:
        orders: Mapping[int, Newest] = getattr(page.catalogue, f"by_{self.name}")
        liked = page.liked(self.name, self.most)
        return page.share([orders[code] for code in liked if code in orders], self.quota)


class LikedChannels(_Liked):
    name = "channel"


class LikedAuthors(_Liked):
    name = "author"


class LikedTags(_Liked):
    name = "tag"


class _Best(_Source):
    """The best of the whole catalogue, for a viewer with a direction of their own, or for all."""

    def _best(self, page: Page, own: Floats32 | None) -> Rows:
        direction = page.learner.mean[1:].astype(np.float32)
        if own is not None:
            direction = direction + own
        # Most of the best has been seen by whoever watches a lot: look further then.
        catalogue, rows = page.catalogue, NO_ROWS
        for count in (4 * self.quota, 32 * self.quota):
            page.passed = {}
            rows = page.open(catalogue.nearest(direction[None], count)[0])[: self.quota]
            if len(rows) == self.quota or count >= len(catalogue.newest):
                break
        return rows


class Suiting(_Best):
    """What suits this viewer, by all that was learnt from answers."""

    name = "taste"

    def draw(self, page: Page) -> Rows:
        own = page.taste
        if own is None:
            return NO_ROWS
        rows = self._best(page, own.mean)
        # In a small catalogue the best are all there are: what suits nobody is not brought as such.
        return rows[page.catalogue.columns["place"].take(rows, axis=0) @ own.mean > 0.0]


class Loved(_Best):
    """What everybody takes to, however few have seen it."""

    name = "loved"

    def draw(self, page: Page) -> Rows:
        return self._best(page, None)


class Trending(_Source):
    """The hottest in the viewer's languages; overall when these do not fill the quota."""

    name = "trending"

    def draw(self, page: Page) -> Rows:
        catalogue = page.catalogue
        found: list[Rows] = []
        left = self.quota
        for language in _languages(page):
            hot = catalogue.hot_by_language.get(language)
            if hot is not None and left > 0:
                rows = page.open(hot.order(catalogue.heat))[:left]
                found.append(rows)
                left -= len(rows)
        if left > 0:
            rows = page.open(catalogue.hot.order(catalogue.heat))[: self.quota]
            if found:
                held = set(np.concatenate(found).tolist())
                rows = rows[[row not in held for row in rows.tolist()]]
            found.append(rows[:left])
        return np.concatenate(found) if found else NO_ROWS


class NewestOfAll(_Source):
    name = "newest"

    def draw(self, page: Page) -> Rows:
        return page.first(page.catalogue.newest, self.quota)


class Random(_Source):
    """An even draw from everything public: what exploration draws from, and a few unlikely
    candidates for everybody.
    """

    name = "random"

    def draw(self, page: Page) -> Rows:
        everything = page.catalogue.newest
        # Twice the quota is drawn, as some will be closed; those open are an even draw of the
        # open ones. A viewer who has seen most of the catalogue gets fewer than the quota.
        rows = everything.at(page.draws.some(len(everything), 2 * self.quota))
        return page.open(rows)[: self.quota]


class Owed(_Source):
    """New videos that are still owed viewers (owed.py), of each author one, the author first who
    was shown longest ago: of liked channels, then all, in the viewer's languages or in none. What
    is in other languages comes only when nothing else is in debt.
    """

    name = OWED

    def draw(self, page: Page) -> Rows:
        owed, spoken = page.owed, _languages(page)
        if not owed.debts:
            return NO_ROWS
        each = owed.each
        mine = [*spoken, NO_LANGUAGE] if spoken else list(owed.by_language)
        liked = [(language, channel) for channel in page.liked("channel", 3) for language in mine]
        found = self._first(page, owed.by_channel, liked, self.quota // 2, each)
        found += self._first(page, owed.by_language, mine, self.quota - len(found), each)
        if not found:
            others = [language for language in owed.by_language if language not in mine]
            found = self._first(page, owed.by_language, others, self.quota, each)
        return np.array(list(dict.fromkeys(found)), np.int32)

    def _first(
        self, page: Page, orders: Mapping[K, Turns], keys: Sequence[K], quota: int, each: int
    ) -> list[int]:
        """Up to `quota` open rows, evenly of the orders as far as these have them."""
        here = [orders[key] for key in keys if key in orders]
        found: list[int] = []
        for at, order in enumerate(here):
            part = -(-(quota - len(found)) // (len(here) - at))
            found += self._take(page, order, part, each)
        return found

    def _take(self, page: Page, order: Turns, part: int, each: int) -> list[int]:
        owed, now_ms, closed = page.owed, page.query.now_ms, page.closed
        found: list[int] = []
        passed: list[int] = []
        for rows in order.first(part + SLACK):
            for row in islice(rows, OF_ONE):
                if owed.open(row, now_ms, page.in_flight.count(row, now_ms), each):
                    if not closed.item(row):
                        found.append(row)
                        break
                    passed.append(row)
            if len(found) >= part:
                break
        page.open(np.array(passed, np.int32))  # counts them, by reason
        return found


class WholeScope(_Source):
    """The newest of a channel, a tag, an author or the people followed."""

    name = "scope"
    scopes = frozenset(set(Scope) - FOR_YOU)

    def draw(self, page: Page) -> Rows:
        return page.share(page.scope_orders(followed=FOLLOWED_AT_ONCE), self.quota)


def _languages(page: Page) -> list[int]:
    """The languages declared, then those that the session likes."""
    words = page.catalogue.languages
    codes = [words.find(language) for language in page.query.languages]
    codes += page.liked("language", 2)
    return list(dict.fromkeys(code for code in codes if code >= 0))


def sources(config: Config) -> list[Source]:
    """All of them, those that say most about the viewer first."""
    quotas, deadline = config.quotas, config.source_deadline_ms
    return [
        WholeScope(quotas.scope, deadline),
        Following(quotas.following, deadline),
        LikedChannels(quotas.channel, deadline),
        LikedAuthors(quotas.author, deadline),
        LikedTags(quotas.tag, deadline),
        Interests(quotas.interest, deadline),
        Suiting(quotas.taste, deadline),
        Loved(quotas.loved, deadline),
        Trending(quotas.trending, deadline),
        NewestOfAll(quotas.newest, deadline),
        Owed(quotas.owed, deadline),
        Random(quotas.random, deadline),
    ]
