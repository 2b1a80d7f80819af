"""The numbers that an operator may change while the feed runs, and what was changed when, and why.

Only numbers of the draw stand here: they decide how a page is made from what is known, never what
is known (`snapshot.SHAPING`), so a change holds from the next page on and undoing it leaves no
trace. A change is an event in the log, so every process serves by the same numbers and a replay
gives them again. Experiments (feed.experiments) try out the same numbers on a part of the viewers.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from jhalak.feed.config import HOUR_MS, Config

Values: TypeAlias = Mapping[str, float]  # numbers by name; what is left out has its default

KEPT = 64  # changes remembered


class Knob(NamedTuple):
    """Bounds are inclusive."""

    least: float
    most: float
    meaning: str
    whole: bool = False


def _weight(meaning: str) -> Knob:
    return Knob(-20.0, 20.0, meaning)


def _quota(meaning: str) -> Knob:
    return Knob(1, 512, f"Videos that one page looks at, at most: {meaning}.", whole=True)


KNOBS: dict[str, Knob] = {
    "temperature": Knob(0.05, 20.0, "Of the draw: towards 0 always the best, large is even."),
    "explore": Knob(0.0, 0.2, "Share of slots drawn evenly from the random slice."),
    "author_spread": Knob(0.0, 10.0, "Taken off for each earlier pick of the same author."),
    "channel_spread": Knob(0.0, 10.0, "Taken off for each earlier pick of the same channel."),
    "cold_spread": Knob(0.0, 10.0, "More of that, while no channel is liked yet."),
    "most_of_one": Knob(0.1, 1.0, "Share of a page that one channel, or one author, may fill."),
    "fresh_half_ms": Knob(
        HOUR_MS, 720 * HOUR_MS, "Age in ms at which freshness is worth half.", whole=True
    ),
    "owed.urgency": Knob(
        0.0, 20.0, "Among videos owed viewers: for one whose time is gone and nothing had."
    ),
    "weights.channel": _weight("For an interest in the channel."),
    "weights.author": _weight("For an interest in the author."),
    "weights.tag": _weight("For an interest in the tags."),
    "weights.language": _weight("For an interest in the language, or its being declared."),
    "weights.followed": _weight("For an author whom the viewer follows."),
    "weights.fresh": _weight("For being new."),
    "weights.trending": _weight("For being watched much now."),
    "weights.quality": _weight("For what everybody's answers say of it."),
    "weights.similar": _weight("For what this viewer's answers say of it beyond that."),
    "weights.ranker": Knob(0.0, 4.0, "Of what the trained ranker says; 0 leaves it out."),
    "quotas.newest": _quota("the newest"),
    "quotas.trending": _quota("the hottest"),
    "quotas.following": _quota("by people followed"),
    "quotas.channel": _quota("of channels liked"),
    "quotas.tag": _quota("with tags liked"),
    "quotas.author": _quota("by authors liked"),
    "quotas.interest": _quota("nearest to each of the viewer's interests"),
    "quotas.taste": _quota("nearest to the viewer's taste"),
    "quotas.loved": _quota("best by everybody's answers"),
    "quotas.owed": _quota("new ones that are still owed viewers"),
    "quotas.random": _quota("drawn evenly from everything"),
    "quotas.scope": _quota("of the channel, tag or author asked for"),
}


class Trouble(enum.StrEnum):
    UNKNOWN = "unknown"
    NO_NUMBER = "no_number"
    NOT_WHOLE = "not_whole"
    OUTSIDE = "outside"


class Fault(NamedTuple):
    """What is wrong with one of the values given."""

    name: str
    trouble: Trouble


def faults(values: Mapping[str, object]) -> list[Fault]:
    """Everything that is wrong with these values, by name; empty when they can be served by."""
    found = ((name, _trouble(name, value)) for name, value in sorted(values.items()))
    return [Fault(name, trouble) for name, trouble in found if trouble is not None]


def _trouble(name: str, value: object) -> Trouble | None:
    knob = KNOBS.get(name)
    if knob is None:
        return Trouble.UNKNOWN
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Trouble.NO_NUMBER
    if isinstance(value, float) and not math.isfinite(value):
        return Trouble.NO_NUMBER
    if knob.whole and value != int(value):
        return Trouble.NOT_WHOLE
    return None if knob.least <= value <= knob.most else Trouble.OUTSIDE


def read(config: Config) -> dict[str, float]:
    """Every number that can be changed, as it is in a config."""
    return {name: float(_get(config, name)) for name in KNOBS}


def _get(config: Config, name: str) -> float:
    group, _, last = name.rpartition(".")
    value: float = getattr(getattr(config, group) if group else config, last)
    return value


def configured(config: Config, values: Values) -> Config:
    """The config with these values. Old logs are replayed for ever: a name that this version does
    not have is passed over, and what lies outside of today's bounds is moved to them.
    """
    changes: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        knob = KNOBS.get(name)
        if knob is not None:
            bounded = min(knob.most, max(knob.least, value))
            group, _, last = name.rpartition(".")
            changes.setdefault(group, {})[last] = int(bounded) if knob.whole else bounded
    own = changes.pop("", {})
    groups = {
        group: msgspec.structs.replace(getattr(config, group), **inner)
        for group, inner in changes.items()
    }
    return msgspec.structs.replace(config, **own, **groups)


class Change(msgspec.Struct, frozen=True):
    """From `at_ms` on these values hold, and the defaults for all others."""

    at_ms: int
    values: dict[str, float]
    reason: str


class Tuning:
    """The changes of one log, the last in force. Bounded: the oldest are forgotten first."""

    def __init__(self) -> None:
        self.count = 0  # changes ever made
        self.changes: list[Change] = []

    @property
    def values(self) -> dict[str, float]:
        """What differs from the defaults now."""
        return self.changes[-1].values if self.changes else {}

    def report(self, config: Config) -> dict[str, Any]:
        """The numbers in force, those that differ from the defaults, and the changes made, the
        newest first.
        """
        return {
            "values": read(configured(config, self.values)),
            "changed": self.values,
            "changes": [msgspec.to_builtins(change) for change in reversed(self.changes)],
        }

    def change(self, at_ms: int, values: Values, reason: str) -> None:
        self.count += 1
        self.changes = [*self.changes, Change(at_ms, dict(values), reason)][-KEPT:]
