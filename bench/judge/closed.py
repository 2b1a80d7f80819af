"""The closed loop's report: everybody on the report half of the viewers, in three beginnings.

`with history`: the whole log. `without history`: the log of everybody but the judged viewers.
`no log`: a platform's first day; only who learns in the loop can take part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.figures import figure
from bench.judge.ceiling import Told, ToldToo
from bench.judge.data import World
from bench.judge.entries import BASELINES, FIRST_DAY, Entry
from bench.judge.intervals import band, difference, interval
from bench.judge.linear import Ease
from bench.judge.loop import PAGE, PAGES, Played, oracle, play

RESULT = Path(__file__).parents[1] / "results" / "feed-loop.json"
AIM = 1.05  # times the best baseline
Results = dict[str, dict[str, Played]]  # by beginning, by name


def run(
    world: World,
    ours: Iterable[Entry] = (),
    entries: Iterable[Entry] = BASELINES,
    first_day: Iterable[Entry] = (),
) -> Results:
    """Plays everybody; `first_day` where there is no log. On KuaiRec with all baselines: about ten
    minutes of one core.
    """
    tuning, report = world.halves()
    logs = {
        "with history": world.logged,
        "without history": world.logged.without(report.viewers),
        "no log": None,
    }
    found: Results = {}
    for beginning, log in logs.items():
        found[beginning] = {}
        only = first_day if log is None else ()
        for entry in [*entries, *only, *ours]:
            if log is not None or not entry.needs_log:
                found[beginning][entry.name] = play(entry.tuned(), report, log)
    found["limit"] = {
        "told the other half": play(lambda: Told(tuning), report, None),
        "told, and EASE folded": play(
            lambda: ToldToo(tuning, Ease(l2=500.0, fold=True)), report, world.logged
        ),
    }
    return found


def strongest(played: dict[str, Played], entries: Iterable[Entry] = BASELINES) -> str:
    """The baseline with the most likes."""
    names = [entry.name for entry in [*entries, *FIRST_DAY] if entry.name in played]
    return max(names, key=lambda name: float(played[name].per_100.mean()))


def table(world: World, results: Results, entries: Iterable[Entry] = BASELINES) -> list[str]:
    """Lines to print: likes per 100 with 95 % intervals, regret, the paired difference."""
    entries = list(entries)
    _, report = world.halves()
    most = oracle(report.liked).sum(1).mean() * 100.0 / (PAGE * PAGES)
    word = "SYNTHETIC: " if world.synthetic else ""
    size = f"{len(report.viewers)} viewers, {PAGES} pages of {PAGE}"
    lines = [f"{word}{world.name}, {size}; likes per 100 swipes; oracle {most:.1f}"]
    for beginning, played in results.items():
        lines.append(f"{beginning}:")
        top = strongest(played, entries) if beginning != "limit" else None
        for name, one in played.items():
            mean = interval(one.per_100)
            line = (
                f"  {name:32} {mean.mean:6.2f} [{mean.low:5.2f}, {mean.high:5.2f}]"
                f"  page 1 {one.curve[0] * 100 / PAGE:5.1f}  regret {one.regret[-1]:5.1f}"
            )
            if top and name != top:
                gap = difference(one.per_100, played[top].per_100)
                line += f"  against {top}: {gap.mean:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]"
            lines.append(line)
    return lines


def keep(world: World, results: Results) -> None:
    """Writes the curves, for plots and for whoever checks."""
    text: dict[str, Any] = {"world": world.name, "synthetic": world.synthetic, "results": {}}
    for beginning, played in results.items():
        text["results"][beginning] = {
            name: {
                "likes_per_100": [round(x, 3) for x in interval(one.per_100)],
                "likes_on_page": [[round(x, 4) for x in page] for page in band(one.likes)],
                "likes_by_page": [round(x, 3) for x in one.curve.tolist()],
                "regret_by_page": [round(x, 3) for x in one.regret.tolist()],
            }
            for name, one in played.items()
        }
    RESULT.write_text(json.dumps(text, indent=1) + "\n", "utf-8")


def figures(
    world: World,
    results: Results,
    entries: Iterable[Entry] = BASELINES,
    ablations: Iterable[Entry] = (),
) -> list[dict[str, Any]]:
    """For scripts/bench: everybody's likes beside the strongest baseline's. What is no baseline is
    ours, and is to reach AIM times that, unless it is an ablation of it; on a generated world
    nothing is to be reached.
    """
    entries = list(entries)
    free = {entry.name for entry in [*entries, *FIRST_DAY, *ablations]}
    _, report = world.halves()
    most = oracle(report.liked).sum(1).mean() * 100.0 / (PAGE * PAGES)
    where = "synthetic loop" if world.synthetic else f"{world.name} loop"
    rows = [figure(f"{where}, limit: oracle, that knows every answer", float(most), "likes/100")]
    for beginning, played in results.items():
        if beginning == "limit":
            top = strongest(results["with history"], entries)
            against = float(results["with history"][top].per_100.mean())
        else:
            against = float(played[strongest(played, entries)].per_100.mean())
        rows += [
            figure(
                f"{where}, {beginning}: {name}", float(one.per_100.mean()), "likes/100",
                baseline=against,
                at_least=None
                if world.synthetic or beginning == "limit" or name in free
                else AIM * against,
            )
            for name, one in played.items()
        ]  # fmt: skip
    return rows
