"""A picture for a person from their handle: a small mandala in two colours of their own. Same
handle, same picture.
"""

from __future__ import annotations

import hashlib
import io

import numpy as np
from PIL import Image

from .canvas import bytes_of, grid, rgb

_PAIRS = (
    ("#0e0f1a", "#f2a900", "#fff1cc"),
    ("#12827c", "#fdf0d5", "#f2a900"),
    ("#9c2a4d", "#ffd6a5", "#fff4e6"),
    ("#1d3557", "#a8dadc", "#f1faee"),
    ("#5a189a", "#ff9e00", "#ffd6ff"),
    ("#c8442e", "#fff3e4", "#ffd166"),
    ("#14532d", "#bbf7d0", "#fde68a"),
    ("#e2725b", "#2b1b4e", "#fff8e7"),
)


def avatar(handle: str, size: int = 256) -> bytes:
    """PNG, size x size pixels."""
    digest = hashlib.sha256(handle.encode()).digest()
    rng = np.random.default_rng(list(digest[:8]))
    x, y = grid(size * 2, size * 2)
    r, a = np.hypot(x, y), np.arctan2(y, x)
    ground, main, light = (rgb(c) for c in _PAIRS[digest[8] % len(_PAIRS)])
    canvas = np.broadcast_to(ground, (size * 2, size * 2, 3)).astype(np.float32)
    fold = int(rng.choice([5, 6, 8, 9, 12]))
    for ring in range(4):
        radius = 0.92 - 0.22 * ring
        wave = np.cos(a * fold + (ring % 2) * np.pi + rng.uniform(0, 0.4))
        edge = radius * (0.86 + rng.uniform(0.04, 0.16) * wave)
        inside = np.clip((edge - r) * size / 2, 0, 1)[..., None]
        colour = (main, ground, light, main)[ring]
        canvas += (colour - canvas) * inside
    core = np.clip((0.13 - r) * size / 2, 0, 1)[..., None]
    canvas += (light - canvas) * core
    out = io.BytesIO()
    Image.fromarray(bytes_of(canvas)).reduce(2).save(out, "PNG")
    return out.getvalue()
