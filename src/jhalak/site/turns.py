"""Reads take turns, so that threads wait for each other in a queue and not for the interpreter.

A page of the feed is Python and short SQLite reads. Each read lets the interpreter go and asks for
it again, so two pages at once cost each other far more than their work: measured in
docs/decisions.md, "Reads take turns". Writes are left out: they wait for disks and password hashes,
which other threads can use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

PATIENCE = 0.25  # seconds after which a read goes on without its turn, so a slow one holds up none
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def one_at_a_time(application: Application) -> Application:
    """The application, with GET and HEAD answered one after the other."""
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start_response)
        mine = turn.acquire(timeout=PATIENCE)
        try:
            return application(environ, start_response)
        finally:
            if mine:
                turn.release()

    return answer
