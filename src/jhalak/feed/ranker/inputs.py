"""The network's inputs, from a page in the making: the same code makes them when a page is served
and when the log is replayed for training.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jhalak.feed.columns import Batch, Mask
from jhalak.feed.config import HOUR_MS
from jhalak.feed.page import Page
from jhalak.feed.protocols import Scores
from jhalak.feed.ranker.layout import COLUMNS, ENDS, FEATURES, HISTORY, TOKEN
from jhalak.feed.taste import SIZE

Floats = npt.NDArray[np.float32]

SHORTEST_MS = 1_000  # a clip of no known length counts as so long


class Answers(NamedTuple):
    """What a viewer answered last, the latest last: at most HISTORY of each."""

    rows: npt.NDArray[np.int32]
    felt: npt.NDArray[np.float32]
    ends: npt.NDArray[np.uint8]
    at_ms: npt.NDArray[np.int64]

    def where(self, kept: Mask) -> Answers:
        return Answers(self.rows[kept], self.felt[kept], self.ends[kept], self.at_ms[kept])


NOTHING = Answers(
    np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.uint8), np.zeros(0, np.int64)
)


def answers(page: Page) -> Answers:
    """Nothing for a page that may not be personal: there is no session then."""
    if page.session is None:
        return NOTHING
    rows, felt, ends, at_ms = page.session.last_answers(HISTORY)
    return Answers(rows, felt, ends, at_ms)


def tokens(found: Answers, places: Floats) -> tuple[Floats, Floats]:
    """float32[HISTORY, TOKEN] and float32[HISTORY], 1 where there is an answer. `places` are those
    of all videos, by row.
    """
    history = np.zeros((HISTORY, TOKEN), np.float32)
    known = np.zeros(HISTORY, np.float32)
    count = len(found.rows)
    if count:
        part = history[HISTORY - count :]
        part[:, :SIZE] = places[found.rows]
        part[:, SIZE] = found.felt
        part[1:, SIZE + 1] = _time(np.diff(found.at_ms))
        part[np.arange(count), SIZE + 2 + np.minimum(found.ends, ENDS - 1)] = 1.0
        known[HISTORY - count :] = 1.0
    return history, known


def features(page: Page, batch: Batch, scores: Scores, found: Answers) -> Floats:
    """float32[n, FEATURES]."""
    columns, now_ms = page.catalogue.columns, page.query.now_ms
    rows = batch.rows
    made = np.empty((len(rows), len(FEATURES)), np.float32)
    made[:, 0] = scores.total
    for at, name in enumerate(COLUMNS, 1):
        made[:, at] = batch[name]
    at = 1 + len(COLUMNS)
    made[:, at] = columns["unsure"].take(rows)
    made[:, at + 1] = np.log1p(columns["fair_count"].take(rows))
    made[:, at + 2] = np.log(length_ms(page, rows) / 1000.0)
    made[:, at + 3] = 0.0 if page.taste is None else page.taste.level
    made[:, at + 4], made[:, at + 5] = of_history(found, now_ms)
    turn = now_ms % (24 * HOUR_MS) / (24 * HOUR_MS) * 2.0 * np.pi
    made[:, at + 6], made[:, at + 7] = np.sin(turn), np.cos(turn)
    return made


def of_history(found: Answers, now_ms: int) -> tuple[float, float]:
    """The features "answers" and "since": how many there are, and how long ago the last was."""
    if not len(found.rows):
        return 0.0, 0.0
    return float(np.log1p(len(found.rows))), float(_time(now_ms - found.at_ms[-1]))


def length_ms(page: Page, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return np.maximum(page.catalogue.columns["duration"].take(rows), SHORTEST_MS)


def _time(span_ms: npt.NDArray[np.int64] | np.int64) -> npt.NDArray[np.float64]:
    """Milliseconds by their order of magnitude."""
    return np.asarray(np.log1p(np.maximum(span_ms, 0) / 1000.0) / 5.0)
