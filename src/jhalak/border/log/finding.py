"""Where an entry is, by its id."""

from __future__ import annotations

from jhalak.border.log.entries import read_entry
from jhalak.border.log.tiles import WIDTH, Tiles


def index_of(tiles: Tiles, size: int, name: str) -> int:
    """The number of an entry, given as itself or as an id. An id begins with its time, and the log
    is nearly in the order of times: bundles are looked at from there outwards, all if need be.

    Raises IndexError if no entry has it, TileError.
    """
    if name.isascii() and name.isdigit() and len(name) <= 19:
        return int(name)
    near = _near(tiles, size, name)
    bundles = -(-size // WIDTH)
    wanted = f'"id":"{name}"'.encode()
    for number in sorted(range(bundles), key=lambda one: abs(one - near)):
        for offset, data in enumerate(_bundle(tiles, number, size)):
            if wanted in data and read_entry(data).id == name:
                return number * WIDTH + offset
    raise IndexError(f"no entry has the id {name}")


def _near(tiles: Tiles, size: int, name: str) -> int:
    """The bundle that begins last before an id's time; 0 for an id without one."""
    try:
        at = int(name[:12], 16)
    except ValueError:
        return 0
    low, high = 0, -(-size // WIDTH)
    while high - low > 1:
        middle = (low + high) // 2
        if read_entry(_bundle(tiles, middle, size)[0]).at <= at:
            low = middle
        else:
            high = middle
    return low


def _bundle(tiles: Tiles, number: int, size: int) -> list[bytes]:
    return tiles.bundle(number, min(WIDTH, size - number * WIDTH))
