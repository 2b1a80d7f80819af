"""Brings the database to this version, one process at a time."""

from __future__ import annotations

import sys
import zlib

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# A number for PostgreSQL's advisory lock; any fixed one, the same in all versions.
_LOCK = zlib.crc32(b"jhalak migrate")


def migrate_once() -> None:
    """Applies what is missing. Two installations that start on one PostgreSQL wait for each other.

    On SQLite the data folder has one supervisor (`instance.only_instance`), and so one migration.
    """
    if connection.vendor != "postgresql":
        _migrate()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            _migrate()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
        print(f"The database is up to date: {len(plan)} migrations applied.", file=sys.stderr)
