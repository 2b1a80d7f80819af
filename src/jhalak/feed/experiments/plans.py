"""What an experiment is, and whether it can run beside those that run.

Experiments of one layer share its viewers out among them, so they may change the same numbers. A
viewer is in every layer, so two layers may not: what is measured would be the sum of both.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

from jhalak.feed import tuning
from jhalak.feed.config import HOUR_MS
from jhalak.feed.events import ExperimentStarted

BUCKETS = 1000  # of each layer
CONTROL = "control"  # the name of arm 0, on which nothing is changed
MOST_RUNNING = 8
MOST_LAYERS = 3  # what was served names an arm of each: a serving token has to hold them
SHORTEST_MS, LONGEST_MS = HOUR_MS // 6, 14 * 24 * HOUR_MS  # of the time that counts of a viewer
MOST_DAYS = 90


class Why(enum.StrEnum):
    """Why an experiment cannot start."""

    NAME_TAKEN = "name_taken"
    ARM_NAMES = "arm_names"  # two alike, or one is called as the control is
    NOTHING_CHANGED = "nothing_changed"  # an arm without values
    BAD_VALUES = "bad_values"
    WINDOW = "window"
    END = "end"  # before anybody's window can be over, or after MOST_DAYS
    TOO_MANY = "too_many"
    TOO_MANY_LAYERS = "too_many_layers"
    NO_ROOM = "no_room"  # in its layer
    OTHER_LAYER = "other_layer"  # one of its numbers is tried in another layer
    ONE_ARM = "one_arm"  # pages are filled in turn by the control and one arm
    IN_TURN = "in_turn"  # another layer has its pages filled in turn


class Unfit(ValueError):
    """An experiment that cannot start. `detail`: which name, number or layer is meant."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why.value} {detail}".strip())
        self.why = why
        self.detail = detail


class Held(msgspec.Struct, frozen=True):
    """An experiment that was started: its plan, its number in the log, its first bucket."""

    plan: ExperimentStarted
    number: int
    first: int
    stopped_ms: int = 0  # 0 while nobody stopped it
    stop_reason: str = ""

    @property
    def until_ms(self) -> int:
        """When it is over, by itself or by hand."""
        return min(self.plan.ends_ms, self.stopped_ms or self.plan.ends_ms)

    def runs(self, now_ms: int) -> bool:
        return not self.stopped_ms and now_ms < self.plan.ends_ms

    def has(self, bucket: int) -> bool:
        return self.first <= bucket < self.first + self.plan.share


def place(plan: ExperimentStarted, held: Sequence[Held]) -> int:
    """The first bucket of its layer that it gets, beside those `held`. Raises Unfit."""
    running = [one for one in held if one.runs(plan.at_ms)]
    _check_alone(plan)
    if any(one.plan.name == plan.name for one in held):
        raise Unfit(Why.NAME_TAKEN, plan.name)
    if len(running) >= MOST_RUNNING:
        raise Unfit(Why.TOO_MANY, str(MOST_RUNNING))
    layers = {one.plan.layer for one in running} | {plan.layer}
    if len(layers) > MOST_LAYERS:
        raise Unfit(Why.TOO_MANY_LAYERS, str(MOST_LAYERS))
    names = _names(plan)
    for one in running:
        if one.plan.layer != plan.layer and (both := names & _names(one.plan)):
            raise Unfit(Why.OTHER_LAYER, f"{min(both)} ({one.plan.name})")
        if one.plan.layer != plan.layer and one.plan.interleaved and plan.interleaved:
            raise Unfit(Why.IN_TURN, one.plan.name)
    return _room(plan, [one for one in running if one.plan.layer == plan.layer])


def _check_alone(plan: ExperimentStarted) -> None:
    arms = [arm.name for arm in plan.arms]
    if len({CONTROL, *arms}) <= len(arms):
        raise Unfit(Why.ARM_NAMES, ", ".join(arms))
    if plan.interleaved and len(plan.arms) != 1:
        raise Unfit(Why.ONE_ARM)
    for arm in plan.arms:
        if not arm.values:
            raise Unfit(Why.NOTHING_CHANGED, arm.name)
        if wrong := tuning.faults(arm.values):
            raise Unfit(Why.BAD_VALUES, wrong[0].name)
    if not SHORTEST_MS <= plan.window_ms <= LONGEST_MS:
        raise Unfit(Why.WINDOW)
    lasts_ms = plan.ends_ms - plan.at_ms
    if not plan.window_ms < lasts_ms <= MOST_DAYS * 24 * HOUR_MS:
        raise Unfit(Why.END)


def _names(plan: ExperimentStarted) -> set[str]:
    return {name for arm in plan.arms for name in arm.values}


def _room(plan: ExperimentStarted, beside: Sequence[Held]) -> int:
    """First fit."""
    first = 0
    for one in sorted(beside, key=lambda one: one.first):
        if one.first - first >= plan.share:
            return first
        first = max(first, one.first + one.plan.share)
    if first + plan.share > BUCKETS:
        raise Unfit(Why.NO_ROOM, f"{BUCKETS - first}")
    return first
