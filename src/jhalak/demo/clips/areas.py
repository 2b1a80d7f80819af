"""Proofs about areas: a circle unrolled, and 1/4 + 1/16 + ... = 1/3."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .canvas import (
    Pixels,
    Scene,
    Shot,
    ease,
    rgb,
    spring,
)
from .slate import FINE, Pen, frames_of, paper, steps, with_words


def unroll(shot: Shot) -> Scene:
    """Rings of a circle straighten into a triangle: half of 2πr times r."""
    w, h = shot.width * FINE, shot.height * FINE
    ground = paper(shot, "#f3eadb")
    rings = 13
    r = 0.135 * w
    cx, cy = w * 0.5, h * 0.30
    base = h * 0.74
    hues = [
        tuple(int(v) for v in rgb("#c8442e") * (1 - k / rings) + rgb("#f2c14e") * (k / rings))
        for k in range(rings)
    ]
    moments = [0.12 + 0.05 * k for k in range(rings)]

    def draw(pen: Pen, part: float) -> None:
        thick = r / rings
        for k in range(rings):  # from the outermost ring inward
            radius = r - k * thick - thick / 2
            t = float(ease((part - moments[k]) * 4.5))
            span = 2 * np.pi * radius
            goal_y = base - k * thick * 2.35
            bend = 1 - t
            s = np.linspace(-0.5, 0.5, 60)
            # an arc of the same length whose curvature fades to none, its middle sinking to the
            # pile
            angle = 2 * np.pi * bend
            if angle > 1e-3:
                reach = span / angle
                xs = cx + reach * np.sin(s * angle)
                ys = reach * np.cos(s * angle) - reach
            else:
                xs, ys = cx + s * span, np.zeros_like(s)
            middle = (cy + radius) * (1 - t) + goal_y * t
            points = list(zip(xs.tolist(), (middle + ys).tolist(), strict=True))
            wide = round(thick * (1.0 + 1.45 * t)) + 1
            pen.line(points, fill=hues[k], width=wide, joint="curve")
        if part > 0.86:
            pen.line(
                [
                    (cx - np.pi * r, base + thick * 1.5),
                    (cx + np.pi * r, base + thick * 1.5),
                    (cx, base - r * 2.5),
                    (cx - np.pi * r, base + thick * 1.5),
                ],
                fill="#2b2118",
                width=6,
                joint="curve",
            )

    words = [
        ("π", 0.44, base / w + 0.17, 0.13, "#2b2118", 0.88),
        ("r²", 0.545, base / w + 0.17, 0.13, "#2b2118", 0.88),
    ]
    frames = with_words(frames_of(shot, ground, draw), shot, words)
    return Scene(
        shot.width, shot.height, shot.fps, frames, steps(shot, moments, "bhupali").finish(0.35)
    )


_THREE = ("#12827c", "#e9a23b", "#c8442e")


def _squares(
    pen: Pen, w: float, corner: tuple[float, float], side: float, ages: list[float]
) -> None:
    """Three quarters of a square in three colours, then of the quarter that is left, and so on.

    `ages`: for each size, since when it stands, as a part of the clip.
    """
    (x, y), s = corner, side / 2
    for age in ages:
        for j, (cx, cy) in enumerate(((x, y + s), (x + s, y + s), (x, y))):
            half = s / 2 * w * spring((age - 0.02 * j) * 9)
            if half > 1:
                mx, my = (cx + s / 2) * w, (cy + s / 2) * w
                place = (mx - half, my - half, mx + half, my + half)
                pen.rectangle(place, fill=_THREE[j], outline="#fdf3e1", width=4)
        x, s = x + s, s / 2


def quarters(shot: Shot) -> Scene:
    w = shot.width * FINE
    ground = paper(shot, "#fdf3e1")
    side = 0.86
    x0, y0 = 0.07, 0.17
    moments = [0.04 + 0.13 * k for k in range(6)]

    def draw(pen: Pen, part: float) -> None:
        pen.rectangle((x0 * w, y0 * w, (x0 + side) * w, (y0 + side) * w), fill="#efe0c2")
        _squares(pen, w, (x0, y0), side, [part - m for m in moments if part > m])
        # below, each colour gathers into a bar of its own: all three the same
        for k, colour in enumerate(_THREE):
            grow = float(ease((part - 0.72 - 0.04 * k) * 6))
            top = (y0 + side + 0.10 + 0.085 * k) * w
            if grow > 0:
                pen.rectangle((x0 * w, top, (x0 + side * grow) * w, top + 0.055 * w), fill=colour)

    base = y0 + side + 0.53
    words = [
        ("1", 0.46, base - 0.03, 0.1, "#2b2118", 0.9),
        ("3", 0.46, base + 0.1, 0.1, "#2b2118", 0.9),
        ("=", 0.36, base + 0.03, 0.09, "#2b2118", 0.9),
    ]

    def ruled() -> Iterator[Pixels]:
        for index, frame in enumerate(with_words(frames_of(shot, ground, draw), shot, words)):
            if index / (shot.count - 1) > 0.92:
                frame = frame.copy()
                y, a, b = (round(v * shot.width) for v in (base, 0.41, 0.51))
                frame[y : y + 3, a:b] = (43, 33, 24)
            yield frame

    return Scene(
        shot.width,
        shot.height,
        shot.fps,
        ruled(),
        steps(shot, [*moments, 0.9], "hamsadhwani").finish(0.35),
    )
