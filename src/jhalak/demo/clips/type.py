"""Words as shapes: outlines of shaped text from words.json, filled into masks of any size.

The words were shaped once (HarfBuzz over the Noto fonts that the site serves, OFL-1.1) and are
kept as outlines, one part for each akshara. So conjuncts, matras and Nastaliq's descent are
right on every machine, with no font, no shaper and no bidi library at run time, and letters can
move one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from .canvas import Field

Contour = list[tuple[float, float]]
_FINE = 4  # drawn this much larger, then reduced: smooth edges


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(Path(__file__).with_name("words.json").read_text("utf-8"))
    return words


@dataclass(frozen=True)
class Mark:
    """A filled shape: `mask` 0..1 (h, w); `x`, `y` where its top left lies, pixels from the
    word's start on the baseline.
    """

    mask: Field
    x: int
    y: int


@dataclass(frozen=True)
class Word:
    """A word at one size: its aksharas in reading order and its advance, in pixels."""

    parts: tuple[Mark, ...]
    width: float

    def whole(self) -> Mark:
        """All parts as one mark."""
        x0 = min(p.x for p in self.parts)
        y0 = min(p.y for p in self.parts)
        x1 = max(p.x + p.mask.shape[1] for p in self.parts)
        y1 = max(p.y + p.mask.shape[0] for p in self.parts)
        mask = np.zeros((y1 - y0, x1 - x0), dtype=np.float32)
        for p in self.parts:
            h, w = p.mask.shape
            spot = mask[p.y - y0 : p.y - y0 + h, p.x - x0 : p.x - x0 + w]
            np.maximum(spot, p.mask, out=spot)
        return Mark(mask, x0, y0)


def names(script: str) -> tuple[str, ...]:
    """All words of a script that are kept."""
    return tuple(word for word, entry in _words().items() if entry["script"] == script)


@lru_cache(maxsize=512)
def word(text: str, size: float) -> Word:
    """`text` with an em of `size` pixels. KeyError: not in words.json."""
    entry = _words()[text]
    scale = size / 1000
    parts = tuple(_fill(_contours(path), scale) for path in entry["parts"])
    return Word(parts, entry["advance"] * scale)


def fitting(text: str, width: float, tallest: float = 400) -> Word:
    """`text` as large as fits into `width` pixels, its em no more than `tallest`."""
    advance = _words()[text]["advance"]
    return word(text, min(tallest, width * 1000 / advance))


def _contours(path: str) -> list[Contour]:
    """Outlines with their curves made of short lines, in 1/1000 em."""
    done: list[Contour] = []
    line: Contour = []
    bits = path.split()
    i = 0
    while i < len(bits):
        kind = bits[i]
        many = {"M": 2, "L": 2, "Q": 4, "C": 6}[kind]
        n = [float(b) for b in bits[i + 1 : i + 1 + many]]
        i += 1 + many
        if kind == "M":
            line = [(n[0], n[1])]
            done.append(line)
            continue
        x0, y0 = line[-1]
        if kind == "L":
            line.append((n[0], n[1]))
        elif kind == "Q":
            for t in (0.2, 0.4, 0.6, 0.8, 1.0):
                a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
                line.append((a * x0 + b * n[0] + c * n[2], a * y0 + b * n[1] + c * n[3]))
        else:
            for t in (0.17, 0.33, 0.5, 0.67, 0.83, 1.0):
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                line.append(
                    (
                        a * x0 + b * n[0] + c * n[2] + d * n[4],
                        a * y0 + b * n[1] + c * n[3] + d * n[5],
                    )
                )
    return [c for c in done if len(c) > 2]


def _area(contour: Contour) -> float:
    total = 0.0
    for (x0, y0), (x1, y1) in zip(contour, contour[1:] + contour[:1], strict=True):
        total += x0 * y1 - x1 * y0
    return total / 2


def _fill(contours: list[Contour], scale: float) -> Mark:
    """Non-zero winding: strokes that overlap stay filled, counters (drawn the other way) are
    cut.
    """
    xs = [x for c in contours for x, _ in c]
    ys = [y for c in contours for _, y in c]
    x0, y0 = int(np.floor(min(xs) * scale)) - 1, int(np.floor(min(ys) * scale)) - 1
    w = int(np.ceil(max(xs) * scale)) + 2 - x0
    h = int(np.ceil(max(ys) * scale)) + 2 - y0
    full = Image.new("L", (w * _FINE, h * _FINE), 0)
    holes = Image.new("L", full.size, 0)
    outer = np.sign(_area(max(contours, key=lambda c: abs(_area(c)))))
    for contour in contours:
        points = [((x * scale - x0) * _FINE, (y * scale - y0) * _FINE) for x, y in contour]
        target = full if np.sign(_area(contour)) == outer else holes
        ImageDraw.Draw(target).polygon(points, fill=255)
    mask = ImageChops.subtract(full, holes).reduce(_FINE)
    return Mark(np.asarray(mask, dtype=np.float32) / 255, x0, y0)
