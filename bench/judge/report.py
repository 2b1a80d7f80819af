"""Everything that is judged offline, as figures: `python -m bench.judge.report [PART ...]` prints
some of it. On the shared data where it is; else on generated worlds, labelled synthetic.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.figures import figure
from bench.judge import (
    closed,
    cold_videos,
    coverage,
    data,
    exposure,
    freshness,
    next_item,
    plots,
    ranked,
    standin,
    traps,
)
from bench.judge.cold_videos import AFTER, OWED, Cold, Picker, WithOwed
from bench.judge.entries import BASELINES, FIRST_DAY, Entry, entry
from bench.judge.ours import FROZEN, OURS
from bench.judge.ours_cold import Focus
from bench.judge.ours_exposure import SCORERS
from bench.judge.ours_next import RANKERS
from bench.judge.pickers import EpsilonGreedy, InTurn, Thompson
from bench.judge.served import EXPLORING, SERVED
from bench.parts import Part, each
from bench.run import table

SHARE = 0.2  # of the real size, for generated worlds
SEEDS = range(1, 6)
TORCH = importlib.util.find_spec("torch") is not None

# Our own, beside the baselines: who stands in LOOP, SCORERS, RANKERS or PICKERS takes part.
LOOP: list[Entry] = [*OURS, *SERVED]
ABLATIONS = [FROZEN, EXPLORING]
PICKERS: dict[str, Callable[..., Picker]] = {"Jhalak": Focus}


def _world() -> data.World:
    return data.kuairec() if data.here() else standin.kuairec(SHARE)


def loop() -> list[dict[str, Any]]:
    world = _world()
    baselines = [*BASELINES, *_trained("LOOP")]
    results = closed.run(world, [*LOOP, *ABLATIONS], baselines, FIRST_DAY)
    print("\n".join(closed.table(world, results, baselines)), flush=True)
    if not world.synthetic:
        closed.keep(world, results)
        plots.write(closed.RESULT)
    where = "synthetic" if world.synthetic else world.name
    return closed.figures(world, results, baselines, ABLATIONS) + _training(where, "closed loop")


def _trained(part: str) -> list[Any]:
    """Baselines that torch trains; none where it is not installed."""
    if not TORCH:
        return []
    entries = importlib.import_module("bench.judge.sasrec_entries")
    found: list[Any] = getattr(entries, part)
    return found


def _training(where: str, part: str) -> list[dict[str, Any]]:
    """What the training of SASRec took, or that there was none."""
    if not TORCH:
        return [figure(f"{where} {part}: SASRec (not run: torch is not installed)", None, "")]
    entries = importlib.import_module("bench.judge.sasrec_entries")
    return [figure(f"{where} {part}: training of SASRec", entries.seconds[part], "s")]


def cold() -> list[dict[str, Any]]:
    """Owed impressions paid in the loop, and impressions until the best tenth is known."""
    tuning, world = _world().halves()
    where = "synthetic cold videos" if world.synthetic else f"{world.name} cold videos"
    some = Cold.of(world)
    follows = entry("ItemKNN, folded").tuned()
    without = cold_videos.owing(follows, some)
    rows = []
    for name, one in {"in turn": InTurn, **PICKERS}.items():
        owed = cold_videos.owing(partial(WithOwed, follows(), one(), some.videos), some)
        rows += [
            figure(
                f"{where}: share with {OWED} impressions, one owed slot a page: {name}",
                100.0 * owed.paid, "%", baseline=100.0 * without.paid,
                at_least=100.0 if name in PICKERS and not world.synthetic else None,
            ),
            figure(
                f"{where}: what owed slots leave: {name}", owed.likes_per_100, "likes/100",
                baseline=without.likes_per_100,
            ),
        ]  # fmt: skip
    tried = {
        f"epsilon-greedy {epsilon}": partial(EpsilonGreedy, epsilon=epsilon)
        for epsilon in (0.05, 0.1, 0.2, 0.5)
    }
    name = min(tried, key=lambda one: _until_found(tried[one], tuning))
    base = _until_found(tried[name], world)
    others = {"in turn": InTurn, "Thompson": Thompson, **PICKERS}
    rows.append(figure(f"{where}: impressions to find the best tenth: {name}", base, ""))
    rows += [
        figure(
            f"{where}: impressions to find the best tenth: {one}", _until_found(make, world), "",
            baseline=base,
            at_most=base / 2 if one in PICKERS and not world.synthetic else None,
        )
        for one, make in others.items()
    ]  # fmt: skip
    right = {one: _promoted(make, world) for one, make in {name: tried[name], **others}.items()}
    return rows + [
        figure(
            f"{where}: true promotions, of 100, after {AFTER:,} impressions: {one}", share, "",
            baseline=right[name],
        )
        for one, share in right.items()
    ]  # fmt: skip


def _promoted(make: Callable[..., Picker], world: data.World) -> float:
    """As `_until_found`."""
    return 100.0 * statistics.median(
        cold_videos.promoted(partial(make, seed=seed), Cold.of(world, seed), seed=seed)
        for seed in SEEDS
    )


def _until_found(make: Callable[..., Picker], world: data.World) -> float:
    """Median over seeds; each seed has other cold videos and another order."""
    return statistics.median(
        cold_videos.finding(partial(make, seed=seed), Cold.of(world, seed), seed=seed)
        for seed in SEEDS
    )


def random_exposure() -> list[dict[str, Any]]:
    world = data.kuairand() if data.here() else standin.kuairand(SHARE)
    names = [one.name for one in exposure.BASELINES]
    return exposure.figures(world, exposure.run(world, SCORERS), names)


def sequences() -> list[dict[str, Any]]:
    lines = data.beauty() if data.here() else standin.sequences()
    where = "Beauty" if data.here() else "synthetic"
    baselines = [*next_item.BASELINES, *_trained("RANKERS")]
    found = next_item.run(lines, RANKERS, baselines)
    rows = next_item.figures(where, found, [one.name for one in baselines])
    rows += _training(where, "next item")
    return rows + next_item.published() if data.here() else rows


def fresh() -> list[dict[str, Any]]:
    return freshness.figures(_world())


def ranker() -> list[dict[str, Any]]:
    """Viewers that no setting was chosen on. Without torch it says so, and gives no row."""
    _, world = _world().halves()
    return ranked.figures(world, "synthetic" if world.synthetic else world.name)


PARTS: dict[str, Part] = {
    "loop": loop,
    "ranker": ranker,
    "freshness": fresh,
    "cold": cold,
    "exposure": random_exposure,
    "sequences": sequences,
    "coverage": coverage.figures,
    "traps": traps.figures,
}


if __name__ == "__main__":
    print(table(each({name: PARTS[name] for name in sys.argv[1:] or PARTS})))
