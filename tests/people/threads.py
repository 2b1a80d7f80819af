"""Real threads on a real database, for what must hold when two things happen at once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections


def on_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Threads that start from now on work on a copy in a file, as in production: the tests' own
    SQLite lies in memory, where another thread finds whole tables locked. PostgreSQL needs nothing.
    """
    if connection.vendor == "sqlite":
        file = tmp_path / "threads.db"
        with contextlib.closing(sqlite3.connect(file)) as copy:
            connection.connection.backup(copy)
        monkeypatch.setitem(connections.settings["default"], "NAME", str(file))


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each returns, or the exception that it raised; each in a thread of its own."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
