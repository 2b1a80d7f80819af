"""What viewers answer: each event checked against its serving token, bounded by the clock, counted
once.

A client asserts nothing about who watched what: that stands in the token that we signed when we
served. It tells only what happened, and how long is bounded by the time since serving. When
`do_record_events` returns, what it accepted is durable in the log.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from jhalak import records
from jhalak.feed import tokens
from jhalak.feed.events import (
    Event,
    NotInterested,
    NotInterestedUndone,
    ProfileOpened,
    Watched,
    WatchKind,
    encode,
)
from jhalak.people.throttle import Throttle
from jhalak.problems import TooMany
from jhalak.stores.events import NewEvent
from jhalak.viewing.host import host
from jhalak.viewing.page import secret
from jhalak.viewing.wire import Clock

TOKEN_LIFE_MS = 24 * 60 * 60 * 1000  # a page left open over night still counts


class Kind(enum.StrEnum):
    """What a client may say about a video that it was served. The first four end the watching of
    one serving: a client sends one of them, when the viewer moves on.
    """

    WATCHED = "watched"
    FINISHED = "finished"
    REPLAYED = "replayed"
    SKIPPED = "skipped"
    NOT_INTERESTED = "not_interested"
    INTERESTED = "interested"  # takes "not interested" back
    PROFILE_OPENED = "profile_opened"


class Said(msgspec.Struct, frozen=True):
    """One event as a client sends it. `at`: the client's clock, ms since 1970; only told apart,
    never trusted.
    """

    token: str
    kind: Kind
    watched_ms: float = 0
    at: Annotated[float, Meta(ge=0, le=2**53)] = 0


class Refusal(msgspec.Struct, frozen=True):
    """`index`: which of the events sent."""

    index: int
    code: str
    message: str


class Receipt(msgspec.Struct, frozen=True):
    """How many were new, how many were known already, and which were refused."""

    accepted: int
    repeated: int
    refused: list[Refusal]


_GESTURES: dict[Kind, type[NotInterested | NotInterestedUndone | ProfileOpened]] = {
    Kind.NOT_INTERESTED: NotInterested,
    Kind.INTERESTED: NotInterestedUndone,
    Kind.PROFILE_OPENED: ProfileOpened,
}
# All else is bounded by what was served; these may be said of one serving again and again.
_again = Throttle(burst=60, every_s=5)
_AGAIN = frozenset({Kind.NOT_INTERESTED, Kind.INTERESTED})
_WATCHING = frozenset({Kind.WATCHED, Kind.FINISHED, Kind.REPLAYED, Kind.SKIPPED})


def do_record_events(viewer_key: str, said: Sequence[Said], now_ms: int | None = None) -> Receipt:
    """Append a viewer's events to the log. `now_ms` is given by tests only."""
    now_ms = now_ms or time.time_ns() // 1_000_000
    fresh: list[NewEvent] = []
    clock = host().clock
    credits_ms: list[int] = []
    refused: list[Refusal] = []
    for index, one in enumerate(said):
        try:
            served = tokens.open(secret(), one.token, now_ms, TOKEN_LIFE_MS)
        except tokens.BadToken as error:
            refused.append(_refusal(index, error.why))
            continue
        if served.viewer != viewer_key:
            refused.append(_refusal(index, tokens.Why.FORGED))
            continue
        if one.kind in _AGAIN:
            try:
                _again.spend(viewer_key)
            except TooMany as error:
                refused.append(Refusal(index, error.code, str(error.message)))
                continue
        event = _event(clock, viewer_key, served, one, now_ms)
        credits_ms.append(event.watched_ms if isinstance(event, Watched) else 0)
        fresh.append(NewEvent(key=_key(served, one), body=encode(event)))
    offsets: Sequence[int | None] = [None] * len(fresh)
    try:
        if fresh:
            offsets = records.events().append(fresh)
    finally:  # time is spent by what is in the log, not by asking again for what is not, or twice
        unspent = sum(c for c, at in zip(credits_ms, offsets, strict=True) if at is None)
        if unspent:
            clock.give_back(viewer_key, unspent)
    accepted = sum(offset is not None for offset in offsets)
    return Receipt(accepted=accepted, repeated=len(offsets) - accepted, refused=refused)


def _key(served: tokens.Served, one: Said) -> str:
    """What counts once: how the watching of one serving ended, whatever its kind; each gesture.

    "Not interested" may be taken back and said again, so there the client's time tells two sayings
    from one that was sent twice.
    """
    what = one.kind.value
    if one.kind in _WATCHING:
        what = "end"
    elif one.kind in _AGAIN:
        what = f"{what}@{one.at:.0f}"
    return f"{served.viewer}/{served.slate}/{served.video}/{what}"


def _event(clock: Clock, viewer_key: str, served: tokens.Served, one: Said, now_ms: int) -> Event:
    gesture = _GESTURES.get(one.kind)
    if gesture is not None:
        return gesture(viewer=viewer_key, video=served.video, at_ms=now_ms)
    return Watched(
        viewer=viewer_key,
        video=served.video,
        kind=WatchKind(one.kind.value),
        watched_ms=clock.bound(
            viewer_key, served.served_ms, now_ms, served.duration_ms, one.watched_ms
        ),
        duration_ms=served.duration_ms,
        at_ms=now_ms,
        slate=served.slate,
        slot=served.slot,
        source=served.source,
        propensity=served.propensity,
        served_ms=served.served_ms,
        score=served.score,
        arms=served.arms,
    )


def _refusal(index: int, why: tokens.Why) -> Refusal:
    if why is tokens.Why.EXPIRED:
        return Refusal(
            index, "token_expired", _("This page is too old to count. Load the feed again.")
        )
    return Refusal(
        index, "token_refused", _("This token was not given to you. Load the feed again.")
    )
