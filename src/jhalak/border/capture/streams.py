"""How many bytes each TCP connection carried each way: each byte once, whatever was sent again.

A byte is known by its sequence number (RFC 9293), so a retransmission counts once and a segment
that the capture missed shows as a hole.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from jhalak.border.capture.headers import FIN, SYN, Address, Packet

_HALF, _WHOLE = 1 << 31, 1 << 32


class Direction:
    """One half of a connection: the ranges of bytes that were seen."""

    def __init__(self) -> None:
        self._begins: list[int] = []  # of ranges that do not touch, ascending; from the first byte
        self._ends: list[int] = []
        self._base: int | None = None  # what sequence number is position 0
        self._last = 0  # the position seen last: tells in which lap of 2^32 a number is
        self._fin: int | None = None

    def take(self, found: Packet) -> None:
        sequence = found.sequence + (1 if found.flags & SYN else 0)
        if self._base is None:
            self._base = sequence
        turn = (sequence - self._base - self._last) % _WHOLE
        at = self._last + (turn - _WHOLE if turn >= _HALF else turn)
        if found.payload:
            self._add(at, at + found.payload)
            self._last = max(self._last, at + found.payload)
        if found.flags & FIN:
            self._fin = at + found.payload

    def _add(self, begin: int, end: int) -> None:
        first = bisect_left(self._ends, begin)
        last = bisect_right(self._begins, end)
        if first < last:
            begin = min(begin, self._begins[first])
            end = max(end, self._ends[last - 1])
        self._begins[first:last] = [begin]
        self._ends[first:last] = [end]

    @property
    def bytes(self) -> int:
        """How many different bytes were seen."""
        return sum(self._ends) - sum(self._begins)

    @property
    def missed(self) -> int:
        """How many were not, between the first and the last."""
        begin = min(0, self._begins[0]) if self._begins else 0
        end = max(self._fin or 0, self._ends[-1] if self._ends else 0)
        return end - begin - self.bytes


@dataclass
class Connection:
    """`out` is what the side inside sent. `begun_inside`: None when its first packet is missing."""

    inside: tuple[Address, int]
    outside: tuple[Address, int]
    opened_ns: int
    closed_ns: int
    begun_inside: bool | None = None
    out: Direction = field(default_factory=Direction)
    back: Direction = field(default_factory=Direction)
    closing: bool = False
