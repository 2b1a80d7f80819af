"""Jhalak at the next item: what followed what, and how closely.

Counts of ordered pairs within a line, each worth `near` ** (items between), the other way round
worth `back` as much; what a viewer had counts `fade` ** (items since). The count is divided by a
power of how often the first item stands, none of the second: what comes next is asked for, so that
what is common may win (against the cosine of ItemKNN, which holds it down twice).

A first-order Markov chain (Rendle et al., FPMC, WWW 2010) is the case near = back = fade = 0; item
transitions with decayed past and future are SLIT's (Choi et al., Session-aware Linear Item-Item
Models, WWW 2021), without its inversion.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.judge.entries import every
from bench.judge.next_item import Entry
from numpy.typing import NDArray
from scipy import sparse

COMMON = 0.3  # power of the first item's count
LEAST = 1e-3  # a weight under which nothing is counted


class Ours:
    def __init__(self, near: float = 0.75, back: float = 0.3, fade: float = 0.6) -> None:
        self._near, self._back, self._fade = near, back, fade

    def fit(self, lines: list[list[int]], n_items: int) -> None:
        self._lines, self._n = [list(line) for line in lines], n_items
        items, line, _ = _flat(self._lines)
        count = np.maximum(np.bincount(items, minlength=n_items), 1)
        shape = (n_items, n_items)
        after = sparse.csr_matrix(shape, dtype=np.float32)
        for gap, weight in enumerate(_fading(self._near), 1):
            first = np.flatnonzero(line[:-gap] == line[gap:])
            if not len(first):
                break
            values = np.full(len(first), weight, np.float32)
            after += sparse.csr_matrix((values, (items[first], items[first + gap])), shape=shape)
        both = after + self._back * after.T
        scale = (count**-COMMON).astype(np.float32)
        self._after = (sparse.diags(scale) @ both).tocsr()

    def more(self, items: list[int]) -> None:
        for line, item in zip(self._lines, items, strict=True):
            line.append(item)

    def scores(self, viewers: NDArray[np.int64]) -> NDArray[np.float32]:
        items, line, since = _flat([self._lines[viewer] for viewer in viewers])
        values = (self._fade**since).astype(np.float32)
        had = sparse.csr_matrix((values, (line, items)), shape=(len(viewers), self._n))
        return np.asarray((had @ self._after).toarray(), np.float32)


def _flat(lines: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every item in order, which line it stands in, and how many of that line come after it."""
    length = np.array([len(line) for line in lines])
    items = np.concatenate([np.asarray(line, np.int64) for line in lines])
    ends = np.repeat(length.cumsum(), length)
    return items, np.repeat(np.arange(len(lines)), length), ends - 1 - np.arange(len(items))


def _fading(near: float) -> Iterator[float]:
    weight = 1.0
    while weight >= LEAST:
        yield weight
        weight *= near


RANKERS = [
    Entry("Jhalak", Ours, every(near=[0.6, 0.75], back=[0.15, 0.3], fade=[0.5, 0.6])),
]  # fmt: skip
