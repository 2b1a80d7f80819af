"""Whose fault it is that a job did not go through: its own, or the machine's.

What the machine cannot do just now, because a store or the database is away or a disk is full, says
nothing of the job: it waits, and no attempt counts (`leases.do_wait`). An evening without a store
fails nobody's video.
"""

from __future__ import annotations

from django.db import OperationalError

from jhalak.stores.objects import StoreAway, StoreRefused, is_full

AWAY = "unavailable"
NO_ROOM = "no_room"


def machine_fault(error: BaseException) -> str:
    """The code of what is the matter with the machine, "" when it is not the machine. Looks at what
    caused `error` too: layers between wrap what they cannot explain.
    """
    if is_full(error):
        return NO_ROOM
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StoreAway | StoreRefused | OperationalError):
            return AWAY
        cause = cause.__cause__
    return ""
