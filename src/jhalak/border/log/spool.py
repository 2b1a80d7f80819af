"""Entries from processes that have no database: files that wait until the log takes them.

A file is written whole beside, fsynced and renamed, so that what has a name is all there. It holds
entries as lines. The names sort by time. Whoever writes the log reads a file, appends its entries,
and deletes it when the log has acknowledged them; a file that was appended and is still there after
a crash is known by the ids of its entries.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jhalak.border.log import durable
from jhalak.border.log.entries import LIMIT, EntryError, Kind, entry, new_id, now_ms, read_entry

MOST = 1000  # entries of one file
SUFFIX = ".entries"
REFUSED = "refused"

logger = logging.getLogger(__name__)


class Spool:
    """Where one process leaves its entries. `source`: its name, a word. Threads may share one."""

    def __init__(self, folder: Path | str, source: str) -> None:
        if not source.isidentifier():
            raise ValueError(f"a source is a word: {source!r}")
        self.folder = Path(folder)
        self.source = source
        self._numbers = itertools.count()

    def write(self, kind: Kind, body: dict[str, Any]) -> None:
        """Leave one entry. It is on disk when this returns. Raises EntryError, OSError."""
        self.write_all([(kind, body)])

    def write_all(self, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> None:
        """Leave at most 1000 entries with one fsync; all of them or none. Raises EntryError,
        OSError.
        """
        if not 0 < len(entries) <= MOST:
            raise EntryError(f"1 to {MOST} entries at once")
        at = now_ms()
        lines = b"".join(entry(kind, body, at_ms=at) + b"\n" for kind, body in entries)
        durable.make_folder(self.folder, 0o700)
        name = f"{new_id(at)[:12]}-{os.getpid()}-{next(self._numbers):06d}-{self.source}{SUFFIX}"
        draft = self.folder / f".{name}"
        try:
            durable.write(draft, lines, 0o600)
            draft.rename(self.folder / name)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        durable.sync_folder(self.folder)


def waiting(folder: Path) -> list[Path]:
    """Files that wait to be taken, oldest first."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208
    except FileNotFoundError:
        return []
    return [folder / name for name in names if name.endswith(SUFFIX)]


def read(path: Path) -> list[bytes]:
    """The entries of a waiting file. Raises EntryError if it is none; its size is looked at before
    it is read.
    """
    if path.stat().st_size > MOST * (LIMIT + 1):
        raise EntryError(f"{path.name} has {path.stat().st_size} bytes")
    lines = path.read_bytes().split(b"\n")
    if lines.pop() != b"" or not 0 < len(lines) <= MOST:
        raise EntryError(f"{path.name} is cut short, or holds no entries or too many")
    for line in lines:
        read_entry(line)
    return lines


def refuse(path: Path, why: Exception) -> None:
    """Put aside a file that is none of ours: it stops nothing, and is there to be looked at."""
    aside = path.parent / REFUSED
    aside.mkdir(mode=0o700, exist_ok=True)
    path.rename(aside / path.name)
    logger.error("the spool's file %s is put aside into %s: %s", path.name, aside, why)
