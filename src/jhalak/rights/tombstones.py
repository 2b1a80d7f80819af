"""What says for ever that somebody was erased, without saying who: outside of every backup of rows,
objects and events.

    <data>/border/tombstones/<subject>.json

A backup that is restored brings people back. At the start each person's keyed hash is looked for
here, and each name in the log of events, and who is found is erased again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from jhalak.border.log import durable
from jhalak.feed.erasing import Name
from jhalak.options import options
from jhalak.rights.keyring import hash_of


class Tombstone(msgspec.Struct, frozen=True):
    """`names`: keyed hashes of what somebody was called in the log of events."""

    subject: str
    names: tuple[str, ...]
    plan_digest: str
    begun_ms: int
    v: int = 1


def folder() -> Path:
    return options().folder / "border" / "tombstones"


def hashed(name: Name) -> str:
    return hash_of("event", f"{name[0]}:{name[1]}")


def put(subject: str, names: Iterable[Name], plan_digest: str, begun_ms: int) -> None:
    """Durable on return. Putting one again adds its names to those that stand there."""
    durable.make_folder(folder())
    target = folder() / f"{subject}.json"
    hashes = {hashed(name) for name in names}
    if target.exists():
        hashes |= set(_read(target).names)
    stone = Tombstone(subject, tuple(sorted(hashes)), plan_digest, begun_ms)
    durable.replace(target, msgspec.json.encode(stone))


def every() -> list[Tombstone]:
    """All of them. Raises ValueError for one that is damaged: somebody might come back."""
    return [_read(path) for path in sorted(folder().glob("*.json"))]


def _read(path: Path) -> Tombstone:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Tombstone)
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{path} is damaged ({error}). Put it back from a copy: without it somebody who was"
            " erased may come back with a backup."
        ) from error
