"""What every new video is owed: a ledger, not a boost.

Each new public video is owed `impressions` within `within_ms`. An impression is a counted watch,
however the video came to be seen; what a video has had is the catalogue's `fair_count`. Debts are
paid from a share of the slots (see sampler), in turns by author: who uploads 500 videos a day gets
as many slots as who uploads one, one video after the other.

What the share can pay within the time is measured from the log: counted watches times the share.
When the videos of that time need more, what each is owed (`each`) shrinks for all alike. There an
author counts with `of_one` videos at most, so that nobody makes the share of the others small.

A debt past its time stays open for as long again, at what was owed then; after that it is missed.
All this follows from the log alone. No step walks through the catalogue, nor through all debts.

Where the idea comes from: guaranteed delivery of impressions, as advertising systems promise it
(Vee, Vassilvitskii, Shanmugasundaram, "Optimal online assignment with forecasts", EC 2010), made
simple: one kind of contract, and one number that all of them share when the promise is too large.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import numpy as np

from jhalak.feed.catalogue import Catalogue
from jhalak.feed.config import Owed
from jhalak.feed.orderings import Floats
from jhalak.feed.owed_rate import Rate

SIZES = ("one", "few", "many")  # creators by the videos they have up: 1, 2 to 9, 10 or more
ENDS = ("in_time", "late", "missed", "withdrawn")
FIGURES = (*ENDS, "short", "shown")  # short: paid with fewer than asked; shown: impressions had


class Debt(NamedTuple):
    due_ms: int
    most: int  # what is owed at most: as asked, and once it is late what each was owed then
    author: int
    language: int
    channel: int


class Turns:
    """Rows by author. The author whose video was shown longest ago has the first turn."""

    def __init__(self) -> None:
        self._rows: OrderedDict[int, dict[int, None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, author: int, row: int) -> None:
        self._rows.setdefault(author, {})[row] = None

    def remove(self, author: int, row: int) -> None:
        rows = self._rows[author]
        del rows[row]
        if not rows:
            del self._rows[author]

    def had(self, author: int) -> None:
        """A video of this author was shown."""
        self._rows.move_to_end(author)

    def first(self, authors: int) -> Iterable[Iterable[int]]:
        """The rows of the first so many authors, each author's in the order of their coming."""
        return islice(self._rows.values(), authors)

    def authors(self) -> list[int]:
        return list(self._rows)

    def order(self, authors: list[int]) -> None:
        """Gives the turns in this order. Raises KeyError or ValueError when other authors have
        rows.
        """
        if len(authors) != len(self._rows):
            raise ValueError("turns of other authors than the rows'")
        self._rows = OrderedDict((author, self._rows[author]) for author in authors)


class Kept(msgspec.Struct, array_like=True):
    """A ledger at one moment, as it stands in a snapshot: lists that are quickly copied."""

    now_ms: int
    rows: list[int]  # in debt
    debts: list[Debt]  # theirs
    counted: list[int]
    counted_authors: list[int]
    notices: list[tuple[int, int]]
    languages: list[tuple[int, list[int]]]  # language, authors in their turns
    channels: list[tuple[int, int, list[int]]]
    first_ms: int
    watches: list[tuple[int, int]]
    ended: list[list[int]]


