"""Why a video is on a page, in the viewer's language: the engine's strongest reason, in words.

True by construction: the words are made from the reason that the engine kept with the pick, and
each code has one sentence. A code without a sentence fails a test, not a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from django.utils.translation import gettext as _

from jhalak.feed import Reason, ReasonCode
from jhalak.videos.cards import Card


class Why(msgspec.Struct, frozen=True):
    code: str
    text: str


def _channel(card: Card, _value: str) -> str:
    if card.channel is None:
        return _("like what you watched")
    return _("you watch %(channel)s") % {"channel": card.channel.name}


SENTENCES: Mapping[ReasonCode, Callable[[Card, str], str]] = {
    ReasonCode.CHANNEL: _channel,
    ReasonCode.AUTHOR: lambda card, _v: _("you watch @%(handle)s") % {"handle": card.author.handle},
    ReasonCode.TAG: lambda _c, value: _("you watch #%(tag)s") % {"tag": value},
    ReasonCode.LANGUAGE: lambda _c, _v: _("in a language you watch"),
    ReasonCode.FOLLOWED: lambda card, _v: (
        _("you follow @%(handle)s") % {"handle": card.author.handle}
    ),
    ReasonCode.TRENDING: lambda _c, _v: _("many watch this now"),
    ReasonCode.FRESH: lambda _c, _v: _("new"),
    ReasonCode.QUALITY: lambda _c, _v: _("people watch this to the end"),
    ReasonCode.SIMILAR: lambda _c, _v: _("like what you watched"),
    ReasonCode.EXPLORE: lambda _c, _v: _("something different, to learn what you like"),
    ReasonCode.SCOPE: lambda _c, _v: _("what you asked for"),
    ReasonCode.NEWEST: lambda _c, _v: _("new"),
    ReasonCode.SEEN_AGAIN: lambda _c, _v: _("you have seen everything new"),
}


def why(card: Card, reasons: Sequence[Reason]) -> Why:
    """The strongest reason as a code and a sentence. `reasons`: the strongest first."""
    if not reasons:
        return Why(ReasonCode.NEWEST, SENTENCES[ReasonCode.NEWEST](card, ""))
    first = reasons[0]
    return Why(first.code, SENTENCES[first.code](card, first.value))
