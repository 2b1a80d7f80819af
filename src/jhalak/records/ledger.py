"""Entries of the border's log that commit with what caused them.

    with transaction.atomic():
        video.save()
        ledger.enter(Kind.TAKEDOWN, {...})

A row waits here until `drain` has moved it to the log: in the order of the rows, each once. The
pattern is that of `outbox`, with one difference: the log has one writer, so one process drains.
"""

from __future__ import annotations

from typing import Any

from jhalak.border.log.entries import Kind, canonical, entry, new_id, now_ms, seal
from jhalak.records.models import LedgerEntry


def enter(kind: Kind, body: dict[str, Any], sealed: bool = False) -> str:
    """Have this in the log if the caller's transaction commits; returns its id there.

    `sealed`: the log gets a commitment, and the body stays beside it until it is revealed. Raises
    EntryError for what cannot be an entry (floats, more than 65,535 bytes).
    """
    at = now_ms()
    key = new_id(at)
    if sealed:
        leaf, opener = seal(kind, body, at_ms=at, id=key)
        hidden = canonical({"body": opener.body, "id": opener.id, "salt": opener.salt})
    else:
        leaf, hidden = entry(kind, body, at_ms=at, id=key), b""
    LedgerEntry.objects.create(key=key, leaf=leaf, hidden=hidden)
    return key
