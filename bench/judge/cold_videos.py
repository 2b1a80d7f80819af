"""Cold videos: a seeded tenth of the catalogue has no logged view. Two questions.

`owing`: in the loop, how many of them reach N impressions, and what does it cost in likes?
`finding`: given slots that show nothing else, after how many impressions does a picker know the
best tenth of them? Viewers come in a seeded random order and see no video twice; the best are those
that most of these viewers truly like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from bench.judge.data import World
from bench.judge.loop import PAGE, PAGES, Unfair, play
from bench.judge.recommender import Bools, Ids, Log, Recommender
from numpy.typing import NDArray

OWED = 10  # impressions to each cold video: a tenth of 353 viewers' slots is about what this takes
ENOUGH = 0.75  # of the best tenth, named among as many guesses
AFTER = 5_000  # impressions, about 15 to each cold video: who is promoted then?


class Picker(Protocol):
    """Decides which cold video an owed slot shows. Videos are places in 0..n-1."""

    def begin(self, n: int, owed: int, logged: Log | None) -> None:
        """`logged` holds likes of other videos only."""

    def pick(self, viewer: int, seen: Bools) -> int:
        """A place with `seen[place]` false."""

    def observe(self, viewer: int, place: int, liked: bool) -> None: ...

    def guess(self, k: int) -> Ids:
        """The k it takes to be liked most."""


@dataclass(frozen=True, slots=True)
class Cold:
    """A world in which the log knows nothing of `videos`."""

    world: World
    videos: Ids

    @classmethod
    def of(cls, world: World, seed: int = 1) -> Cold:
        rng = np.random.default_rng(seed)
        size = max(10, len(world.catalogue) // 10)
        videos = np.sort(rng.choice(world.catalogue, size, replace=False))
        return cls(replace(world, logged=world.logged.without_videos(videos)), videos)

    @property
    def liked(self) -> Bools:
        """bool[viewer, cold video]."""
        return self.world.liked[:, np.searchsorted(self.world.catalogue, self.videos)]


@dataclass(frozen=True, slots=True)
class Owing:
    paid: float  # share of cold videos with at least OWED impressions
    fewest: int
    likes_per_100: float


class _Recorded:
    """A recommender whose impressions are counted."""

    def __init__(self, inner: Recommender, counts: NDArray[np.int64]) -> None:
        self._inner, self._counts = inner, counts
        self.begin, self.page = inner.begin, inner.page

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._counts[videos] += 1
        self._inner.observe(viewer, videos, liked)


class WithOwed:
    """A recommender that gives the last slot of each page to a picker, until all is paid."""

    def __init__(self, inner: Recommender, picker: Picker, videos: Ids) -> None:
        self._inner, self._picker, self._videos = inner, picker, videos

    def begin(self, logged, n_viewers: int, n_videos: int) -> None:
        self._inner.begin(logged, n_viewers, n_videos)
        self._picker.begin(len(self._videos), OWED, logged)
        self._place = {int(video): place for place, video in enumerate(self._videos)}
        self._counts = np.zeros(len(self._videos), np.int64)

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        seen = closed[self._videos]
        if seen.all() or self._counts.min() >= OWED:
            return self._inner.page(viewer, n, closed)
        video = self._videos[self._picker.pick(viewer, seen)]
        closed[video] = True
        return np.append(self._inner.page(viewer, n - 1, closed), video)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._inner.observe(viewer, videos, liked)
        for video, answer in zip(videos.tolist(), liked.tolist(), strict=True):
            place = self._place.get(video)
            if place is not None:
                self._counts[place] += 1
                self._picker.observe(viewer, place, answer)


def owing(make: Callable[[], Recommender], cold: Cold, *, pages: int = PAGES) -> Owing:
    """Plays the loop and looks at what the cold videos got."""
    counts = np.zeros(cold.world.n_videos, np.int64)
    played = play(
        lambda: _Recorded(make(), counts), cold.world, cold.world.logged, pages=pages, n=PAGE
    )
    got = counts[cold.videos]
    return Owing(float((got >= OWED).mean()), int(got.min()), float(played.per_100.mean()))


def finding(
    make: Callable[[], Picker], cold: Cold, *, seed: int = 1, enough: float = ENOUGH
) -> float:
    """Impressions until `enough` of the best tenth are named; inf when they never are. Raises
    Unfair when a viewer gets a video twice.
    """
    for shown, true in _promotions(make, cold, seed):
        if true >= enough:
            return float(shown)
    return float("inf")


def promoted(make: Callable[[], Picker], cold: Cold, *, seed: int = 1, after: int = AFTER) -> float:
    """Share of the tenth that is named after so many impressions which is truly of the best: the
    true promotions; the rest are false ones. Raises Unfair as `finding` does.
    """
    true = 0.0
    for shown, share in _promotions(make, cold, seed):
        true = share
        if shown >= after:
            break
    return true


def _promotions(make: Callable[[], Picker], cold: Cold, seed: int) -> Iterator[tuple[int, float]]:
    """After every 50 impressions, how many there were, and how much of what is named is true."""
    liked = cold.liked
    viewers, n = liked.shape
    k = max(1, n // 10)
    rates = liked.mean(0)
    best = set(np.argsort(-rates, kind="stable")[:k].tolist())
    picker = make()
    picker.begin(n, OWED, cold.world.logged)
    seen = np.zeros(liked.shape, bool)
    rng = np.random.default_rng(seed)
    shown = 0
    for _ in range(n):
        for row in rng.permutation(viewers).tolist():
            viewer = int(cold.world.viewers[row])
            place = picker.pick(viewer, seen[row].copy())
            if not 0 <= place < n or seen[row, place]:
                raise Unfair("a cold video twice to one viewer, or one that there is not")
            seen[row, place] = True
            picker.observe(viewer, place, bool(liked[row, place]))
            shown += 1
            if shown % 50 == 0:
                yield shown, len(best.intersection(picker.guess(k).tolist())) / k
