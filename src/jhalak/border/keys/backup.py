"""Backups of people's keys: with their tombstones, and without what wraps them.

A backup of the database holds ciphertext, a backup of this file wrapped keys, and the installation
key is kept apart from both: who has one of the three reads nothing. Restoring never brings a
destroyed key back: tombstones of both sides count. Those that are newer than the backup and were
lost with the disk are in the log (entries of kind `erasure`): `PersonKeys.replay`.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from jhalak.border.keys.errors import KeyRefused
from jhalak.border.keys.keyfiles import sync_folder
from jhalak.border.keys.store import NAME, Store

_STEPS = {
    "back": "INSERT OR IGNORE INTO people SELECT * FROM saved.people WHERE wrapped IS NOT NULL"
    " AND generation IN (SELECT number FROM generations WHERE ended_ms IS NULL)",
    "shredded": "UPDATE people SET wrapped = NULL WHERE wrapped IS NOT NULL"
    " AND subject IN (SELECT subject FROM saved.people WHERE wrapped IS NULL)",
    "tombstones": "INSERT OR IGNORE INTO people SELECT * FROM saved.people WHERE wrapped IS NULL",
}

_KNOWN = "SELECT 1 FROM generations JOIN saved.generations USING (number, key_id)"
_ENDED = """SELECT count(wrapped) FROM saved.people AS old
    WHERE NOT EXISTS (SELECT 1 FROM people WHERE subject = old.subject)"""


class Restored(NamedTuple):
    """What a restore did."""

    back: int  # keys that were missing here
    shredded: int  # keys here that the backup knew as destroyed
    ended: int  # keys in the backup whose installation key is destroyed: nobody opens them


def backup(folder: Path, to: Path) -> int:
    """A consistent copy while the site runs; `to` must not exist. Its size in bytes. Raises
    FileExistsError, KeysAway.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    store = Store(folder)
    try:
        with store.reading() as connection, closing(sqlite3.connect(to)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        store.close()
    return to.stat().st_size


def restore(folder: Path, saved: Path) -> Restored:
    """Takes from a backup what is missing in `folder`, which may be new: the installation key goes
    there by hand. Idempotent. Raises KeyRefused for what is no backup of this installation's.
    """
    try:
        _check(saved)
        if (folder / NAME).exists():
            return _merge(folder, saved)
        return _copy(folder, saved)
    except sqlite3.DatabaseError as error:
        raise KeyRefused(f"{saved} is no backup of keys: {error}") from error


def _open(saved: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{saved.absolute().as_uri()}?mode=ro", uri=True)


def _check(saved: Path) -> None:
    if not saved.is_file():
        raise KeyRefused(f"there is no file {saved}")
    with closing(_open(saved)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise KeyRefused(f"{saved} is damaged: {verdict}")
        copy.execute("SELECT subject, generation, wrapped FROM people LIMIT 1")


def _copy(folder: Path, saved: Path) -> Restored:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{NAME}.{os.getpid()}"
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with closing(_open(saved)) as copy, closing(sqlite3.connect(draft)) as new:
        copy.backup(new)
        (keys,) = new.execute("SELECT count(wrapped) FROM people").fetchone()
    draft.rename(folder / NAME)
    sync_folder(folder)
    return Restored(keys, 0, 0)


def _merge(folder: Path, saved: Path) -> Restored:
    store = Store(folder)
    try:
        with store.reading() as connection:
            connection.execute("ATTACH ? AS saved", (f"{saved.absolute().as_uri()}?mode=ro",))
            if not connection.execute(_KNOWN).fetchall():
                raise KeyRefused(f"{saved} holds the keys of another installation")
            with store.writing():
                done = {name: connection.execute(sql).rowcount for name, sql in _STEPS.items()}
            (ended,) = connection.execute(_ENDED).fetchall()[0]
        store.cut_wal()
    finally:
        store.close()
    return Restored(done["back"], done["shredded"], ended)
