"""Why a video is on a page, in the viewer's language: what the engine kept with the pick, in words.

True by construction: the words are made from the engine's reasons, and each code and each source
has one sentence. One without a sentence fails a test, not a page.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jhalak.feed import InterestKind, Pick, Reason, ReasonCode
from jhalak.videos.cards import Card


class Strength(enum.StrEnum):
    """How much a cause added to the score, which is in log-odds."""

    STRONG = "strong"
    CLEAR = "clear"
    SLIGHT = "slight"
    NONE = "none"  # it brought the video here without scoring it


AT_LEAST = ((Strength.STRONG, 2.0), (Strength.CLEAR, 0.6))


class Cause(msgspec.Struct, frozen=True):
    """`forget`: what takes the cause away, as DELETE /api/feed/held/... takes it; "" where it is
    nothing that was learnt from this viewer.
    """

    code: str
    text: str
    weight: float
    strength: Strength
    forget: str


class Why(msgspec.Struct, frozen=True):
    """`code` and `text`: the strongest reason's. `reasons`: all that were kept, it first.
    `source`, `source_text`: which part of the feed brought the video. `explore`: drawn by chance.
    """

    code: str
    text: str
    reasons: list[Cause]
    source: str
    source_text: str
    explore: bool


def _channel(card: Card, _value: str) -> str:
    if card.channel is None:
        return _("like what you watched")
    return _("you watch %(channel)s") % {"channel": card.channel.name}


def _language(_card: Card, value: str) -> str:
    """The language of the page counts as declared: it need not have been watched."""
    return _("in your language") if value == get_language() else _("in a language you watch")


SENTENCES: Mapping[ReasonCode, Callable[[Card, str], str]] = {
    ReasonCode.CHANNEL: _channel,
    ReasonCode.AUTHOR: lambda card, _v: _("you watch @%(handle)s") % {"handle": card.author.handle},
    ReasonCode.TAG: lambda _c, value: _("you watch #%(tag)s") % {"tag": value},
    ReasonCode.LANGUAGE: _language,
    ReasonCode.FOLLOWED: lambda card, _v: (
        _("you follow @%(handle)s") % {"handle": card.author.handle}
    ),
    ReasonCode.TRENDING: lambda _c, _v: _("many watch this now"),
    ReasonCode.FRESH: lambda _c, _v: _("new"),
    ReasonCode.QUALITY: lambda _c, _v: _("people watch this to the end"),
    ReasonCode.SIMILAR: lambda _c, _v: _("like what you watched"),  # see `_similar`
    ReasonCode.EXPLORE: lambda _c, _v: _("something different, to learn what you like"),
    ReasonCode.OWED: lambda _c, _v: _("new here: we show each new video to some people first"),
    ReasonCode.SCOPE: lambda _c, _v: _("what you asked for"),
    ReasonCode.NEWEST: lambda _c, _v: _("new"),
    ReasonCode.SEEN_AGAIN: lambda _c, _v: _("you have seen everything new"),
}

SOURCES: Mapping[str, Callable[[], str]] = {
    "scope": lambda: _("Chosen from what you asked for."),
    "following": lambda: _("Chosen from clips by people you follow."),
    "channel": lambda: _("Chosen from channels that you watch."),
    "author": lambda: _("Chosen from people whom you watch."),
    "tag": lambda: _("Chosen from tags that you watch."),
    "interest": lambda: _("Chosen as close to a clip that you liked lately."),
    "taste": lambda: _("Chosen from all clips as closest to what you liked."),
    "loved": lambda: _("Chosen from what people take to, however few have seen it."),
    "fallback": lambda: _("Taken from what is new and watched: your feed is being started again."),
    "trending": lambda: _("Chosen from what is watched most now."),
    "newest": lambda: _("Chosen from the newest clips."),
    "owed": lambda: _("Chosen from new clips that few people have been shown yet."),
    "random": lambda: _("Drawn evenly from all clips, without looking at what you like."),
    "last_slate": lambda: _("Chosen from what was found for you a moment ago."),
    "served_again": lambda: _("Shown to you before: nothing new was left."),
    "seen_again": lambda: _("Seen by you before: nothing new was left."),
}


def named(picks: Sequence[Pick]) -> list[int]:
    """The videos that reasons name: those whose watching speaks for another."""
    reasons = [reason for pick in picks for reason in pick.reasons]
    return [int(one.value) for one in reasons if one.code is ReasonCode.SIMILAR and one.value]


def why(card: Card, pick: Pick, others: Mapping[int, Card]) -> Why:
    """Everything that was kept with a pick, in words. `others`: cards of the videos `named`."""
    causes = [_cause(card, reason, others) for reason in pick.reasons]
    source = SOURCES[pick.source]()
    first = causes[0]
    return Why(first.code, first.text, causes, pick.source, source, pick.explore)


def _cause(card: Card, reason: Reason, others: Mapping[int, Card]) -> Cause:
    text, forget = SENTENCES[reason.code](card, reason.value), _forget(card, reason)
    if reason.code is ReasonCode.SIMILAR and reason.value:
        other = others.get(int(reason.value))
        if other is not None:  # else the viewer may not see it now, and it is not named
            by = {"handle": other.author.handle}
            text, forget = (
                _("like a clip by @%(handle)s that you watched") % by,
                f"watched/{other.id}",
            )
    return Cause(
        code=reason.code,
        text=text,
        weight=round(reason.weight, 2),
        strength=_strength(reason.weight),
        forget=forget,
    )


def _strength(weight: float) -> Strength:
    if weight <= 0.0:
        return Strength.NONE
    return next((strength for strength, least in AT_LEAST if weight >= least), Strength.SLIGHT)


def _forget(card: Card, reason: Reason) -> str:
    """The interest that was learnt from this viewer, where one stands behind the reason. Of the
    page's own language, which counts without being learnt, nothing can be removed.
    """
    if reason.code not in KINDS or not reason.value:
        return ""
    if reason.code is ReasonCode.LANGUAGE and reason.value == get_language():
        return ""
    value = card.author.handle if reason.code is ReasonCode.AUTHOR else reason.value
    return f"interests/{reason.code}/{quote(value, safe='')}"


KINDS = frozenset(kind.value for kind in InterestKind)
