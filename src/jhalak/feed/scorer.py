"""The session scorer: a sum of named causes, each a feature times its weight.

Additive on purpose. What a cause added to a score is then exactly what taking it away would cost,
so the reasons shown to a person are true by construction. A trained ranker scores after this
one and gets its result as `earlier`.
"""

from __future__ import annotations

import numpy as np

from jhalak.feed.columns import Batch
from jhalak.feed.config import Config
from jhalak.feed.page import Page
from jhalak.feed.protocols import Scores

TERMS: dict[str, str] = {  # name of the weight and of the reason: column
    "channel": "like_channel",
    "author": "like_author",
    "tag": "like_tag",
    "language": "like_language",
    "followed": "followed",
    "fresh": "fresh",
    "trending": "trending",
    "quality": "quality",
    "similar": "suits",
}


class SessionScorer:
    name = "session"
    needs = frozenset(TERMS.values())
    provides: frozenset[str] = frozenset()

    def __init__(self, config: Config) -> None:
        self.deadline_ms = config.score_deadline_ms
        self._weights = np.array([getattr(config.weights, name) for name in TERMS])[:, None]

    def score(self, page: Page, batch: Batch, earlier: Scores | None) -> Scores:  # noqa: ARG002
        terms = self._weights * np.stack([batch[column] for column in TERMS.values()])
        return Scores(terms.sum(axis=0), terms, tuple(TERMS))
