"""How often: limits on what can be tried again and again, kept in memory.

The generic cell rate algorithm (ITU-T I.371): one number for each key, the moment at which its
debt is paid. It allows a burst, then a steady rate, and knows exactly how long to wait. Each
process counts for itself: with N web processes somebody gets at most N times the rate, which stays
far below what guessing needs, and no request waits for a row.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from django.utils.translation import ngettext

from jhalak.problems import TooMany

_all: list[Throttle] = []  # they live as long as the process
MOST_KEYS = 50_000  # about 8 MB; then those that owe nothing are forgotten, and after them all


class Throttle:
    """`burst` at once, then one every `every_s` seconds, for each key."""

    def __init__(
        self, burst: int, every_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack = (burst - 1) * every_s
        self._every = every_s
        self._clock = clock
        self._paid: dict[str, float] = {}  # key -> when its debt is paid
        self._lock = threading.Lock()
        _all.append(self)

    def wait(self, key: str) -> float:
        """Seconds until this key may try again; 0 when it may now. Spends nothing."""
        return max(0.0, self._paid.get(key, 0.0) - self._slack - self._clock())

    def check(self, key: str) -> None:
        """Raises TooMany when this key has to wait. Spends nothing."""
        wait = self.wait(key)
        if wait > 0:
            raise too_many(wait)

    def spend(self, key: str) -> None:
        """Takes one. Raises TooMany, taking nothing, when none is left."""
        with self._lock:
            self.check(key)
            now = self._clock()
            if len(self._paid) >= MOST_KEYS:
                self._paid = {k: paid for k, paid in self._paid.items() if paid > now}
                if len(self._paid) >= MOST_KEYS:
                    self._paid.clear()  # a flood from 50,000 addresses: memory comes first
            self._paid[key] = max(self._paid.get(key, 0.0), now) + self._every

    def give_back(self, key: str) -> None:
        """Returns one that was spent on what turned out to be no guess."""
        with self._lock:
            if key in self._paid:
                self._paid[key] -= self._every

    def clear(self) -> None:
        """Forgets everybody."""
        with self._lock:
            self._paid.clear()


def forget_all() -> None:
    """Clears every throttle of this process. For tests."""
    for throttle in _all:
        throttle.clear()


def too_many(wait_s: float) -> TooMany:
    seconds = math.ceil(wait_s)
    if seconds < 120:
        message = ngettext(
            "Too many attempts. Try again in %(n)d second.",
            "Too many attempts. Try again in %(n)d seconds.",
            seconds,
        ) % {"n": seconds}
    elif seconds > 7200:
        hours = math.ceil(seconds / 3600)
        message = ngettext(
            "Too many attempts. Try again in %(n)d hour.",
            "Too many attempts. Try again in %(n)d hours.",
            hours,
        ) % {"n": hours}
    else:
        minutes = math.ceil(seconds / 60)
        message = ngettext(
            "Too many attempts. Try again in %(n)d minute.",
            "Too many attempts. Try again in %(n)d minutes.",
            minutes,
        ) % {"n": minutes}
    return TooMany("too_many", message, headers={"Retry-After": str(seconds)})
