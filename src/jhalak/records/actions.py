"""What an app writes beside its own rows, inside its own transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any, Protocol

from django.db import transaction
from django.db.models import QuerySet

from jhalak.feed.events import Event, encode
from jhalak.records.joining import Wish, do_join
from jhalak.records.leases import do_drop
from jhalak.records.models import AuditEntry, Job, OutboxEvent
from jhalak.records.outbox import relay
from jhalak.records.states import LIVE
from jhalak.stores.events import NewEvent, check_events


class Actor(Protocol):
    """Whoever acts: a Person. People stand a floor above, so only the shape is known here."""

    @property
    def pk(self) -> Any: ...
    @property
    def role(self) -> Any: ...


def audit(actor: Actor | None, action: str, object: str, **detail: Any) -> None:  # noqa: A002
    """Write down who did what, in the caller's transaction. `detail` is JSON; no secrets, no texts
    of people.
    """
    AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        actor_role=str(actor.role) if actor else "system",
        action=action,
        object=object,
        detail=detail,
    )


def do_unname(entries: Iterable[int], objects: Iterable[str], subject: str) -> None:
    """Somebody was erased, and what the law has us keep of these entries lies elsewhere, encrypted:
    here stays that something was done, and when. `objects`: what was theirs; what they did to
    others' keeps its name. The one change that an entry ever sees.
    """
    rows = QuerySet.update  # ours refuses
    found = AuditEntry.objects.filter(pk__in=entries)
    rows(found.filter(object__in=objects), object=f"erased:{subject[:16]}")
    rows(found, actor_id=None, actor_role="erased", detail={})


def new_key() -> str:
    """A key for an event: 48 bits of time in ms, then 80 random bits, in hex. Sorts by time, as a
    UUID of version 7.
    """
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def emit(event: Event) -> None:
    """Tell the feed what happened, if this transaction commits; moved to the log right after.

    A log that is away never fails the request: the event stays in the outbox, and a worker moves it
    within a second of the log's return.
    """
    new = NewEvent(new_key(), encode(event))
    check_events([new])  # here, where it fails who sends it; in the outbox it would stop the rest
    OutboxEvent.objects.create(key=new.key, body=new.body)
    transaction.on_commit(relay, robust=True)  # robust: a failure is logged, not raised


def enqueue(
    kind: str,
    subject: str,
    payload: dict[str, Any] | None = None,
    *,
    priority: int = 50,
    max_attempts: int = 3,
    owner: str = "",
    delay_s: float = 0.0,
) -> Job:
    """Have `kind` done for `subject` after the commit. Returns the live job, of which there is one:
    what waits already takes this along (payloads become one), and what runs is done once more when
    it has ended, whatever its end.

    `owner` names for whose sake (a viewer key): within a priority, owners share the machine fairly.
    """
    return do_join(kind, subject, Wish(payload or {}, priority, max_attempts, owner, delay_s))


def cancel(kind: str, subject: str) -> bool:
    """Take back a live job, in the caller's transaction. A running task learns of it at its next
    `progress` call.

    True if there was one.
    """
    job = Job.objects.filter(kind=kind, subject=subject, state__in=LIVE).first()
    return job is not None and do_drop(job)
