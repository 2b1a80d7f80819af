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


CHECKS: dict[str, Callable[[], object]] = {
    "database": _database,
    "events": lambda: records.events().last(),
    "feed": lambda: host().fresh().offset,
}


def healthz(_request: HttpRequest) -> JsonResponse:
    """200 when every part answers, else 503; each part by name."""
    parts = {}
    for name, check in CHECKS.items():
        try:
            check()
            parts[name] = "ok"
        except (DatabaseError, OSError, RuntimeError) as error:
            parts[name] = type(error).__name__
    healthy = all(state == "ok" for state in parts.values())
    return JsonResponse({"ok": healthy, "parts": parts}, status=200 if healthy else 503)
