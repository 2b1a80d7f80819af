"""Watch time that the clock allows: a client may claim anything, nobody watches faster than time
passes.

A claim is credited as one stretch of the viewer's own time line, laid down as early as it can have
happened: after the serving and after everything credited before. Stretches of one viewer never
overlap and never reach past now, so the sum of what a viewer is credited with is at most the time
that went by. One page of results reported in one batch still gets its full credit, in whatever
order it arrives.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict

MOST_LOOPS = 20  # a clip left looping on a table counts no more often than this


class WatchClock:
    """Remembers, for each viewer, up to when time is accounted for. Bounded: the longest idle
    viewer is forgotten first, and then has again the whole time since serving to claim. Safe to
    use from several threads.
    """

    def __init__(self, viewers: int = 100_000) -> None:
        self._most = max(1, viewers)
        self._until: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def bound(
        self, viewer: str, served_ms: int, now_ms: int, duration_ms: int, claimed_ms: float
    ) -> int:
        """How much of `claimed_ms` to believe, in milliseconds, 0 or more; what is believed is
        accounted for.
        """
        if not math.isfinite(claimed_ms) or claimed_ms <= 0 or duration_ms <= 0:
            return 0
        with self._lock:
            start = max(served_ms, self._until.get(viewer, served_ms))
            credit = min(int(min(claimed_ms, MOST_LOOPS * duration_ms)), now_ms - start)
            if credit <= 0:
                return 0
            self._until[viewer] = start + credit
            self._until.move_to_end(viewer)
            while len(self._until) > self._most:
                self._until.popitem(last=False)
            return credit

    def give_back(self, viewer: str, credit_ms: int) -> None:
        """What was believed did not count after all: it may be claimed once more."""
        with self._lock:
            if credit_ms > 0 and viewer in self._until:
                self._until[viewer] -= credit_ms

    def __len__(self) -> int:
        return len(self._until)
