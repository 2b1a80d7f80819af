"""The log's tiles into a pack: of one checkpoint's size, while the log goes on growing.

Copied and not linked, so that who edits a pack does not edit the log. A full tile never changes;
of the last of each level, that is shorter, the pack gets what belongs to its size, be it cut from
one that has grown since.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from jhalak.verify.verify import WIDTH, Broken, bundle_leaves, parse_leaf, tile_path, widths

REPORT = b'"kind":"residency_report"'


def first_entry(log: Path, size: int, since_ms: int) -> int:
    """Where a pack begins: with the bundle that holds the last residency report before `since_ms`,
    which says what had been declared by then; else with the log. Raises Broken.
    """
    found = _first_since(log, size, since_ms) // WIDTH
    while found and REPORT not in _bundle(log, found, min(WIDTH, size - found * WIDTH)):
        found -= 1
    return found * WIDTH


def _first_since(log: Path, size: int, since_ms: int) -> int:
    """The first entry of the bundle before the first one that begins after `since_ms`, so that all
    entries from then on are in the pack. Raises Broken.
    """
    low, high = 0, -(-size // WIDTH)  # the first bundle that begins after it is in low..high
    while low < high:
        middle = (low + high) // 2
        leaves = bundle_leaves(_bundle(log, middle, min(WIDTH, size - middle * WIDTH)))
        try:
            at = parse_leaf(leaves[0])["at"]
        except (ValueError, IndexError) as error:
            raise Broken(f"entry {middle * WIDTH} cannot be read: {error}") from error
        if at > since_ms:
            high = middle
        else:
            low = middle + 1
    return max(0, low - 1) * WIDTH


def copy_tiles(
    log: Path, target: Path, size: int, first: int, tell: Callable[[int, int], None]
) -> None:
    """All hash tiles, and the bundles from that of entry `first` on. Raises OSError, Broken."""
    names = list(_names(size, first))
    made = target
    for done, (level, number, width) in enumerate(names):
        path = target / tile_path(level, number, width)
        if path.parent != made:
            made = path.parent
            made.mkdir(parents=True, exist_ok=True)
        if width == WIDTH:
            _copy(log / tile_path(level, number), path)
        elif level == "entries":
            path.write_bytes(_bundle(log, number, width))
        else:
            path.write_bytes(_partial(log, level, number, width)[: 32 * width])
        if done % 1000 == 0:
            tell(done, len(names))
    tell(len(names), len(names))


def _names(size: int, first: int) -> Iterator[tuple[int | str, int, int]]:
    level = 0
    while size >> (8 * level):
        yield from ((level, number, width) for number, width in widths(size, level))
        level += 1
    yield from (
        ("entries", number, width) for number, width in widths(size, 0) if number >= first // WIDTH
    )


def _copy(source: Path, target: Path) -> None:
    """In the kernel; a file system that can shares the blocks until one is changed."""
    with source.open("rb") as read, target.open("xb") as write:
        left = os.fstat(read.fileno()).st_size
        while left > 0:
            try:
                done = os.copy_file_range(read.fileno(), write.fileno(), left)
            except OSError:
                done = os.sendfile(write.fileno(), read.fileno(), None, left)
            if not done:
                break
            left -= done


def _partial(log: Path, level: int | str, number: int, width: int) -> bytes:
    """A tile of this width or, when it has grown since, of a larger one."""
    for wider in range(width, WIDTH + 1):
        path = log / tile_path(level, number, wider)
        if path.exists():
            return path.read_bytes()
    raise Broken(f"log/{tile_path(level, number, width)} is missing")


def _bundle(log: Path, number: int, width: int) -> bytes:
    """The first `width` entries of a bundle."""
    data = _partial(log, "entries", number, width)
    leaves = bundle_leaves(data)[:width]
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
