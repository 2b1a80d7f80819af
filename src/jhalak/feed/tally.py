"""How a stage did, counted over all pages of a process."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jhalak.feed.query import Outcome, StageReport

OK = Outcome.OK


class Tally:
    """What became of one stage over all pages."""

    __slots__ = ("micros", "ok", "others", "removed", "videos")

    def __init__(self) -> None:
        self.ok = 0
        self.others: Counter[Outcome] = Counter()
        self.videos = 0
        self.micros = 0
        self.removed: Counter[str] = Counter()

    def add(self, report: StageReport) -> None:
        if report.outcome is OK:  # nearly always: spares hashing an enum
            self.ok += 1
        else:
            self.others[report.outcome] += 1
        self.videos += report.count
        self.micros += report.micros
        if report.removed:
            self.removed.update(report.removed)

    def report(self) -> dict[str, Any]:
        outcomes = {outcome.value: self.others[outcome] for outcome in Outcome}
        outcomes[OK.value] = self.ok
        removed = dict(sorted(self.removed.items()))
        return outcomes | {"videos": self.videos, "micros": self.micros, "removed": removed}
