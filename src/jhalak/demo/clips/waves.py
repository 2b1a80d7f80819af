"""Waves: a ripple tank, interference, Chladni's sand, ridges of sound, moire rings, a printed
sea.

The ripple tank is the discrete wave equation; Chladni's figures are the nodal lines of a square
plate, cos(n x) cos(m y) - cos(m x) cos(n y) (Chladni 1787). Each drop, source or plate is also
what is heard.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .canvas import (
    Field,
    Pixels,
    Scene,
    Shot,
    bytes_of,
    ease,
    grid,
    noise,
    paint,
    ramp,
    resize,
    rgb,
    splat,
)
from .sound import RATE, Tape, bell, chirp, coloured, drone, envelope, note, pad, times


def make(shot: Shot) -> Scene:
    return (_tank, _interference, _sand, _ridges, _moire, _sea)[shot.variant % 6](shot)


def _tank(shot: Shot) -> Scene:
    w, h = shot.size(3)
    rng = shot.rng()
    table = ramp(["#021526", "#04395e", "#0a7ea4", "#5fd0d3", "#f4fbef"])
    beats = np.arange(0.15, shot.seconds - 0.4, 0.62)
    tape = Tape(shot.seconds)
    tape.add(0, drone(110, shot.seconds), 0.25)
    drops = []
    for index, at in enumerate(beats):
        degree = int(rng.choice([0, 2, 3, 4, 5, 7]))
        place = (rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.88))
        drops.append((round(at * shot.fps), place, 1 if index % 3 else 2))
        pan = place[0] * 2 - 1
        tape.add(at, chirp(500, 1500, 0.07), 0.25, pan)
        tape.add(at + 0.03, bell(note("bhupali", degree, 261.6), 2.2), 0.5, pan)

    def frames() -> Iterator[Pixels]:
        now: Field = np.zeros((h, w), dtype=np.float32)
        old: Field = now.copy()
        gx, gy = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        depth = noise(rng, w, h, w / 3) * 0.06
        for frame in range(shot.count):
            for start, (px, py), size in drops:
                if 0 <= frame - start < 3:
                    away = ((gx - px * w) ** 2 + (gy - py * h) ** 2) / (w / 26 * size) ** 2
                    now += 0.3 * np.exp(-away)
            for _ in range(3):
                around = np.zeros_like(now)
                around[1:-1, 1:-1] = (
                    now[:-2, 1:-1] + now[2:, 1:-1] + now[1:-1, :-2] + now[1:-1, 2:]
                ) * 0.5 - 2 * now[1:-1, 1:-1]
                now, old = (2 * now - old + 0.44 * around) * 0.991, now
            slope_x = np.roll(now, -1, 1) - np.roll(now, 1, 1)
            slope_y = np.roll(now, -1, 0) - np.roll(now, 1, 0)
            light = 0.42 + depth - 1.25 * (slope_x + slope_y) + 0.05 * now
            yield paint(resize(light, w * 3 // 2, h * 3 // 2), table)

    return Scene(w * 3 // 2, h * 3 // 2, shot.fps, frames(), tape.finish(0.5))


def _interference(shot: Shot) -> Scene:
    w, h = shot.size(3)
    rng = shot.rng()
    x, y = grid(w, h)
    table = ramp(["#0b0320", "#4a0d67", "#c2185b", "#ff8f4d", "#fff1b8", "#ff8f4d", "#5b0f72"])
    count = int(rng.integers(3, 6))
    turn = rng.uniform(0, np.pi)
    wave = 17 + rng.uniform(0, 5)
    tape = Tape(shot.seconds)
    chord = [note("yaman", d, 146.8) for d in (0, 4, 7, 9, 11)[:count]]
    tape.add(0, pad(chord, shot.seconds), 0.7)
    for index, f in enumerate(chord):
        t = times(shot.seconds)
        beat = np.sin(2 * np.pi * f * t) * (0.5 + 0.5 * np.sin(2 * np.pi * (0.5 + 0.2 * index) * t))
        tape.add(0, (beat * envelope(t, 0.5, 0.5)).astype(np.float32), 0.2, (index - 2) / 2)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            total = np.zeros((h, w), dtype=np.float32)
            for k in range(count):
                angle = turn + 2 * np.pi * k / count + 0.22 * t
                reach = 0.75 + 0.25 * np.sin(0.9 * t + k)
                r = np.hypot(x - reach * np.cos(angle), y - 1.5 * reach * np.sin(angle))
                total += np.cos(wave * r - 5 * t) / (0.9 + 0.6 * r)
            smooth = resize(0.5 + total * np.float32(0.42 / count**0.6), *shot.size(2))
            yield paint(smooth, table)

    return Scene(*shot.size(2), shot.fps, frames(), tape.finish(0.3))


def _sand(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    modes = [(1, 2), (2, 3), (1, 4), (3, 5), (2, 5), (4, 5), (3, 7), (5, 6)]
    start = int(rng.integers(0, 3))
    each = 1.7
    steps = max(1, int(np.ceil(shot.seconds / each)))
    tape = Tape(shot.seconds)
    for k in range(steps):
        n, m = modes[(start + k) % len(modes)]
        f = 98.0 * np.sqrt(n * n + m * m)
        t = times(min(each + 0.2, shot.seconds - k * each))
        tone = np.sin(2 * np.pi * f * t) + 0.4 * np.sin(2 * np.pi * 2 * f * t)
        tape.add(k * each, (tone * envelope(t, 0.12, 0.25)).astype(np.float32), 0.5)
        tape.add(
            k * each, coloured(k, RATE // 3, 2500, 7000) * envelope(times(1 / 3), 0.02, 0.3), 0.05
        )
    many = round(22_000 * w * h / 230_400)
    px = rng.uniform(-1, 1, many).astype(np.float32)
    py = rng.uniform(-1.78, 1.78, many).astype(np.float32)
    plate = np.array(rgb("#141821"))[None, None] * (1 + 0.25 * noise(rng, w, h, 90)[..., None])
    grain = rgb("#ffd98a")

    def frames() -> Iterator[Pixels]:
        nonlocal px, py
        for frame in range(shot.count):
            t = frame / shot.fps
            n, m = modes[(start + int(t / each)) % len(modes)]
            shake = 0.075 * (1 - 0.75 * float(ease((t % each) / each * 1.5)))
            for _ in range(1):
                ax, ay = px * np.pi, py * np.pi / 1.78 * 1.5
                high = np.cos(n * ax) * np.cos(m * ay) - np.cos(m * ax) * np.cos(n * ay)
                move = np.abs(high) * shake
                px = px + move * rng.standard_normal(many).astype(np.float32)
                py = py + move * rng.standard_normal(many).astype(np.float32)
                px = np.where(np.abs(px) > 1, np.sign(px) * 2 - px, px).astype(np.float32)
                py = np.where(np.abs(py) > 1.78, np.sign(py) * 3.56 - py, py).astype(np.float32)
            light = splat((px + 1) / 2 * w, (py / 1.78 + 1) / 2 * h, 0.85, w, h)
            light += 0.6 * (np.roll(light, 1, 0) + np.roll(light, 1, 1))
            light = np.minimum(light, 1)[..., None]
            yield bytes_of(plate + (grain - plate) * light)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.2))


def _ridges(shot: Shot) -> Scene:
    from PIL import Image, ImageDraw

    w, h = shot.width, shot.height
    rng = shot.rng()
    rows, points = 34, 90
    tape = Tape(shot.seconds)
    tape.add(0, pad([note("kirwani", d, 110) for d in (0, 2, 4)], shot.seconds), 0.5)
    hits = np.arange(0.1, shot.seconds - 0.3, 0.42)
    line = [int(v) for v in rng.choice([0, 1, 2, 4, 5, 7], len(hits))]
    for at, degree in zip(hits, line, strict=True):
        tape.add(at, bell(note("kirwani", degree, 220), 1.6, wood=True), 0.6, degree / 5 - 0.7)
    centre = [(d / 7 * 1.1 - 0.55) for d in line]
    span = np.linspace(-1, 1, points)
    hue = ramp(["#ff5f6d", "#ffc371", "#7bdff2", "#b388ff"], rows)

    def frames() -> Iterator[Pixels]:
        rough = rng.uniform(-1, 1, (rows * 4, points)).astype(np.float32)
        for frame in range(shot.count):
            t = frame / shot.fps
            image = Image.new("RGB", (w, h), "#07070d")
            draw = ImageDraw.Draw(image)
            for row in range(rows):
                age = t - (rows - row) * 0.05
                tall = np.full(points, 0.03)
                for at, middle in zip(hits, centre, strict=True):
                    since = age - at
                    if 0 <= since < 1.6:
                        wide = 0.12 + 0.22 * since
                        tall += np.exp(-(((span - middle) / wide) ** 2)) * np.exp(-2.0 * since)
                tall *= np.exp(-1.8 * span**2)
                tall += 0.014 * rough[(row + frame // 2) % len(rough)] * (1.1 - np.abs(span))
                base = h * (0.2 + 0.68 * row / rows)
                xs = (span * 0.43 + 0.5) * w
                ys = base - tall * h * 0.13
                top = list(zip(xs.tolist(), ys.tolist(), strict=True))
                draw.polygon([*top, (xs[-1], base + 30), (xs[0], base + 30)], fill="#07070d")
                draw.line(top, fill=tuple(int(c) for c in hue[row]), width=3, joint="curve")
            yield np.asarray(image)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.35))


def _moire(shot: Shot) -> Scene:
    w, h = shot.size(2)
    x, y = grid(w, h)
    rng = shot.rng()
    turn = rng.uniform(0, 6)

    tape = Tape(shot.seconds)
    t = times(shot.seconds)
    for k, f in enumerate((164.8, 247.2, 329.6)):
        slide = f * (1 + 0.012 * np.sin(2 * np.pi * t / shot.seconds + k))
        a = np.sin(2 * np.pi * np.cumsum(slide) / RATE) + np.sin(2 * np.pi * f * t)
        tape.add(0, (a * envelope(t, 0.4, 0.4)).astype(np.float32), 0.3, k - 1)
    sound = tape.finish(0.3)
    inks = (rgb("#e63946"), rgb("#1d6f8c"), rgb("#f2a900"))
    paper = rgb("#f8f1e1")
    # how dark a ring is at each distance, looked up instead of computed; colours mix as inks do
    ring = np.clip(np.sin(np.arange(1200) / 300 * 34) * 2.6 - 0.9, 0, 1) * 7.99
    levels = ring.astype(np.uint8)
    mix = np.empty((8, 8, 8, 3), dtype=np.float32)
    for code_ in np.ndindex(8, 8, 8):
        dark = [1 - c / 7 * (1 - ink / 255) for c, ink in zip(code_, inks, strict=True)]
        mix[code_] = paper * np.prod(dark, axis=0)
    table = bytes_of(mix.reshape(-1, 3))

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            s = frame / shot.fps
            code = np.zeros((h, w), dtype=np.int32)
            for k in range(3):
                a = turn + 2.1 * k + s * 0.6
                dx, dy = x - np.float32(0.33 * np.cos(a)), y - np.float32(0.5 * np.sin(a * 0.9))
                code = code * 8 + levels[(np.sqrt(dx * dx + dy * dy) * 300).astype(np.int32)]
            yield table[code]

    return Scene(w, h, shot.fps, frames(), sound)


def _sea(shot: Shot) -> Scene:
    from PIL import Image, ImageDraw

    w, h = shot.width, shot.height
    rng = shot.rng()
    sky = ramp(["#2b1b4e", "#a8416f", "#f7814f", "#ffd27d"], h // 2)
    layers = 11
    tone = ramp(["#f0a06b", "#b75d69", "#5c4b7d", "#1f3a5f", "#0b1d33"], layers)
    tape = Tape(shot.seconds)
    swell = coloured(3, round(shot.seconds * RATE), 200, 1600)
    t = times(shot.seconds)
    tape.add(0, (swell * (0.4 + 0.35 * np.sin(2 * np.pi * t / 4.2))).astype(np.float32), 0.12)
    tape.add(0, pad([note("desh", d, 130.8) for d in (0, 2, 4)], shot.seconds), 0.35)
    for at in np.arange(0.4, shot.seconds - 1, 0.9):
        tape.add(
            at,
            bell(note("desh", int(rng.integers(3, 9)), 261.6), 2.4),
            0.28,
            rng.uniform(-0.6, 0.6),
        )
    back = np.zeros((h, w, 3), dtype=np.uint8)
    back[: len(sky)] = sky[:, None, :]
    back[len(sky) :] = sky[-1]
    phase = rng.uniform(0, 6, (layers, 3))
    xs = np.linspace(0, w, 46)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            s = frame / shot.fps
            image = Image.fromarray(back)
            draw = ImageDraw.Draw(image)
            sun = h * (0.30 + 0.14 * s / shot.seconds)
            for k in range(3):
                r = w * (0.21 + 0.05 * (2 - k))
                shade = ("#f99b5c", "#fdbb69", "#ffe9a8")[k]
                draw.ellipse((w * 0.5 - r, sun - r, w * 0.5 + r, sun + r), fill=shade)
            for k in range(layers):
                lift = h * (0.455 + 0.052 * k)
                tall = h * (0.006 + 0.0022 * k)
                a, b, c = phase[k]
                ys = lift + tall * (
                    np.sin(xs / w * (9 - 0.5 * k) + s * (1.2 + 0.1 * k) * (-1) ** k + a)
                    + 0.5 * np.sin(xs / w * (19 - k) - s * 1.9 + b)
                    + 0.25 * np.sin(xs / w * 37 + s * 2.6 + c)
                )
                top = list(zip(xs.tolist(), ys.tolist(), strict=True))
                draw.polygon([*top, (w, h), (0, h)], fill=tuple(int(v) for v in tone[k]))
                draw.line(top, fill=tuple(int(v * 0.55 + 115) for v in tone[k]), width=2)
            yield np.asarray(image)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.4))
