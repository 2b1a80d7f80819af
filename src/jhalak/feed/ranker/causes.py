"""What a named cause is worth while a ranker is in force: by trying.

The network sees the score, its parts and what was watched, so a cause also speaks through it, for
or against. Each cause that a reason might name is taken away from its inputs (the term from the
score, its column, and of the history what goes with it when the viewer takes it away), and the
network is asked again, for all of a page at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jhalak.feed.columns import Mask
from jhalak.feed.config import Config
from jhalak.feed.models import ModelError
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.page import Page
from jhalak.feed.protocols import Result, Scores, Slot
from jhalak.feed.ranker import inputs
from jhalak.feed.ranker.layout import FEATURES
from jhalak.feed.ranker.scorer import TERM, Cases, terms
from jhalak.feed.scorer import TERMS

STRONGEST = 4  # causes of a pick that are tried
_SUITS, _MOOD = FEATURES.index("suits"), FEATURES.index("mood")
_OF_HISTORY = [FEATURES.index(name) for name in ("answers", "since")]


def through_ranker(
    page: Page, result: Result, slots: Sequence[Slot], config: Config, least: float
) -> dict[tuple[int, str], float]:
    """For (place, term) of these of its picks: by how much the ranker's own part falls without the
    cause. Terms under `least` are no causes.
    """
    scores, batch = result.scores, result.batch
    if scores is None or TERM not in scores.names:
        return {}
    of_ranker = scores.terms[scores.names.index(TERM)]
    found = inputs.answers(page)
    before = Scores(scores.total - of_ranker, scores.terms, scores.names)
    features = inputs.features(page, batch, before, found)
    surprise = _surprise(page, found)
    tried: list[tuple[int, str]] = []
    kept: list[inputs.Answers] = []
    changed: list[inputs.Floats] = []
    for slot in slots:
        if slot.place < 0:
            continue
        column = scores.terms[:, slot.place].tolist()
        named = sorted(zip(column, scores.names, strict=True), reverse=True)
        for weight, name in [one for one in named if one[1] != TERM][:STRONGEST]:
            if weight < least:
                break
            goes = _goes(page, slot.row, name, found.rows)
            left = found.where(~goes)
            row = features[slot.place].copy()
            if name != "similar":  # of which the cause is a part only
                row[0] -= weight
                row[FEATURES.index(TERMS[name])] = 0.0
            suits, mood = _said(page, slot.row, found, surprise, goes)
            row[0] -= config.weights.similar * suits
            row[_SUITS] -= suits
            row[_MOOD] -= mood
            row[_OF_HISTORY] = inputs.of_history(left, page.query.now_ms)
            tried.append((slot.place, name))
            changed.append(row)
            kept.append(left)
    if not tried:
        return {}
    places = [place for place, _ in tried]
    cases = Cases(kept, batch.rows[places][:, None], np.stack(changed)[:, None])
    try:
        without = terms(page, cases, config)[:, 0]
    except ModelError:
        return {}
    return dict(zip(tried, (of_ranker[places] - without).tolist(), strict=True))


def _surprise(page: Page, found: inputs.Answers) -> Floats:
    """float[answers]: how far better each was taken than expected."""
    if page.taste is None or not len(found.rows):
        return np.zeros(len(found.rows))
    columns = page.catalogue.columns
    places = columns["place"][found.rows]
    odds = page.learner.everybody(places, columns["alone"][found.rows])
    odds = odds + page.taste.level + places @ page.taste.mean
    return np.asarray((1.0 + found.felt) / 2.0 - 1.0 / (1.0 + np.exp(-odds)))


def _said(
    page: Page, row: int, found: inputs.Answers, surprise: Floats, goes: Mask
) -> tuple[float, float]:
    """What the answers that go said for a video and of the viewer's mood, to first order."""
    if page.taste is None or not goes.any():
        return 0.0, 0.0
    places = page.catalogue.columns["place"]
    told = page.learner.influence(page.taste, places[row], places[found.rows[goes]], surprise[goes])
    return float(told.sum()), page.taste.level_variance * float(surprise[goes].sum())


def _goes(page: Page, row: int, name: str, rows: Rows) -> Mask:
    """Which answers about `rows` go, when the viewer takes this cause of a video away."""
    columns = page.catalogue.columns
    if name in ("channel", "author", "language"):
        return np.asarray(columns[name][rows] == columns[name][row])
    if name == "tag":
        tag = page.best_tag(row)
        return np.asarray((columns["tags"][rows] == tag).any(axis=1) & (tag >= 0))
    if name == "similar":
        return np.asarray(rows == page.cause(row)[0])
    return np.zeros(len(rows), np.bool_)
