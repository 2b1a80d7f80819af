"""The closed loop: viewers ask for pages, get them, and answer truly.

Order: rounds. In round r every viewer asks for page r once, in an order drawn anew for each round
(seeded), and answers before the next viewer asks. So nobody is served from the future of anybody
else, and what one viewer's answers teach is there for the next: the order in which a live platform
sees viewers who arrive at about the same rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bench.judge.data import World
from bench.judge.recommender import Bools, Ids, Log, Recommender
from numpy.typing import NDArray

PAGE, PAGES = 10, 10  # 100 swipes a viewer


class Unfair(Exception):
    """The recommender showed what it may not show."""


@dataclass(frozen=True, slots=True)
class Played:
    """Likes that each viewer gave on each page, and the most that could be had by then."""

    likes: NDArray[np.int64]  # [viewer, page]
    oracle: NDArray[np.int64]  # [viewer, page], of a recommender that knows all answers
    swipes: int  # a viewer

    @property
    def per_100(self) -> NDArray[np.float64]:
        """float[viewer]: likes per 100 swipes."""
        return self.likes.sum(1) * (100.0 / self.swipes)

    @property
    def curve(self) -> NDArray[np.float64]:
        """float[page]: likes per viewer up to and with this page."""
        return self.likes.mean(0).cumsum()

    @property
    def regret(self) -> NDArray[np.float64]:
        """float[page]: likes per viewer that the oracle had got more, up to and with this page."""
        return self.oracle.mean(0).cumsum() - self.curve


def oracle(liked: Bools, pages: int = PAGES, n: int = PAGE) -> NDArray[np.int64]:
    """int[viewer, page]: pages full of likes until there are none left."""
    left = liked.sum(1)[:, None] - n * np.arange(pages)
    return np.clip(left, 0, n)


def check(page: Ids, n: int, closed: Bools) -> Ids:
    """The page itself. Raises Unfair on anything but n different open videos."""
    page = np.asarray(page)
    if page.shape != (n,) or not np.issubdtype(page.dtype, np.integer):
        raise Unfair(f"a page of {n} video numbers was asked for, and came {page!r}")
    if page.min(initial=0) < 0 or page.max(initial=0) >= len(closed):
        raise Unfair("a video that there is not")
    if len(np.unique(page)) != n:
        raise Unfair("one video twice on a page")
    if closed[page].any():
        raise Unfair("a video that this viewer has seen, or that is not in the catalogue")
    return page.astype(np.int64)


def play(
    make: Callable[[], Recommender],
    world: World,
    logged: Log | None,
    *,
    pages: int = PAGES,
    n: int = PAGE,
    seed: int = 1,
) -> Played:
    """Plays a new recommender. Raises Unfair when it cheats."""
    recommender = make()
    recommender.begin(logged, world.n_viewers, world.n_videos)
    place = np.full(world.n_videos, -1)
    place[world.catalogue] = np.arange(len(world.catalogue))
    closed = np.repeat((place < 0)[None], len(world.viewers), axis=0)
    likes = np.zeros((len(world.viewers), pages), np.int64)
    rng = np.random.default_rng(seed)
    for turn in range(pages):
        for row in rng.permutation(len(world.viewers)).tolist():
            viewer = int(world.viewers[row])
            # A copy: a recommender that writes into it changes nothing here.
            page = check(recommender.page(viewer, n, closed[row].copy()), n, closed[row])
            closed[row, page] = True
            answers = world.liked[row, place[page]]
            likes[row, turn] = answers.sum()
            recommender.observe(viewer, page, answers)
    return Played(likes, oracle(world.liked, pages, n), pages * n)
