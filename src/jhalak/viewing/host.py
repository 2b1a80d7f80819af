"""The feed engine as this process holds it: loaded from snapshot and log, kept level with the log.

The event log is the only way into the engine. Every process that serves pages reads the log up to
its end before it asks for a slate, so what was acknowledged anywhere (a skip, a block, a withdrawn
video) is known to the very next page, whichever process answers it. That look costs microseconds
when nothing is new.

In the embedded default the engine lives in the web process; behind the same `fresh()` it can become
a process of its own (feed.md, issue of the learning engine).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from jhalak import records
from jhalak.feed import Engine, models
from jhalak.feed.events import BadEvent, Event, decode
from jhalak.feed.snapshot import FILE
from jhalak.options import options

log = logging.getLogger(__name__)

BATCH = 500  # events learnt under one hold of the engine's lock: some milliseconds
SNAPSHOT_EVERY = 20_000  # events: about a second of replay


class Host:
    """One engine and its place in the log. Thread safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        started = time.monotonic()
        trained = partial(models.read, folder / "models")
        self._engine = Engine.load(folder, (), models=trained)
        if self._engine.offset > records.events().last():
            # A log that was put back from before the snapshot gives the same offsets to other
            # events. The snapshot goes, or it would seem right once the log has grown past it.
            log.warning("the feed snapshot in %s is newer than the log: all is replayed", folder)
            (folder / FILE).unlink(missing_ok=True)
            self._engine = Engine.new(
                models=trained, began="snapshot refused: it is newer than the log"
            )
        self._level = self._saved = self._engine.offset
        self._catch_up()
        log.info("feed engine at offset %d after %.1f s", self._level, time.monotonic() - started)

    def fresh(self) -> Engine:
        """The engine, level with everything that the log held when this was called."""
        if records.events().last() > self._level:
            with self._lock:
                self._catch_up()
        return self._engine

    def _catch_up(self) -> None:
        while stored := records.events().read(self._level, BATCH):
            self._engine.observe(list(_decoded((one.offset, one.body) for one in stored)))
            self._level = stored[-1].offset
        if self._engine.offset - self._saved >= SNAPSHOT_EVERY:
            self._saved = self._engine.offset
            snapshot = threading.Thread(
                target=self._engine.snapshot, args=(self._folder,), name="feed-snapshot"
            )
            snapshot.start()


def _decoded(stored: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, Event]]:
    """What the engine understands. An event of a later version is passed over, and said."""
    for offset, body in stored:
        try:
            yield offset, decode(body)
        except BadEvent as error:
            log.warning("event %d in the log is not understood: %s", offset, error)


_making = threading.Lock()
_hosts: dict[Path, Host] = {}


def host() -> Host:
    """This process's engine, made on first use. Threads that come meanwhile wait for the one."""
    folder = options().folder / "feed"
    found = _hosts.get(folder)
    if found is None:
        with _making:
            found = _hosts.get(folder)
            if found is None:
                found = _hosts[folder] = Host(folder)
    return found


def forget_hosts() -> None:
    """Drop the engines of this process: the next `host()` loads again. For tests."""
    _hosts.clear()
