"""SASRec (sasrec.py) where the judge asks: next item, and the closed loop.

The logs of the loop have no times, so that there a line's order is drawn anew in each epoch; only
what is liked in the loop comes in its order, after everything else: each page's answers are folded
in by encoding the history again.

Trying a setting takes minutes here. So settings are found once by `python -m bench.judge.tuning`
("SASRec, folded", "SASRec, next item"), eight as for everybody, on what tunes alone, and stand in
tuned.json.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import numpy as np
from bench.judge import next_item
from bench.judge.entries import TUNED, Entry, every
from bench.judge.recommender import Bools, Floats, Ids, Log, best
from bench.judge.sasrec import SasRec, Settings
from numpy.typing import NDArray

NEXT = "SASRec, next item"
UNORDERED = {"blocks": 1, "length": 20, "negatives": 512, "batch": 128, "shuffled": True}

seconds: dict[str, float] = {}  # that the last training took, by part


class NextItem:
    def __init__(self, **settings: Any) -> None:
        self._settings = Settings(**settings)

    def fit(self, lines: list[list[int]], n_items: int) -> None:
        self._lines = [list(line) for line in lines]
        arrays = [np.asarray(line, np.int64) for line in lines]
        self._model = SasRec.train(arrays, n_items, self._settings)
        seconds["next item"] = self._model.seconds

    def more(self, items: list[int]) -> None:
        for line, item in zip(self._lines, items, strict=True):
            line.append(item)

    def scores(self, viewers: NDArray[np.int64]) -> Floats:
        lines = [self._lines[viewer] for viewer in viewers]
        return self._model.ahead(lines) @ self._model.items.T


class Loop:
    def __init__(self, **settings: Any) -> None:
        self._settings = Settings(**{**UNORDERED, **settings})

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        if logged is None:
            raise ValueError("this one is fitted on a log")
        self._model, self._lines = _kept(logged, n_viewers, n_videos, self._settings)
        self._lines = [list(line) for line in self._lines]
        self._items = self._model.items
        self._ahead: dict[int, Floats] = {}
        seconds["closed loop"] = self._model.seconds

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        if viewer not in self._ahead:
            self._ahead[viewer] = self._model.ahead([self._lines[viewer]])[0]
        return best(self._items @ self._ahead[viewer], n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        if liked.any():
            self._lines[viewer] += videos[liked].tolist()
            del self._ahead[viewer]


@lru_cache(maxsize=2)
def _kept(
    logged: Log, n_viewers: int, n_videos: int, settings: Settings
) -> tuple[SasRec, list[list[int]]]:
    likes = logged.matrix(n_viewers, n_videos)
    rng = np.random.default_rng(settings.seed)
    cuts = likes.indptr[1:-1]
    lines = [rng.permutation(line).astype(np.int64) for line in np.split(likes.indices, cuts)]
    return SasRec.train(lines, n_videos, settings), [line.tolist() for line in lines]


def _found(name: str) -> list[dict[str, Any]]:
    kept = json.loads(TUNED.read_text("utf-8"))
    return [kept[name]["settings"]] if name in kept else [{}]


RANKERS = [next_item.Entry("SASRec", NextItem, _found(NEXT))]
LOOP = [Entry("SASRec, folded", Loop, every(size=[32, 64], dropout=[0.2, 0.5], epochs=[4, 12]))]
TRIED = every(rate=[2e-3, 4e-3], dropout=[0.3, 0.5], negatives=[256, 1024])
TRIES, EVERY, MOST = 8, 4, 40  # epochs of a try, between two looks, and of what won
SOME = 6000  # viewers looked at


def tune(lines: list[list[int]]) -> None:
    """The next item, by the rank of the item before the last: eight settings for a few epochs, then
    the best of them until it gets no better.
    """
    n_items = max(max(line) for line in lines) + 1
    had = [line[:-2] for line in lines[:SOME]]
    wanted = np.array([line[-2] for line in lines[:SOME]])
    train = [np.asarray(line[:-2], np.int64) for line in lines]

    def grown(settings: dict[str, Any], most: int) -> tuple[float, int]:
        """The best NDCG@10, and after how many epochs."""
        best = (0.0, 0)
        for epoch, model in enumerate(
            SasRec.epochs(train, n_items, Settings(**settings, epochs=most)), 1
        ):
            if epoch % EVERY:
                continue
            scores = model.ahead(had) @ model.items.T
            value = float(next_item.ndcg(next_item.ranks(scores, had, wanted)).mean())
            print(f"{NEXT:30} {value:.4f}  {settings} {epoch} {model.seconds:.0f} s", flush=True)
            if value < best[0]:
                break
            best = value, epoch
        return best

    winner = max(TRIED, key=lambda settings: grown(settings, TRIES)[0])
    value, epochs = grown(winner, MOST)
    kept = json.loads(TUNED.read_text("utf-8"))
    kept[NEXT] = {"settings": {**winner, "epochs": epochs}, "ndcg_10": round(value, 4)}
    TUNED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
