"""Morning on the river, and snow on deodars: the sky from further down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from .canvas import (
    Field,
    Pixels,
    Scene,
    Shot,
    bytes_of,
    clouds,
    dot,
    ease,
    glow,
    rgb,
    splat,
    stamp,
    vertical,
)
from .land import fill_below, ridge
from .sound import (
    RATE,
    Tape,
    bell,
    chirp,
    coloured,
    drone,
    note,
    pad,
    phrase,
    pluck,
)


def river(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    line = round(h * 0.56)
    warm = vertical(["#5b6fa8", "#c58fa8", "#f7b184", "#ffd98f"], w, line)
    tape = Tape(shot.seconds)
    tape.add(0, drone(110, shot.seconds), 0.45)
    for k, d in enumerate(phrase(rng, int(shot.seconds / 0.45) - 1, 0, 7)):
        tape.add(0.2 + k * 0.45, pluck(note("bhairav", d, 220), 2.2, 0.85), 0.45, (k % 3 - 1) / 3)
    for at in np.arange(0.8, shot.seconds, 1.9):
        tape.add(at, bell(880, 2.6), 0.16, 0.4)  # a temple bell over the water
    n = round(shot.seconds * RATE)
    tape.add(0, coloured(61, n, 250, 1400), 0.02)
    for _ in range(int(shot.seconds * 2)):
        low = rng.uniform(2200, 3600)
        tape.add(
            rng.uniform(0, shot.seconds - 0.2),
            chirp(low, low * 1.3, 0.09),
            0.04,
            rng.uniform(-1, 1),
        )
    spires = Image.new("L", (w * 2, line * 2), 0)
    pen = ImageDraw.Draw(spires)
    x = -0.05 * w
    while x < w * 0.62:  # ghats and shikharas along the left bank
        wide, tall = rng.uniform(0.05, 0.12) * w, rng.uniform(0.05, 0.2) * h * (1 - 0.9 * x / w)
        if rng.random() < 0.5:
            curve = [
                (2 * (x + wide / 2 + s * wide / 2 * (1 - u**1.8)), 2 * (line - tall * u))
                for s in (-1, 1)
                for u in (np.linspace(0, 1, 9) if s < 0 else np.linspace(1, 0, 9))
            ]
            pen.polygon(curve, fill=255)
            pen.line(
                (
                    2 * (x + wide / 2),
                    2 * (line - tall * 1.16),
                    2 * (x + wide / 2),
                    2 * (line - tall),
                ),
                fill=255,
                width=3,
            )
        else:
            pen.rectangle((2 * x, 2 * (line - tall * 0.55), 2 * (x + wide), 2 * line), fill=255)
        x += wide * rng.uniform(0.75, 1.05)
    city = np.asarray(spires.reduce(2), dtype=np.float32)[..., None] / 255
    sun, halo = dot(w * 0.1, 4), glow(w * 0.75)
    boats = [
        (rng.uniform(0.1, 0.8), rng.uniform(0.62, 0.86), rng.uniform(0.6, 1.3)) for _ in range(3)
    ]
    rows = np.arange(h - line)
    gold = np.array([1, 0.85, 0.55], dtype=np.float32)
    deep = np.linspace(0, 1, h - line)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t, part = frame / shot.fps, frame / shot.count
            top = warm * (0.86 + 0.2 * part)
            sy = line * (0.97 - 0.34 * float(ease(part)))
            stamp(top, halo * np.float32(0.8), w * 0.66, sy, rgb("#ffd27a"))
            stamp(top, sun, w * 0.66, sy, rgb("#fff3d0"))
            top += (rgb("#4a2f45") - top) * city
            picture = np.empty((h, w, 3), dtype=np.float32)
            picture[:line] = top
            wave = (
                np.sin(rows * 0.9 + 4.2 * t) * (1 + 5 * deep)
                + np.sin(rows * 0.33 - 2.6 * t) * (1 + 8 * deep)
            ).astype(int)
            source = np.clip(line - 1 - (rows * 0.8 + wave * 0.5).astype(int), 0, line - 1)
            index = np.clip(np.arange(w)[None] + wave[:, None], 0, w - 1)
            picture[line:] = top[source[:, None], index] * (0.86 - 0.3 * deep)[:, None, None]
            glints = np.clip(np.sin(rows * 1.7 + 6 * t) - 0.2, 0, 1)[:, None] * np.exp(
                -(((np.arange(w)[None] - w * 0.66) / (w * (0.05 + 0.16 * deep[:, None]))) ** 2)
            )
            picture[line:] += (glints * 95)[..., None] * gold
            image = Image.fromarray(bytes_of(picture))
            boat = ImageDraw.Draw(image)
            for bx, by, size in boats:
                cx = (bx + 0.012 * t * size) * w
                cy = by * h + 1.5 * np.sin(1.7 * t + bx * 9)
                s = w * 0.075 * size
                hull = [
                    (cx - s, cy - s * 0.12),
                    (cx - s * 0.7, cy + s * 0.2),
                    (cx + s * 0.7, cy + s * 0.2),
                    (cx + s, cy - s * 0.12),
                ]
                boat.polygon(hull, fill="#2c1a26")
                boat.ellipse(
                    (cx - s * 0.1, cy - s * 0.62, cx + s * 0.1, cy - s * 0.42), fill="#2c1a26"
                )
                boat.polygon(
                    [(cx - s * 0.16, cy), (cx, cy - s * 0.45), (cx + s * 0.16, cy)], fill="#2c1a26"
                )
                boat.line(
                    (
                        cx + s * 0.05,
                        cy - s * 0.3,
                        cx + s * (0.5 + 0.12 * np.sin(2 * t)),
                        cy + s * 0.35,
                    ),
                    fill="#2c1a26",
                    width=2,
                )
            yield np.asarray(image)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def snow(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    sky = vertical(["#8fa9c4", "#b9cbdc", "#dfe7ee", "#f3f4f2"], w, h)
    for k, colour in enumerate(("#a9bccd", "#8ba3b8")):  # far peaks with white caps
        line = ridge(rng, w, h * (0.42 + 0.1 * k), h * 0.26, w * 0.45)
        fill_below(sky, line, rgb(colour))
        rows = np.arange(h, dtype=np.float32)[:, None]
        # snow lies on all that is high, and runs down the gullies
        snowline = h * (0.41 + 0.09 * k) + h * 0.07 * clouds(rng, w, 8, w * 0.09, 4)[3][None]
        white = np.clip((snowline - rows) / 3, 0, 1) * np.clip(rows - line[None], 0, 1)
        # the sun stands on the right: slopes that fall to the left lie in blue shade
        smooth = np.convolve(np.pad(line, 12, mode="edge"), np.ones(25) / 25, "valid")
        lit = np.clip(0.5 - 0.8 * np.gradient(smooth)[None] + 0.25 * clouds(rng, w, h, 50, 4), 0, 1)
        snow = rgb("#c4d5e6") + (rgb("#ffffff") - rgb("#c4d5e6")) * lit[..., None]
        sky += (snow - sky) * white[..., None]
    for depth in range(3):
        fill_below(
            sky,
            ridge(rng, w, h * (0.70 + 0.1 * depth), h * 0.04, w * 0.4),
            rgb(("#dfe8ef", "#edf2f6", "#ffffff")[depth]),
        )
        for _ in range((15, 9, 5)[depth]):
            x, size = rng.uniform(0, w), h * (0.10, 0.17, 0.27)[depth] * rng.uniform(0.75, 1.15)
            _deodar(
                sky,
                rng,
                x,
                h * (0.715 + 0.105 * depth),
                size,
                ("#5f7d80", "#375a58", "#173a38")[depth],
            )
    tape = Tape(shot.seconds)
    tape.add(0, coloured(71, round(shot.seconds * RATE), 200, 700), 0.05)
    tape.add(0, pad([note("bhupali", d, 146.8) for d in (0, 2, 4)], shot.seconds), 0.5)
    for k, d in enumerate(phrase(rng, int(shot.seconds / 0.5) - 1, 2, 9)):
        tape.add(0.1 + k * 0.5, bell(note("bhupali", d, 293.7), 2.2), 0.35, (k % 5 - 2) / 3)
    many = 520
    x0, y0, close = rng.uniform(0, w, many), rng.uniform(0, h, many), rng.uniform(0.3, 1.5, many)
    sway = rng.uniform(0, 6, many)
    near = close > 1.25
    weight = np.float32(0.75) * close.astype(np.float32)
    flake = dot(w * 0.0065, 2.5)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            px = ((x0 + 20 * np.sin(0.8 * t + sway) * close + 14 * t) % w).astype(np.float32)
            py = ((y0 + h * 0.11 * close * t) % h).astype(np.float32)
            light = splat(px, py, weight, w, h)
            light[1:] += 0.6 * light[:-1]
            light[:, 1:] += 0.6 * light[:, :-1]
            picture = sky + (255 - sky) * np.minimum(light, 1)[..., None]
            for k in np.flatnonzero(near):
                stamp(picture, flake, float(px[k]), float(py[k]), rgb("#ffffff"))
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _deodar(
    canvas: Field, rng: np.random.Generator, x: float, foot: float, tall: float, colour: str
) -> None:
    """A cedar: tiers of branches, each with snow on its back."""
    reach = round(tall * 0.3) + 3
    x0, y0 = max(0, int(x) - reach), max(0, int(foot - tall) - 3)
    x1, y1 = min(canvas.shape[1], int(x) + reach), min(canvas.shape[0], int(foot) + 3)
    if x0 >= x1 or y0 >= y1:
        return
    tree = Image.fromarray(bytes_of(canvas[y0:y1, x0:x1])).resize(((x1 - x0) * 3, (y1 - y0) * 3))
    pen = ImageDraw.Draw(tree)
    cx, base = (x - x0) * 3, (foot - y0) * 3
    tiers = 9
    for k in range(tiers):
        top = base - tall * 3 * (1 - k / tiers * 0.93)
        low = top + tall * 3 * 0.2
        half = tall * 3 * 0.26 * ((k + 1) / tiers) ** 0.9 * rng.uniform(0.85, 1.1)
        pen.polygon(
            [(cx, top), (cx + half, low), (cx, low - tall * 0.12), (cx - half, low)], fill=colour
        )
        pen.line(
            [(cx - half, low), (cx, top + tall * 0.1), (cx + half * 0.5, (top + low) / 2)],
            fill="#f4f8fa",
            width=max(1, round(tall * 0.014)),
        )
    canvas[y0:y1, x0:x1] = np.asarray(tree.reduce(3), dtype=np.float32)
