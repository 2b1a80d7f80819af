"""Events in a SQLite file: the default log.

One writer thread in each process takes everything that its callers handed over meanwhile and
commits it in one transaction (group commit): one sync of the disk serves all who wait. While it
syncs, the next group gathers.

Why offsets have no gap that fills in later: SQLite has one write lock. A transaction gets its
numbers (AUTOINCREMENT) only while it holds the lock, and gives the lock back at its commit, so
offsets become visible in the order in which they were given out; a rolled-back transaction takes
its numbers with it. The same holds between processes, since the lock is in the file.

Durability: WAL with synchronous=FULL, every commit is synced before anybody hears of it. A killed
process loses what was not acknowledged, at most.

Erasing overwrites: `secure_delete` has SQLite write zeros where the old bytes were, and the WAL,
which may hold them too, is emptied into the file.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from jhalak.stores.events import (
    EventsError,
    NewEvent,
    StoreClosed,
    StoredEvent,
    StoreFull,
    check_events,
)

VERSION = 1
GROUP = 2000  # events in one transaction, so that nobody waits long behind somebody else's backlog
LOCK_WAIT_S = 30.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL,
    body BLOB NOT NULL
)
"""
ERASURES = "CREATE TABLE IF NOT EXISTS erasures (name TEXT PRIMARY KEY) WITHOUT ROWID"
ERASE_EACH = 500  # offsets in one statement
# Rows in one statement, greedily. Each statement gives up the interpreter's lock and must win it
# back from the very threads that wait for this commit: one row a statement was half as fast. Few
# sizes, so that all stay prepared.
ROWS = (256, 32, 8, 1)
INSERT = {
    rows: f"INSERT INTO events (key, at_ms, body) VALUES {', '.join(['(?, ?, ?)'] * rows)} "  # noqa: S608
    "ON CONFLICT (key) DO NOTHING"
    for rows in ROWS
}
READ = "SELECT number, key, at_ms, body FROM events WHERE number > ? ORDER BY number LIMIT ?"
LAST = "SELECT coalesce(max(number), 0) FROM events"

Offsets = list[int | None]
Request = tuple[Sequence[NewEvent], "Future[Offsets]"]


