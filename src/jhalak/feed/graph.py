"""A graph of places, built beside the pages: HNSW (Malkov and Yashunin, TPAMI 2020; by usearch).

A hundred thousand videos take a quarter of a minute, so a thread of its own builds, and whoever
asks meanwhile compares every place. What changes while it builds is taken in before it is handed
over. The graph follows from the places and is part of no state, so it does not matter to a replay
when it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jhalak.feed.taste import SIZE

if TYPE_CHECKING:
    from usearch.index import Index

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

LOOK = 256  # of the graph's nodes that a search keeps at hand
AT_ONCE = 1_024  # rows added before looking whether it is still wanted
FEW = 2_048  # rows that changed meanwhile and need not be taken in before it is handed over


class Building:
    """One graph while it is built. `put` and `remove` are for one thread at a time."""

    def __init__(self, rows: Rows, places: Floats) -> None:
        """`places` float32[all rows, SIZE]: not copied. Whoever changes the place of a row says so
        by `put`.
        """
        self._index = empty()
        self._changed: dict[int, None] = {}
        self._gone: set[int] = set()
        self._places = places
        self._lock = threading.Lock()
        self._unwanted = False
        self._done = threading.Event()
        # No daemon: a process that ends in the midst of usearch's code would be aborted.
        threading.Thread(target=self._build, args=(rows,), name="feed-graph").start()

    def put(self, row: int, places: Floats) -> None:
        with self._lock:
            self._places = places
            self._gone.add(row)  # where it lay
            self._changed[row] = None

    def remove(self, row: int) -> None:
        with self._lock:
            self._changed.pop(row, None)
            self._gone.add(row)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        self._unwanted = True

    def wait(self, seconds: float) -> bool:
        """Whether it is done; waits until it is."""
        return self._done.wait(seconds)

    def take(self) -> tuple[Index, dict[int, None], set[int]] | None:
        """The graph once it is done, with the rows that are still to be put in and taken out."""
        if not self._done.is_set() or self._unwanted:
            return None
        return self._index, self._changed, self._gone

    def _build(self, rows: Rows) -> None:
        gone: set[int] = set()
        places = self._places
        while True:
            forget(self._index, gone)
            for start in range(0, len(rows), AT_ONCE):
                if self._unwanted or not threading.main_thread().is_alive():
                    return
                some = rows[start : start + AT_ONCE]
                self._index.add(some.astype(np.uint64), places[some], threads=1)
            with self._lock:
                if len(self._changed) + len(self._gone) <= FEW:
                    self._done.set()  # to take in the last ones, others would have to wait
                    return
                rows, self._changed = np.array(list(self._changed), np.int32), {}
                gone, self._gone = self._gone, set()
                places = self._places


def empty() -> Index:
    """A graph of nothing. usearch's library brings a C++ runtime of its own and lets others bind to
    it; onnxruntime, loaded after it, crashes the process. In this order both work.
    """
    import onnxruntime  # noqa: F401
    from usearch.index import Index

    return Index(ndim=SIZE, metric="ip", dtype="f16", expansion_search=LOOK)


def forget(index: Index, rows: Iterable[int]) -> None:
    for row in rows:
        if row in index:
            index.remove(row)
