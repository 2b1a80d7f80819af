"""Every video that was ever published, as numpy columns, and the orders kept over them.

A video has one row for good: a withdrawn one keeps its row and leaves every order, so that rows in
viewers' histories stay true. Texts are numbered (`Words`); -1 stands for none. A tag that no video
has any more gives its number back, since anybody can make up tags without end.

Heat is forward decay (Cormode, Shkapenyuk, Srivastava, Xu, "Forward decay: a practical time decay
model", ICDE 2009): instead of letting old watches fade, each new one weighs 2 to the power of its
time in half-lives since an epoch. Heat then only grows, and its order holds at any later moment.
A newcomer starts with the weight of NEWCOMER full watches at its time of publication, so of two
videos watched alike the younger is the hotter. The epoch moves on by an exact power of two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jhalak.feed.events import Published, Removal, Visibility
from jhalak.feed.near import Near
from jhalak.feed.numbered import Tags, Words
from jhalak.feed.orderings import Flags, Floats, Hot, Newest, Rows
from jhalak.feed.places_file import Places
from jhalak.feed.taste import SIZE, Prior, by_content
from jhalak.feed.taste.content import WordPlaces

AT_ONCE = 131_072  # rows placed together: bounds memory
TAGS = 8  # of one video; further ones are not looked at
WORD = 64  # characters of a slug, tag or language that count
NEWCOMER = 1.0
HOT_ALL, HOT_LANGUAGE = 1, 2  # bits of `marks`
EPOCH_HALVES = 512  # half-lives after which the epoch moves
REMOVALS: tuple[Removal, ...] = tuple(Removal)  # column `removed` holds 1 + place here, 0 for none

Floats32 = npt.NDArray[np.float32]
Columns = dict[str, npt.NDArray[Any]]
KINDS: dict[str, tuple[Any, tuple[int, ...], float]] = {
    # name: dtype, further shape, filler
    "ids": (np.int64, (), 0),
    "author": (np.int32, (), -1),
    "channel": (np.int32, (), -1),
    "language": (np.int32, (), -1),
    "tags": (np.int32, (TAGS,), -1),
    "tag_count": (np.int32, (), 0),
    "duration": (np.int64, (), 0),
    "published": (np.int64, (), 0),
    "followers_only": (np.bool_, (), 0),
    "removed": (np.uint8, (), 0),
    "heat": (np.float64, (), 0),
    "sound": (np.int64, (), 0),
    "fair_count": (np.float64, (), 0),  # watches, of each viewer one
    "place": (np.float32, (SIZE,), 0),  # among the others: see taste
    "alone": (np.float64, (), 0),  # what answers say of this video beyond its place: mean ...
    "unsure": (np.float64, (), Prior().video_variance),  # ... and variance, in log-odds
}


class Laid(NamedTuple):
    """All videos, laid anew."""

    places: Places | None
    where: Floats32


class Catalogue:
    def __init__(self, trending_half_ms: int) -> None:
        self.half_ms = max(1, trending_half_ms)
        self.epoch_ms = 0  # of heat; 0 before the first video
        self.count = 0
        self.capacity = 0
        self.columns: Columns = {}
        self.authors, self.channels, self.languages, self.tags = Words(), Words(), Words(), Tags()
        self.row_of: dict[int, int] = {}
        self.marks: Flags = np.zeros(0, np.uint8)
        self.hot = Hot(HOT_ALL)
        self.hot_by_language: dict[int, Hot] = {}
        self.near = Near()  # the public ones, by place
        self.places: Places | None = None  # trained ones, when there are
        self._grow(1024)
        self.reindex()

    # The columns by name: views that `_grow` renews, so they are never kept outside.
    @property
    def ids(self) -> npt.NDArray[np.int64]:
        return self.columns["ids"]

    @property
    def author(self) -> Rows:
        return self.columns["author"]

    @property
    def published(self) -> npt.NDArray[np.int64]:
        return self.columns["published"]

    @property
    def heat(self) -> Floats:
        return self.columns["heat"]

    def grow(self) -> None:
        self._grow(2 * self.capacity)

    def _grow(self, capacity: int) -> None:
        for name, (kind, shape, filler) in KINDS.items():
            column = np.full((capacity, *shape), filler, kind)
            if name in self.columns:
                column[: self.count] = self.columns[name][: self.count]
            self.columns[name] = column
        marks = np.zeros(capacity, np.uint8)
        marks[: self.count] = self.marks[: self.count]
        self.marks, self.capacity = marks, capacity

    def reindex(self) -> None:
        """Makes every order that follows from the columns alone."""
        count = self.count
        self.row_of = dict(zip(self.ids[:count].tolist(), range(count), strict=True))
        self.latest: dict[int, int] = {}  # author -> time of the newest video
        self.newest = self._order()
        self.by_author: dict[int, Newest] = {}
        self.inner_by_author: dict[int, Newest] = {}  # for followers only
        self.by_channel: dict[int, Newest] = {}
        self.by_language: dict[int, Newest] = {}
        self.by_tag: dict[int, Newest] = {}
        for row in np.lexsort((self.ids[:count], self.published[:count])).tolist():
            if not self.columns["removed"].item(row):
                self._list(row, near=False)
        self.near.fill(self.newest.all(), self.columns["place"])

    def _key(self, row: int) -> tuple[int, int]:
        return self.published.item(row), self.ids.item(row)

    def _order(self) -> Newest:
        return Newest(self._key)

    def _orders(self, row: int) -> list[tuple[dict[int, Newest], int]]:
        """The orders, besides `newest`, in which a row stands, as (orders, key) pairs."""
        columns = self.columns
        author = columns["author"].item(row)
        if columns["followers_only"].item(row):
            return [(self.inner_by_author, author)]
        return [
            (self.by_author, author),
            (self.by_channel, columns["channel"].item(row)),
            (self.by_language, columns["language"].item(row)),
            *((self.by_tag, tag) for tag in columns["tags"][row].tolist()),
        ]

    def _list(self, row: int, near: bool = True) -> None:
        if not self.columns["followers_only"].item(row):
            self.newest.insert(row)
            if near:
                self.near.put(row, self.newest, self.columns["place"])
        for orders, key in self._orders(row):
            if key >= 0:
                if key not in orders:
                    orders[key] = self._order()
                orders[key].insert(row)
        self._date(self.author.item(row))

    def _date(self, author: int) -> None:
        """Notes when the author last published something that is still here."""
        last = [
            self.published.item(orders[author].last())
            for orders in (self.by_author, self.inner_by_author)
            if author in orders
        ]
        if last:
            self.latest[author] = max(last)
        else:
            self.latest.pop(author, None)

    def _unlist(self, row: int) -> None:
        self.newest.remove(row)
        self.near.remove(row)
        for orders, key in self._orders(row):
            if key in orders:
                orders[key].remove(row)
                if not len(orders[key]):
                    del orders[key]
        self._date(self.author.item(row))
        self._cool(row)

    def publish(self, video: Published, now_ms: int) -> int:
        """A video is here, or its facts have changed. Returns its row."""
        row = self.row_of.get(video.video)
        fresh = row is None
        if row is None:
            if self.count == self.capacity:
                self.grow()
            row, self.count = self.count, self.count + 1
            self.row_of[video.video] = row
            self.ids[row] = video.video
        elif not self.columns["removed"].item(row):
            self._unlist(row)
        columns = self.columns
        columns["author"][row] = self.authors.code(video.author)
        columns["channel"][row] = _code(self.channels, video.channel)
        columns["language"][row] = _code(self.languages, video.language)
        before = columns["tags"][row].tolist()
        names = list(dict.fromkeys(tag[:WORD] for tag in video.tags if tag))
        tags = [self.tags.take(name) for name in names[:TAGS]]
        columns["tags"][row] = tags + [-1] * (TAGS - len(tags))
        for code in before:
            if code >= 0:
                self.tags.leave(code)
        columns["tag_count"][row] = len(tags)
        columns["duration"][row] = video.duration_ms
        columns["published"][row] = video.published_ms
        columns["followers_only"][row] = video.visibility == Visibility.FOLLOWERS
        columns["removed"][row] = 0
        columns["sound"][row] = video.sound
        self._settle(row)
        if fresh:
            columns["heat"][row] = NEWCOMER * self.weight_at(min(video.published_ms, now_ms))
        self._list(row)
        self._warm(row)
        return row

    def lay(self, places: Places | None) -> Laid:
        """Where every video lies by trained places, or by its words: what `settle` then takes.
        Nothing is changed here, so pages may go on meanwhile. Raises ValueError when the places are
        of another size.
        """
        if places is not None and places.size != SIZE:
            raise ValueError(f"places of {places.size} coordinates, and not {SIZE}")
        where = np.zeros_like(self.columns["place"])
        own = None if places is None else places.ids()
        table = WordPlaces(None if places is None else places.word)
        for start in range(0, self.count, AT_ONCE):
            rows = slice(start, min(start + AT_ONCE, self.count))
            where[rows] = self._by_words(rows, table)
            if places is not None and own is not None and len(own):
                ids = self.ids[rows]
                at = np.minimum(own.searchsorted(ids), len(own) - 1)
                found = own[at] == ids
                where[rows][found] = places.matrix()[at[found]]
        return Laid(places, where)

    def settle(self, laid: Laid) -> None:
        """Every video lies elsewhere from now on. Nothing was published since `laid` was made."""
        self.places, self.columns["place"] = laid.places, laid.where
        self.near.fill(self.newest.all(), self.columns["place"])

    def nearest(self, directions: npt.NDArray[np.float32], count: int) -> list[Rows]:
        """For each direction, float32[n, SIZE], up to `count` public rows, those first that are
        best for a viewer with it.
        """
        columns = self.columns
        return self.near.nearest(directions, count, self.newest, columns["place"], columns["alone"])

    def _settle(self, row: int) -> None:
        place = None if self.places is None else self.places.of(self.ids.item(row))
        if place is None:
            trained = None if self.places is None else self.places.word
            place = by_content(self._words(row), trained)
        self.columns["place"][row] = place

    def _by_words(self, rows: slice, table: WordPlaces) -> Floats32:
        """float32[rows, SIZE]: what `by_content` gives for the words of each row, to the bit."""
        columns = self.columns
        kinds: list[tuple[str, Any, Any]] = [
            (kind, columns[kind][rows], words.names)
            for kind, words in (
                ("channel", self.channels),
                ("author", self.authors),
                ("language", self.languages),
            )
        ]
        tags = columns["tags"][rows]
        kinds += [("tag", tags[:, at], self.tags.names) for at in range(TAGS)]
        sounds = columns["sound"][rows]
        kinds.append(("sound", np.where(sounds == 0, -1, sounds), None))
        return table.sum(kinds, (tags >= 0).sum(axis=1))

    def _words(self, row: int) -> list[tuple[str, object]]:
        """What a video says of itself, as (kind, name) pairs."""
        columns = self.columns
        found: list[tuple[str, object]] = [
            (kind, words.names[code])
            for kind, words in (
                ("channel", self.channels),
                ("author", self.authors),
                ("language", self.languages),
            )
            if (code := columns[kind].item(row)) >= 0
        ]
        tags = [code for code in columns["tags"][row].tolist() if code >= 0]
        found += [("tag", self.tags.names[code]) for code in tags]
        sound = columns["sound"].item(row)
        return [*found, ("sound", sound)] if sound else found

    def withdraw(self, video: int, reason: Removal) -> bool:
        """False when there is no such video."""
        row = self.row_of.get(video)
        if row is None:
            return False
        if not self.columns["removed"].item(row):
            self._unlist(row)
        self.columns["removed"][row] = 1 + REMOVALS.index(reason)
        return True

    def weight_at(self, time_ms: int) -> float:
        """What a watch at this time weighs in heat. Moves the epoch when it has to."""
        if not self.epoch_ms:
            self.epoch_ms = max(1, time_ms)
        halves = (time_ms - self.epoch_ms) / self.half_ms
        while halves > EPOCH_HALVES:
            shift = min(int(halves), EPOCH_HALVES)
            self.heat[: self.count] *= 2.0**-shift
            for hot in (self.hot, *self.hot_by_language.values()):
                hot.scale(2.0**-shift)
            self.epoch_ms += shift * self.half_ms
            halves = (time_ms - self.epoch_ms) / self.half_ms
        return float(2.0 ** max(halves, -1000.0))

    def heat_now(self, rows: Rows, now_ms: int) -> Floats:
        """Heat in full watches as they count now."""
        since = (now_ms - self.epoch_ms) / self.half_ms
        return np.asarray(self.heat.take(rows) * _half_power(since))

    def watched_now(self, row: int, now_ms: int) -> float:
        """Watches of one video as they count now: its heat less what it began with."""
        since = (now_ms - self.epoch_ms) / self.half_ms
        age = (now_ms - self.published.item(row)) / self.half_ms
        heat = self.heat.item(row) * _half_power(since)
        return float(heat - NEWCOMER * _half_power(age))

    def watched(self, row: int, heat: float, count: float) -> None:
        """Adds a watch: `heat` 0 or more, already weighted for its time."""
        if heat > 0:
            self.heat[row] += heat
            self._warm(row)
        self.columns["fair_count"][row] += count

    def _hots(self, row: int) -> list[Hot]:
        language = self.columns["language"].item(row)
        if language < 0:
            return [self.hot]
        return [self.hot, self.hot_of(language)]

    def hot_of(self, language: int) -> Hot:
        hot = self.hot_by_language.get(language)
        if hot is None:
            hot = self.hot_by_language[language] = Hot(HOT_LANGUAGE)
        return hot

    def _warm(self, row: int) -> None:
        if self.columns["followers_only"].item(row) or self.columns["removed"].item(row):
            return
        for hot in self._hots(row):
            hot.raised(row, self.heat, self.marks)

    def _cool(self, row: int) -> None:
        language = self.columns["language"].item(row)
        self.hot.remove(row, self.heat, self.marks, self.newest.all)
        if language in self.hot_by_language:
            others = self.by_language.get(language) or self._order()
            self.hot_by_language[language].remove(row, self.heat, self.marks, others.all)

    def is_by(self, row: int, viewer: str) -> bool:
        """Whether a video is the viewer's own."""
        return viewer == f"m{self.authors.names[self.author.item(row)]}"

    def rows(self, videos: Iterable[int]) -> list[int]:
        """The rows of the videos that are known."""
        found = map(self.row_of.get, videos)
        return [row for row in found if row is not None]


def _half_power(halves: float) -> float:
    return float(2.0 ** -min(max(halves, -1000.0), 1000.0))


def _code(words: Words, name: str) -> int:
    return words.code(name[:WORD]) if name else -1
