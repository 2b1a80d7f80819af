"""Maths: proofs without words, drawn as chalk or paper shapes.

Pythagoras by moving four triangles (known in India as in China for two thousand years), odd
numbers into squares, the sine from a wheel, epicycles (Fourier), the area of a circle unrolled,
and 1/4 + 1/16 + ... = 1/3.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .areas import quarters, unroll
from .canvas import Pixels, Scene, Shot, bytes_of, ease, rgb, spring
from .letters import put
from .slate import FINE, Pen, Point, frames_of, move, paper, steps, with_words
from .type import word


def make(shot: Shot) -> Scene:
    return (_pythagoras, _odd, _sine, _epicycles, unroll, quarters)[shot.variant % 6](shot)


def _pythagoras(shot: Shot) -> Scene:
    w, h = shot.width * FINE, shot.height * FINE
    ground = paper(shot, "#f6efe0", "#d8cbb0")
    a, b = (0.30, 0.50) if shot.seed % 2 else (0.34, 0.46)
    side = a + b
    x0, y0 = (1 - side) / 2, (h / w - side) / 2
    hues = ("#c8442e", "#e9a23b", "#12827c", "#3a5ba0")
    # each triangle: three corners around the big square (c² left free), then three in two
    # rectangles (a², b² free)
    first = (
        ((0, 0), (a, 0), (0, b)), ((side, 0), (side, a), (a, 0)),
        ((side, side), (b, side), (side, a)), ((0, side), (0, b), (b, side)),
    )  # fmt: skip
    last = (
        ((0, 0), (a, 0), (0, b)), ((a, b), (0, b), (a, 0)),
        ((side, side), (a, side), (side, b)), ((a, b), (side, b), (a, side)),
    )  # fmt: skip

    def draw(pen: Pen, part: float) -> None:
        swing = (part - 0.34) / 0.36

        def at(p: Point) -> Point:
            return ((x0 + p[0]) * w, (y0 + p[1]) * w)

        pen.rectangle((*at((0, 0)), *at((side, side))), fill="#fffaf0", outline="#2b2118", width=6)
        if swing < 0:
            tilted = [at((a, 0)), at((side, a)), at((b, side)), at((0, b))]
            grow = float(ease(part * 8))
            pen.polygon(tilted, fill="#fff1c9" if grow > 0.5 else "#fffaf0")
        elif swing > 1:
            pen.rectangle((*at((a, 0)), *at((side, b))), fill="#fff1c9")
            pen.rectangle((*at((0, b)), *at((a, side))), fill="#fff1c9")
        for k in range(4):
            come = spring((part - 0.03 * k) * 7 + 0.5)
            t = min(max(swing * 1.6 - 0.2 * k, 0.0), 1.0)
            points = [at(move(p, q, t)) for p, q in zip(first[k], last[k], strict=True)]
            cx = sum(p[0] for p in points) / 3
            cy = sum(p[1] for p in points) / 3
            pen.polygon(
                [(cx + (x - cx) * come, cy + (y - cy) * come) for x, y in points],
                fill=hues[k], outline="#2b2118", width=4,
            )  # fmt: skip
        pen.rectangle((*at((0, 0)), *at((side, side))), outline="#2b2118", width=6)

    ink = "#2b2118"
    before = [("c²", 0.5, y0 + side / 2 + 0.045, 0.14, ink, 0.08)]
    after = [
        ("b²", x0 + a + b / 2, y0 + b / 2 + 0.045, 0.13, ink, 0.76),
        ("a²", x0 + a / 2, y0 + b + a / 2 + 0.04, 0.11, ink, 0.8),
    ]
    line = [
        (t, 0.5 + dx, y0 + side + 0.2, 0.1, "#c8442e", 0.86)
        for t, dx in (("a²", -0.26), ("+", -0.13), ("b²", 0.0), ("=", 0.13), ("c²", 0.26))
    ]

    def frames() -> Iterator[Pixels]:
        plain = frames_of(shot, ground, draw)
        early = with_words(plain, shot, [*after, *line])
        shaped = word("c²", round(0.14 * shot.width, 1))
        for index, frame in enumerate(early):
            part = index / (shot.count - 1)
            show = float(ease((part - 0.08) * 9)) * (1 - float(ease((part - 0.30) * 14)))
            if show <= 0:
                yield frame
                continue
            canvas = frame.astype(np.float32)
            _, x, y, _, colour, _ = before[0]
            put(
                canvas,
                shaped.whole(),
                x * shot.width - shaped.width / 2,
                y * shot.width,
                rgb(colour),
                show,
            )
            yield bytes_of(canvas)

    return Scene(
        shot.width,
        shot.height,
        shot.fps,
        frames(),
        steps(shot, [0.02, 0.06, 0.1, 0.14, 0.36, 0.44, 0.52, 0.6, 0.78, 0.82, 0.88]).finish(0.35),
    )


def _odd(shot: Shot) -> Scene:
    w = shot.width * FINE
    size = 7
    ground = paper(shot, "#16324f")
    unit = 0.86 / size
    x0, y0 = 0.07, shot.height / shot.width * 0.5 - 0.43 - 0.06
    hues = ("#f2a900", "#ef6f6c", "#7ad3c2", "#f7d6a3", "#c792ea", "#8fd14f", "#ff9f68")
    moments = [0.03 + 0.115 * k for k in range(size)]

    def draw(pen: Pen, part: float) -> None:
        for k in range(size):
            cells = [(k, j) for j in range(k + 1)] + [(i, k) for i in range(k - 1, -1, -1)]
            for i, (cx, cy) in enumerate(cells):
                t = (part - moments[k]) * 11 - 0.55 * i / max(1, len(cells))
                if t <= 0:
                    continue
                come = spring(min(t, 1.0))
                r = unit * 0.42 * come * w
                x = (x0 + unit * (cx + 0.5)) * w
                y = (y0 + unit * (size - 1 - cy + 0.5)) * w - (1 - min(1.0, t)) * 0.5 * w
                pen.rounded_rectangle((x - r, y - r, x + r, y + r), radius=r * 0.35, fill=hues[k])

    words = [
        (
            str(2 * k + 1),
            x0 + unit * (k + 0.5),
            y0 + size * unit + 0.12,
            0.075,
            hues[k],
            moments[k] + 0.02,
        )
        for k in range(size)
    ]
    words += [
        ("+", x0 + unit * (k + 1), y0 + size * unit + 0.115, 0.05, "#e8eef5", moments[k + 1])
        for k in range(size - 1)
    ]
    words += [
        ("=", 0.36, y0 + size * unit + 0.30, 0.12, "#e8eef5", 0.86),
        ("7²", 0.56, y0 + size * unit + 0.30, 0.15, "#f2a900", 0.88),
    ]
    frames = with_words(frames_of(shot, ground, draw), shot, words)
    return Scene(
        shot.width, shot.height, shot.fps, frames, steps(shot, [*moments, 0.88]).finish(0.35)
    )


def _sine(shot: Shot) -> Scene:
    w, h = shot.width * FINE, shot.height * FINE
    ground = paper(shot, "#20252e", "#3a4454")
    moments = [k / 16 for k in range(16)]
    r, cx, cy = w * 0.27, w * 0.5, h * 0.27
    three = shot.seed % 2

    def draw(pen: Pen, part: float) -> None:
        turn = part * 2 * np.pi * 3
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), outline="#f4efe2", width=6)
        pen.line((cx - r, cy, cx + r, cy), fill="#6b7688", width=2)
        pen.line((cx, cy - r, cx, h), fill="#6b7688", width=2)
        for k, colour in enumerate(("#f2a900", "#59d8c9", "#ff6b6b")[: 1 + 2 * three or 1]):
            a = turn + k * 2 * np.pi / 3
            px, py = cx + r * np.cos(a), cy + r * np.sin(a)
            pen.line((cx, cy, px, py), fill=colour, width=6)
            level = cy + r * 1.25
            pen.line((px, py, px, level), fill=colour, width=2)
            # the wave runs down the page: what the wheel's point did before, lower
            back = np.linspace(0, 1, 150)
            xs = cx + r * np.cos(a - back * 4 * np.pi)
            ys = level + back * (h - level)
            pen.line(
                list(zip(xs.tolist(), ys.tolist(), strict=True)),
                fill=colour,
                width=8,
                joint="curve",
            )
            s = 16
            pen.ellipse((px - s, py - s, px + s, py + s), fill=colour)
            pen.ellipse((px - 11, level - 11, px + 11, level + 11), fill="#ffffff")

    return Scene(
        shot.width,
        shot.height,
        shot.fps,
        frames_of(shot, ground, draw),
        steps(shot, moments, "desh").finish(0.35),
    )


def _epicycles(shot: Shot) -> Scene:
    w, h = shot.width * FINE, shot.height * FINE
    ground = paper(shot, "#0f1e2e")
    rng = shot.rng()
    fold = int(rng.choice([5, 6, 7]))
    speeds = (1, 1 + fold, 1 - fold, 1 + 2 * fold)
    sizes = np.array([0.235, 0.115, 0.07, 0.032]) * w
    phases = np.zeros(4)
    moments = [k / (fold * 2) for k in range(fold * 2)]
    u = np.linspace(0, 1, 900)
    path = sum(
        s * np.exp(1j * (2 * np.pi * v * u + p))
        for s, v, p in zip(sizes, speeds, phases, strict=True)
    )
    path = path + complex(w / 2, h / 2)
    track = list(zip(path.real.tolist(), path.imag.tolist(), strict=True))

    def draw(pen: Pen, part: float) -> None:
        upto = max(2, int(min(1.0, part / 0.92) * len(track)))
        pen.line(track[:upto], fill="#f2a900", width=9, joint="curve")
        pen.line(track[max(0, upto - 60) : upto], fill="#fff3cf", width=11, joint="curve")
        here = complex(w / 2, h / 2)
        now = u[upto - 1]
        for s, v, p in zip(sizes, speeds, phases, strict=True):
            after = here + s * np.exp(1j * (2 * np.pi * v * now + p))
            pen.ellipse(
                (here.real - s, here.imag - s, here.real + s, here.imag + s),
                outline="#7f9bb8",
                width=3,
            )
            pen.line((here.real, here.imag, after.real, after.imag), fill="#ff6b6b", width=5)
            here = after
        pen.ellipse(
            (here.real - 12, here.imag - 12, here.real + 12, here.imag + 12), fill="#ffffff"
        )

    return Scene(
        shot.width,
        shot.height,
        shot.fps,
        frames_of(shot, ground, draw),
        steps(shot, moments, "yaman").finish(0.4),
    )
