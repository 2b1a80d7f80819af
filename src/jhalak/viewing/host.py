"""The feed engine as this process reaches it: its own, or the feed process's.

The event log is the only way into the engine. Whoever serves a page looks at the end of the log
before it asks for a slate, and the engine knows the log at least that far when it answers; so what
was acknowledged anywhere (a skip, a block, a withdrawn video) is known to the very next page,
whichever process answers it. That look costs microseconds when nothing is new.

With one web process, the default, the engine lives in it (`LocalHost`). With several, a feed
process holds it (site/feed_process.py), they ask it over a socket (`remote.RemoteHost`), and none
of those who ask can tell the difference.

When somebody was erased, events that were learnt from are no longer in the log. The engine is then
made anew from the log as it is (`anew`) beside the one that answers, and takes its place. Snapshots
lie under a name of what was erased, so that one of before is never read after.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from functools import partial
from multiprocessing import util
from pathlib import Path
from typing import Protocol

from jhalak import records
from jhalak.feed import Engine, models
from jhalak.feed.clock import WatchClock
from jhalak.feed.snapshot import FILE
from jhalak.options import options
from jhalak.viewing import anew
from jhalak.viewing.wire import Clock, Feed

log = logging.getLogger(__name__)

BATCH = 500  # events learnt under one hold of the engine's lock: some milliseconds
SNAPSHOT_EVERY = 20_000  # events: about a second of replay
AGAIN = 60.0  # seconds until what failed is tried again


class Host(Protocol):
    """Where the engine is. Thread safe."""

    def fresh(self) -> Feed:
        """The engine, level with everything that the log held when this was called."""
        ...

    def where(self) -> str:
        """In words for the operator: where the engine is, or since when and why it is down."""
        ...

    @property
    def clock(self) -> Clock:
        """The one clock that bounds what viewers claim to have watched."""
        ...

    @property
    def is_down(self) -> bool:
        """Whether pages come from the fallback."""
        ...

    def close(self) -> None:
        """Ends what runs beside the requests, and keeps what is to be kept."""
        ...


class LocalHost:
    """One engine and its place in the log. Thread safe."""

    is_down = False

    def __init__(self, folder: Path) -> None:
        self._root = folder
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._making_anew = threading.Lock()
        self._anew_from = 0.0  # of the monotonic clock
        self._left = threading.Event()
        self.clock = WatchClock()
        started = time.monotonic()
        self._models = trained = partial(models.read, folder / "models")
        self._erased = records.events().erased()
        self._folder = folder = snapshot_folder(folder, self._erased)
        drop_snapshots(self._root, but=folder)
        self._engine = Engine.load(folder, (), models=trained)
        if self._engine.offset > records.events().last():
            # A log that was put back from before the snapshot gives the same offsets to other
            # events. The snapshot goes, or it would seem right once the log has grown past it.
            log.warning("the feed snapshot in %s is newer than the log: all is replayed", folder)
            (folder / FILE).unlink(missing_ok=True)
            self._engine = Engine.new(
                models=trained, began="snapshot refused: it is newer than the log"
            )
        self.level = self._saved = self._engine.offset
        self._catch_up()
        log.info("feed engine at offset %d after %.1f s", self.level, time.monotonic() - started)

    def fresh(self) -> Engine:
        return self.level_with(records.events().last())

    def level_with(self, offset: int) -> Engine:
        """The engine, knowing the log up to `offset` at least, as far as the log goes."""
        if offset > self.level:
            with self._lock:
                self._catch_up()
        if (
            records.events().erased() != self._erased
            and not self._left.is_set()
            and time.monotonic() >= self._anew_from
            and self._making_anew.acquire(blocking=False)
        ):
            # No daemon: a process that ends in the midst of usearch's code would be aborted.
            threading.Thread(target=self._make_anew, name="feed-anew").start()
        return self._engine

    def _make_anew(self) -> None:
        """Somebody was erased: an engine that never knew them. Pages go on from the old one."""
        try:
            made = self._made_anew()
        except Exception:
            log.exception("making the feed engine anew failed")
            made = False
        if not made and not self._ends():
            log.error("the feed engine could not be made anew: tried again in a minute")
            self._anew_from = time.monotonic() + AGAIN
        self._making_anew.release()

    def _made_anew(self) -> bool:
        erased = records.events().erased()
        folder = snapshot_folder(self._root, erased)
        drop_snapshots(self._root, but=folder)
        if not anew.make(records.events_url(), self._root / "models", folder, self._ends):
            return False
        engine = Engine.load(folder, (), models=self._models)
        saved = level = engine.offset
        while stored := records.events().read(level, BATCH):  # while it was made, and loaded
            engine.observe(anew.decoded(stored))
            level = stored[-1].offset
        with self._saving, self._lock:
            self._engine, self.level, self._erased = engine, level, erased
            self._catch_up_now()
            self._folder, self._saved = folder, saved
        drop_snapshots(self._root, but=folder)
        log.info("feed engine made anew after an erasure, at offset %d", self.level)
        return True

    def _ends(self) -> bool:
        """Whether nobody waits for a new engine any more."""
        return self._left.is_set() or not threading.main_thread().is_alive()

    def leave(self) -> None:
        """Ends what runs beside the requests; nothing is kept."""
        self._left.set()
        with self._making_anew:
            pass

    def where(self) -> str:
        return "in the web process"

    def close(self) -> None:
        """A snapshot of what came since the last, so that the next start has nothing to replay."""
        self.leave()
        if self._engine.offset > self._saved:
            self._saved = self._engine.offset
            self._save()

    def _catch_up_now(self) -> None:
        while stored := records.events().read(self.level, BATCH):
            self._engine.observe(anew.decoded(stored))
            self.level = stored[-1].offset

    def _catch_up(self) -> None:
        self._catch_up_now()
        if self._engine.offset - self._saved >= SNAPSHOT_EVERY:
            self._saved = self._engine.offset
            threading.Thread(target=self._save, name="feed-snapshot").start()

    def _save(self) -> None:
        if records.events().erased() != self._erased:
            return  # it holds somebody who was erased, and is soon no more
        with self._saving:  # two at once would write one file
            self._saved = self._engine.offset
            self._engine.snapshot(self._folder)


def snapshot_folder(root: Path, erased: frozenset[str]) -> Path:
    """Where the snapshot of an engine lies that was made from a log with these erasures."""
    if not erased:
        return root
    named = hashlib.sha256("\n".join(sorted(erased)).encode()).hexdigest()[:16]
    return root / f"after-{named}"


def drop_snapshots(root: Path, *, but: Path) -> None:
    """Removes snapshots that may hold somebody who was erased since."""
    for file in (*root.glob(f"{FILE}*"), *root.glob(f"after-*/{FILE}*")):
        if file.parent != but:
            file.unlink(missing_ok=True)


_making = threading.Lock()
_hosts: dict[Path, Host] = {}
_socket: Path | None = None  # of the feed process


def ask_at(path: Path | None) -> None:
    """From now on this process asks the feed process that listens at `path`; None: it has an engine
    of its own.
    """
    global _socket
    _socket = path
    forget_hosts()


def feed_folder() -> Path:
    """Where the engine's snapshot is."""
    return options().folder / "feed"


def host() -> Host:
    """This process's way to the engine, made on first use. Threads that come meanwhile wait for the
    one.
    """
    key = _socket or feed_folder()
    found = _hosts.get(key)
    if found is None:
        with _making:
            found = _hosts.get(key)
            if found is None:
                found = _hosts[key] = _made(_socket)
    return found


def _made(socket: Path | None) -> Host:
    # At the end of this process; a process that was forked, as granian's are, runs no `atexit`.
    util.Finalize(None, _close_all, exitpriority=0)
    if socket is None:
        return LocalHost(feed_folder())
    from jhalak.viewing.remote import RemoteHost

    return RemoteHost(socket)


def _close_all() -> None:
    for one in _hosts.values():
        one.close()


def forget_hosts() -> None:
    """Drop the engines of this process: the next `host()` loads again. For tests."""
    for one in _hosts.values():
        one.leave() if isinstance(one, LocalHost) else one.close()
    _hosts.clear()
