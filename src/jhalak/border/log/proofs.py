"""The proof that an entry is in the log, as a file (C2SP tlog-proof): whoever has the log's key
checks it alone.
"""

from __future__ import annotations

import base64

from jhalak.border.log.tiles import Tiles


def proof(tiles: Tiles, index: int, size: int) -> bytes:
    """`size`: of the checkpoint that stands there. Raises TileError, IndexError."""
    if not 0 <= index < size:
        raise IndexError(f"a log of {size} has no entry {index}")
    steps = [base64.b64encode(step).decode() for step in tiles.inclusion(index, size)]
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *steps, "", ""]
    return "\n".join(lines).encode() + tiles.checkpoint()
