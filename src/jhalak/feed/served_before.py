"""What this process served lately, by viewer. Not in the log, not in the snapshot: it only keeps a
page from coming twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jhalak.feed.config import Config
from jhalak.feed.orderings import Rows
from jhalak.feed.shelves import Shelves


class Ranking(NamedTuple):
    """The best of one page's candidates, best first, and the sources that brought each, as in the
    column "sources".
    """

    rows: Rows
    sources: Rows


UNRANKED = Ranking(np.empty(0, np.int32), np.empty(0, np.int32))


class ServedBefore:
    """What was served lately, by viewer, and the last ranking, for the page after a failure."""

    __slots__ = ("_entries", "_for_ms", "_most")

    def __init__(self, config: Config) -> None:
        self._entries = Shelves(_Served, config.members, config.guests)
        self._most, self._for_ms = config.served, config.served_for_ms

    def rows(self, viewer: str, now_ms: int) -> Rows:
        """Rows served in the last while, oldest first, each once."""
        served = self._entries.get(viewer)
        if served is None:
            return np.empty(0, np.int32)
        since = now_ms - self._for_ms
        rows = [row for row, at in served.rows.items() if at > since]
        return np.array(rows, np.int32)

    def ranking(self, viewer: str) -> Ranking:
        served = self._entries.get(viewer)
        return UNRANKED if served is None else served.ranking

    def next(self, viewer: str) -> int:
        """A number that differs for each page of this viewer in this process."""
        served = self._entries.active(viewer)
        served.pages += 1
        return served.pages

    def note(self, viewer: str, now_ms: int, rows: Iterable[int], ranking: Ranking | None) -> None:
        served = self._entries.active(viewer)
        for row in rows:
            served.rows.pop(row, None)
            served.rows[row] = now_ms
        while len(served.rows) > self._most:
            del served.rows[next(iter(served.rows))]
        if ranking is not None:
            served.ranking = ranking

    def join(self, guest: str, member: str) -> None:
        served = self._entries.pop(guest)
        if served is not None and guest != member:
            for row, at in served.rows.items():
                self.note(member, at, (row,), None)

    def forget(self, viewer: str) -> None:
        self._entries.pop(viewer)

    def __len__(self) -> int:
        return len(self._entries)


class _Served:
    __slots__ = ("pages", "ranking", "rows")

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.ranking = UNRANKED
        self.pages = 0
