"""What each viewer of one experiment did, a row of columns each.

A viewer counts once, over one window from the first watch on. Arms are dealt to viewers, so viewers
are what is counted: days or watches of one viewer are not independent, and counting them would
promise more certainty than there is. Rows name nobody: the key is a hash.

Where two arms fill each viewer's pages in turn (interleaving), a viewer has two rows, one after the
other: what was watched of the control's picks, and of the arm's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jhalak.feed.columns import Column

if TYPE_CHECKING:
    from jhalak.feed.viewers import View

KINDS: dict[str, str] = {
    "key": "u8",
    "arm": "u1",
    "began": "i8",  # ms since 1970
    "watches": "i4",
    "good": "i4",
    "skips": "i4",
    "watched": "i8",  # ms
}
NOBODY = 255  # the arm of a row whose viewer is forgotten
MOST = 100_000  # viewers in one experiment; who comes later is served the arm and not counted


class Seen(NamedTuple):
    """What one event of watching adds. A watch that goes on may take back what it seemed."""

    watches: int
    good: int
    skips: int
    watched_ms: int


def grown(before: View | None, after: View, skip_below_ms: float) -> Seen:
    """What a watch adds to what was seen of it before."""

    def so_far(view: View | None) -> tuple[int, int, int, int]:
        if view is None:
            return 0, 0, 0, 0
        skipped = view.watched_ms < skip_below_ms and not view.finished
        return 1, int(view.felt > 0.0), int(skipped), view.watched_ms

    return Seen(*(b - a for a, b in zip(so_far(before), so_far(after), strict=True)))


class Units:
    def __init__(self, columns: dict[str, Column] | None = None, *, pairs: bool = False) -> None:
        """`columns`: of a snapshot; they are kept, not copied. `pairs`: two rows a viewer."""
        self._rows = 2 if pairs else 1
        self._columns = columns or {name: np.zeros(16, kind) for name, kind in KINDS.items()}
        self.count = len(self._columns["key"]) if columns else 0
        self._row_of = {
            self._columns["key"].item(row): row
            for row in range(0, self.count, self._rows)
            if self._columns["arm"].item(row) != NOBODY
        }

    def add(self, key: int, arm: int, at_ms: int, window_ms: int, seen: Seen) -> bool:
        """False when it does not count: the window is over, or there is no more room."""
        row = self._row_of.get(key)
        if row is None:
            if self.count >= MOST * self._rows or not seen.watches:
                return False
            row = self._row_of[key] = self.count
            for each in range(self._rows):
                self._enter(key, each if self._rows > 1 else arm, at_ms)
        columns = self._columns
        begun = columns["began"].item(row)
        row += arm if self._rows > 1 else 0
        if columns["arm"].item(row) != arm or at_ms >= begun + window_ms:
            return False
        columns["watches"][row] += seen.watches
        columns["good"][row] += seen.good
        columns["skips"][row] += seen.skips
        columns["watched"][row] += seen.watched_ms
        return True

    def _enter(self, key: int, arm: int, at_ms: int) -> None:
        row = self.count
        if row == len(self._columns["key"]):
            self._columns = {
                name: np.concatenate([column, np.zeros(max(16, row), column.dtype)])
                for name, column in self._columns.items()
            }
        self._columns["key"][row] = key
        self._columns["arm"][row] = arm
        self._columns["began"][row] = at_ms
        self.count += 1

    def forget(self, key: int) -> None:
        """The row stays, empty, under no arm and no key."""
        row = self._row_of.pop(key, None)
        if row is not None:
            for name, column in self._columns.items():
                column[row : row + self._rows] = NOBODY if name == "arm" else 0

    def column(self, name: str) -> Column:
        """To be read only."""
        return self._columns[name][: self.count]
