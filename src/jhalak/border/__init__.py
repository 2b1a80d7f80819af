"""The border: what an installation knows about its data, and the seal in which a program reaches
nothing but what it was given; later what may cross and what did.
"""

from __future__ import annotations

from jhalak.border.seal import (
    ALL_WALLS,
    Rules,
    Seal,
    SealError,
    Started,
    Wall,
    python,
    start,
    survey,
)

__all__ = [
    "ALL_WALLS",
    "Rules",
    "Seal",
    "SealError",
    "Started",
    "Wall",
    "python",
    "start",
    "survey",
]
