"""What the proofs share: ground, pen, words that appear, a bell for every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw

from .canvas import (
    Pixels,
    Shot,
    bytes_of,
    clouds,
    ease,
    grid,
    rgb,
)
from .letters import put
from .sound import (
    Tape,
    bell,
    drum,
    note,
    pad,
    pluck,
)
from .type import word

Pen = ImageDraw.ImageDraw


Point = tuple[float, float]


FINE = 2  # drawn twice as large and reduced


def paper(shot: Shot, colour: str, ruled: str | None = None) -> Image.Image:
    """The ground at double size: a slate or a sheet, with its texture."""
    w, h = shot.width, shot.height
    x, y = grid(w, h)
    tone = 1.05 - 0.09 * np.hypot(x, y * 0.6) + 0.014 * clouds(shot.rng(8), w, h, 120, 5)
    canvas = rgb(colour) * tone[..., None].astype(np.float32)
    if ruled is not None:
        step = w // 15
        for k in range(0, w, step):
            canvas[:, k] += (rgb(ruled) - canvas[:, k]) * 0.35
        for k in range(0, h, step):
            canvas[k] += (rgb(ruled) - canvas[k]) * 0.35
    image = Image.fromarray(bytes_of(canvas))
    return image.resize((w * FINE, h * FINE), Image.Resampling.BILINEAR)


def frames_of(
    shot: Shot, ground: Image.Image, draw: Callable[[Pen, float], None]
) -> Iterator[Pixels]:
    """Calls draw(pen, part of the clip 0..1) on a copy of the ground for each frame."""
    for frame in range(shot.count):
        image = ground.copy()
        draw(ImageDraw.Draw(image), frame / (shot.count - 1))
        yield np.asarray(image.reduce(FINE))


def with_words(
    frames: Iterator[Pixels], shot: Shot, words: list[tuple[str, float, float, float, str, float]]
) -> Iterator[Pixels]:
    """Words (text, x, y, size as parts of the width, colour, since as part of the clip) over
    frames.
    """
    w = shot.width
    marks = [
        (word(t, round(s * w, 1)), x * w, y * w, rgb(c), since) for t, x, y, s, c, since in words
    ]
    for index, frame in enumerate(frames):
        part = index / (shot.count - 1)
        canvas = frame.astype(np.float32)
        for shaped, x, y, colour, since in marks:
            come = float(ease((part - since) * 9))
            if come > 0:
                put(canvas, shaped.whole(), x - shaped.width / 2, y, colour, come)
        yield bytes_of(canvas)


def steps(shot: Shot, moments: list[float], raga: str = "bilawal") -> Tape:
    """A bell for every moment (parts of the clip), climbing, over a soft chord."""
    tape = Tape(shot.seconds)
    tape.add(0, pad([note(raga, d, 130.8) for d in (0, 2, 4)], shot.seconds), 0.4)
    for k, part in enumerate(moments):
        tape.add(part * shot.seconds, bell(note(raga, k % 15, 261.6), 1.8), 0.5, (k % 5 - 2) / 4)
        tape.add(part * shot.seconds, drum("tap", 120), 0.3)
    beat = 0.5
    for k in range(int(shot.seconds / beat)):
        tape.add(k * beat, pluck(note(raga, (0, 4, 2, 4)[k % 4] - 7, 261.6), 1.0, 0.2), 0.22)
    return tape


def move(a: Point, b: Point, t: float) -> Point:
    e = float(ease(t))
    return (a[0] + (b[0] - a[0]) * e, a[1] + (b[1] - a[1]) * e)
