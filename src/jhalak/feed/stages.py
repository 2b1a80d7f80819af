"""The pipeline that serves today: which stages, in which order within their kind."""

from __future__ import annotations

from jhalak.feed.config import Config
from jhalak.feed.features import features
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.ranker.scorer import RankerScorer
from jhalak.feed.rules import rules
from jhalak.feed.rungs import rungs
from jhalak.feed.sampler import SlateSampler
from jhalak.feed.scorer import SessionScorer
from jhalak.feed.sources import Owed, Random, sources


def standard(config: Config) -> Pipeline:
    """Sources of the session, an additive scorer and the ranker if one is in force, one sampler,
    every rule twice.
    """
    from_where = sources(config)
    names = [source.name for source in from_where]
    random_bit, owed_bit = (1 << names.index(source.name) for source in (Random, Owed))
    return Pipeline(
        sources=from_where,
        features=features(config),
        before=rules(),
        scorers=[SessionScorer(config), RankerScorer(config)],
        selector=SlateSampler(config, random_bit, owed_bit),
        after=rules(),
        rungs=rungs(),
        finally_=[],
    )
