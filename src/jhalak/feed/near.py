"""Which public videos lie nearest to a direction.

While there are few, every place is compared: exact, the same on every machine that has the same
columns, and a millisecond for EXACT of them. A larger catalogue has a graph that is walked
(`graph.py`); until it is built, every place is compared there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jhalak.feed.graph import Building, forget
from jhalak.feed.orderings import Newest, Rows

if TYPE_CHECKING:
    from usearch.index import Index

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

EXACT = 50_000  # videos
TOGETHER = 2_048  # videos that come while no page is asked for: a start, an import


class Near:
    """Told of every public row; holds a graph of them once they are more than EXACT."""

    def __init__(self) -> None:
        self._index: Index | None = None
        self._building: Building | None = None
        self._waiting: dict[int, None] = {}

    def fill(self, rows: Rows, places: Floats) -> None:
        """Holds these rows and nothing else. `places` float32[all rows, SIZE]."""
        self._index = None
        self._waiting = {}
        if self._building is not None:
            self._building.stop()
        self._building = Building(rows, places) if len(rows) > EXACT else None

    def put(self, row: int, public: Newest, places: Floats) -> None:
        """A row is public from now on, or lies elsewhere; `public`: all that are, with it."""
        if self._graph() is not None:
            self.remove(row)
            self._waiting[row] = None
            if len(self._waiting) >= TOGETHER:
                self._settle(places)
        elif self._building is not None:
            self._building.put(row, places)
        elif len(public) > EXACT:
            self.fill(public.all(), places)

    def remove(self, row: int) -> None:
        index = self._graph()
        if index is not None:
            forget(index, [row])
        elif self._building is not None:
            self._building.remove(row)
        self._waiting.pop(row, None)

    def wait(self, seconds: float) -> bool:
        """Waits for a graph that is being built; whether none is any more."""
        return self._building is None or self._building.wait(seconds)

    def _graph(self) -> Index | None:
        """The graph, once there is one."""
        if self._building is not None and (built := self._building.take()) is not None:
            self._index, self._waiting, gone = built
            self._building = None
            forget(self._index, gone)
        return self._index

    def _settle(self, places: Floats) -> None:
        """Takes what waits into the graph: many together, by all cores; few by this thread."""
        assert self._index is not None
        rows = np.array(list(self._waiting), np.uint64)
        self._index.add(rows, places[rows], threads=0 if len(rows) >= TOGETHER else 1)
        self._waiting = {}

    def nearest(
        self, directions: Floats, count: int, public: Newest, places: Floats, extra: Doubles
    ) -> list[Rows]:
        """For each of `directions` float32[n, SIZE] up to `count` public rows, those with the
        largest product with it, plus `extra` float64[all rows], first. The graph finds by the
        product alone.
        """
        size = min(count, len(public))
        if self._graph() is not None:
            if self._waiting:
                self._settle(places)
            return [self._walk(direction, size, places, extra) for direction in directions]
        rows = public.all()
        if not size:
            return [rows[:0]] * len(directions)
        # Nearly every row is public: to multiply them all is quicker than to pick out those.
        end = int(rows.max()) + 1
        products = places[:end] @ directions.T  # in this order twice as quick
        return [_first(rows, -(product + extra[:end])[rows], size) for product in products.T]

    def _walk(self, direction: Floats, size: int, places: Floats, extra: Doubles) -> Rows:
        assert self._index is not None
        found = self._index.search(direction, size, threads=1)
        rows = np.asarray(found.keys).astype(np.int32)
        return rows[(-(places[rows] @ direction) - extra[rows]).argsort(kind="stable")]


def _first(rows: Rows, product: Doubles, size: int) -> Rows:
    """The rows of the `size` >= 1 least products, in order; of equal ones the lowest rows."""
    if size < len(rows):
        cut = np.partition(product, size - 1)[size - 1]
        below, level = np.flatnonzero(product < cut), np.flatnonzero(product == cut)
        room = size - len(below)
        if room < len(level):  # before anything is learnt, all are equal
            level = level[np.argpartition(rows[level], room - 1)[:room]]
        few = np.concatenate((below, level))
        rows, product = rows[few], product[few]
    return np.asarray(rows[np.lexsort((rows, product))], np.int32)
