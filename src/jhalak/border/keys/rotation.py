"""Rotation: a new installation key, every key wrapped by it, the old one destroyed.

    1  the new root is there (file, variable, service), synced
    2  its generation is in the file of keys: from now on whoever makes a key wraps it by the new
    3  every older key is unwrapped and wrapped anew, a thousand in a transaction
    4  when none is left, the WAL is cut, the old generation ends and its root is destroyed

Killed at any point it is called again and goes on: each step looks at what is there. The site runs
meanwhile: what finds a key of a generation that it does not know looks for its root.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from jhalak.border.keys.errors import KeyRefused, KeysAway
from jhalak.border.keys.installation import Installation, about_person, about_secret
from jhalak.border.keys.roots import Item
from jhalak.border.keys.store import Generation, Row

BATCH = 1000
Progress = Callable[[int, int], None]  # keys done, keys in all


class Rotated(NamedTuple):
    """`old` and `new` name generations. `left_to_do`: for the operator, in words, or ""."""

    old: list[int]
    new: int
    keys: int  # wrapped anew by this call
    left_to_do: str


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "rotation.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise KeysAway("a rotation is under way: wait for it") from error
        yield
    finally:
        os.close(descriptor)


def rewrap(installation: Installation, progress: Progress | None = None) -> Rotated:
    """See the module. Raises KeysError."""
    tell = progress or (lambda _done, _all: None)
    with _alone(installation.folder):
        store = installation.store
        living = store.living()
        new, done = living[0], 0
        if len(living) > 1 or not store.to_destroy():  # else all but the last step is done
            if len(living) == 1:
                new = store.add_generation(installation.source.following(new).key_id)
                if new.number <= living[0].number:
                    raise KeyRefused("This key was the installation's before. Make a new one.")
            done = _wrap_anew(installation, new, tell)
            store.cut_wal()
            if not store.end_generations_before(new.number):
                raise KeysAway("keys of the old generation came meanwhile: rotate once more")
        ended = store.to_destroy()
        left = installation.source.end(ended, new)
        store.mark_destroyed()
        return Rotated(ended, new.number, done, left)


def _wrap_anew(installation: Installation, new: Generation, tell: Progress) -> int:
    store = installation.store
    every = store.older_count(new.number)
    done = 0
    for table, first in (("secrets", ""), ("people", b"")):
        after: bytes | str = first
        while rows := store.older(table, new.number, after, BATCH):
            after = rows[-1].name
            done += store.replace(
                table, list(zip(rows, _anew(installation, rows, new), strict=True))
            )
            tell(min(done, every), every)
    return done


def _anew(installation: Installation, rows: list[Row], new: Generation) -> list[Row]:
    abouts = [
        about_secret(row.name) if isinstance(row.name, str) else about_person(row.name)
        for row in rows
    ]
    bare: dict[int, bytes] = {}
    for number in {row.generation for row in rows}:
        places = [at for at, row in enumerate(rows) if row.generation == number]
        items = [Item(rows[at].wrapped or b"", abouts[at]) for at in places]
        bare.update(zip(places, installation.unwrap_many(items), strict=True))
    wrapped = installation.wrap_many([Item(bare[at], abouts[at]) for at in range(len(rows))], new)
    return [Row(row.name, new.number, again) for row, again in zip(rows, wrapped, strict=True)]
