"""Everything from one store of objects into another, checked byte by byte, nothing deleted.

An object counts as copied when its bytes, read back from the target, have the SHA-256 that the
source says and the source's bytes have. Then its key goes into a journal, a plain file, so that a
run that broke off, or one more run for what came since, passes over what is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from jhalak.stores.objects import NoSuchObject, Objects

CHUNK = 1 << 20


class Copied(msgspec.Struct):
    """How far it is. `skipped`: copied and checked before. `gone`: deleted while we were copying.
    `failed`: key and reason. `bytes`: of the copied ones.
    """

    copied: int = 0
    skipped: int = 0
    gone: int = 0
    bytes: int = 0
    failed: list[tuple[str, str]] = []


def copy_objects(
    source: Objects,
    target: Objects,
    journal: Path,
    progress: Callable[[Copied], None] = lambda _copied: None,
) -> Copied:
    """Copy what is in `source` and not yet, the same, in `target`. Both may be in use meanwhile.

    `journal` belongs to this pair of stores. What cannot be copied is told at the end, the rest
    goes on. Raises ObjectsError when a store is away, full or refuses us, OSError of a
    disk: run it again, then.
    """
    done = set(journal.read_text("utf-8").splitlines()) if journal.exists() else set()
    state = Copied()
    with journal.open("a", encoding="utf-8") as lines:
        for listed in source.list():
            try:
                _one(source, target, listed.key, done, state, lines.write)
            except NoSuchObject:
                state.gone += 1
            lines.flush()
            progress(state)
    return state


def _one(
    source: Objects,
    target: Objects,
    key: str,
    done: set[str],
    state: Copied,
    note: Callable[[str], object],
) -> None:
    info = source.head(key)
    if info is None:
        state.gone += 1
        return
    line = f"{info.etag} {key}"
    there = target.head(key)
    same = there is not None and (there.etag, there.size, there.content_type) == (
        info.etag,
        info.size,
        info.content_type,
    )
    if same and line in done:
        state.skipped += 1
        return
    if not (same and _of(target, key) == info.etag):
        with source.open(key) as stream:
            if _sha256(stream) != info.etag:
                state.failed.append((key, "its bytes are not those that were put: damaged"))
                return
            stream.seek(0)
            target.put(key, stream, content_type=info.content_type)
        if _of(target, key) != info.etag:
            state.failed.append((key, "what was read back is not what was sent"))
            return
    note(line + "\n")
    state.copied += 1
    state.bytes += info.size


def _of(store: Objects, key: str) -> str:
    with store.open(key) as stream:
        return _sha256(stream)


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
