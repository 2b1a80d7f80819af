"""What is known of an experiment by now: each arm against the control, in numbers and in one word.

Three measures, each a number per viewer and then a mean over viewers, so that one who watches all
day weighs as much as another. `good`: the part of watches that felt good (fairness.Verdict). It
decides. `skips`: the part skipped. `seconds`: watched in the window. These two are there to be
looked at: more is not always better.

Where two arms fill the same pages in turn, a viewer's value is the arm's part less the control's,
and its mean over viewers is held against nought: one sample, always valid in the same way.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from jhalak.feed.experiments.plans import CONTROL, Held
from jhalak.feed.experiments.sequences import LEAST, SPLIT_ALPHA, radius, split_evidence
from jhalak.feed.experiments.units import KINDS, NOBODY, Units
from jhalak.feed.orderings import Floats

ALPHA = 0.05  # for each measure, shared out among the arms
MEASURES = ("good", "skips", "seconds")
DECIDES = "good"
MOST_SECONDS = 3 * 3600.0  # of one viewer; more counts as this, or a few would outweigh all others


class Verdict(enum.StrEnum):
    WAITING = "waiting"  # too few viewers, as yet
    OPEN = "open"  # not told apart
    BETTER = "better"
    WORSE = "worse"
    UNEVEN = "uneven"  # the arms were not filled as dealt: nothing may be concluded


class Moments(msgspec.Struct, frozen=True):
    """Of one arm: viewers seen in it, those whose window is over, and over these the mean and the
    variance of each of MEASURES.
    """

    entered: int
    counted: int
    means: tuple[float, ...]
    variances: tuple[float, ...]


class Difference(msgspec.Struct, frozen=True):
    """Of a measure, arm less control; the interval holds at all times together."""

    value: float
    low: float
    high: float


def moments(units: Units, arms: int, window_ms: int, until_ms: int) -> list[Moments]:
    """Of each arm, over viewers whose window was over by `until_ms`."""
    watches = np.maximum(units.column("watches"), 1)
    measured = np.stack(
        [
            units.column("good") / watches,
            units.column("skips") / watches,
            np.minimum(units.column("watched") / 1000.0, MOST_SECONDS),
        ]
    )
    over = units.column("began") + window_ms <= until_ms
    found = []
    for arm in range(arms):
        here = units.column("arm") == arm
        found.append(_moments(int(np.count_nonzero(here)), measured[:, here & over]))
    return found


def credits_of(units: Units, window_ms: int, until_ms: int) -> list[Moments]:
    """Of an interleaved experiment, over viewers whose window was over by `until_ms`: control, arm,
    and arm less control. All are parts of what a viewer watched of both, so that half of `good`
    is the most that one side can have where both have as many slots.
    """
    pairs = {name: units.column(name).reshape(-1, 2) for name in KINDS}
    here = pairs["arm"][:, 0] != NOBODY
    over = here & (pairs["began"][:, 0] + window_ms <= until_ms)
    watches = np.maximum(pairs["watches"][over].sum(axis=1), 1)[:, None]
    seconds = pairs["watched"][over] / 1000.0
    seconds *= np.minimum(1.0, MOST_SECONDS / np.maximum(seconds.sum(axis=1), 1.0))[:, None]
    measured = np.stack([pairs["good"][over] / watches, pairs["skips"][over] / watches, seconds])
    entered = int(np.count_nonzero(here))
    return [
        _moments(entered, values)
        for values in (measured[:, :, 0], measured[:, :, 1], measured[:, :, 1] - measured[:, :, 0])
    ]


def _moments(entered: int, values: Floats) -> Moments:
    """`values` float64[measure, viewer]."""
    number = values.shape[1]
    means = values.mean(axis=1) if number else np.zeros(len(MEASURES))
    spread = values.var(axis=1, ddof=1) if number > 1 else np.zeros(len(MEASURES))
    return Moments(entered, number, tuple(means.tolist()), tuple(spread.tolist()))


def paired(both: Moments, measure: str, alpha: float) -> Difference | None:
    """As `difference`, of viewers who answered for both sides."""
    at = MEASURES.index(measure)
    if both.counted < LEAST or both.variances[at] == 0.0:
        return None
    reach = radius(both.variances[at] / both.counted, both.counted, alpha)
    value = both.means[at]
    return Difference(value, value - reach, value + reach)


def difference(control: Moments, arm: Moments, measure: str, alpha: float) -> Difference | None:
    """None while there are too few viewers to say, or none differs from another."""
    if min(control.counted, arm.counted) < LEAST:
        return None
    at = MEASURES.index(measure)
    variance = sum(one.variances[at] / one.counted for one in (control, arm))
    if variance == 0.0:
        return None
    value = arm.means[at] - control.means[at]
    reach = radius(variance, control.counted + arm.counted, alpha)
    return Difference(value, value - reach, value + reach)


def report(held: Held, arms: Sequence[Moments], now_ms: int) -> dict[str, Any]:
    """All of one experiment as plain data."""
    plan = held.plan
    both = arms[-1] if plan.interleaved else None
    arms = arms[: len(plan.arms) + 1]
    evidence = split_evidence([one.entered for one in arms], [1.0 / len(arms)] * len(arms))
    uneven = both is None and evidence >= 1.0 / SPLIT_ALPHA
    alpha = ALPHA / len(plan.arms)
    shown = []
    for number, one in enumerate(arms):
        tried = plan.arms[number - 1] if number else None
        found = {
            measure: paired(both, measure, alpha)
            if both
            else difference(arms[0], one, measure, alpha)
            for measure in MEASURES
            if tried
        }
        shown.append(
            {
                "name": tried.name if tried else CONTROL,
                "values": dict(tried.values) if tried else {},
                "entered": one.entered,
                "counted": one.counted,
                "means": dict(zip(MEASURES, one.means, strict=True)) if one.counted else {},
                "differences": {
                    name: msgspec.to_builtins(each) for name, each in found.items() if each
                },
                "verdict": _verdict(found[DECIDES], uneven).value if tried else "",
            }
        )
    return {
        "number": held.number,
        "name": plan.name,
        "layer": plan.layer,
        "interleaved": plan.interleaved,
        "first": held.first,
        "share": plan.share,
        "state": _state(held, now_ms),
        "started_ms": plan.at_ms,
        "ends_ms": plan.ends_ms,
        "stopped_ms": held.stopped_ms,
        "window_ms": plan.window_ms,
        "reason": plan.reason,
        "stop_reason": held.stop_reason,
        "uneven": uneven,
        "arms": shown,
    }


def _state(held: Held, now_ms: int) -> str:
    if held.stopped_ms:
        return "stopped"
    return "running" if held.runs(now_ms) else "ended"


def _verdict(found: Difference | None, uneven: bool) -> Verdict:
    if uneven:
        return Verdict.UNEVEN
    if found is None:
        return Verdict.WAITING
    if found.low > 0.0:
        return Verdict.BETTER
    return Verdict.WORSE if found.high < 0.0 else Verdict.OPEN
