"""The experiments of one log: those that run, and what came of those that have ended.

Follows from the log alone. Bounded: rows of viewers only while an experiment runs (units.MOST
each); of an ended one the moments of its arms, and of those the last KEPT.
"""

from __future__ import annotations

from typing import Any

import msgspec

from jhalak.feed.draws import seed_of
from jhalak.feed.events import ExperimentStarted, ExperimentStopped
from jhalak.feed.experiments import assignment
from jhalak.feed.experiments.assignment import Assigned
from jhalak.feed.experiments.plans import Held, place
from jhalak.feed.experiments.results import Moments, credits_of, moments, report
from jhalak.feed.experiments.units import Seen, Units

KEPT = 24  # experiments remembered


class Entry:
    """`ended` is None while its viewers' rows are kept."""

    def __init__(self, held: Held, units: Units, ended: list[Moments] | None = None) -> None:
        self.held = held
        self.units = units
        self.ended = ended

    def moments(self, now_ms: int) -> list[Moments]:
        if self.ended is not None:
            return self.ended
        plan = self.held.plan
        until_ms = min(now_ms, self.held.until_ms)
        if plan.interleaved:
            return credits_of(self.units, plan.window_ms, until_ms)
        return moments(self.units, len(plan.arms) + 1, plan.window_ms, until_ms)

    def end(self) -> None:
        self.ended = self.moments(self.held.until_ms)
        self.units = Units()


class Experiments:
    def __init__(self) -> None:
        self.count = 0  # ever started
        self.entries: dict[int, Entry] = {}  # by number, the oldest first

    def held(self) -> list[Held]:
        return [entry.held for entry in self.entries.values()]

    def start(self, plan: ExperimentStarted) -> None:
        """Raises Unfit."""
        first = place(plan, self.held())
        self.count += 1
        self._tidy(plan.at_ms)
        self.entries[self.count] = Entry(
            Held(plan, self.count, first), Units(pairs=plan.interleaved)
        )

    def stop(self, event: ExperimentStopped, at_ms: int) -> bool:
        """False when none of this name runs."""
        for entry in self.entries.values():
            if entry.held.plan.name == event.name and entry.held.runs(at_ms):
                entry.held = msgspec.structs.replace(
                    entry.held, stopped_ms=max(1, at_ms), stop_reason=event.reason
                )
                self._tidy(at_ms)
                return True
        return False

    def _tidy(self, now_ms: int) -> None:
        over = [entry for entry in self.entries.values() if not entry.held.runs(now_ms)]
        for entry in over:
            if entry.ended is None:
                entry.end()
        for entry in over[: max(0, len(self.entries) + 1 - KEPT)]:
            del self.entries[entry.held.number]

    def assign(self, viewer: str, now_ms: int) -> tuple[Assigned, ...]:
        if not self.entries:
            return ()
        return assignment.assign(self.held(), viewer, now_ms)

    def values(self, assigned: tuple[Assigned, ...]) -> dict[str, float]:
        """What the arms change. No two layers change the same number."""
        found: dict[str, float] = {}
        for number, arm in assigned:
            if arm:
                found |= self.entries[number].held.plan.arms[arm - 1].values
        return found

    def watched(self, arms: str, viewer: str, at_ms: int, seen: Seen) -> None:
        """Counts what was watched for the arms by which it was served."""
        for number, arm in assignment.read(arms):
            entry = self.entries.get(number)
            if entry is None or entry.ended is not None or arm > len(entry.held.plan.arms):
                continue
            if not entry.held.runs(at_ms):  # no window can be over in time that is not yet
                entry.end()
                continue
            entry.units.add(_key(number, viewer), arm, at_ms, entry.held.plan.window_ms, seen)

    def forget(self, viewer: str) -> None:
        """What a viewer did counts no more in experiments that run; sums of ended ones stay."""
        for number, entry in self.entries.items():
            entry.units.forget(_key(number, viewer))

    def report(self, now_ms: int) -> list[dict[str, Any]]:
        """All that is remembered, the newest first."""
        entries = reversed(self.entries.values())
        return [report(entry.held, entry.moments(now_ms), now_ms) for entry in entries]


def _key(number: int, viewer: str) -> int:
    """Under which a viewer's row stands: another in each experiment."""
    return seed_of("unit", number, viewer)
