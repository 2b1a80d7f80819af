"""Whether watches feel worse: a fall is seen, chance and other lengths are none."""

from __future__ import annotations

import numpy as np

from jhalak.feed.events import Watched, WatchKind
from jhalak.feed.training.quality import compare


def watches(
    count: int, good: float, seed: int, *, viewers: int = 500, seconds: int = 8
) -> list[Watched]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        length = 1000 * seconds
        liked = rng.random() < good
        watched = length if liked else int(0.3 * length * rng.random())
        kind = WatchKind.FINISHED if liked else WatchKind.SKIPPED
        found.append(Watched(f"m{rng.integers(viewers)}", 1, kind, watched, length, 1))
    return found


def test_a_fall_is_seen() -> None:
    change = compare(watches(4_000, 0.5, 1), watches(2_000, 0.35, 2))
    assert change.fallen
    assert "felt good" in str(change)


def test_what_is_as_good_or_better_is_no_fall() -> None:
    for good in (0.5, 0.7):
        assert not compare(watches(4_000, 0.5, 1), watches(2_000, good, 2)).fallen


def test_however_often_it_is_looked_at_chance_is_no_fall() -> None:
    """30 lives, each looked at every 200 watches."""
    seen = 0
    for seed in range(30):
        before, after = watches(1_000, 0.5, seed), watches(1_000, 0.5, 1_000 + seed)
        looks = (compare(before, after[:count]).fallen for count in range(200, 1_001, 200))
        seen += any(looks)
    assert seen <= 2


def test_longer_clips_are_no_fall() -> None:
    """People finish fewer of them; what is judged is how they compare with clips as long."""
    long = watches(3_000, 0.2, 1, seconds=60)
    before = watches(3_000, 0.6, 2) + long
    change = compare(before, watches(2_000, 0.2, 3, seconds=60))
    assert change.after < change.before  # and still ...
    assert change.before - change.after < 0.2  # ... of the 0.4 by which fewer were finished


def test_one_viewer_is_no_crowd() -> None:
    """Thousands of watches of one viewer are one piece of evidence."""
    before = watches(4_000, 0.5, 1)
    bored = [*watches(1_000, 0.5, 2), *watches(600, 0.0, 3, viewers=1)]
    assert not compare(before, bored).fallen
    assert compare(before, [*watches(1_000, 0.5, 2), *watches(600, 0.0, 3)]).fallen


def test_few_watches_say_nothing() -> None:
    for before, after in ((0, 0), (0, 900), (900, 0), (900, 150), (150, 900)):
        assert not compare(watches(before, 0.9, 1), watches(after, 0.1, 2)).fallen


def test_all_alike_is_no_error() -> None:
    assert not compare(watches(500, 1.0, 1), watches(500, 1.0, 2)).fallen
    assert compare(watches(500, 1.0, 1), watches(500, 0.0, 2)).fallen
    assert not compare(watches(500, 0.0, 1), watches(500, 0.0, 2)).fallen
