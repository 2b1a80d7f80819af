"""Reads all of a log and names each file that is not what was signed.

From the entries up everything is hashed anew. Where a file and what stands above it disagree, the
one is to blame that what is confirmed from above contradicts: a tile is confirmed by the hash of it
in the tile above, those of the right edge by the signed root. Beside the hashes: every entry is in
its one form, and no id is there twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from jhalak.border.log.checkpoints import Checkpoint
from jhalak.border.log.entries import EntryError, read_entry
from jhalak.border.log.hashing import HASH_BYTES, fold, leaf_hash, root_of
from jhalak.border.log.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    TileError,
    Tiles,
    cut,
    path_of,
    peaks_of,
)

MOST_FAULTS = 100  # named; a log that is rewritten whole needs no longer list


@dataclass
class Audit:
    """What an audit found. `faults`: one sentence each, naming the file; empty if all is true."""

    size: int
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)
        elif len(self.faults) == MOST_FAULTS:
            self.faults.append("and more, which are not named")


def audit(tiles: Tiles, head: Checkpoint) -> Audit:
    """Read the whole log that a checkpoint speaks of. About 30,000 entries a second."""
    found = Audit(head.size)
    upper = _upper_levels(tiles, head.size, found)
    if found.faults:  # a tile is missing or has another length: nothing above it can be said
        return found
    edge_holds = fold(_edge_peaks(tiles, upper, head.size)) == head.root
    for level in range(len(upper) - 1, 0, -1):
        _check_level(level, upper, edge_holds, found)
    ids = np.zeros(head.size, np.uint64)
    for number, width in _shape(head.size, 0):
        _check_bundle(_Place(tiles, number, width, upper, edge_holds), ids, found)
    _check_ids(tiles, ids, found)
    if not edge_holds and not found.faults:
        found.fault(
            f"the log is rewritten: its tiles and entries agree, but not with the root that was"
            f" signed for size {head.size}"
        )
    return found


@dataclass(frozen=True)
class _Place:
    """A bundle and the level-0 tile of the same number."""

    tiles: Tiles
    number: int
    width: int
    upper: list[list[bytes]]
    edge_holds: bool


def _shape(size: int, level: int) -> Iterator[tuple[int, int]]:
    """Number and width of each tile of a level."""
    hashes = size >> HEIGHT * level
    for number in range(-(-hashes // WIDTH)):
        yield number, min(WIDTH, hashes - number * WIDTH)


def _upper_levels(tiles: Tiles, size: int, found: Audit) -> list[list[bytes]]:
    """The hashes of each level from 1 on; what stands for level 0 is empty."""
    levels: list[list[bytes]] = [[]]
    while size >> HEIGHT * len(levels):
        hashes: list[bytes] = []
        for number, width in _shape(size, len(levels)):
            try:
                hashes += cut(tiles.tile(len(levels), number, width))
            except TileError as error:
                found.fault(str(error))
        levels.append(hashes)
    return levels


def _edge_peaks(tiles: Tiles, upper: list[list[bytes]], size: int) -> list[bytes]:
    peaks: list[bytes] = []
    for hashes in reversed(upper[1:]):
        peaks += peaks_of(hashes[len(hashes) - len(hashes) % WIDTH :])
    width = size % WIDTH
    if width:
        try:
            peaks += peaks_of(cut(tiles.tile(0, size // WIDTH, width)))
        except TileError:  # named when its bundle is looked at
            peaks.append(bytes(HASH_BYTES))
    return peaks


def _check_level(level: int, upper: list[list[bytes]], edge_holds: bool, found: Audit) -> None:
    """Each tile of a level against the hash of it above."""
    hashes = upper[level]
    above = upper[level + 1] if level + 1 < len(upper) else []
    for number, root in enumerate(above):
        if root_of(hashes[number * WIDTH : (number + 1) * WIDTH]) != root:
            _blame(found, path_of(level, number), _above(level, number, upper), edge_holds)


def _above(level: int, number: int, upper: list[list[bytes]]) -> str:
    """The tile that holds the hash of a tile."""
    row = number // WIDTH
    width = min(WIDTH, len(upper[level + 1]) - row * WIDTH)
    return path_of(level + 1, row, width)


def _blame(found: Audit, name: str, above: str, confirmed: bool) -> None:
    if confirmed:
        found.fault(f"{name} is altered: it does not hash to what {above} says")
    else:
        found.fault(f"{name} or {above} is altered: the one does not hash to what the other says")


def _check_bundle(place: _Place, ids: np.ndarray, found: Audit) -> None:
    number, width = place.number, place.width
    bundle_name, tile_name = path_of(ENTRIES, number, width), path_of(0, number, width)
    bundle: list[bytes] = []
    hashes: list[bytes] = []
    try:
        bundle = place.tiles.bundle(number, width)
    except TileError as error:
        found.fault(str(error))
    try:
        hashes = cut(place.tiles.tile(0, number, width))
    except TileError as error:
        found.fault(str(error))
    if not bundle or not hashes:
        return
    fresh = [leaf_hash(data) for data in bundle]
    _compare(place, bundle_name, tile_name, fresh, hashes, found)
    for offset, data in enumerate(bundle):
        index = number * WIDTH + offset
        try:
            key = read_entry(data).id
        except EntryError as error:
            found.fault(f"{bundle_name}: entry {index} is none: {error}")
            key = f"#{index}"
        ids[index] = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


def _compare(
    place: _Place,
    bundle_name: str,
    tile_name: str,
    fresh: list[bytes],
    hashes: list[bytes],
    found: Audit,
) -> None:
    """Entries against their tile, and both against what stands above."""
    whole = place.width == WIDTH
    above = place.upper[1][place.number] if whole else None
    tile_holds = root_of(hashes) == above if whole else place.edge_holds
    if fresh == hashes:
        if not tile_holds and whole:
            name = _above(0, place.number, place.upper)
            _blame(found, f"{tile_name} and {bundle_name}", name, place.edge_holds)
        return
    first = next(
        at for at, pair in enumerate(zip(fresh, hashes, strict=True)) if pair[0] != pair[1]
    )
    index = place.number * WIDTH + first
    if tile_holds:
        found.fault(f"{bundle_name} is altered: entry {index} is not the one that was signed")
    elif whole and root_of(fresh) == above:
        found.fault(f"{tile_name} is altered: its entries hash to what stands above, it does not")
    else:
        found.fault(f"{tile_name} or {bundle_name} is altered, at entry {index}")


def _check_ids(tiles: Tiles, ids: np.ndarray, found: Audit) -> None:
    """Ids that are there twice: by their hashes first, then by themselves."""
    order = np.argsort(ids, kind="stable")
    same = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    for at in same[: MOST_FAULTS + 1]:
        first, second = int(order[at]), int(order[at + 1])
        try:
            one, other = (read_entry(tiles.entry(i, found.size)) for i in (first, second))
        except (TileError, EntryError):
            continue  # named already
        if one.id == other.id:
            found.fault(f"the id {one.id} is there twice: entries {first} and {second}")
