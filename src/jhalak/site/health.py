"""GET /healthz: can this process do its work? For the supervisor, a load balancer, a watchful
operator.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from jhalak import records
from jhalak.viewing.host import host


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _events() -> None:
    records.events().last()


def _feed() -> str | None:
    host().fresh()
    return "fallback" if host().is_down else None


# Each says how its part does what it can do, if there is more to say than "ok".
CHECKS: dict[str, Callable[[], str | None]] = {
    "database": _database,
    "events": _events,
    "feed": _feed,
}


def healthz(_request: HttpRequest) -> JsonResponse:
    """200 when every part does its work, else 503; each part by name."""
    parts = {}
    healthy = True
    for name, check in CHECKS.items():
        try:
            parts[name] = check() or "ok"
        except (DatabaseError, OSError, RuntimeError) as error:
            parts[name] = type(error).__name__
            healthy = False
    return JsonResponse({"ok": healthy, "parts": parts}, status=200 if healthy else 503)
