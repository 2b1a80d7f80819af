"""Columns that say what is known about each candidate, for this viewer, at this time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jhalak.feed.catalogue import TAGS
from jhalak.feed.columns import Batch, Column
from jhalak.feed.config import Config
from jhalak.feed.numbered import Words
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.page import Page
from jhalak.feed.protocols import Feature

DECLARED = 0.5  # interest in a language that the person declared
_ONES = np.ones(TAGS)


class _Feature:
    name = ""
    needs: frozenset[str] = frozenset({"rows"})
    provides: frozenset[str] = frozenset()

    def __init__(self, deadline_ms: float) -> None:
        self.deadline_ms = deadline_ms


class Facts(_Feature):
    """author, channel, language int32[n], tags int32[n, TAGS]; -1 for none. tag_count int32[n]."""

    name = "facts"
    provides = frozenset({"author", "channel", "language", "tags", "tag_count"})

    def make(self, page: Page, batch: Batch) -> Mapping[str, Column]:
        columns = page.catalogue.columns
        return {name: columns[name].take(batch.rows, axis=0) for name in self.provides}


class Interests(_Feature):
    """How this viewer takes to each candidate's channel, author, tags (the mean over them) and
    language: float64[n] in [-1, 1], 0 when nothing is known.
    """

    name = "interests"
    needs = frozenset({"author", "channel", "language", "tags", "tag_count"})
    provides = frozenset({"like_channel", "like_author", "like_tag", "like_language"})

    def __init__(self, deadline_ms: float) -> None:
        super().__init__(deadline_ms)
        self._table = np.zeros(1024)

    def make(self, page: Page, batch: Batch) -> Mapping[str, Column]:
        catalogue = page.catalogue
        language = self._look(page, "language", batch["language"], catalogue.languages)
        declared = {catalogue.languages.find(word) for word in page.query.languages} - {-1}
        for code in declared:
            language = np.minimum(language + DECLARED * (batch["language"] == code), 1.0)
        tags = self._look(page, "tag", batch["tags"], catalogue.tags)
        return {
            "like_channel": self._look(page, "channel", batch["channel"], catalogue.channels),
            "like_author": self._look(page, "author", batch["author"], catalogue.authors),
            "like_language": language,
            "like_tag": (tags @ _ONES) / np.maximum(batch["tag_count"], 1),
        }

    def _look(self, page: Page, kind: str, codes: Rows, words: Words) -> Floats:
        """The interest in each code. The table has a place for every code, one more for none,
        and is zero between uses: cost follows the interests held, not the words there are.
        """
        held, values = page.interest(kind)
        if not len(held):
            return np.zeros(codes.shape)
        if len(words) >= len(self._table):
            self._table = np.zeros(2 * len(words))
        table = self._table
        places = held + 1
        table[places] = values
        found = table.take(codes + 1)
        table[places] = 0.0
        return found


class Followed(_Feature):
    """followed float64[n]: 1 where the viewer follows the author."""

    name = "ties"
    needs = frozenset({"author"})
    provides = frozenset({"followed"})

    def make(self, page: Page, batch: Batch) -> Mapping[str, Column]:
        follows = page.ties.follows
        if not follows:
            return {"followed": np.zeros(len(batch))}
        found = [author in follows for author in batch["author"].tolist()]
        return {"followed": np.array(found, np.float64)}


class Moment(_Feature):
    """fresh, trending float64[n] in [0, 1]: fresh halves with age, trending is the logarithm of
    heat beside the hottest video's.
    """

    name = "moment"
    provides = frozenset({"fresh", "trending"})

    def __init__(self, deadline_ms: float, fresh_half_ms: int) -> None:
        super().__init__(deadline_ms)
        self._half_ms = max(1, fresh_half_ms)

    def make(self, page: Page, batch: Batch) -> Mapping[str, Column]:
        rows, now_ms, catalogue = batch.rows, page.query.now_ms, page.catalogue
        age = np.maximum(now_ms - catalogue.published.take(rows), 0)
        hottest = catalogue.hot.order(catalogue.heat)[:1]
        top = np.log1p(catalogue.heat_now(hottest, now_ms)) if len(hottest) else np.zeros(1)
        heat = np.log1p(catalogue.heat_now(rows, now_ms))
        return {
            "fresh": np.exp2(-age / self._half_ms),
            "trending": np.minimum(heat / max(float(top[0]), 1e-300), 1.0),
        }


class Taste(_Feature):
    """quality, suits float64[n], in log-odds: how everybody takes to each candidate, less how they
    take to an average one, and how much better this viewer does (see taste).
    """

    name = "taste"
    provides = frozenset({"quality", "suits"})

    def make(self, page: Page, batch: Batch) -> Mapping[str, Column]:
        columns, learner = page.catalogue.columns, page.learner
        places = columns["place"].take(batch.rows, axis=0)
        quality = learner.everybody(places, columns["alone"].take(batch.rows))
        own = page.taste
        suits = np.zeros(len(batch)) if own is None else (places @ own.mean).astype(np.float64)
        return {"quality": quality - learner.mean.item(0), "suits": suits}


def features(config: Config) -> list[Feature]:
    deadline = config.score_deadline_ms
    return [
        Facts(deadline),
        Interests(deadline),
        Followed(deadline),
        Moment(deadline, config.fresh_half_ms),
        Taste(deadline),
    ]
