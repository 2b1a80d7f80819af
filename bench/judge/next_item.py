"""Next item: the last of each viewer's line, ranked among everything (never among 100 negatives).

Leave-one-out as in S3-Rec and ICLRec: the last item is for the report, the one before for tuning.
What a viewer has had already is not ranked. HR@10 is the share of viewers whose item is among the
first ten; NDCG@10 also asks how far up (1 / log2(1 + rank)).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
from bench.figures import figure
from bench.judge.entries import every
from bench.judge.linear import ease, item_knn
from numpy.typing import NDArray
from scipy import sparse

# Published, full ranking, same data (Beauty) and split, HR@10 and NDCG@10: SASRec as in table 1 of
# TIGER (Rajput et al., NeurIPS 2023); ICLRec (Chen et al., WWW 2022) as in its own, table 2.
PUBLISHED = {"SASRec": (0.0605, 0.0318), "ICLRec": (0.0744, 0.0403)}


class Ranker(Protocol):
    def fit(self, lines: list[list[int]], n_items: int) -> None:
        """Each viewer's items in time order."""

    def scores(self, viewers: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32[viewer, item]: what comes next for these viewers, after the lines it was fitted
        on and whatever `more` gave them.
        """

    def more(self, items: list[int]) -> None:
        """One more item for each viewer, known at the time of the question."""


def ranks(scores: NDArray[np.float32], had: Iterable[list[int]], wanted: NDArray[np.int64]):
    """int[viewer], from 1: the place of `wanted` among what the viewer has not had. Ties count half
    against it, so that a constant score earns nothing.
    """
    scores = scores.copy()
    rows = np.arange(len(wanted))
    target = scores[rows, wanted]
    for row, items in enumerate(had):
        scores[row, items] = -np.inf
    scores[rows, wanted] = -np.inf
    above = (scores > target[:, None]).sum(1)
    tied = (scores == target[:, None]).sum(1)
    return 1 + above + (tied + 1) // 2


def hit_rate(rank: NDArray[np.int64], k: int = 10) -> NDArray[np.float64]:
    return (rank <= k).astype(np.float64)


def ndcg(rank: NDArray[np.int64], k: int = 10) -> NDArray[np.float64]:
    return np.where(rank <= k, 1.0 / np.log2(1.0 + rank), 0.0)


class _Sums(ABC):
    """Keeps the viewers' items as a matrix; scores are a product with [item, item] weights."""

    def fit(self, lines: list[list[int]], n_items: int) -> None:
        self._x = _matrix(lines, n_items)
        self._w = self._weights(self._x)

    @abstractmethod
    def _weights(self, x: sparse.csr_matrix) -> Any:
        """[item, item], dense or sparse."""

    def more(self, items: list[int]) -> None:
        ones = np.ones(len(items), np.float32)
        extra = (ones, (np.arange(len(items)), np.asarray(items)))
        self._x = (self._x + sparse.csr_matrix(extra, shape=self._x.shape)).tocsr()
        self._x.data[:] = 1.0

    def scores(self, viewers: NDArray[np.int64]) -> NDArray[np.float32]:
        found = self._x[viewers] @ self._w
        return np.asarray(found.toarray() if sparse.issparse(found) else found, np.float32)


class Popularity(_Sums):
    def _weights(self, x: sparse.csr_matrix) -> NDArray[np.float32]:
        return np.asarray(x.sum(0), np.float32).ravel()

    def scores(self, viewers: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.repeat(self._w[None], len(viewers), axis=0)


class ItemKNN(_Sums):
    def __init__(self, k: int = 100, shrink: float = 10.0) -> None:
        self._k, self._shrink = k, shrink

    def _weights(self, x: sparse.csr_matrix) -> sparse.csr_matrix:
        return item_knn(x, self._k, self._shrink)


class Ease(_Sums):
    def __init__(self, l2: float = 200.0) -> None:
        self._l2 = l2

    def _weights(self, x: sparse.csr_matrix) -> NDArray[np.float32]:
        return ease(x, self._l2)


def _matrix(lines: list[list[int]], n_items: int) -> sparse.csr_matrix:
    rows = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    items = np.concatenate([np.asarray(line, np.int64) for line in lines])
    found = sparse.csr_matrix(
        (np.ones(len(items), np.float32), (rows, items)), shape=(len(lines), n_items)
    )
    found.data[:] = 1.0
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    make: Callable[..., Ranker]
    settings: list[dict[str, Any]] = field(default_factory=lambda: [{}])


BASELINES = [
    Entry("popularity", Popularity),
    Entry("ItemKNN", ItemKNN, every(k=[20, 50, 100, 300], shrink=[0.0, 10.0])),
    Entry("EASE", Ease, every(l2=[10.0, 20.0, 50.0, 100.0, 150.0, 200.0, 400.0, 800.0])),
]


@dataclass(frozen=True, slots=True)
class Judged:
    hit_rate: float
    ndcg: float
    settings: dict[str, Any]


def _ranks(
    ranker: Ranker, had: list[list[int]], wanted: NDArray[np.int64], at_once: int = 500
) -> NDArray[np.int64]:
    found = []
    for start in range(0, len(had), at_once):
        rows = np.arange(start, min(start + at_once, len(had)))
        few = [had[row] for row in rows]
        found.append(ranks(ranker.scores(rows), few, wanted[rows]))
    return np.concatenate(found)


def run(
    lines: list[list[int]], ours: Iterable[Entry] = (), entries: Iterable[Entry] = BASELINES
) -> dict[str, Judged]:
    """Fits on all but the last two items, tunes on the last but one, judges on the last."""
    n_items = max(max(line) for line in lines) + 1
    train = [line[:-2] for line in lines]
    valid, test = (np.array([line[place] for line in lines]) for place in (-2, -1))
    found = {}
    for entry in [*entries, *ours]:
        kept: tuple[float, Ranker, dict[str, Any]] | None = None
        for settings in entry.settings:
            ranker = partial(entry.make, **settings)()
            ranker.fit(train, n_items)
            value = float(ndcg(_ranks(ranker, train, valid)).mean())
            if kept is None or value > kept[0]:
                kept = value, ranker, settings
        assert kept is not None
        _, ranker, settings = kept
        ranker.more(valid.tolist())
        rank = _ranks(ranker, [line[:-1] for line in lines], test)
        found[entry.name] = Judged(float(hit_rate(rank).mean()), float(ndcg(rank).mean()), settings)
    return found


def published() -> list[dict[str, Any]]:
    """What others printed for the same question."""
    rows = []
    for name, (rate, gain) in PUBLISHED.items():
        rows.append(figure(f"Beauty next item, HR@10: {name}, published", rate, ""))
        rows.append(figure(f"Beauty next item, NDCG@10: {name}, published", gain, ""))
    return rows


def figures(where: str, found: dict[str, Judged], names: Iterable[str]) -> list[dict[str, Any]]:
    """For scripts/bench; `names` are the baselines'. Of what is published too, that is the limit:
    our own training of it must not be worse. Ours is to be above them all, on real data.
    """
    names = list(names)
    rows = []
    rates = max(found[name].hit_rate for name in names)
    gains = max(found[name].ndcg for name in names)
    for name, one in found.items():
        known: tuple[float | None, float | None] = (None, None)
        if where == "Beauty":
            known = PUBLISHED.get(name, (None, None)) if name in names else (rates, gains)
        rows.append(
            figure(
                f"{where} next item, HR@10: {name}",
                one.hit_rate,
                "",
                baseline=rates,
                at_least=known[0],
            )
        )
        rows.append(
            figure(
                f"{where} next item, NDCG@10: {name}",
                one.ndcg,
                "",
                baseline=gains,
                at_least=known[1],
            )
        )
    return rows
