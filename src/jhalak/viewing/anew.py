"""The engine made anew from the log, in a process of its own: after somebody was erased.

In the process that serves pages a replay would share Python's lock with every one of them for as
long as the log is long (docs/decisions.md, 2026-11-29). What comes of it here is a snapshot, which
whoever serves pages loads. A process that ends meanwhile leaves what it had, to go on from.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jhalak.feed import Engine, models
from jhalak.feed.events import BadEvent, Event, decode
from jhalak.stores.events import StoredEvent, open_events

log = logging.getLogger(__name__)

BATCH = 500  # events learnt at once
KEPT_EVERY = 1_000_000  # events: some minutes of replay
BEHIND = 10  # of niceness: pages come first
LOOK = 0.1  # seconds


def make(events: str, trained: Path, target: Path, ends: Callable[[], bool]) -> bool:
    """Puts the snapshot of an engine that knows the log as it is now into `target`. `events`: the
    log's URL; `trained`: the folder of artefacts. Whether it was done; not when `ends` said that
    nobody wants it.
    """
    if ends():
        return False
    words = ["--events", events, "--trained", str(trained), "--into", str(target)]
    child = subprocess.Popen([sys.executable, "-m", __name__, *words], stdin=subprocess.DEVNULL)
    while child.poll() is None:
        if ends():
            child.kill()
        time.sleep(LOOK)
    return child.returncode == 0


def decoded(stored: list[StoredEvent]) -> list[tuple[int, Event]]:
    """What the engine understands. An event of a later version is passed over, and said."""
    found = []
    for one in stored:
        try:
            found.append((one.offset, decode(one.body)))
        except BadEvent as error:
            log.warning("event %d in the log is not understood: %s", one.offset, error)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="jhalak.viewing.anew")
    parser.add_argument("--events", required=True)
    parser.add_argument("--trained", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    parent = os.getppid()
    os.nice(BEHIND)
    events = open_events(given.events)
    engine = Engine.load(given.into, (), models=partial(models.read, given.trained))
    level = kept = engine.offset
    while stored := events.read(level, BATCH):
        if os.getppid() != parent:
            sys.exit("whoever asked for a feed engine has ended")
        engine.observe(decoded(stored))
        level = stored[-1].offset
        if level - kept >= KEPT_EVERY:
            engine.snapshot(given.into)
            kept = level
    engine.snapshot(given.into)
    events.close()


if __name__ == "__main__":
    main()
