"""What the feed is asked, and what it answers: plain frozen structs that can be sent to another
machine.
"""

from __future__ import annotations

import enum

import msgspec


class Scope(enum.StrEnum):
    """Which part of the catalogue the page is drawn from."""

    FOR_YOU = "for_you"
    FOLLOWING = "following"
    CHANNEL = "channel"  # scope_value: slug
    TAG = "tag"  # scope_value: the tag
    AUTHOR = "author"  # scope_value: the author's number


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a page of `n` videos for a viewer.

    `languages`: what the person declared, best first. `personal=False`: nothing that this viewer
    watched, skipped, liked or opened is used; who is followed and blocked, and videos told never to
    show again, still count. `seen_ok`: videos seen before may come again once nothing else is left.
    `exclude`: videos that the client already holds. `seed` fixes the draw; without it, it follows
    from viewer, offset, time and a counter.
    """

    viewer: str
    now_ms: int
    n: int = 8
    languages: tuple[str, ...] = ()
    scope: Scope = Scope.FOR_YOU
    scope_value: str = ""
    personal: bool = True
    seen_ok: bool = True
    exclude: tuple[int, ...] = ()
    seed: int | None = None


class ReasonCode(enum.StrEnum):
    """Why a video is on a page. Everything but the last five is a part of its score."""

    CHANNEL = "channel"  # value: slug
    AUTHOR = "author"  # value: the author's number
    TAG = "tag"  # value: the tag that weighs most
    LANGUAGE = "language"  # value: the language
    FOLLOWED = "followed"  # value: the author's number
    TRENDING = "trending"
    FRESH = "fresh"
    QUALITY = "quality"  # people take to it: watched to the end more than others of its length
    SIMILAR = "similar"  # value: the video whose watching speaks most for this one; "" for none
    EXPLORE = "explore"  # drawn evenly from everything, or nothing speaks for it: to learn
    OWED = "owed"  # new here, and not yet shown to as many as every new video is
    SCOPE = "scope"  # asked for: the channel, tag, author or people followed
    NEWEST = "newest"
    SEEN_AGAIN = "seen_again"  # nothing unseen was left


class Reason(msgspec.Struct, frozen=True):
    """`weight` is what this cause added to the score; 0 where the cause brought the video here
    without scoring it.
    """

    code: ReasonCode
    value: str
    weight: float


class Pick(msgspec.Struct, frozen=True):
    """One video on a page. `propensity`: the chance in (0, 1] that this slot got this video,
    given the candidates and the slots before it.
    """

    video: int
    slot: int
    source: str
    propensity: float
    score: float
    explore: bool
    reasons: tuple[Reason, ...]
    arms: str = ""  # of experiments: to which its watches count, for the serving token


class Outcome(enum.StrEnum):
    OK = "ok"
    EMPTY = "empty"  # ran, and brought nothing
    LATE = "late"  # its deadline had passed before its turn
    FAILED = "failed"  # raised


class StageReport(msgspec.Struct, frozen=True):
    """How one stage went: how many videos it brought, kept or scored, and, by reason, those it
    took out.
    """

    stage: str
    outcome: Outcome
    count: int
    micros: int
    removed: dict[str, int] = {}
    error: str = ""


class Slate(msgspec.Struct, frozen=True):
    """`inputs`: what learnt from the viewer's behaviour was at hand (interests by kind, what was
    seen); empty for a page that is not personal.
    """

    slate: str
    picks: tuple[Pick, ...]
    model: str
    stages: tuple[StageReport, ...]
    inputs: tuple[str, ...] = ()
