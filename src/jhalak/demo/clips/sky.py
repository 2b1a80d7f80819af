"""Sky: monsoon and lightning, stars over a high desert, moonrise, morning on the river, star
trails, snow on deodars.
"""

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
    ease,
    glow,
    ramp,
    resize,
    rgb,
    splat,
    stamp,
    vertical,
)  # fmt: skip
from .land import crickets, fill_below, ridge
from .seasons import river, snow
from .sound import RATE, Tape, bell, chirp, coloured, drone, flute, note, pad, phrase, times


def make(shot: Shot) -> Scene:
    return (_monsoon, _stars, _moonrise, river, _trails, snow)[shot.variant % 6](shot)


def _hills(
    canvas: Field, rng: np.random.Generator, colours: tuple[str, ...], top: float, tall: float
) -> None:
    h, w = canvas.shape[:2]
    for k, colour in enumerate(colours):
        low = h * (top + (0.97 - top) * k / len(colours))
        fill_below(canvas, ridge(rng, w, low, h * tall, w * (0.55 - 0.1 * k)), rgb(colour))


def _monsoon(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    sky = vertical(["#1b2733", "#33475a", "#5a7683", "#8aa39b"], w, h)
    _hills(sky, rng, ("#4d6a66", "#36544c", "#223b33", "#13251f"), 0.66, 0.07)
    for _ in range(4):  # palms on the nearest hill
        _palm(
            sky,
            rng,
            rng.uniform(0.05, 0.95) * w,
            h * rng.uniform(0.9, 0.97),
            h * rng.uniform(0.12, 0.2),
        )
    tape = Tape(shot.seconds)
    n = round(shot.seconds * RATE)
    tape.add(0, coloured(31, n, 700, 9000), 0.09)
    tape.add(0, coloured(32, n, 150, 900), 0.07)
    flashes = sorted(float(v) for v in rng.uniform(0.12, 0.8, 2) * shot.seconds)
    for at in flashes:
        rumble = coloured(int(at * 10) + 40, round(2.6 * RATE), 28, 130)
        t = times(2.6)
        tape.add(
            at + 0.25, (rumble * np.exp(-1.3 * t) * np.minimum(1, t * 9)).astype(np.float32), 0.42
        )
    steps = [(note("desh", d, 392), 0.55) for d in phrase(rng, int(shot.seconds / 0.55) - 1, -1, 5)]
    tape.add(0.4, flute(steps, 5), 0.28)
    many = 420
    cool = np.array([0.85, 0.95, 1.0], dtype=np.float32)
    x0, y0 = rng.uniform(0, w * 1.2, many), rng.uniform(0, h, many)
    depth = rng.uniform(0.4, 1.25, many)
    roll = clouds(rng, w * 2 // 4, h // 6, 40, 4)
    bolts = [_bolt(rng, w, h) for _ in flashes]

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            shift = round(t * w / 4 * 0.05)
            bank = resize(np.ascontiguousarray(roll[:, shift : shift + w // 4]), w, h // 2)
            picture = sky.copy()
            fade = np.linspace(1, 0, h // 2, dtype=np.float32)[:, None]
            picture[: h // 2] += (bank * fade * 34)[..., None]
            light = 0.0
            for at, bolt in zip(flashes, bolts, strict=True):
                since = t - at
                if 0 <= since < 0.45:
                    light = max(
                        light, (1 - since / 0.45) ** 2 * (1.0 if int(since * 14) % 2 == 0 else 0.45)
                    )
                    if since < 0.2:
                        image = Image.fromarray(bytes_of(picture))
                        ImageDraw.Draw(image).line(bolt, fill="#f4f7ff", width=4, joint="curve")
                        picture = np.asarray(image, dtype=np.float32).copy()
            picture *= 1 + 0.55 * light
            speed = h * 1.5 * depth
            y = (y0 + speed * t) % (h * 1.1)
            x = (x0 - 0.16 * y - t * 20) % (w * 1.1)
            streak = np.linspace(0, 1, 12)[None]
            px = (x[:, None] + 0.16 * streak * 34 * depth[:, None]).ravel().astype(np.float32)
            py = (y[:, None] - streak * 34 * depth[:, None]).ravel().astype(np.float32)
            weight = np.repeat(depth * 26, 12).astype(np.float32)
            picture += splat(px, py, weight, w, h)[..., None] * cool
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.35))


def _bolt(rng: np.random.Generator, w: int, h: int) -> list[tuple[float, float]]:
    x, y = rng.uniform(0.2, 0.8) * w, 0.0
    line = [(x, y)]
    while y < h * 0.68:
        x += rng.normal(0, w * 0.045)
        y += rng.uniform(0.015, 0.05) * h
        line.append((x, y))
    return line


def _palm(canvas: Field, rng: np.random.Generator, x: float, y: float, tall: float) -> None:
    h, w = canvas.shape[:2]
    mask = Image.new("L", (w * 2, h * 2), 0)
    pen = ImageDraw.Draw(mask)
    lean = rng.uniform(-0.25, 0.25) * tall
    trunk = [(2 * (x + lean * u * u), 2 * (y - tall * u)) for u in np.linspace(0, 1, 12)]
    pen.line(trunk, fill=255, width=max(4, round(tall * 0.085)), joint="curve")
    top = trunk[-1]
    for angle in np.linspace(-3.3, 0.16, 11):
        reach = tall * rng.uniform(0.7, 0.95)
        leaf = [
            (
                top[0] + reach * u * np.cos(angle),
                top[1] + reach * (u * np.sin(angle) * 0.7 + 0.42 * u * u),
            )
            for u in np.linspace(0, 1, 10)
        ]
        pen.line(leaf, fill=255, width=max(4, round(tall * 0.075)), joint="curve")
    cover = np.asarray(mask.reduce(2), dtype=np.float32)[..., None] / 255
    canvas += (rgb("#0d1a16") - canvas) * cover


def _stars(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    base = vertical(["#050714", "#0b1230", "#1b2550", "#3f3b66", "#7a5a72"], w, h)
    big = round(np.hypot(w, h) * 1.16) // 2 * 2
    # one round sky that turns behind the land
    many = 1700
    light = splat(
        rng.uniform(2, big - 3, many).astype(np.float32),
        rng.uniform(2, big - 3, many).astype(np.float32),
        (rng.pareto(1.6, many) * 70 + 40).clip(0, 420).astype(np.float32), big, big,
    )  # fmt: skip
    half = big // 2
    small = clouds(rng, half, half, half * 0.22, 5)
    gx, gy = np.meshgrid(np.linspace(-1, 1, half), np.linspace(-1, 1, half))
    band = np.exp(-(((gx * 0.8 + gy * 0.6 + 0.16 * small) / 0.19) ** 2)) * (0.75 + 0.55 * small)
    milky = resize(np.clip(band, 0, 1.3).astype(np.float32), big, big)
    heaven = Image.fromarray(bytes_of(milky * 104 + light))
    tint = np.array([0.78, 0.70, 1.0], dtype=np.float32)
    ground = base.copy()
    _hills(ground, rng, ("#2a2748", "#171730", "#090a18"), 0.74, 0.10)
    mask = (np.abs(ground - base).sum(-1, keepdims=True) > 1).astype(np.float32)
    tape = Tape(shot.seconds)
    tape.add(0, drone(82.4, shot.seconds), 0.5)
    tape.add(0, pad([note("yaman", d, 164.8) for d in (0, 2, 4, 6)], shot.seconds), 0.5)
    for at in np.arange(0.3, shot.seconds - 1.2, 0.62):
        tape.add(
            at,
            bell(note("yaman", int(rng.integers(5, 16)), 164.8), 2.6),
            0.2,
            rng.uniform(-0.9, 0.9),
        )
    meteors = [
        (
            rng.uniform(0.1, 0.85) * shot.seconds,
            rng.uniform(0.1, 0.9) * w,
            rng.uniform(0.05, 0.4) * h,
        )
        for _ in range(3)
    ]
    for at, x, _ in meteors:
        tape.add(at, chirp(2600, 900, 0.5), 0.07, x / w * 2 - 1)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            turned = heaven.rotate(
                2.2 * t, Image.Resampling.BILINEAR, center=(big * 0.5, big * 0.62)
            )
            left, top = (big - w) // 2, (big - h) // 2
            stars = np.asarray(turned.crop((left, top, left + w, top + h)), dtype=np.float32)
            picture = base + stars[..., None] * tint
            for at, x, y in meteors:
                since = t - at
                if 0 <= since < 0.55:
                    u = np.linspace(0, 1, 90)
                    head = since / 0.55
                    px = (x + w * 0.55 * (head - 0.25 * u)).astype(np.float32)
                    py = (y + h * 0.14 * (head - 0.25 * u)).astype(np.float32)
                    power = ((1 - u) ** 2 * 330 * (1 - head)).astype(np.float32)
                    picture += splat(px, py, power, w, h)[..., None]
            yield bytes_of(picture * (1 - mask) + ground * mask)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.6))


def _moonrise(shot: Shot) -> Scene:
    w, h = shot.size(2)
    rng = shot.rng()
    sky = vertical(["#0a1130", "#1c2b5e", "#47508c", "#8f7ba6", "#d9a9a0"], w, h)
    many = 220
    sky += splat(
        rng.uniform(0, w, many).astype(np.float32),
        rng.uniform(0, h * 0.6, many).astype(np.float32),
        rng.uniform(15, 130, many).astype(np.float32), w, h,
    )[..., None]  # fmt: skip
    ridges = []
    for k, colour in enumerate(("#6d6a9c", "#494a80", "#2e2f5f", "#1a1b40", "#0c0d26")):
        ridges.append(
            (ridge(rng, w, h * (0.64 + 0.075 * k), h * 0.09, w * (0.5 - 0.07 * k)), rgb(colour))
        )
    radius = w * 0.14
    y, x = np.mgrid[-1 : 1 : radius * 2j, -1 : 1 : radius * 2j]
    marks = clouds(rng, int(radius * 2), int(radius * 2), radius * 0.6, 4)[
        : x.shape[0], : x.shape[1]
    ]
    away = np.hypot(x, y)
    face = rgb("#fff4d8") * (0.96 + 0.05 * marks)[..., None] * (1 - 0.12 * away**2)[..., None]
    disc = np.clip((1 - away) * radius, 0, 1)[..., None].astype(np.float32)
    halo = glow(w * 0.8)
    tape = Tape(shot.seconds)
    crickets(shot, tape)
    tape.add(0, drone(98, shot.seconds), 0.4)
    steps = [
        (note("bhupali", d, 392), 0.6) for d in phrase(rng, int(shot.seconds / 0.6) - 1, -1, 6)
    ]
    tape.add(0.3, flute(steps, 8), 0.34)
    veil = clouds(rng, w * 2, h // 5, w * 0.2, 4)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = float(ease(frame / shot.count))
            t = frame / shot.fps
            my = h * (0.66 - 0.40 * part)
            mx = w * (0.58 - 0.06 * part)
            picture = sky * (1 + 0.28 * part)
            stamp(picture, halo * np.float32(0.5), mx, my, rgb("#ffe7b8"))
            size = face.shape[0]
            x0, y0 = round(mx - size / 2), round(my - size / 2)
            b = min(h, y0 + size)
            spot = picture[y0:b, x0 : x0 + size]
            spot += (face[: b - y0] - spot) * disc[: b - y0]
            shift = round(t * 7)
            strip = np.clip(veil[:, shift : shift + w], 0, 1)[..., None] * 70
            a = round(h * 0.3)
            picture[a : a + strip.shape[0]] += (
                strip * np.sin(np.linspace(0, np.pi, strip.shape[0]))[:, None, None]
            )
            for k, (line, colour) in enumerate(ridges):
                fill_below(picture, line, colour * (0.9 + 0.35 * part) + 3 * k)
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _trails(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    base = vertical(["#060918", "#101a3c", "#263a63", "#54587d"], w, h)
    ground = base.copy()
    _hills(ground, rng, ("#1c2340", "#0a0d1c"), 0.82, 0.08)
    mask = (np.abs(ground - base).sum(-1) > 1).astype(np.float32)
    centre = np.array([w * 0.5, h * 0.52])
    many = 430
    away = np.sqrt(rng.uniform(0.0006, 1, many)) * np.hypot(w, h) * 0.66
    angle = rng.uniform(0, 2 * np.pi, many)
    hue = ramp(["#9fc5ff", "#ffffff", "#ffe3b3", "#ffb38a"], 64)[rng.integers(0, 64, many)].astype(
        np.float32
    )
    power = (rng.pareto(2.2, many) * 0.5 + 0.35).clip(0, 1.7).astype(np.float32)
    tape = Tape(shot.seconds)
    tape.add(0, pad([note("durga", d, 110) for d in (0, 2, 4)], shot.seconds), 0.6)
    for k, at in enumerate(np.arange(0.1, shot.seconds - 0.8, 0.31)):
        tape.add(
            at,
            bell(note("durga", (0, 2, 4, 5, 7, 9, 7, 5)[k % 8] + 5, 220), 2.0),
            0.22,
            float(np.sin(k)),
        )

    def frames() -> Iterator[Pixels]:
        kept = base.copy()
        for frame in range(shot.count):
            a0, a1 = (0.16 * f / shot.fps for f in (frame, frame + 1.15))
            for step in np.linspace(a0, a1, 5):
                x = (centre[0] + away * np.cos(angle + step)).astype(np.float32)
                y = (centre[1] + away * np.sin(angle + step) * 1.0).astype(np.float32)
                inside = (x >= 0) & (y >= 0) & (x < w - 1) & (y < h - 1)
                ix, iy = x[inside].astype(int), y[inside].astype(int)
                kept[iy, ix] = np.maximum(kept[iy, ix], hue[inside] * power[inside, None] * 0.8)
                kept[iy, ix + 1] = np.maximum(
                    kept[iy, ix + 1], hue[inside] * power[inside, None] * 0.4
                )
            picture = kept + (ground - kept) * mask[..., None]
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.6))
