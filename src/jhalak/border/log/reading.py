"""The log for who reads it on a screen: newest first, a page at a time, however long it is.

Nothing is ever read from end to end. A time is found by halving, since entries lie nearly in the
order of their times; a kind is looked for in so many bundles and no more, and the page then says
where to go on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jhalak.border.log.entries import Entry, Kind, read_entry
from jhalak.border.log.tiles import WIDTH, Tiles

BUNDLES = 200  # looked through for one page: 51,200 entries, some 50 ms


@dataclass(frozen=True)
class Page:
    """`entries`: number and entry, newest first. `before`: where the next page begins; 0 when this
    one reached the first entry.
    """

    entries: list[tuple[int, Entry]]
    before: int


def newest(
    tiles: Tiles,
    size: int,
    before: int | None = None,
    *,
    kinds: Collection[Kind] = (),
    most: int = 50,
    bundles: int = BUNDLES,
) -> Page:
    """The newest entries under number `before` (the end of the log by default), of some kinds or of
    all. Raises TileError, EntryError.
    """
    end = size if before is None else max(0, min(before, size))
    wanted = [f'"kind":"{kind.value}"'.encode() for kind in kinds]
    found: list[tuple[int, Entry]] = []
    first = -(-end // WIDTH)
    for bundle in range(first - 1, max(-1, first - 1 - bundles), -1):
        start = bundle * WIDTH
        leaves = tiles.bundle(bundle, min(WIDTH, size - start))[: end - start]
        for offset in range(len(leaves) - 1, -1, -1):
            leaf = leaves[offset]
            if wanted and not any(word in leaf for word in wanted):
                continue
            entry = read_entry(leaf)
            if kinds and entry.kind not in kinds:  # a body may hold the words
                continue
            found.append((start + offset, entry))
            if len(found) == most:
                return Page(found, start + offset)
        end = start
    return Page(found, end)


def number_at(tiles: Tiles, size: int, at_ms: int) -> int:
    """How many entries lie before the first bundle that begins after this time: a page that begins
    there has everything up to it. Raises TileError, EntryError.
    """
    low, high = 0, -(-size // WIDTH)
    while low < high:
        middle = (low + high) // 2
        start = middle * WIDTH
        if read_entry(tiles.bundle(middle, min(WIDTH, size - start))[0]).at > at_ms:
            high = middle
        else:
            low = middle + 1
    return min(low * WIDTH, size)
