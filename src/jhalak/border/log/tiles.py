"""The tree as files (C2SP tlog-tiles): hashes in tiles of 256, entries in bundles of 256.

    checkpoint                        the signed head
    tile/<L>/<N>, tile/<L>/<N>.p/<W>  hashes N*256 ... of level L, each over 256**L leaves;
                                      with W, the first W of them, while there are no more
    tile/entries/<N>[.p/<W>]          entries, each after two bytes of its length

`Tiles` reads; nothing that it reads is believed to be longer than it may be. What it reads is not
verified here: a proof made of false tiles proves nothing to who verifies it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from jhalak.border.log.entries import LIMIT
from jhalak.border.log.hashing import (
    HASH_BYTES,
    Range,
    consistency,
    inclusion,
    range_hash,
    root_of,
)
from jhalak.border.log.notes import LONGEST

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES
BUNDLE_BYTES = WIDTH * (LIMIT + 2)
CHECKPOINT = "checkpoint"
ENTRIES = "entries"


class TileError(Exception):
    """A file of the log that is missing, cut short or too long; the message names it."""


def path_of(level: int | str, index: int, width: int = WIDTH) -> str:
    """The path of a tile, or with the level "entries" of a bundle, within the log's folder."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def widths(size: int) -> list[int]:
    """How many hashes stand at the right edge of each level of a tree, level 0 first: where it is
    0, the level's last tile is full.
    """
    found = []
    while size:
        found.append(size % WIDTH)
        size //= WIDTH
    return found


def pack(entries: list[bytes]) -> bytes:
    """Entries as a bundle. None is longer than two bytes can say."""
    return b"".join(part for entry in entries for part in (struct.pack(">H", len(entry)), entry))


def unpack(data: bytes, width: int, name: str) -> list[bytes]:
    """Entries out of a bundle. Raises TileError if there are not exactly `width`."""
    found: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(found) < width:
        end = at + 2 + (data[at] << 8 | data[at + 1])
        if end > len(data):
            break
        found.append(data[at + 2 : end])
        at = end
    if len(found) != width or at != len(data):
        raise TileError(f"{name} does not hold {width} entries: it is cut short or altered")
    return found


def cut(data: bytes) -> list[bytes]:
    """A tile's hashes, one by one."""
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


class Tiles:
    """Reads a log's folder. Any number of them, in any process, beside the one that writes."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.reads = 0  # files opened so far

    def checkpoint(self) -> bytes:
        """The signed checkpoint as it stands there. Raises TileError if there is none."""
        try:
            return self._read(CHECKPOINT, LONGEST)
        except FileNotFoundError:
            raise TileError("there is no checkpoint") from None

    def tile(self, level: int, index: int, width: int = WIDTH) -> bytes:
        """The first `width` hashes of a tile. Raises TileError."""
        name, whole, data = self._either(level, index, width, TILE_BYTES)
        if len(data) != whole * HASH_BYTES:
            raise TileError(f"{name} has {len(data)} bytes instead of {whole * HASH_BYTES}")
        return data[: width * HASH_BYTES]

    def bundle(self, index: int, width: int = WIDTH) -> list[bytes]:
        """The first `width` entries of a bundle. Raises TileError."""
        name, whole, data = self._either(ENTRIES, index, width, BUNDLE_BYTES)
        return unpack(data, whole, name)[:width]

    def entry(self, index: int, size: int) -> bytes:
        """One entry of a log of this size. Raises TileError, IndexError."""
        if not 0 <= index < size:
            raise IndexError(f"a log of {size} has no entry {index}")
        number = index // WIDTH
        return self.bundle(number, min(WIDTH, size - number * WIDTH))[index % WIDTH]

    def entries(self, start: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Each entry from `start` on, with its index. Raises TileError."""
        for number in range(start // WIDTH, -(-size // WIDTH)):
            first = number * WIDTH
            for offset, data in enumerate(self.bundle(number, min(WIDTH, size - first))):
                if first + offset >= start:
                    yield first + offset, data

    def root(self, size: int, within: int | None = None) -> bytes:
        """The root of the first `size` entries of a log that has `within` of them (`size` by
        default). Raises TileError.
        """
        return self._prove([(0, size)], size if within is None else within)[0]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the log of `size` entries. Raises TileError,
        ValueError.
        """
        return self._prove(inclusion(index, size), size)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof that the log of `old` entries is the beginning of the one of `size`. Raises
        TileError, ValueError.
        """
        return self._prove(consistency(old, size), size)

    def _prove(self, ranges: list[Range], size: int) -> list[bytes]:
        held: dict[tuple[int, int], bytes] = {}  # each tile is read once for a proof

        def subtree(height: int, index: int) -> bytes:
            level, inner = divmod(height, HEIGHT)
            first = index << inner
            number = first // WIDTH
            key = (level, number)
            if key not in held:
                width = min(WIDTH, (size >> HEIGHT * level) - number * WIDTH)
                held[key] = self.tile(level, number, width)
            at = (first % WIDTH) * HASH_BYTES
            return root_of(cut(held[key][at : at + (HASH_BYTES << inner)]))

        return [range_hash(subtree, start, end) for start, end in ranges]

    def _either(
        self, level: int | str, index: int, width: int, most: int
    ) -> tuple[str, int, bytes]:
        """A partial file, or the full one that took its place: its name, width and bytes."""
        for whole in (width, WIDTH):
            name = path_of(level, index, whole)
            try:
                return name, whole, self._read(name, most)
            except (FileNotFoundError, NotADirectoryError):
                continue
        raise TileError(f"{path_of(level, index, width)} is missing")

    def _read(self, name: str, most: int) -> bytes:
        """A file, whose size is looked at before it is read."""
        self.reads += 1
        with (self.folder / name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise TileError(f"{name} has {size} bytes, more than it may")
            return file.read(most + 1)


def peaks_of(hashes: list[bytes]) -> list[bytes]:
    """The full subtrees over a tile's hashes, greatest first."""
    found: list[bytes] = []
    start = 0
    for bit in reversed(range(len(hashes).bit_length())):
        if len(hashes) >> bit & 1:
            found.append(root_of(hashes[start : start + (1 << bit)]))
            start += 1 << bit
    return found
