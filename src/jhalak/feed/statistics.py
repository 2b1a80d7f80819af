"""What the operator's page counts, hour by hour, from the event log: what was watched from which
source, how it went, how old and how long it was, what the score had promised, whose it was.

Part of the state: it follows from the log, is in the snapshot, and survives a restart. Nothing in
it is about a viewer. Bounded: HOURS hours of at most MOST sources and MOST channels, and DAYS days
of one number for each author. `figures` makes tables of it.

A watch that goes on is counted once; what it became is counted in the hour in which it went on.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from jhalak.feed.catalogue import Catalogue
from jhalak.feed.events import Watched
from jhalak.feed.fairness import BINS, OCTAVES
from jhalak.feed.viewers import View

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOURS = 192  # a day, and the seven before it, to compare it with
DAYS = 7
MOST = 32  # different sources, and channels, of one hour; the rest is counted as one
OTHER = "other"
ASKED_FOR = frozenset({"", "link", "scope"})  # sources where the viewer chose and not the feed

MEASURES = ("watches", "finished", "skipped", "liked", "verdict", "watched_ms")
# Age of a video when it was watched: upper ends of the buckets, in hours; the last is open.
AGES: tuple[float, ...] = (1, 3, 6, 12, 24, 48, 72, 168, 336, 720, 2160)
# Scores in log-odds, in steps of half a unit between these ends.
STEP, LOWEST, HIGHEST = 50, -12, 24  # hundredths; bucket numbers


class Hour(msgspec.Struct, array_like=True):
    """Counts of one hour. `sources`: by name, one number for each of MEASURES. `channels`: watches
    by the channel's code + 1. `lengths`: by octave of seconds. `ages`: by AGES. `scores`: by
    bucket: watches, liked ones, sum of the scores in hundredths.
    """

    sources: dict[str, list[float]] = {}
    channels: dict[int, int] = {}
    lengths: list[int] = msgspec.field(default_factory=lambda: [0] * OCTAVES)
    ages: list[int] = msgspec.field(default_factory=lambda: [0] * (len(AGES) + 1))
    scores: dict[int, list[int]] = {}


class _Kept(msgspec.Struct, array_like=True):
    hours: dict[int, Hour]
    days: list[int]
    authors: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode
_decode_hours = msgspec.msgpack.Decoder(dict[int, Hour]).decode


class Statistics:
    """`hours`: by hour since 1970. `days` and `impressions`: which day since 1970 each row of
    impressions is about, and in it, by the author's code, the watches of what the feed chose, of
    each viewer and video one.
    """

    def __init__(self, skip_below: float) -> None:
        self._skip_bins = skip_below * BINS
        self.hours: dict[int, Hour] = {}
        self.days = [-1] * DAYS
        self.impressions: npt.NDArray[np.uint32] = np.zeros((DAYS, 64), np.uint32)
        self._authors = 0
        self._newest = -1

    def watched(
        self,
        event: Watched,
        at_ms: int,
        catalogue: Catalogue,
        row: int,
        view: View,
        before: View | None,
        news: bool,
    ) -> None:
        """Counts a watch as judged, or (`before` given) what it became since it was counted. Not
        `news`: the viewer has watched it before, or made it, which is no exposure of its author.
        """
        hour = self._hour(at_ms // HOUR_MS)
        if hour is None:
            return
        name = event.source
        counts = hour.sources.get(name)
        if counts is None:
            if len(hour.sources) >= MOST:
                name = OTHER
            counts = hour.sources.setdefault(name, [0.0] * len(MEASURES))
        liked = view.felt > 0.0
        counts[1] += view.verdict.bin == BINS - 1
        counts[2] += self._skips(view)
        counts[3] += liked
        counts[4] += view.fair
        counts[5] += view.watched_ms
        if before is not None:
            was_liked = before.felt > 0.0
            counts[1] -= before.verdict.bin == BINS - 1
            counts[2] -= self._skips(before)
            counts[3] -= was_liked
            counts[4] -= before.fair
            counts[5] -= before.watched_ms
            if event.score is not None and liked != was_liked:
                _scored(hour, event.score)[1] += liked - was_liked
            return
        counts[0] += 1
        columns = catalogue.columns
        channel = min(columns["channel"].item(row) + 1, MOST)
        hour.channels[channel] = hour.channels.get(channel, 0) + 1
        hour.lengths[view.verdict.octave] += 1
        hour.ages[_age(at_ms - columns["published"].item(row))] += 1
        if event.score is not None:
            scored = _scored(hour, event.score)
            scored[0] += 1
            scored[1] += liked
            scored[2] += event.score
        if news and event.source not in ASKED_FOR:
            self._impression(at_ms // DAY_MS, columns["author"].item(row))

    def _skips(self, view: View) -> bool:
        return view.verdict.bin < self._skip_bins and not view.finished

    def _hour(self, number: int) -> Hour | None:
        """None for an hour that is too long ago."""
        hour = self.hours.get(number)
        if hour is None and number > self._newest - HOURS:
            hour = self.hours[number] = Hour()
            if number > self._newest:
                self._newest = number
                for old in [old for old in self.hours if old <= number - HOURS]:
                    del self.hours[old]
        return hour

    def _impression(self, day: int, author: int) -> None:
        place = day % DAYS
        if self.days[place] != day:
            if self.days[place] > day:
                return  # too long ago
            self.days[place] = day
            self.impressions[place] = 0
        if author < 0:
            return
        if author >= self._authors:
            self._authors = author + 1
            if author >= self.impressions.shape[1]:
                more = np.zeros((DAYS, 2 * author), np.uint32)
                more[:, : self.impressions.shape[1]] = self.impressions
                self.impressions = more
        self.impressions[place, author] += 1

    def week(self, now_ms: int) -> list[npt.NDArray[np.uint32]]:
        """Watches of what the feed chose on each of the last DAYS days that had any, by author's
        code; the rows are its own, not copies.
        """
        today = now_ms // DAY_MS
        return [
            self.impressions[place, : self._authors]
            for place, day in enumerate(self.days)
            if today - DAYS < day <= today
        ]

    def copy_of_hours(self) -> dict[int, Hour]:
        return _decode_hours(_encode(self.hours))

    def dumps(self) -> bytes:
        """All but the impressions, which are kept as a column."""
        return _encode(_Kept(self.hours, self.days, self._authors))

    def copy_of_impressions(self) -> npt.NDArray[np.uint32]:
        return self.impressions[:, : self._authors].copy()

    def loads(self, data: bytes, impressions: bytes) -> None:
        """Raises msgspec.DecodeError or ValueError for what `dumps` did not make."""
        kept = _decode(data)
        if len(kept.days) != DAYS:
            raise ValueError(f"{len(kept.days)} days of impressions; {DAYS} are expected")
        self.hours, self.days, self._authors = kept.hours, kept.days, kept.authors
        held = np.frombuffer(impressions, "<u4").reshape(DAYS, kept.authors)
        self.impressions = np.zeros((DAYS, max(64, kept.authors)), np.uint32)
        self.impressions[:, : kept.authors] = held
        self._newest = max(self.hours, default=-1)


def _scored(hour: Hour, score: int) -> list[int]:
    bucket = min(max(score // STEP, LOWEST), HIGHEST)
    return hour.scores.setdefault(bucket, [0, 0, 0])


def _age(age_ms: int) -> int:
    return bisect_right(AGES, age_ms / HOUR_MS)


def totals(hours: list[Hour]) -> dict[str, list[float]]:
    """Sums over hours, by source."""
    found: dict[str, list[float]] = {}
    for hour in hours:
        for name, counts in hour.sources.items():
            held = found.setdefault(name, [0.0] * len(MEASURES))
            for place, count in enumerate(counts):
                held[place] += count
    return found


def spread(hours: list[Hour], of: str) -> dict[Any, float]:
    """Watches by source, channel or length, over hours."""
    found: dict[Any, float] = {}
    for hour in hours:
        if of == "source":
            pairs = [(name, counts[0]) for name, counts in hour.sources.items()]
        else:
            held: Any = hour.channels if of == "channel" else dict(enumerate(hour.lengths))
            pairs = list(held.items())
        for key, count in pairs:
            found[key] = found.get(key, 0.0) + count
    return found
