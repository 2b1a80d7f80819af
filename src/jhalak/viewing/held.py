"""What the feed holds about somebody, as they may see it: names for numbers, cards for videos."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jhalak.feed import Held, InterestKind
from jhalak.people.access import Viewer, visible_people
from jhalak.people.models import Person
from jhalak.videos.cards import Card, cards
from jhalak.videos.models import Channel
from jhalak.videos.words import LANGUAGES
from jhalak.viewing.host import host

SHOWN = 60  # videos of the history, and refusals, on the page


class Interest(msgspec.Struct, frozen=True):
    """`strength` in [-1, 1], below 0 for what is disliked; `level` 1 to 5 is its size, `words` say
    both.
    """

    kind: InterestKind
    value: str
    name: str
    strength: float
    level: int
    words: str


class Clip(msgspec.Struct, frozen=True):
    id: str
    poster: str
    caption: str
    language: str
    handle: str


class Clips(msgspec.Struct, frozen=True):
    """The latest first. `more`: further ones, those included that the viewer may not see now."""

    items: list[Clip]
    more: int


class Knows(msgspec.Struct, frozen=True):
    """Everything that the feed learnt about one viewer. `hidden_interests`: in people whom the
    viewer cannot see now, whose clips are not shown either. `answers`: watches and gestures from
    which a taste is drawn that has no names.
    """

    personal: bool
    learning: bool
    under_age: bool
    interests: list[Interest]
    hidden_interests: int
    not_interested: Clips
    watched: Clips
    answers: int


def access_held(viewer: Viewer) -> Knows:
    """What the feed holds about whoever asks: never about anybody else."""
    found = host().fresh().held(viewer.key, time.time_ns() // 1_000_000)
    names = _names(viewer, found)
    interests = [
        Interest(
            one.kind,
            value,
            name,
            round(one.strength, 3),
            _level(one.strength),
            _words(one.strength),
        )
        for one in found.interests
        if (known := names(one.kind, one.value))
        for value, name in [known]
    ]
    shown = cards(viewer, [*found.refused[:SHOWN], *found.watched[:SHOWN]])
    return Knows(
        personal=found.personal and viewer.personal_feed,
        learning=found.learning and viewer.personal_feed,
        under_age=viewer.person is not None and viewer.person.under_age,
        interests=interests,
        hidden_interests=len(found.interests) - len(interests),
        not_interested=_clips(shown, found.refused[:SHOWN], found.refused_count),
        watched=_clips(shown, found.watched[:SHOWN], found.watched_count),
        answers=found.answers,
    )


def _level(strength: float) -> int:
    return min(5, 1 + int(abs(strength) * 5))


def _words(strength: float) -> str:
    liked = strength >= 0
    match _level(strength):
        case 1:
            return _("liked a little") if liked else _("disliked a little")
        case 2 | 3:
            return _("liked") if liked else _("disliked")
        case _:
            return _("liked very much") if liked else _("disliked very much")


def _clips(shown: dict[int, Card], videos: Sequence[int], count: int) -> Clips:
    found = [shown[video] for video in videos if video in shown]
    items = [
        Clip(one.id, one.poster, one.caption, one.language, one.author.handle) for one in found
    ]
    return Clips(items, count - len(items))


def _names(viewer: Viewer, found: Held) -> Callable[[InterestKind, str], tuple[str, str] | None]:
    """(value, name) as the viewer reads it, of an interest as the engine names it. None: hidden."""
    hindi = (get_language() or "").startswith("hi")
    channels = {
        one.slug: (hindi and one.name_hi) or one.name
        for one in Channel.objects.filter(slug__in=_values(found, InterestKind.CHANNEL))
    }
    authors = Person.objects.filter(
        visible_people(viewer), pk__in=map(int, _values(found, InterestKind.AUTHOR))
    )
    handles = {str(one.pk): one.handle for one in authors.only("handle")}

    def name(kind: InterestKind, value: str) -> tuple[str, str] | None:
        match kind:
            case InterestKind.CHANNEL:
                return value, channels.get(value, value)
            case InterestKind.AUTHOR:
                handle = handles.get(value)
                return None if handle is None else (handle, f"@{handle}")
            case InterestKind.TAG:
                return value, f"#{value}"
            case InterestKind.LANGUAGE:
                return value, LANGUAGES.get(value, value)

    return name


def _values(found: Held, kind: InterestKind) -> Iterable[Any]:
    return [one.value for one in found.interests if one.kind is kind]
