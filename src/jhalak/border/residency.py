"""What a residency report says of the log's entries since the one before: flows by destination,
refusals, and how the deliberate attempts to leave ended.

A report is an entry itself, and names what was declared at its time. So who reads a log from its
middle on knows, from the first report there, what had been declared before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from jhalak.border.log.entries import Kind, read_entry

MOST = 50  # differences that a report names
_SAID = ("kind", "subject", "expires", "from_ms", "until_ms")  # tells one exception from another
_ABOUT = (b'"kind":"egress_flow"', b'"kind":"egress_refusal"', b'"kind":"control"')


class Movement(msgspec.Struct):
    """`flows`: destination -> flows that are over, bytes in, bytes out."""

    flows: dict[str, list[int]] = {}
    refusals: int = 0
    controls: int = 0
    failed_controls: int = 0
    """Attempts to leave that were not blocked, or that the meter did not see."""

    def take(self, leaf: bytes) -> None:
        """One entry. Raises EntryError."""
        if not any(word in leaf for word in _ABOUT):  # most are read no further
            return
        entry = read_entry(leaf)
        body = entry.body
        if entry.kind is Kind.EGRESS_FLOW and body.get("outcome") != "opening":
            slot = self.flows.setdefault(str(body.get("destination")), [0, 0, 0])
            slot[0] += 1
            slot[1] += body.get("bytes_in", 0)
            slot[2] += body.get("bytes_out", 0)
        elif entry.kind is Kind.EGRESS_REFUSAL:
            self.refusals += 1
        elif entry.kind is Kind.CONTROL:
            good = body.get("blocked") is True and body.get("seen") is True
            self.controls += good
            self.failed_controls += not good


def said(
    movement: Movement,
    *,
    entries: tuple[int, int],
    times: tuple[int, int],
    map_digest: str,
    map_differences: Sequence[str],
    destinations: Iterable[dict[str, Any]],
    exceptions: Iterable[dict[str, Any]],
    unsealed: Iterable[str],
) -> dict[str, Any]:
    """The body of the entry. `entries` and `times`: from, and before which, it looked at."""
    return {
        "first": entries[0],
        "size": entries[1],
        "from": times[0],
        "until": times[1],
        **msgspec.to_builtins(movement),
        "map": map_digest,
        "map_differences": len(map_differences),
        "undeclared": [one[:300] for one in map_differences[:MOST]],
        "destinations": list(destinations),
        "exceptions": [{name: one[name] for name in _SAID if name in one} for one in exceptions],
        "unsealed": sorted(unsealed),
    }
