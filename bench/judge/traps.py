"""Three traps that a feed falls into when it ranks by what is easily counted.

In each world the truth is known: `appeal` is the chance that somebody takes to a video. One check
is put to several orders of the same videos after the same watches: the feed's, and naive ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from bench.figures import figure

from jhalak.feed import Config, Engine, Query
from jhalak.feed import events as ev

NOW = 1_790_000_000_000
HOUR = 3_600_000
Order = list[int]
Share = Callable[[np.random.Generator], float]
Observed = Callable[[list[ev.Event]], Engine]  # an engine that was told these


def learnt(events: list[ev.Event]) -> Engine:
    """The engine as it is."""
    engine = Engine.new(Config(source_deadline_ms=1e9, score_deadline_ms=1e9))
    engine.observe(list(enumerate(events, 1)))
    return engine


class Trap(NamedTuple):
    """`measured`: what `passes` looks at, as one number. `naive`: orders that shall fail."""

    name: str
    says: str
    ours: Order
    naive: dict[str, Order]
    measured: Callable[[Order], float]
    passes: Callable[[Order], bool]


def _clip(number: int, duration_ms: int = 10_000) -> ev.Published:
    """Which nothing but its number tells from the others."""
    return ev.Published(
        video=number, author=1, channel="", tags=(), language="", duration_ms=duration_ms,
        published_ms=NOW - HOUR,
    )  # fmt: skip


def _watched(
    clips: Iterable[tuple[ev.Published, int, Share]], observed: Observed
) -> tuple[Order, list[ev.Watched]]:
    """The feed's order for somebody it knows nothing about, after watches: each clip so many
    times, each time the share that is drawn. Nobody watches two of them, so that nothing but the
    video itself can be learnt.
    """
    rng = np.random.default_rng(7)
    clips = list(clips)
    drawn = rng.permutation(np.repeat(np.arange(len(clips)), [times for _, times, _ in clips]))
    watches = []
    for viewer, place in enumerate(drawn.tolist()):
        clip, _, share = clips[place]
        part = share(rng)
        kind = ev.WatchKind.FINISHED if part >= 1.0 else ev.WatchKind.SKIPPED
        seen = int(part * clip.duration_ms)
        watches.append(ev.Watched(f"m{viewer}", clip.video, kind, seen, clip.duration_ms, NOW))
    engine = observed([*(clip for clip, _, _ in clips), *watches])
    numbers = [clip.video for clip, _, _ in clips]
    scores = engine.score(Query(viewer="g1", now_ms=NOW), numbers)
    totals = dict(zip(numbers, (one.total for one in scores), strict=True))
    return sorted(numbers, key=lambda number: -totals[number]), watches


def _by(measure: Callable[[ev.Watched], float], watches: list[ev.Watched]) -> Order:
    """The naive order: by a sum over all watches."""
    sums: Counter[int] = Counter()
    for event in watches:
        sums[event.video] += measure(event)  # type: ignore[assignment]
    return [number for number, _ in sums.most_common()]


def duration(observed: Observed = learnt) -> Trap:
    """Interest does not depend on length; of a long video people watch a smaller share, and more
    seconds all the same.
    """
    lengths = (8_000, 16_000, 32_000, 64_000, 128_000)
    appeal = {number: (number // 5 + 0.5) / 20 for number in range(100)}

    def share(number: int) -> Share:
        mine, bend = appeal[number], (lengths[number % 5] / 16_000) ** 0.5
        return lambda rng: min(1.0, 1.05 * rng.beta(4 * mine + 0.2, 4 * (1 - mine) + 0.2) ** bend)

    clips = [(_clip(number, lengths[number % 5]), 40, share(number)) for number in appeal]
    order, watches = _watched(clips, observed)

    def mean(order: Order) -> float:
        return float(np.mean([appeal[number] for number in order[:25]]))

    def flat_and_good(order: Order) -> bool:
        of_each = Counter(number % 5 for number in order[:25])
        return all(3 <= of_each[place] <= 7 for place in range(5)) and mean(order) > 0.75

    naive = {
        "seconds watched": _by(lambda event: event.watched_ms, watches),
        "share watched": _by(lambda event: event.watched_ms / event.duration_ms, watches),
        "none": sorted(order),
    }
    return Trap("duration", "mean appeal of the best 25", order, naive, mean, flat_and_good)


def popularity(observed: Observed = learnt) -> Trap:
    """Ten are shown to many and liked by few, ten to few and liked by most."""

    def share(appeal: float) -> Share:
        return lambda rng: 1.0 if rng.random() < appeal else float(rng.uniform(0.05, 0.6))

    kinds = [(0.3, 150)] * 10 + [(0.8, 25)] * 10 + [(0.3, 25)] * 20
    clips = [(_clip(n), times, share(appeal)) for n, (appeal, times) in enumerate(kinds)]
    order, watches = _watched(clips, observed)

    def better(order: Order) -> float:
        return float(sum(10 <= number < 20 for number in order[:10]))

    naive = {
        "views": _by(lambda _: 1, watches),
        "finishes": _by(lambda event: event.kind == ev.WatchKind.FINISHED, watches),
    }
    says = "of the best ten, those liked by most"
    return Trap("popularity", says, order, naive, better, lambda order: better(order) >= 8)


def clickbait(observed: Observed = learnt) -> Trap:
    """Ten are started by many, most of whom are gone at once."""

    def share(gone_share: float) -> Share:
        def drawn(rng: np.random.Generator) -> float:
            gone = rng.random() < gone_share
            return float(rng.uniform(0.02, 0.12) if gone else rng.uniform(0.3, 1.1))

        return drawn

    clips = [(_clip(n), 100, share(0.85)) for n in range(10)]
    clips += [(_clip(n), 25, share(0.3)) for n in range(10, 40)]
    order, watches = _watched(clips, observed)

    def bait(order: Order) -> float:
        return float(sum(number < 10 for number in order[:25]))

    naive = {
        "starts": _by(lambda _: 1, watches),
        "seconds watched": _by(lambda event: event.watched_ms, watches),
    }
    says = "baits among the best 25"
    return Trap("clickbait", says, order, naive, bait, lambda order: bait(order) == 0)


TRAPS: tuple[Callable[..., Trap], ...] = (duration, popularity, clickbait)


def figures() -> list[dict[str, Any]]:
    rows = []
    for make in TRAPS:
        trap = make()
        where = f"{trap.name} trap (synthetic)"
        naive = max(trap.naive, key=lambda name: trap.passes(trap.naive[name]))
        rows.append(
            figure(
                f"{where}: {trap.says}", trap.measured(trap.ours), "",
                baseline=trap.measured(trap.naive[naive]),
            )
        )  # fmt: skip
        passed = float(trap.passes(trap.ours))
        rows.append(figure(f"{where}: passed by ours (1 is yes)", passed, "", at_least=1))
        fell = float(sum(trap.passes(order) for order in trap.naive.values()))
        told = f"{where}: passed by naive orders ({', '.join(trap.naive)})"
        rows.append(figure(told, fell, f"of {len(trap.naive)}", at_most=0))
    return rows
