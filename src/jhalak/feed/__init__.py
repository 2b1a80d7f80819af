"""The For You feed: what a viewer sees next, what it learns from what the viewer does, and why.

Pure: no Django, no HTTP, no wall clock, no global randomness. Times come in with queries and
events.

    engine = Engine.new()
    engine.observe([(1, Published(...)), (2, Watched(...))])
    page = engine.slate(Query(viewer="m7", now_ms=...))
"""

from jhalak.feed import clock, events, tokens, tuning, weights_file
from jhalak.feed.config import Config, Owed, Quotas, Weights
from jhalak.feed.engine import Engine
from jhalak.feed.events import InterestKind
from jhalak.feed.held import Held, HeldInterest
from jhalak.feed.query import (
    Outcome,
    Pick,
    Query,
    Reason,
    ReasonCode,
    Scope,
    Slate,
    StageReport,
)

__all__ = [
    "Config",
    "Engine",
    "Held",
    "HeldInterest",
    "InterestKind",
    "Outcome",
    "Owed",
    "Pick",
    "Query",
    "Quotas",
    "Reason",
    "ReasonCode",
    "Scope",
    "Slate",
    "StageReport",
    "Weights",
    "clock",
    "events",
    "tokens",
    "tuning",
    "weights_file",
]
