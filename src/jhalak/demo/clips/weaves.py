"""Weaves: patola, bandhani, jaali, mirror-work, block print and a gamosa, thread by thread.

Cloth here is a small design repeated by mirrors, as a loom does it; ikat's feathered edges come
from shifting every thread a little. The lattice is a khatam: two squares, one turned by 45
degrees, on a grid.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .canvas import (
    Field,
    Pixels,
    Scene,
    Shot,
    bytes_of,
    clouds,
    dot,
    grid,
    rgb,
    spring,
    stamp,
)  # fmt: skip
from .lattice import jaali, mirrors
from .sound import Tape, drone, drum, note, phrase, pluck


def make(shot: Shot) -> Scene:
    return (_patola, _bandhani, jaali, mirrors, _print, _gamosa)[shot.variant % 6](shot)


def _loom(shot: Shot, raga: str, sa: float, beat: float) -> Tape:
    """Thak-thak of the batten, and a plucked tune over it."""
    tape = Tape(shot.seconds)
    rng = shot.rng(4)
    tape.add(0, drone(sa / 2, shot.seconds), 0.3)
    for k, at in enumerate(np.arange(0, shot.seconds - 0.1, beat)):
        tape.add(at, drum("tap", 90 + 25 * (k % 2)), 0.75, -0.3 + 0.6 * (k % 2))
        if k % 4 == 0:
            tape.add(at, drum("thud", 80), 0.6)
        if k % 4 == 2:
            tape.add(at, drum("ka"), 0.25)
    for k, d in enumerate(phrase(rng, int(shot.seconds / (beat * 2)) - 1, 0, 7)):
        tape.add(k * beat * 2, pluck(note(raga, d, sa), 1.3, 0.6), 0.5, (k % 3 - 1) / 3)
    return tape


def _woven(design: Pixels, unit: int, rng: np.random.Generator) -> Pixels:
    """A design of threads as cloth: each thread `unit` pixels wide, rounded, over and under."""
    cloth = design.repeat(unit, 0).repeat(unit, 1).astype(np.float32)
    h, w = cloth.shape[:2]
    across = 0.5 + 0.5 * np.cos((np.arange(w) % unit + 0.5 - unit / 2) / unit * np.pi)
    along = 0.5 + 0.5 * np.cos((np.arange(h) % unit + 0.5 - unit / 2) / unit * np.pi)
    over = ((np.arange(h) // unit)[:, None] + (np.arange(w) // unit)[None]) % 2
    light = np.where(over == 1, across[None, :], along[:, None])
    slub = 1 + 0.05 * rng.standard_normal((h // unit, 1)).repeat(unit, 0)
    shade = (0.74 + 0.32 * light) * slub
    return bytes_of(cloth * shade[..., None].astype(np.float32))


def _on_the_loom(shot: Shot, cloth: Pixels, unit: int, warp: str) -> Iterator[Pixels]:
    """The cloth grows upwards, row by row; a shuttle runs; above it only the warp is stretched."""
    h, w = cloth.shape[:2]
    rows = h // unit
    bare = np.empty((h, w, 3), dtype=np.float32)
    bare[:] = rgb("#17120f")
    stripe = ((np.arange(w) % unit) < max(1, unit // 2)).astype(np.float32)
    bare += (rgb(warp) * 0.55 - bare) * stripe[None, :, None]
    below = bytes_of(bare)
    canvas = below.copy()
    started = round(rows * 0.45)  # some of it is woven already
    canvas[h - started * unit :] = cloth[h - started * unit :]
    thread = started
    reed = rgb("#c89b5a")
    for frame in range(shot.count):
        goal = started + (rows - started) * min(1.0, (frame + 1) / shot.count / 0.93)
        while thread < int(goal):
            top = h - (thread + 1) * unit
            canvas[max(0, top) : top + unit] = cloth[max(0, top) : top + unit]
            thread += 1
        picture = canvas.copy()
        if thread < rows:
            part = goal - thread
            top = h - (thread + 1) * unit
            x = round((part if thread % 2 == 0 else 1 - part) * w)
            if thread % 2 == 0:
                picture[top : top + unit, :x] = cloth[top : top + unit, :x]
            else:
                picture[top : top + unit, x:] = cloth[top : top + unit, x:]
            a, b = max(0, x - unit * 5), min(w, x + unit * 5)
            y = max(0, top - unit)
            picture[y : top + unit, a:b] = reed
            bar = max(0, top - unit * 6)
            picture[max(0, bar - unit) : bar] = (92, 60, 34)
        yield picture


def _patola(shot: Shot) -> Scene:
    rng = shot.rng()
    unit = 5 if shot.width >= 500 else max(2, shot.width // 100)
    cols, rows = shot.width // unit, shot.height // unit
    inks = [
        rgb(c)
        for c in ("#7a0f1e", "#c1272d", "#e8a33d", "#fbf0d0", "#1f4d3a", "#12162f", "#a83279")
    ]
    x = np.abs(np.arange(cols) - (cols - 1) / 2)
    # every thread is shifted a little where it was tied: the feathered edge of ikat
    shift = rng.normal(0, 0.8, rows) + 0.8 * np.sin(np.arange(rows) * 0.7)
    period = 34
    y = np.arange(rows)[:, None] + rng.normal(0, 0.7, cols)[None, :]
    gx = (x[None, :] + shift[:, None]) % period - period / 2
    gy = y % period - period / 2
    diamond = np.abs(gx) + np.abs(gy)
    step = (diamond / 2.9).astype(int)
    design = np.take(np.array([2, 3, 0, 2, 1, 5, 1, 3, 0, 0, 4, 0, 0]), np.clip(step, 0, 12))
    small = np.abs((gx + period / 2) % period - period / 2) + np.abs(
        (gy + period / 2) % period - period / 2
    )
    design = np.where(small > period * 0.82, np.where(small > period * 0.92, 3, 6), design)
    cross = (np.minimum(np.abs(gx), np.abs(gy)) < 1.1) & (diamond < 12)
    design = np.where(cross, 3, design)
    edge = x[None, :] + 0.5 * shift[:, None]
    border = edge > cols / 2 - 13
    zig = (np.abs((np.arange(rows)[:, None] % 12) - 6) + (cols / 2 - edge)).astype(int)
    design = np.where(border, np.take(np.array([5, 5, 2, 2, 5, 3]), zig % 6), design)
    picture = np.array(inks)[design].astype(np.uint8)
    cloth = _woven(picture, unit, rng)
    tape = _loom(shot, "bilawal", 196, 0.24)
    h, w = cloth.shape[:2]
    return Scene(w, h, shot.fps, _on_the_loom(shot, cloth, unit, "#c1272d"), tape.finish(0.25))


def _gamosa(shot: Shot) -> Scene:
    rng = shot.rng()
    unit = 6 if shot.width >= 500 else max(2, shot.width // 90)
    cols, rows = shot.width // unit, shot.height // unit
    red = 1
    design = np.zeros((rows, cols), dtype=int)
    x = np.abs(np.arange(cols) - (cols - 1) / 2)[None, :]
    y = np.arange(rows)[:, None]
    design[:, :5] = design[:, -5:] = red
    design[:, 6:7] = design[:, -7:-6] = red
    bands = [(8, 4), (14, 1), (rows - 14, 4), (rows - 8, 1)]
    for start, thick in bands:
        design[start : start + thick] = red
    # rows of phul: flowers of steps, and between them small birds of squares
    for row, top in enumerate(range(24, rows - 24, 19)):
        span = 22
        gx = np.abs((x + (span / 2 if row % 2 else 0)) % span - span / 2)
        gy = np.abs(y - top - 5)
        d = gx + gy
        flower = (
            (d < 2.2)
            | ((d > 3.4) & (d < 5.4) & (np.minimum(gx, gy) < 3.0))
            | ((np.abs(gx - gy) < 1.1) & (d < 13) & (d > 6))
        )
        leaf = (gy < 1.1) & (gx > 6) & (gx < 9.5)
        design = np.where((flower | leaf) & (x < cols / 2 - 9), red, design)
    table = np.array([rgb("#fbf6ea"), rgb("#c2182b")])
    cloth = _woven(table[design].astype(np.uint8), unit, rng)
    tape = _loom(shot, "durga", 220, 0.22)
    h, w = cloth.shape[:2]
    return Scene(w, h, shot.fps, _on_the_loom(shot, cloth, unit, "#e8dcc2"), tape.finish(0.25))


def _bandhani(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    x, y = grid(w, h)
    folds = clouds(rng, w, h, w * 0.35, 4)
    base = (rgb("#8f0f2b") + (rgb("#c3123f") - rgb("#8f0f2b")) * (0.5 + 0.5 * folds)[..., None]) * (
        1.02 - 0.2 * np.hypot(x, y * 0.55)
    )[..., None]
    ring_shades = [rgb(c) for c in ("#fff3d6", "#ffd23f", "#fff3d6", "#7be0ad", "#ffb347")]
    knots: list[tuple[float, float, int, float]] = []  # x, y, shade, when (0..1)
    for ring in range(1, 27):
        radius = 0.062 * ring
        many = 6 * ring if ring % 5 else 12 * ring // 2
        petal = 1 + (0.16 * (ring % 6 in (2, 3)) * 1)
        for k in range(many):
            angle = 2 * np.pi * (k + 0.5 * (ring % 2)) / many
            r = radius * (1 + 0.09 * petal * np.cos(8 * angle)) if ring % 6 in (2, 3, 4) else radius
            if ring % 6 == 0 and k % 3 == 0:
                continue
            px, py = r * np.sin(angle), -r * np.cos(angle)
            knots.append((px, py, ring % 5, (ring - 1 + k / many) / 26))
    knots = [(a, b, c, d) for a, b, c, d in knots if abs(a) < 1.03 and abs(b) < h / w + 0.03]
    tape = Tape(shot.seconds)
    tape.add(0, drone(110, shot.seconds), 0.35)
    for k, d in enumerate(phrase(rng, int(shot.seconds / 0.27) - 2, 0, 8)):
        tape.add(k * 0.27, pluck(note("bhairav", d, 220), 1.5, 0.85), 0.4, (k % 5 - 2) / 4)
    for k, at in enumerate(np.arange(0, shot.seconds - 0.2, 0.27)):
        tape.add(at, drum(("ge", "na", "na", "tin", "ge", "na", "ka", "na")[k % 8], 130), 0.5)
    size = w * 0.0145
    span = np.arange(-int(size) - 2, int(size) + 3, dtype=np.float32)
    away = (np.abs(span[None]) ** 3 + np.abs(span[:, None]) ** 3) ** (
        1 / 3
    )  # a knot leaves a soft square
    knot = np.clip(size - away + 0.5, 0, 1) * (1 - 0.9 * np.clip(size * 0.42 - away + 0.5, 0, 1))

    def frames() -> Iterator[Pixels]:
        canvas = base.astype(np.float32)
        at = 0
        for frame in range(shot.count):
            upto = 0.22 + 0.80 * frame / shot.count
            while at < len(knots) and knots[at][3] <= upto:
                px, py, shade, _ = knots[at]
                jitter = rng.normal(0, 0.6, 2)
                cx, cy = (px + 1) / 2 * w + jitter[0], (py * w / h + 1) / 2 * h + jitter[1]
                stamp(canvas, knot.astype(np.float32), cx, cy, ring_shades[shade])
                at += 1
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.3))


def _buta(size: float) -> tuple[Field, Field, Field]:
    """A paisley in three blocks: outline, body, heart (masks of the same size)."""
    box = round(size * 1.5)
    t = np.linspace(0, 2 * np.pi, 120)

    def shape(scale: float, dy: float) -> NDArray[np.float64]:
        px = np.sin(t) * np.sin(t / 2) ** 1.5 * 0.62 * scale
        py = (-np.cos(t) * 0.9) * scale
        bend = 0.34 * np.clip(0.35 - py, 0, 2) ** 1.7
        return np.stack([px + bend * 0.55, py * 0.92 + dy], 1)

    masks = []
    for scale, dy, hole in ((1.0, 0.0, 0.9), (0.82, 0.05, 0.0), (0.42, 0.2, 0.0)):
        image = Image.new("L", (box * 4, box * 4), 0)
        pen = ImageDraw.Draw(image)
        pen.polygon(
            [tuple(p) for p in (shape(scale, dy) * size * 1.75 + box * 2).tolist()], fill=255
        )
        if hole:
            pen.polygon(
                [tuple(p) for p in (shape(hole, 0.03) * size * 1.75 + box * 2).tolist()], fill=0
            )
            for k in range(16):  # a fringe of dots
                p = shape(1.16, 0.0)[int(6 + k * 108 / 16)] * size * 1.75 + box * 2
                s = size * 0.06
                pen.ellipse((p[0] - s, p[1] - s, p[0] + s, p[1] + s), fill=255)
        masks.append(np.asarray(image.reduce(4), dtype=np.float32) / 255)
    return masks[0], masks[1], masks[2]


def _print(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    warm = clouds(rng, w, h, 120, 4)[..., None]
    base = rgb("#f3e3c3") * (1 + 0.035 * warm) + 3 * rng.standard_normal((h, w, 1))
    inks = (rgb("#1f2a44"), rgb("#b3261e"), rgb("#d99a1c"))
    step = w / 4
    outline, body, heart = _buta(step)
    grainy = [
        (m * (0.84 + 0.16 * rng.random(m.shape))).astype(np.float32) for m in (outline, body, heart)
    ]
    grainy = [m[: m.shape[0] // 2 * 2 - 1, : m.shape[1] // 2 * 2 - 1] for m in grainy]
    places = []
    rows = int(h / step) + 2
    for row in range(rows):
        for col in range(5):
            x = (col + (0.5 if row % 2 else 0.0)) * step
            places.append((x, (row + 0.15) * step * 0.98))
    # three passes, as with three blocks: first lines, then the body, then the heart
    jobs = [(pass_, x, y) for pass_ in (0, 1, 2) for x, y in places]
    start = len(places) // 2
    tape = Tape(shot.seconds)
    tape.add(0, drone(98, shot.seconds), 0.3)
    pace = shot.seconds * 0.95 / 36
    for k in range(36):
        tape.add(
            k * pace,
            drum("thud" if k % 2 == 0 else "tap", 85 + 8 * (k % 3)),
            0.8,
            (k % 4 - 1.5) / 3,
        )
        if k % 2 == 0:
            tape.add(
                k * pace,
                pluck(note("desh", (0, 2, 4, 3, 5, 4, 2, 1, 0)[k // 2 % 9], 196), 1.4, 0.5),
                0.5,
            )
    spark = dot(2, 1)

    def frames() -> Iterator[Pixels]:
        canvas = base.astype(np.float32)
        done = 0
        for frame in range(shot.count):
            goal = start + (len(jobs) - start) * min(1.0, (frame + 1) / shot.count / 0.95)
            while done < int(goal):
                pass_, x, y = jobs[done]
                dx, dy = rng.normal(0, 0.9, 2)
                stamp(canvas, grainy[pass_], x + dx, y + dy, inks[pass_])
                for k in range(6 if pass_ == 0 else 0):  # a little flower between the butas
                    a = np.pi * k / 3
                    fx, fy = x + step / 2 + 6 * np.cos(a), y + 6 * np.sin(a)
                    stamp(canvas, spark, fx, fy, inks[1])
                done += 1
            picture = canvas.copy()
            _selvedge(picture, inks[1], inks[0])
            if done < len(jobs):
                _block(picture, jobs[done][1], jobs[done][2], step, spring(1 - (goal - done)))
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.25))


def _selvedge(picture: Field, edge: Field, line: Field) -> None:
    w = picture.shape[1]
    border = round(w * 0.05)
    picture[:, :border] = picture[:, w - border :] = edge
    picture[:, border + 3 : border + 6] = picture[:, w - border - 6 : w - border - 3] = line


def _block(picture: Field, x: float, y: float, step: float, lift: float) -> None:
    """The wooden block over the cloth, with its shadow."""
    s = step * 0.4
    a, b = max(0, round(y - s - 14 * lift)), max(0, round(y + s - 14 * lift))
    c, d = max(0, round(x - s)), max(0, round(x + s))
    picture[a + 12 : b + 12, c + 8 : d + 8] *= 0.72
    picture[a:b, c:d] = rgb("#7a5230")
    picture[a : a + 5, c:d] = rgb("#a87945")
