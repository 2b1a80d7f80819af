"""The stage of the pipeline: the best of a page get a further term, "ranker".

It adds to the learner's score and does not replace it: whatever raises that score by 1 still raises
the total by 1, and the network's own part is bounded. What is not among the best gets what the
worst of them got, so that nothing rises by not being looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jhalak.feed.columns import Batch
from jhalak.feed.config import Config
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.page import Page
from jhalak.feed.protocols import Scores
from jhalak.feed.ranker import inputs
from jhalak.feed.ranker.layout import COLUMNS, MOST
from jhalak.feed.ranker.value import value
from jhalak.feed.ranker.watch_time import verdicts

TERM = "ranker"


class Cases(NamedTuple):
    """`b` times `n` candidates: each of the b with a history of its own."""

    answers: list[inputs.Answers]  # [b]
    rows: Rows  # [b, n]
    features: inputs.Floats  # [b, n, FEATURES]


def terms(page: Page, cases: Cases, config: Config) -> Floats:
    """float[b, n]: what the ranker in force adds to each score. Raises ModelError."""
    ranker = page.ranker
    if ranker is None:
        return np.zeros(cases.rows.shape)
    all_places = page.catalogue.columns["place"]
    made = [inputs.tokens(found, all_places) for found in cases.answers]
    watching, gestures = ranker.run(
        np.stack([history for history, _ in made]),
        np.stack([known for _, known in made]),
        all_places[cases.rows],
        cases.features,
    )
    flat = cases.rows.reshape(-1)
    worth = value(
        watching.reshape(len(flat), -1),
        gestures.reshape(len(flat), -1),
        inputs.length_ms(page, flat),
        verdicts(page.fairness, config.skip_below),
        config.refusal,
    )
    weight = config.weights.ranker * ranker.scale
    return np.asarray(weight * (worth - ranker.middle)).reshape(cases.rows.shape)


class RankerScorer:
    name = TERM
    needs = frozenset(COLUMNS)
    provides: frozenset[str] = frozenset()

    def __init__(self, config: Config) -> None:
        self.deadline_ms = config.score_deadline_ms
        self._config = config

    def score(self, page: Page, batch: Batch, earlier: Scores | None) -> Scores:
        if earlier is None:
            raise ValueError("there is no score to go on from")
        if page.ranker is None or not self._config.weights.ranker:
            return earlier
        best = np.arange(len(batch))
        if len(best) > MOST:
            best = np.argpartition(-earlier.total, MOST)[:MOST]
            best.sort()
        found = inputs.answers(page)
        features = inputs.features(page, batch, earlier, found)[best]
        cases = Cases([found], batch.rows[best][None], features[None])
        ranked = terms(page, cases, self._config)[0]
        added = np.full(len(batch), ranked.min())
        added[best] = ranked
        return Scores(
            earlier.total + added,
            np.concatenate([earlier.terms, added[None]]),
            (*earlier.names, TERM),
        )
