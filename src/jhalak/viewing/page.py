"""One page of the feed: asked of the engine, checked once more against the rows, signed and worded.

The engine proposes from memory; `videos.cards` decides from the database whether this viewer may
see each video now. What it refuses is logged, and asked for again, so that a page stays full.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import get_language

from jhalak.feed import Pick, Query, Scope, Slate, tokens
from jhalak.people.access import Viewer, access_person
from jhalak.videos.cards import Card, cards
from jhalak.viewing.host import host
from jhalak.viewing.why import Why, named, why

log = logging.getLogger(__name__)

ROUNDS = 3  # the page is asked for at most so often when rows refuse what the engine proposed


def secret() -> bytes:
    return settings.SECRET_KEY.encode()


def feed_page(
    viewer: Viewer, n: int, scope: Scope = Scope.FOR_YOU, value: str = ""
) -> dict[str, Any]:
    """`{"items": [...], "model", "inputs"}` with at most `n` videos, each with its serving token.
    `inputs`: what learnt from the viewer's behaviour was at hand; empty when the page is not
    personal.
    """
    if scope is Scope.AUTHOR:
        value = str(access_person(viewer, value).pk)
    engine = host().fresh()
    now_ms = time.time_ns() // 1_000_000
    language = get_language() or "en"
    items: list[dict[str, Any]] = []
    asked: list[int] = []
    model = ""
    inputs: tuple[str, ...] = ()
    for _round in range(ROUNDS):
        slate = engine.slate(
            Query(
                viewer=viewer.key,
                now_ms=now_ms,
                n=n - len(items),
                languages=(language,),
                scope=scope,
                scope_value=value,
                personal=viewer.personal_feed,
                exclude=tuple(asked),
            )
        )
        model, inputs = slate.model, slate.inputs
        found = cards(viewer, [pick.video for pick in slate.picks] + named(slate.picks))
        for pick in slate.picks:
            card = found.get(pick.video)
            if card is not None:
                reasons = why(card, pick, found)
                items.append(_item(viewer, card, pick, reasons, slate, now_ms))
        asked += [pick.video for pick in slate.picks]
        if len(items) == n or not slate.picks:
            break
        refused = sum(pick.video not in found for pick in slate.picks)
        if refused:
            log.info("%d proposed videos refused by the rows", refused)
    return {"items": items, "model": model, "inputs": inputs}


def _item(
    viewer: Viewer, card: Card, pick: Pick, reasons: Why, slate: Slate, now_ms: int
) -> dict[str, Any]:
    served = tokens.Served(
        viewer=viewer.key,
        video=pick.video,
        duration_ms=card.duration_ms,
        slate=slate.slate,
        slot=pick.slot,
        source=pick.source,
        propensity=pick.propensity,
        served_ms=now_ms,
        model=slate.model,
        score=tokens.hundredths(pick.score),
        arms=pick.arms,
    )
    return {
        **msgspec.structs.asdict(card),
        "token": tokens.mint(secret(), served),
        "why": reasons,
    }
