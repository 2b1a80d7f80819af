"""The log in SQLite: the conformance suite, and what only a file and processes can do wrong."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.stores.conformance_events import EventsConformance, all_of, event, until

from jhalak.stores.events import Events, EventsError, NewEvent, StoreFull, open_events
from jhalak.stores.events.sqlite import GROUP, SqliteEvents


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "events.db"


@pytest.fixture
def another(path: Path) -> Iterator[Callable[[], Events]]:
    opened: list[Events] = []

    def open_it() -> Events:
        opened.append(open_events(f"sqlite:{path}"))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(another: Callable[[], Events]) -> Events:
    return another()


class TestSqlite(EventsConformance):
    pass


def test_a_group_shares_one_commit(store: SqliteEvents) -> None:
    commits: list[str] = []
    store._writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    held = sqlite3.connect(store.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")  # while the lock is elsewhere, a group gathers
    threads = [
        threading.Thread(target=store.append, args=([event(f"{n}-{p}") for p in range(10)],))
        for n in range(20)
    ]
    threads[0].start()
    until(lambda: store._requests.empty())  # the first one waits for the lock
    for thread in threads[1:]:
        thread.start()
    until(lambda: store._requests.qsize() == 19)
    held.execute("ROLLBACK")
    held.close()
    for thread in threads:
        thread.join()
    assert len(all_of(store)) == 200
    assert len(commits) == 2


def test_one_batch_may_be_larger_than_a_group(store: Events) -> None:
    assert len(set(store.append([event(str(n)) for n in range(GROUP + 500)]))) == GROUP + 500


def test_a_full_disk_is_told_to_each_and_loses_nothing(store: SqliteEvents) -> None:
    store.append([event("before")])
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 3}")
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            store.append([NewEvent(f"{number}", b"x" * 50_000)])
        except StoreFull as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == len(set(map(id, errors))) == 5
    assert all("make room" in str(error) for error in errors)
    assert [e.key for e in all_of(store)] == ["before"]

    store._writer.execute("PRAGMA max_page_count = 1000000")  # room was made
    (offset,) = store.append([NewEvent("0", b"again")])
    assert [e.key for e in all_of(store)] == ["before", "0"]
    assert store.last() == offset


def test_a_lock_that_stays_is_an_error_that_says_so(store: SqliteEvents) -> None:
    store._writer.execute("PRAGMA busy_timeout = 50")
    held = sqlite3.connect(store.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    with pytest.raises(EventsError, match="locked"):
        store.append([event("a")])
    held.execute("ROLLBACK")
    held.close()
    assert store.append([event("a")]) != [None]


def test_what_nobody_foresaw_is_told_and_the_writer_lives_on(store: SqliteEvents) -> None:
    with pytest.raises(EventsError, match="type 'LikeBytes' is not supported"):
        store.append([event("good"), NewEvent("bad", LikeBytes())])  # type: ignore[arg-type]
    assert store.last() == 0
    assert store.append([event("good")]) != [None]


class LikeBytes:
    """Has a length, as bytes have, and is nothing that a column takes."""

    def __len__(self) -> int:
        return 1


def test_files_that_are_no_log(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is not a database, and long enough to be looked at as one. " * 100)
    with pytest.raises(EventsError, match="not a log of events"):
        SqliteEvents(text)
    newer = tmp_path / "newer.db"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(EventsError, match="version 99"):
        SqliteEvents(newer)
    with pytest.raises(EventsError, match="cannot keep events"):
        SqliteEvents(text / "events.db")
    for url in ("", "sqlite:", "sqlite", "nats://x"):
        with pytest.raises(EventsError, match="not a log"):
            open_events(url)


WRITER = """
import sys, threading
from jhalak.stores.events import NewEvent, open_events
store = open_events(f"sqlite:{sys.argv[1]}")
lock = threading.Lock()
def write(thread):
    for number in range(int(sys.argv[3])):
        keys = [f"{sys.argv[2]}-{thread}-{number}-{part}" for part in range(5)]
        store.append([NewEvent(key, b"x" * 200) for key in keys])
        with lock:
            print(*keys, sep="\\n", flush=True)
threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
store.close()
"""


def writer(path: Path, name: str, batches: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(batches)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("after", [1, 300, 1500])
def test_killed_while_it_writes(store: Events, path: Path, after: int) -> None:
    """Whatever was acknowledged before kill -9 is there, once; others go on meanwhile."""
    with writer(path, "killed", 1_000_000) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        store.append([event("meanwhile")])
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = [line[:-1] for line in lines if line.endswith("\n")]
    keys = [e.key for e in all_of(store)]
    assert len(keys) == len(set(keys))
    assert set(acknowledged) <= set(keys)
    assert "meanwhile" in keys
    # A batch is there whole or not at all.
    whole: dict[str, int] = {}
    for key in keys:
        if key != "meanwhile":
            batch = key.rpartition("-")[0]
            whole[batch] = whole.get(batch, 0) + 1
    assert set(whole.values()) == {5}


def test_several_processes_at_once(store: Events, path: Path) -> None:
    with writer(path, "a", 40) as first, writer(path, "b", 40) as second:
        seen: list[str] = []
        after = 0
        while first.poll() is None or second.poll() is None or after < store.last():
            for found in store.read(after):
                assert found.offset > after
                after = found.offset
                seen.append(found.key)
        for process in (first, second):
            assert process.stdout is not None
            assert {line.strip() for line in process.stdout} <= set(seen)
    assert first.returncode == second.returncode == 0
    assert len(seen) == len(set(seen)) == 2 * 3 * 40 * 5
    assert seen == [e.key for e in all_of(store)]
