"""Rows that commit with the change that caused them: audit entries, events on their way out, jobs.

    with transaction.atomic():
        video.save()
        records.audit(person, "video.publish", video.public_id)
        records.emit(Published(...))
        records.enqueue("videos.process", video.public_id, owner=person.viewer_key)

Either all of it happened or none of it: there is no moment in which a video is there and its job is
not. After the commit the events move to the log (`relay`), and a worker takes the job
(`jhalak.records.jobs`). The pattern is the transactional outbox.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from jhalak.records.opened import close_stores, events, events_url, may_sweep, objects

if TYPE_CHECKING:
    from jhalak.records.actions import audit, cancel, do_unname, emit, enqueue
    from jhalak.records.outbox import relay

__all__ = [
    "audit",
    "cancel",
    "close_stores",
    "do_unname",
    "emit",
    "enqueue",
    "events",
    "events_url",
    "may_sweep",
    "objects",
    "relay",
]

_ROOMS = {
    "audit": "actions",
    "cancel": "actions",
    "do_unname": "actions",
    "emit": "actions",
    "enqueue": "actions",
    "relay": "outbox",
}


def __getattr__(name: str) -> Any:
    """Django imports this package before it has models, so what needs them is fetched on first use
    (PEP 562).
    """
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