class SqliteEvents:
    """See the module. Made once for each process and file; any thread may call it. Not across a
    fork.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._state = threading.Lock()  # guards _closed and the order of requests before the end
        self._closed = False
        self._reading = threading.Lock()
        self._version = -1
        self._last = 0
        self._erased: frozenset[str] = frozenset()
        with _clear_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(self.path)
            _prepare(self._writer)
            self._reader = _connect(self.path)
            self._reader.execute("PRAGMA query_only = ON")
        self._thread = threading.Thread(target=self._write, name="events-writer", daemon=True)
        self._thread.start()

    def append(self, events: Sequence[NewEvent]) -> Offsets:
        check_events(events)
        future: Future[Offsets] = Future()
        with self._state:
            if self._closed:
                raise StoreClosed(f"{self.path} was closed")
            if not events:
                return []
            self._requests.put((events, future))
        return future.result()

    def read(self, after: int, limit: int = 1000) -> list[StoredEvent]:
        with self._reading, _clear_errors(self.path):
            self._check_open()
            rows = self._reader.execute(READ, (after, limit)).fetchall()
        return [StoredEvent(*row) for row in rows]

    def last(self) -> int:
        with self._reading, _clear_errors(self.path):
            self._look()
            return self._last

    def erased(self) -> frozenset[str]:
        with self._reading, _clear_errors(self.path):
            self._look()
            return self._erased

    def _look(self) -> None:
        self._check_open()
        # Changes whenever any other connection, of this process or another, has committed. Read
        # before the rest, so that a commit in between is looked at again next time.
        (version,) = self._reader.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            (self._last,) = self._reader.execute(LAST).fetchone()
            names = self._reader.execute("SELECT name FROM erasures").fetchall()
            self._erased = frozenset(name for (name,) in names)
            self._version = version

    def erase(self, name: str, offsets: Iterable[int], marker: bytes) -> None:
        check_events([NewEvent(name, marker)])
        with self._reading:
            self._check_open()
        with _clear_errors(self.path), contextlib.closing(_connect(self.path)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            try:
                rest = sorted(offsets)
                while part := rest[:ERASE_EACH]:
                    rest = rest[ERASE_EACH:]
                    holes = ", ".join("?" * len(part))
                    connection.execute(
                        f"UPDATE events SET body = ? WHERE number IN ({holes})",  # noqa: S608
                        (marker, *part),
                    )
                connection.execute("INSERT OR IGNORE INTO erasures VALUES (?)", (name,))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise EventsError(f"{self.path} is being read: what is erased stands in its WAL")

    def close(self) -> None:
        with self._state:
            if not self._closed:
                self._closed = True
                self._requests.put(None)
        self._thread.join()
        with self._reading:
            self._reader.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed(f"{self.path} was closed")

    def _write(self) -> None:
        """The writer thread: one group after another, until the None that close() puts last."""
        ended = False
        while not ended:
            first = self._requests.get()
            if first is None:
                break
            group = [first]
            size = len(first[0])
            while size < GROUP:
                try:
                    request = self._requests.get_nowait()
                except queue.Empty:
                    break
                if request is None:
                    ended = True
                    break
                group.append(request)
                size += len(request[0])
            self._commit(group)
        self._writer.close()

    def _commit(self, group: list[Request]) -> None:
        """One transaction; then everybody hears of their own part, or all hear what went wrong."""
        try:
            with _clear_errors(self.path):
                answers = self._insert(group)
        except Exception as error:
            # Everybody who waits must hear of it, whatever it is, and this thread must live on. An
            # exception belongs to one thread: each gets its own.
            kind = type(error) if isinstance(error, EventsError) else EventsError
            for _, future in group:
                wrapped = kind(str(error) or repr(error))
                wrapped.__cause__ = error
                future.set_exception(wrapped)
            return
        for (_, future), answer in zip(group, answers, strict=True):
            future.set_result(answer)

    def _insert(self, group: list[Request]) -> list[Offsets]:
        cursor = self._writer.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            offsets = self._insert_rows(cursor, [event for events, _ in group for event in events])
            cursor.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:  # a full disk has sometimes rolled back by itself
                cursor.execute("ROLLBACK")
            raise
        answers = iter(offsets)
        return [list(islice(answers, len(events))) for events, _ in group]

    def _insert_rows(self, cursor: sqlite3.Cursor, events: list[NewEvent]) -> Offsets:
        now = time.time_ns() // 1_000_000
        offsets: Offsets = []
        (top,) = cursor.execute(LAST).fetchone()
        while len(offsets) < len(events):
            left = len(events) - len(offsets)
            rows = next(rows for rows in ROWS if rows <= left)
            part = events[len(offsets) : len(offsets) + rows]
            values = [value for event in part for value in (event.key, now, event.body)]
            cursor.execute(INSERT[rows], values)
            if cursor.rowcount == rows and cursor.lastrowid is not None:
                # None was there already, so one statement gave out numbers without a gap. (A key
                # that was there uses up a number: between statements there may be gaps.)
                top = cursor.lastrowid
                offsets.extend(range(top - rows + 1, top + 1))
            elif cursor.rowcount == 0:
                offsets.extend([None] * rows)
            else:
                names = f"SELECT key, number FROM events WHERE number > {top}"  # noqa: S608
                new = dict(cursor.execute(names).fetchall())
                offsets.extend(new.pop(event.key, None) for event in part)
                (top,) = cursor.execute(LAST).fetchone()
        return offsets


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA mmap_size = 268435456")
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")  # two processes that open a new file at once
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        connection.execute("ROLLBACK")
        raise EventsError(f"the log is of version {version}: use the release that wrote it")
    connection.execute(SCHEMA)
    connection.execute(ERASURES)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as this protocol's, with words that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull(f"no room for events on the disk of {path}: make room") from error
        if code == sqlite3.SQLITE_BUSY:
            raise EventsError(f"{path} was locked for {LOCK_WAIT_S:.0f} s: try again") from error
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise EventsError(f"{path} is not a log of events, or is damaged: {error}") from error
        raise EventsError(f"{path}: {error}") from error
    except OSError as error:
        raise EventsError(f"cannot keep events in {path}: {error.strerror}") from error
