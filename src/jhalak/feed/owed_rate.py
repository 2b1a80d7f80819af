"""How many events a stretch of time brings, counted over the last such stretch."""

from __future__ import annotations

PARTS = 24  # of a window, each counted apart: an hour of a day
KNOWN = 0.25  # of a part has to have gone by since the first event before a rate is told


class Rate:
    """Counts by part of the window. Times are whole milliseconds that never go back."""

    def __init__(self, window_ms: int) -> None:
        self._part_ms = max(1, window_ms // PARTS)
        self.first_ms = 0  # of all; 0 before it
        self.counts: dict[int, int] = {}  # number of the part: events in it, oldest first
        self._total = 0

    def count(self, now_ms: int) -> None:
        self.first_ms = self.first_ms or max(1, now_ms)
        part = now_ms // self._part_ms
        self.counts[part] = self.counts.get(part, 0) + 1
        self._total += 1

    def trim(self, now_ms: int) -> None:
        """Forgets what is older than the window."""
        oldest = self._oldest(now_ms)
        while self.counts and (part := next(iter(self.counts))) < oldest:
            self._total -= self.counts.pop(part)

    def per_window(self, now_ms: int) -> float | None:
        """Events in a window at the rate of the last one; None when too little time is known."""
        if not self.first_ms:
            return None
        span = now_ms - max(self.first_ms, self._oldest(now_ms) * self._part_ms)
        if span < KNOWN * self._part_ms or span <= 0:
            return None
        return self._total * PARTS * self._part_ms / span

    def _oldest(self, now_ms: int) -> int:
        return now_ms // self._part_ms - PARTS + 1

    def restore(self, first_ms: int, counts: list[tuple[int, int]]) -> None:
        self.first_ms, self.counts = first_ms, dict(counts)
        self._total = sum(self.counts.values())
