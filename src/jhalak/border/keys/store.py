"""The file of wrapped keys: SQLite beside the database and never in it, so that a database that is
restored from an old backup brings no destroyed key back.

Rows of people have no name in them, only the first 16 bytes of a keyed hash. A destroyed key
leaves its row as a tombstone.

What "overwritten" means here. `secure_delete` has SQLite write zeros over what it frees, and after
every destruction the WAL, which holds the page as it was, is checkpointed and cut to nothing. A
copy-on-write file system or a flash disk may keep old blocks all the same. What they hold is a
wrapped key: it opens only with the installation key of its time, which a rotation destroys.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from jhalak.border.keys.errors import KeysAway

NAME = "keys.db"
LOCK_WAIT_S = 20.0
SUBJECT = 16  # bytes of the hash that a row is found by: no two of 10^9 people meet
_SCHEMA = """
CREATE TABLE IF NOT EXISTS generations (
    number INTEGER PRIMARY KEY, key_id BLOB NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    ended_ms INTEGER, destroyed_ms INTEGER
);
CREATE TABLE IF NOT EXISTS secrets (
    name TEXT PRIMARY KEY, generation INTEGER NOT NULL, wrapped BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people (
    subject BLOB PRIMARY KEY, generation INTEGER NOT NULL, wrapped BLOB
) WITHOUT ROWID;
"""


class Generation(NamedTuple):
    number: int
    key_id: bytes


class Row(NamedTuple):
    """A wrapped key. `wrapped` is None for a tombstone."""

    name: bytes | str
    generation: int
    wrapped: bytes | None


class Store:
    """See the module. Any thread may call it; one connection, opened at the first use, not taken
    across a fork. Raises KeysAway where the file cannot be read or written just now.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or self._owner != os.getpid():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.parent.chmod(0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            made = sqlite3.connect(
                self.path.absolute().as_uri(),
                uri=True,
                timeout=LOCK_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                made.execute("PRAGMA journal_mode = WAL")
                made.execute("PRAGMA synchronous = FULL")
                made.execute("PRAGMA secure_delete = ON")
                made.executescript(_SCHEMA)
            except BaseException:
                made.close()
                raise
            self._connection, self._owner = made, os.getpid()
        return self._connection

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._opened()
            except sqlite3.Error as error:
                raise KeysAway(f"the file of keys, {self.path}: {error}") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk when it ends."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has sometimes rolled back by itself
                    connection.execute("ROLLBACK")
                raise

    # ---- generations

    def living(self) -> list[Generation]:
        """Generations of the installation key that may wrap something, newest first."""
        with self.reading() as connection:
            return [Generation(*row) for row in connection.execute(_LIVING).fetchall()]

    def add_generation(self, key_id: bytes) -> Generation:
        """The generation of a key: the one that it has, else the next."""
        with self.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO generations (key_id, made_ms) VALUES (?, ?)",
                (key_id, _now_ms()),
            )
            found = connection.execute(
                "SELECT number, key_id FROM generations WHERE key_id = ?", (key_id,)
            ).fetchone()
        return Generation(*found)

    def begin_first(self, key_id: bytes) -> bool:
        """Makes the first generation. False when there is one: another process was first."""
        with self.writing() as connection:
            if connection.execute("SELECT 1 FROM generations").fetchone():
                return False
            connection.execute(
                "INSERT INTO generations (key_id, made_ms) VALUES (?, ?)", (key_id, _now_ms())
            )
        return True

    def end_generations_before(self, number: int) -> bool:
        """Ends those older. False, and nothing done, while a key is wrapped by one of them."""
        with self.writing() as connection:
            for table in _COLUMN:
                older = f"SELECT 1 FROM {table} WHERE generation < ? AND wrapped IS NOT NULL"  # noqa: S608
                if connection.execute(older, (number,)).fetchone():
                    return False
            connection.execute(
                "UPDATE generations SET ended_ms = ? WHERE number < ? AND ended_ms IS NULL",
                (_now_ms(), number),
            )
        return True

    def to_destroy(self) -> list[int]:
        """Generations that have ended and whose roots may still be there."""
        with self.reading() as connection:
            rows = connection.execute(_TO_DESTROY).fetchall()
        return [row[0] for row in rows]

    def mark_destroyed(self) -> None:
        with self.writing() as connection:
            connection.execute(
                "UPDATE generations SET destroyed_ms = ? WHERE ended_ms IS NOT NULL"
                " AND destroyed_ms IS NULL",
                (_now_ms(),),
            )

    # ---- secrets and people's keys

    def find(self, table: str, name: bytes | str) -> Row | None:
        with self.reading() as connection:
            found = connection.execute(_FIND[table], (name,)).fetchone()
        return Row(*found) if found else None

    def insert(self, table: str, row: Row) -> bool:
        """False, and nothing done, when its generation is no longer the newest: wrap it anew.
        A row that is there already stays as it is.
        """
        with self.writing() as connection:
            newest = connection.execute(_LIVING).fetchone()
            if newest is None or newest[0] != row.generation:
                return False
            connection.execute(_INSERT[table], row)
        return True

    def shred(self, subject: bytes) -> bool:
        """Overwrites a person's key and leaves a tombstone. True if there was a key."""
        with self.writing() as connection:
            changed = connection.execute(
                "UPDATE people SET wrapped = NULL WHERE subject = ? AND wrapped IS NOT NULL",
                (subject,),
            ).rowcount
            tombstone = Row(subject, 0, None)
            connection.execute("INSERT OR IGNORE INTO people VALUES (?, ?, ?)", tombstone)
        self.cut_wal()
        return changed > 0

    def cut_wal(self) -> None:
        """Nothing of earlier pages is left in the WAL. Raises KeysAway when others read for so long
        that it cannot be done; doing it again is enough.
        """
        until = time.monotonic() + LOCK_WAIT_S
        while True:
            with self.reading() as connection:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return
            # Where another connection is at it just now SQLite says so at once and does not wait.
            if time.monotonic() > until:
                raise KeysAway("the file of keys is read all the time: do it once more")
            time.sleep(0.01)

    def older(self, table: str, number: int, after: bytes | str, limit: int) -> list[Row]:
        """Keys that generations before `number` wrapped, after a name, in its order."""
        with self.reading() as connection:
            return [Row(*row) for row in connection.execute(_OLDER[table], (after, number, limit))]

    def replace(self, table: str, pairs: Sequence[tuple[Row, Row]]) -> int:
        """Each row by its new form, unless it has changed (was shredded) meanwhile."""
        changes = [(new.generation, new.wrapped, old.name, old.wrapped) for old, new in pairs]
        with self.writing() as connection:
            return connection.executemany(_REPLACE[table], changes).rowcount

    def counts(self) -> tuple[int, int]:
        """People with a key, and tombstones."""
        with self.reading() as connection:
            keys, every = connection.execute(
                "SELECT count(wrapped), count(*) FROM people"
            ).fetchone()
        return keys, every - keys

    def older_count(self, number: int) -> int:
        with self.reading() as connection:
            (left,) = connection.execute(
                "SELECT count(*) FROM people WHERE generation < ? AND wrapped IS NOT NULL",
                (number,),
            ).fetchone()
        return int(left)


_COLUMN = {"secrets": "name", "people": "subject"}
_LIVING = "SELECT number, key_id FROM generations WHERE ended_ms IS NULL ORDER BY number DESC"
_TO_DESTROY = "SELECT number FROM generations WHERE ended_ms IS NOT NULL AND destroyed_ms IS NULL"
_FIND = {t: f"SELECT {c}, generation, wrapped FROM {t} WHERE {c} = ?" for t, c in _COLUMN.items()}  # noqa: S608
_INSERT = {t: f"INSERT OR IGNORE INTO {t} VALUES (?, ?, ?)" for t in _COLUMN}  # noqa: S608
_OLDER = {
    t: f"SELECT {c}, generation, wrapped FROM {t} WHERE {c} > ? AND generation < ?"  # noqa: S608
    f" AND wrapped IS NOT NULL ORDER BY {c} LIMIT ?"
    for t, c in _COLUMN.items()
}
_REPLACE = {
    t: f"UPDATE {t} SET generation = ?, wrapped = ? WHERE {c} = ? AND wrapped = ?"  # noqa: S608
    for t, c in _COLUMN.items()
}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
