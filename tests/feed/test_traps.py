"""Three traps that a feed falls into when it ranks by what is easily counted.

In each world the truth is known: `appeal` is the chance that somebody takes to a video. One check
is put to two orders of the same videos after the same watches: ours passes it, the naive one fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from jhalak.feed import events as ev
from tests.feed.worlds import World, alike, watch

Order = list[int]


def watched(clips: Iterable[tuple[ev.Published, int, Callable[[np.random.Generator], float]]]):
    """A world after watches: each clip so many times, each time the share that is drawn. Nobody
    watches two of them, so that nothing but the video itself can be learnt.
    """
    rng = np.random.default_rng(7)
    clips = list(clips)
    order = rng.permutation(np.repeat(np.arange(len(clips)), [times for _, times, _ in clips]))
    watches = []
    for viewer, place in enumerate(order.tolist()):
        clip, _, share = clips[place]
        watches.append(watch(f"m{viewer}", clip, share(rng)))
    here = World(clip for clip, _, _ in clips)
    here.tell(*watches)
    return here, watches


def ours(here: World) -> Order:
    """How the engine orders everything for somebody it knows nothing about."""
    return sorted(here.videos, key=lambda number: -here.score(number, "g1"))


def by(measure: Callable[[ev.Watched], float], watches: list[ev.Watched]) -> Order:
    """The naive order: by a sum over all watches."""
    sums: Counter[int] = Counter()
    for event in watches:
        sums[event.video] += measure(event)
    return [number for number, _ in sums.most_common()]


def test_duration_trap():
    """Interest does not depend on length; of a long video people watch a smaller share, and more
    seconds all the same.
    """
    lengths = (8_000, 16_000, 32_000, 64_000, 128_000)
    appeal: dict[int, float] = {}
    clips = []
    for number in range(100):
        length, appeal[number] = lengths[number % 5], (number // 5 + 0.5) / 20
        bend = (length / 16_000) ** 0.5

        def share(rng, *, appeal=appeal[number], bend=bend):
            return min(1.0, 1.05 * rng.beta(4 * appeal + 0.2, 4 * (1 - appeal) + 0.2) ** bend)

        clips.append((alike(number, duration_ms=length), 40, share))
    here, watches = watched(clips)

    def flat_and_good(order: Order) -> bool:
        top = order[:25]
        of_each = Counter(number % 5 for number in top)
        flat = all(3 <= of_each[place] <= 7 for place in range(5))
        return flat and float(np.mean([appeal[number] for number in top])) > 0.75

    assert flat_and_good(ours(here))
    assert not flat_and_good(by(lambda event: event.watched_ms, watches))
    assert not flat_and_good(by(lambda event: event.watched_ms / event.duration_ms, watches))
    assert not flat_and_good(sorted(here.videos))


def test_popularity_trap():
    """Ten are shown to many and liked by few, ten to few and liked by most."""
    clips = []
    for number in range(40):
        appeal, times = (0.3, 150) if number < 10 else (0.8, 25) if number < 20 else (0.3, 25)

        def share(rng, *, appeal=appeal):
            return 1.0 if rng.random() < appeal else float(rng.uniform(0.05, 0.6))

        clips.append((alike(number), times, share))
    here, watches = watched(clips)

    def finds_the_better(order: Order) -> bool:
        return sum(10 <= number < 20 for number in order[:10]) >= 8

    assert finds_the_better(ours(here))
    assert not finds_the_better(by(lambda _: 1, watches))
    finishes = by(lambda event: event.kind == ev.WatchKind.FINISHED, watches)
    assert not finds_the_better(finishes)


def test_clickbait_trap():
    """Ten are started by many, most of whom are gone at once."""
    clips = []
    for number in range(40):
        bait = number < 10

        def share(rng, *, bait=bait):
            gone = rng.random() < (0.85 if bait else 0.3)
            return float(rng.uniform(0.02, 0.12) if gone else rng.uniform(0.3, 1.1))

        clips.append((alike(number), 100 if bait else 25, share))
    here, watches = watched(clips)

    def sinks_the_bait(order: Order) -> bool:
        return all(number >= 10 for number in order[:25])

    assert sinks_the_bait(ours(here))
    assert not sinks_the_bait(by(lambda _: 1, watches))
    assert not sinks_the_bait(by(lambda event: event.watched_ms, watches))
