"""What every painter here shares: a shot's measures, colour ramps, soft noise, light points,
easing.

A *scene* is a lazy run of RGB frames plus the sound that belongs to them. Painters work at a
size that suits their style (often half) and the encoder scales up, because smooth fields
survive that and cost a quarter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

Field = NDArray[np.floating[Any]]  # float32 wherever it is large
Pixels = NDArray[np.uint8]
Sound = NDArray[np.int16]


@dataclass(frozen=True)
class Shot:
    """One order to a painter: `seed` and `variant` choose the picture; sizes in pixels, time in
    seconds.
    """

    seed: int
    variant: int = 0
    seconds: float = 8.0
    width: int = 540
    height: int = 960
    fps: int = 24

    @property
    def count(self) -> int:
        """Number of frames."""
        return max(2, round(self.seconds * self.fps))

    def rng(self, salt: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.variant, salt])

    def size(self, divisor: float) -> tuple[int, int]:
        """Width and height of a smaller working canvas, both even."""
        return (
            max(2, round(self.width / divisor / 2) * 2),
            max(2, round(self.height / divisor / 2) * 2),
        )


@dataclass(frozen=True)
class Scene:
    """Frames are uint8 (height, width, 3), all of one size; sound is int16 (samples, 2) at
    `sound.RATE`.
    """

    width: int
    height: int
    fps: int
    frames: Iterator[Pixels]
    sound: Sound
    crisp: bool = False  # scale up by whole pixels, not smoothly


def rgb(colour: str) -> Field:
    """A CSS colour as three floats 0..255."""
    return np.array(ImageColor.getrgb(colour)[:3], dtype=np.float32)


def ramp(colours: Sequence[str], steps: int = 256, *, cyclic: bool = False) -> Pixels:
    """A lookup table (steps, 3) that runs smoothly through the colours."""
    stops = np.array(
        [rgb(c) for c in (*colours, colours[0])] if cyclic else [rgb(c) for c in colours]
    )
    place = np.linspace(0, len(stops) - 1, steps, endpoint=not cyclic)
    low = np.minimum(place.astype(int), len(stops) - 2)
    part = (place - low)[:, None]
    part = part * part * (3 - 2 * part)
    mixed: Pixels = (stops[low] * (1 - part) + stops[low + 1] * part).round().astype(np.uint8)
    return mixed


def paint(field: Field, table: Pixels) -> Pixels:
    """A field 0..1 through a lookup table."""
    index = np.clip(field * (len(table) - 1), 0, len(table) - 1).astype(np.intp)
    painted: Pixels = table.take(index, axis=0)
    return painted


def grid(width: int, height: int) -> tuple[Field, Field]:
    """x in -1..1 across the width, y in the same unit, downwards, zero in the middle."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1) * (height / width)
    gx, gy = np.meshgrid(x, y)
    return gx.astype(np.float32), gy.astype(np.float32)


def noise(rng: np.random.Generator, width: int, height: int, cell: float) -> Field:
    """Soft value noise, about -1..1; `cell` is the size of a blob in pixels."""
    coarse = (max(2, round(width / cell)) + 3, max(2, round(height / cell)) + 3)
    seed = rng.uniform(-1, 1, (coarse[1], coarse[0])).astype(np.float32)
    image = Image.fromarray(seed)
    soft = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(soft, dtype=np.float32).copy()


def clouds(
    rng: np.random.Generator, width: int, height: int, cell: float, octaves: int = 4
) -> Field:
    """Noise over noise, each half as large and half as strong; about -1..1."""
    total = np.zeros((height, width), dtype=np.float32)
    for octave in range(octaves):
        total += noise(rng, width, height, max(1.5, cell / 2**octave)) / 2**octave
    return total / 1.6


def splat(x: Field, y: Field, weight: Field | float, width: int, height: int) -> Field:
    """Points of light on a float canvas, each spread over its four neighbours, so that slow
    things move smoothly.
    """
    inside = (x >= 0) & (y >= 0) & (x < width - 1) & (y < height - 1)
    x, y = x[inside], y[inside]
    w = weight[inside] if isinstance(weight, np.ndarray) else np.float32(weight)
    ix, iy = x.astype(np.int32), y.astype(np.int32)
    fx, fy = x - ix, y - iy
    base = iy * width + ix
    index = np.concatenate([base, base + 1, base + width, base + width + 1])
    share = np.concatenate(
        [(1 - fx) * (1 - fy) * w, fx * (1 - fy) * w, (1 - fx) * fy * w, fx * fy * w]
    )
    flat = np.bincount(index, weights=share, minlength=width * height)
    return flat.astype(np.float32).reshape(height, width)


def resize(field: Field, width: int, height: int) -> Field:
    """A float field at another size, bicubic."""
    image = Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32)


def dot(radius: float, soft: float = 1.0) -> Field:
    """A round stamp (2r+3 square), 1 inside, falling to 0 over `soft` pixels."""
    reach = int(np.ceil(radius + soft)) + 1
    span = np.arange(-reach, reach + 1, dtype=np.float32)
    away = np.hypot(span[None, :], span[:, None])
    return np.clip((radius + soft / 2 - away) / soft, 0, 1).astype(np.float32)


def glow(radius: float) -> Field:
    """A soft light, 1 in the middle, 0 at the rim."""
    reach = int(np.ceil(radius))
    span = np.arange(-reach, reach + 1, dtype=np.float32) / radius
    away = np.minimum(1, np.hypot(span[None, :], span[:, None]))
    light: Field = ((1 - away) ** 2.2).astype(np.float32)
    return light


def stamp(canvas: Field, mark: Field, x: float, y: float, colour: Field) -> None:
    """Blend a mark of one colour onto a float canvas (h, w, 3), centred at x, y; what hangs
    over is cut.
    """
    reach = mark.shape[0] // 2
    left, top = round(x) - reach, round(y) - reach
    height, width = canvas.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + mark.shape[1]), min(height, top + mark.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    part = mark[y0 - top : y1 - top, x0 - left : x1 - left, None]
    spot = canvas[y0:y1, x0:x1]
    spot += (colour - spot) * part


def ease(t: float | Field) -> float | Field:
    """0..1 to 0..1, slow at both ends."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def spring(t: float) -> float:
    """0..1 to 1 with a small overshoot, for things that arrive."""
    t = min(max(t, 0.0), 1.0)
    return float(1 + 2.2 * (t - 1) ** 3 + 1.2 * (t - 1) ** 2)


def vertical(colours: Sequence[str], width: int, height: int) -> Field:
    """A gradient from the top colour to the bottom one, floats (h, w, 3)."""
    table = ramp(colours, height).astype(np.float32)
    return np.repeat(table[:, None, :], width, axis=1)


def bytes_of(canvas: Field) -> Pixels:
    """Floats 0..255 to pixels."""
    return np.clip(canvas, 0, 255).astype(np.uint8)
