"""How far the world is, for a person at a terminal: a bar that is redrawn, or plain lines in a
log.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Progress:
    """`show` may be called as often as one likes; it prints when something changed."""

    total: int = 0
    quiet: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    _last: tuple[int, int, int] = (-1, -1, -1)
    _bar: bool = False

    def show(self, playable: int, posted: int) -> None:
        now = (playable, posted, self.total)
        if self.quiet or now == self._last:
            return
        before, self._last = self._last, now
        if self.out.isatty():
            width = 28
            done = round(width * playable / max(1, self.total))
            sent = max(0, round(width * posted / max(1, self.total)) - done)
            bar = "█" * done + "▒" * sent + "·" * (width - done - sent)
            self.out.write(f"\r  {bar} {playable} of {self.total} clips playable ")
            self._bar = True
        elif playable == self.total or playable // 6 != before[0] // 6:
            self.out.write(f"  {playable} of {self.total} clips playable\n")
        self.out.flush()

    def line(self, text: str) -> None:
        """A line above the bar."""
        if self._bar:
            self.out.write("\r" + " " * 72 + "\r")
            self._bar = False
        self.out.write(text + "\n")
        self.out.flush()
        self._last = (-1, -1, -1)

    def end(self, left: int) -> None:
        if left:
            self.line(
                f"The demo world is built, but {left} clips are not ready yet: see the studio."
            )
        else:
            self.line("The demo world is complete.")
