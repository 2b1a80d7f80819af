"""Entries of the border's log that commit with what caused them.

    with transaction.atomic():
        video.save()
        ledger.enter(Kind.TAKEDOWN, {...})

A row waits here until `drain` has moved it to the log: in the order of the rows, each once. The
pattern is that of `outbox`, with one difference: the log has one writer, so one process drains.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jhalak.border.log import rotation, spool
from jhalak.border.log import sealed as sealed_bodies
from jhalak.border.log.entries import EntryError, Kind, canonical, entry, new_id, now_ms, seal
from jhalak.border.log.keys import key_file, log_folder, spool_folder
from jhalak.border.log.writer import Log
from jhalak.options import options
from jhalak.records.models import LedgerEntry
from jhalak.records.opened import border_log
from jhalak.records.outbox import after_a_commit

BATCH = 1000  # rows of one append; with those of a spool's file far fewer than writer.WINDOW

logger = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()


def enter(kind: Kind, body: dict[str, Any], sealed: bool = False) -> str:
    """Have this in the log if the caller's transaction commits; returns its id there.

    `sealed`: the log gets a commitment, and the body stays beside it until it is revealed. Raises
    EntryError for what cannot be an entry (floats, more than 65,535 bytes).
    """
    at = now_ms()
    key = new_id(at)
    if sealed:
        leaf, opener = seal(kind, body, at_ms=at, id=key)
        hidden = canonical({"body": opener.body, "id": opener.id, "salt": opener.salt})
    else:
        leaf, hidden = entry(kind, body, at_ms=at, id=key), b""
    LedgerEntry.objects.create(key=key, leaf=leaf, hidden=hidden)
    return key


def drain() -> int:
    """Move what waits, in the database and in the spool, to the log. Returns how many entries were
    moved: 0 too while another process writes the log, which then does this.

    Not inside a transaction. Whoever is killed between the append and forgetting brings the same
    entries again, first of all, and the log knows their ids: each is there once.

    Raises RuntimeError inside a transaction; LogError, NoteError, OSError if the log cannot be
    written: nothing is lost then.
    """
    after_a_commit("drain()")
    with _one_at_a_time:
        log = border_log()
        if log is None:
            return 0
        rotation.go_on(log, key_file(options().folder))
        moved = 0
        while True:
            # The oldest first: an entry that stands after much younger ones looks held back.
            files = spool.waiting(spool_folder(options().folder))
            count = _drain_rows(log, files[0].name if files else "") or _drain_file(log, files)
            moved += count
            if not count and not files:
                return moved


def settle(seconds: float) -> bool:
    """Wait until all that was entered so far is in the log; who writes it may be another process.
    False when it is not after these seconds. Raises as `drain` does.
    """
    last = LedgerEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    deadline = time.monotonic() + seconds
    while True:
        drain()
        if not LedgerEntry.objects.filter(id__lte=last).exists():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)


def _drain_rows(log: Log, file: str) -> int:
    """`file`: rows that are not older than this one of the spool wait; their ids begin, as its
    name does, with 48 bits of time.
    """
    older = LedgerEntry.objects.filter(key__lt=file[:12]) if file else LedgerEntry.objects
    rows = list(older.order_by("id")[:BATCH])
    if not rows:
        return 0
    for row in rows:
        if row.hidden:
            sealed_bodies.keep(log_folder(options().folder), row.key, bytes(row.hidden))
    log.append([bytes(row.leaf) for row in rows])
    LedgerEntry.objects.filter(id__in=[row.pk for row in rows]).delete()
    return len(rows)


def _drain_file(log: Log, files: Iterable[Path]) -> int:
    for path in files:
        try:
            leaves = spool.read(path)
            log.append(leaves)
        except EntryError as error:
            spool.refuse(path, error)
            continue
        path.unlink()
        return len(leaves)
    return 0
