"""The border: what an installation knows about its data, and the seal in which a program reaches
nothing but what it was given; later what may cross and what did.
"""

from __future__ import annotations

from jhalak.border.seal import (
    PROGRAM_WALLS,
    SERVICE_WALLS,
    Rules,
    Seal,
    SealError,
    Started,
    Wall,
    python,
    reported,
    sealed,
    start,
    survey,
)

__all__ = [
    "PROGRAM_WALLS",
    "SERVICE_WALLS",
    "Rules",
    "Seal",
    "SealError",
    "Started",
    "Wall",
    "python",
    "reported",
    "sealed",
    "start",
    "survey",
]
