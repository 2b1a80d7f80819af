"""Orders of the catalogue that are kept, never made for a page.

`Newest`: rows by time of publication, kept sorted as videos come and go.
`Hot`: the rows with the greatest heat, exact for the first HOT, kept as heat grows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]

NO_ROWS: Rows = np.empty(0, np.int32)
HOT = 256


class Newest:
    """Rows in ascending order of `key(row)`, a key that differs for every row and stays."""

    def __init__(self, key: Callable[[int], tuple[int, int]]) -> None:
        self._key = key
        self._rows = array("i")

    def __len__(self) -> int:
        return len(self._rows)

    def insert(self, row: int) -> None:
        key = self._key(row)
        if not self._rows or self._key(self._rows[-1]) < key:
            self._rows.append(row)
        else:
            self._rows.insert(bisect_left(self._rows, key, key=self._key), row)

    def remove(self, row: int) -> None:
        at = bisect_left(self._rows, self._key(row), key=self._key)
        if at < len(self._rows) and self._rows[at] == row:
            del self._rows[at]

    def last(self) -> int:
        """The newest row of an order that is not empty."""
        return self._rows[-1]

    def all(self) -> Rows:
        """Every row, oldest first."""
        return np.frombuffer(self._rows[:], np.int32)

    def at(self, places: list[int]) -> Rows:
        rows = self._rows
        return np.array([rows[place] for place in places], np.int32)

    def head(self, count: int) -> Rows:
        """The `count` newest rows, newest first."""
        return np.frombuffer(self._rows[-count:], np.int32)[::-1]

    def chunks(self, first: int) -> Iterator[Rows]:
        """The rows newest first, `first` of them and then four times as many each time."""
        end, size = len(self._rows), max(1, first)
        while end > 0:
            start = max(0, end - size)
            # The slice is a copy, so no view hinders the array from growing.
            yield np.frombuffer(self._rows[start:end], np.int32)[::-1]
            end, size = start, size * 4


class Hot:
    """The rows with the greatest heat. Holds every row hotter than `threshold`, at least HOT of
    them while there are as many, at most twice that.

    `bit` marks membership in `marks`, one byte for each row, shared by several sets. Heat only
    grows (it decays by the growth of newcomers' heat: see catalogue.heat_of), so a row outside
    can only come in through `raised`.
    """

    def __init__(self, bit: int, size: int = HOT) -> None:
        self.bit = bit
        self.size = size
        self.rows = array("i")
        self.threshold = -np.inf
        self._sorted: Rows | None = None

    def raised(self, row: int, heat: Floats, marks: Flags) -> None:
        """The heat of `row` has grown, or the row is new."""
        if marks.item(row) & self.bit:
            self._sorted = None
        elif heat.item(row) > self.threshold:
            self.rows.append(row)
            marks[row] |= self.bit
            self._sorted = None
            if len(self.rows) > 2 * self.size:
                self._fill(np.frombuffer(self.rows[:], np.int32), heat, marks)

    def remove(self, row: int, heat: Floats, marks: Flags, everything: Callable[[], Rows]) -> None:
        """`row` is gone. `everything` gives all rows that could be here."""
        if not marks.item(row) & self.bit:
            return
        self.rows.remove(row)
        marks[row] &= 255 - self.bit
        self._sorted = None
        if len(self.rows) < self.size // 2 and self.threshold > -np.inf:
            self._fill(everything(), heat, marks)

    def _fill(self, rows: Rows, heat: Floats, marks: Flags) -> None:
        order = rows[np.lexsort((rows, -heat[rows]))]
        held = np.frombuffer(self.rows[:], np.int32)
        marks[held] &= 255 - self.bit
        keep, rest = order[: self.size], order[self.size :]
        marks[keep] |= self.bit
        self.rows = array("i", keep.tolist())
        self.threshold = float(heat[rest[0]]) if len(rest) else -np.inf

    def order(self, heat: Floats) -> Rows:
        """The rows, hottest first. Sorted again only after something has changed."""
        if self._sorted is None:
            rows = np.frombuffer(self.rows[:], np.int32)
            self._sorted = rows[np.argsort(-heat[rows], kind="stable")]
        return self._sorted

    def scale(self, factor: float) -> None:
        self.threshold *= factor