class Ledger:
    """`debts` by row, in the order of their coming. `by_language` and `by_channel` (language and
    channel) hold the same rows in turns.
    """

    def __init__(self, config: Owed, catalogue: Catalogue) -> None:
        self._config = config
        self._catalogue = catalogue
        self.now_ms = 0
        self.debts: dict[int, Debt] = {}
        self.by_language: dict[int, Turns] = {}
        self.by_channel: dict[tuple[int, int], Turns] = {}
        self._rate = Rate(config.within_ms)
        # Videos of the last `within_ms`, and those in debt for longer: row and author.
        self._counted: dict[int, int] = {}
        self._of: Counter[int] = Counter()  # the same by author
        self._demand = 0  # videos counted, of each author `of_one` at most
        # A heap of (time, row): when a debt is due, and when it is missed. Those of debts that
        # have ended are passed over.
        self._notices: list[tuple[int, int]] = []
        self._ended = [[0] * len(FIGURES) for _ in SIZES]

    # What is owed

    @property
    def capacity(self) -> float | None:
        """Impressions that the reserved slots bring in `within_ms`, as things go; None while
        nothing is known yet.
        """
        watches = self._rate.per_window(self.now_ms)
        return None if watches is None else watches * self._config.share

    @property
    def each(self) -> int:
        """Impressions owed to each now: as asked, fewer when the slots cannot pay as many."""
        asked, capacity = self._config.impressions, self.capacity
        if capacity is None or capacity >= asked * self._demand:
            return asked
        return max(1, int(capacity / self._demand))

    def shown(self, row: int) -> int:
        return int(self._catalogue.columns["fair_count"].item(row))

    def urgency(self, rows: list[int], now_ms: int) -> Floats:
        """How far each debt is behind, in [0, 1]: the part of its time that is gone less the part
        of its impressions that it has had.
        """
        each, within = self.each, max(1, self._config.within_ms)
        behind = []
        for row in rows:
            debt = self.debts[row]
            gone = min(1.0, 1.0 - (debt.due_ms - now_ms) / within)
            behind.append(gone - self.shown(row) / max(1, min(each, debt.most)))
        return np.clip(np.array(behind, np.float64), 0.0, 1.0)

    def open(self, row: int, now_ms: int, coming: int, each: int) -> bool:
        """Whether a video in debt may still be shown for it, `coming` impressions being under way
        and `each` owed.
        """
        debt = self.debts[row]
        if now_ms >= debt.due_ms + self._config.within_ms:
            return False  # the log has not heard of the hour yet
        return self.shown(row) + coming < min(each, debt.most)

    # What happens

    def published(self, row: int, now_ms: int) -> None:
        """A video is here or its facts have changed; the catalogue knows them already."""
        self._advance(now_ms)
        columns = self._catalogue.columns
        held = self.debts.get(row)
        if columns["followers_only"].item(row):  # its author has chosen who sees it
            if held is not None:
                self._end(row, held, "withdrawn")
            return
        if held is None:
            due_ms = columns["published"].item(row) + self._config.within_ms
            fed = self.shown(row) >= self._config.impressions
            if fed or due_ms <= now_ms or row in self._counted:
                return  # not new, or paid already
            heappush(self._notices, (due_ms, row))
        else:
            due_ms = held.due_ms
            self._unlist(row, held)
        debt = Debt(
            due_ms,
            self._config.impressions if held is None else held.most,
            columns["author"].item(row),
            columns["language"].item(row),
            columns["channel"].item(row),
        )
        self._list(row, debt)
        self._leave(row)
        self._count(row, debt.author)

    def withdrawn(self, row: int) -> None:
        debt = self.debts.get(row)
        if debt is not None:
            self._end(row, debt, "withdrawn")

    def watched(self, row: int, now_ms: int, *, by_feed: bool) -> None:
        """A counted watch. `by_feed`: on a page that has reserved slots."""
        self._advance(now_ms)
        if by_feed:
            self._rate.count(now_ms)
        debt = self.debts.get(row)
        if debt is None:
            return
        for turns in self._turns(debt):
            turns.had(debt.author)
        if self.shown(row) >= min(self.each, debt.most):
            self._end(row, debt, "in_time" if now_ms < debt.due_ms else "late")

    def _advance(self, now_ms: int) -> None:
        if now_ms <= self.now_ms:
            return
        self.now_ms = now_ms
        self._rate.trim(now_ms)
        each = self.each  # before any of these leaves the count
        while self._notices and self._notices[0][0] <= now_ms:
            at_ms, row = heappop(self._notices)
            debt = self.debts.get(row)
            if debt is None:
                self._leave(row)
            elif at_ms >= debt.due_ms + self._config.within_ms:
                self._end(row, debt, "missed")
            elif at_ms == debt.due_ms:
                self._due(row, debt, each)

    def _due(self, row: int, debt: Debt, each: int) -> None:
        if self.shown(row) >= each:
            self._end(row, debt, "in_time")
            self._leave(row)
        else:
            self.debts[row] = debt._replace(most=min(debt.most, each))
            heappush(self._notices, (debt.due_ms + self._config.within_ms, row))

    def _end(self, row: int, debt: Debt, how: str) -> None:
        self._unlist(row, debt)
        if how != "in_time":  # else it counts until its time is over
            self._leave(row)
        others = self._catalogue.by_author.get(debt.author)
        videos = 0 if others is None else len(others)
        figures = self._ended[0 if videos < 2 else 1 if videos < 10 else 2]
        shown = self.shown(row)
        figures[FIGURES.index(how)] += 1
        figures[FIGURES.index("shown")] += shown
        if how in ("in_time", "late") and shown < self._config.impressions:
            figures[FIGURES.index("short")] += 1

    # The books

    def _turns(self, debt: Debt) -> tuple[Turns, Turns]:
        return self.by_language[debt.language], self.by_channel[debt.language, debt.channel]

    def _list(self, row: int, debt: Debt) -> None:
        self.debts[row] = debt
        self.by_language.setdefault(debt.language, Turns()).add(debt.author, row)
        key = debt.language, debt.channel
        self.by_channel.setdefault(key, Turns()).add(debt.author, row)

    def _unlist(self, row: int, debt: Debt) -> None:
        del self.debts[row]
        for turns in self._turns(debt):
            turns.remove(debt.author, row)
        if not self.by_language[debt.language]:
            del self.by_language[debt.language]
        if not self.by_channel[debt.language, debt.channel]:
            del self.by_channel[debt.language, debt.channel]

    def _count(self, row: int, author: int) -> None:
        self._counted[row] = author
        self._of[author] += 1
        self._demand += self._of[author] <= self._config.of_one

    def _leave(self, row: int) -> None:
        author = self._counted.pop(row, None)
        if author is not None:
            self._demand -= self._of[author] <= self._config.of_one
            self._of[author] -= 1
            if not self._of[author]:
                del self._of[author]

    # For the console, and for the snapshot

    def report(self) -> dict[str, Any]:
        """How it stands, since the beginning of the log. Times in ms; docs/parts/feed.md says what
        each figure is.
        """
        config, capacity = self._config, self.capacity
        by_size = {
            size: dict(zip(FIGURES, figures, strict=True))
            for size, figures in zip(SIZES, self._ended, strict=True)
        }
        total = {name: sum(by_size[size][name] for size in SIZES) for name in FIGURES}
        dues = [debt.due_ms for debt in self.debts.values()]
        return {
            "asked": config.impressions,
            "now": self.each,
            "within_ms": config.within_ms,
            "share": config.share,
            "capacity": None if capacity is None else round(capacity),
            "demand": config.impressions * self._demand,
            "over_capacity": self.each < config.impressions,
            "in_debt": len(dues),
            "overdue": sum(due <= self.now_ms for due in dues),
            "oldest_ms": max(0, self.now_ms - min(dues) + config.within_ms) if dues else 0,
            "paid_in_time": total["in_time"],
            "paid_late": total["late"],
            "paid_short": total["short"],
            "missed": total["missed"],
            "withdrawn": total["withdrawn"],
            "shown": total["shown"],
            "by_size": by_size,
        }

    def keep(self) -> Kept:
        return Kept(
            now_ms=self.now_ms,
            rows=list(self.debts),
            debts=list(self.debts.values()),
            counted=list(self._counted),
            counted_authors=list(self._counted.values()),
            notices=self._notices.copy(),
            languages=[(code, turns.authors()) for code, turns in self.by_language.items()],
            channels=[(*key, turns.authors()) for key, turns in self.by_channel.items()],
            first_ms=self._rate.first_ms,
            watches=list(self._rate.counts.items()),
            ended=[figures.copy() for figures in self._ended],
        )

    def restore(self, kept: Kept) -> None:
        """Takes up what was kept. Raises KeyError or ValueError when it does not hold together."""
        self.now_ms, self._notices = kept.now_ms, kept.notices
        self._ended = kept.ended
        self._rate.restore(kept.first_ms, kept.watches)
        self.by_language = {code: Turns() for code, _ in kept.languages}
        self.by_channel = {(language, channel): Turns() for language, channel, _ in kept.channels}
        for row, debt in zip(kept.rows, kept.debts, strict=True):
            self._list(row, debt)
        for code, authors in kept.languages:
            self.by_language[code].order(authors)
        for language, channel, authors in kept.channels:
            self.by_channel[language, channel].order(authors)
        for row, author in zip(kept.counted, kept.counted_authors, strict=True):
            self._count(row, author)
