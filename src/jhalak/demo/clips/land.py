"""Land for the painters of skies and flocks: ridges, ground, the sound of its night."""

from __future__ import annotations

import numpy as np

from .canvas import (
    Field,
    Shot,
    clouds,
)
from .sound import (
    Tape,
    times,
)


def ridge(rng: np.random.Generator, width: int, low: float, tall: float, rough: float) -> Field:
    """Heights of a skyline (pixels from the top), one for each column."""
    line = clouds(rng, width, 8, rough, 5)[4]
    heights: Field = (low - tall * (0.5 + line)).astype(np.float32)
    return heights


def fill_below(canvas: Field, line: Field, colour: Field) -> None:
    """Everything under a skyline in one colour, its edge smooth."""
    rows = np.arange(canvas.shape[0], dtype=np.float32)[:, None]
    cover = np.clip(rows - line[None, :], 0, 1)[..., None]
    canvas += (colour - canvas) * cover


def crickets(shot: Shot, tape: Tape) -> None:
    t = times(shot.seconds)
    for k, f in enumerate((4100.0, 4550.0, 3800.0)):
        gate = np.clip(np.sin(2 * np.pi * (2.1 + 0.3 * k) * t + k), 0, 1) ** 2 * (
            0.5 + 0.5 * np.sin(2 * np.pi * 29 * t)
        )
        tape.add(0, (np.sin(2 * np.pi * f * t) * gate).astype(np.float32), 0.028, k - 1)
