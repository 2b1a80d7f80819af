"""From the outbox to the log.

Why order holds with several processes at once and no lock between them: each relay takes the oldest
rows that are there, appends them in order, and only then deletes them. So whatever is appended,
everything older was appended before it or with it; and what two relays append twice, the log drops
by its key.

(Ids follow the order of inserts, not of commits. Two transactions that overlap have no order
between them; one that began after another committed has the greater ids, so cause always goes
before effect.)
"""

from __future__ import annotations

import threading

from django.db import connection

from jhalak.records.models import OutboxEvent
from jhalak.records.opened import events
from jhalak.stores.events import NewEvent

BATCH = 500
_one_at_a_time = threading.Lock()  # in this process, to save work; order does not rest on it


def after_a_commit(what: str) -> None:
    """Raises RuntimeError inside a transaction."""
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError(f"{what} stands after a commit, not inside a transaction")


def relay() -> int:
    """Move what waits in the outbox to the log, in order. Returns how many events were moved.

    Not inside a transaction: what is not committed has not happened. Raises RuntimeError there, and
    EventsError when the log is away; nothing is lost then.
    """
    after_a_commit("relay()")
    moved = 0
    with _one_at_a_time:
        while True:
            rows = list(OutboxEvent.objects.order_by("id")[:BATCH])
            if not rows:
                return moved
            events().append([NewEvent(row.key, bytes(row.body)) for row in rows])
            OutboxEvent.objects.filter(id__in=[row.pk for row in rows]).delete()
            moved += len(rows)
