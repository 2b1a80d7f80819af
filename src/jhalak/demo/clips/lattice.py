"""Jaali and mirror-work: light through a lattice, and a kaleidoscope of glass.

The lattice is a khatam: two squares, one turned by 45 degrees, on a grid.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .canvas import (
    Pixels,
    Scene,
    Shot,
    bytes_of,
    clouds,
    ease,
    grid,
    ramp,
    rgb,
)
from .sound import (
    Tape,
    bell,
    drone,
    drum,
    note,
    pad,
    phrase,
    pluck,
)


def jaali(shot: Shot) -> Scene:
    w, h = shot.size(1.8)
    rng = shot.rng()
    cell = w / 3
    px = np.abs((np.arange(w) + 0.5) % cell - cell / 2)[None, :] / (cell / 2)
    py = np.abs((np.arange(h) + 0.5 + (h % cell) / 2) % cell - cell / 2)[:, None] / (cell / 2)
    square = np.maximum(px, py)
    turned = (px + py) / np.sqrt(2)
    star = np.minimum(square, turned)  # the khatam
    thick = 0.055
    bars = np.minimum.reduce(
        [
            np.abs(star - 0.50),
            np.abs(star - 0.26) * 1.2,
            np.abs(square - 1.0),
            np.abs(turned - np.sqrt(2) + 0.42) * 1.0,
        ]
    )
    soft = 3.2 / cell
    stone = np.clip((thick - bars) / soft + 0.5, 0, 1).astype(np.float32)
    relief = np.clip((thick * 0.55 - bars) / soft + 0.5, 0, 1).astype(np.float32)
    tone = clouds(rng, w, h, 50, 5)
    body = rgb("#3d2417") * (1 + 0.16 * tone)[..., None]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    tape = Tape(shot.seconds)
    tape.add(0, drone(103.8, shot.seconds), 0.45)
    for k, d in enumerate(phrase(rng, int(shot.seconds / 0.5) - 1, 0, 7)):
        tape.add(k * 0.5, pluck(note("yaman", d, 207.6), 2.4, 0.5), 0.5, (k % 3 - 1) / 2)
        tape.add(k * 0.5 + 0.25, bell(note("yaman", d + 7, 207.6), 1.6), 0.12, (1 - k % 3) / 2)
    table = ramp(["#1d2c6b", "#7a3b8f", "#e2557a", "#ff9e4f", "#ffe39a", "#fffbe8"]).astype(
        np.float32
    )

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = float(ease(frame / shot.count))
            sx, sy = (
                w * (0.12 + 0.76 * part),
                h * (0.62 - 0.42 * np.sin(np.pi * (0.15 + 0.7 * part))),
            )
            dx, dy = x - sx, y - sy
            away = np.sqrt(dx * dx + dy * dy) / h
            level = np.clip(1.0 - away * 1.25, 0.04, 1)
            light = table[(level * 255).astype(np.intp)]
            # each hole is brighter on the side towards the sun; the stone's inner edge catches it
            near = np.clip(1.15 - away * 1.4, 0, 1.1)
            rim = (stone - relief) * near
            wall = body * (0.35 + 0.4 * near)[..., None] + rim[..., None] * rgb("#e69646") * 0.6
            yield bytes_of(light + (wall - light) * stone[..., None])

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def mirrors(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    size = 512
    seeds = rng.uniform(0, size, (110, 2)).astype(np.float32)
    hues = np.array(
        [
            rgb(c)
            for c in (
                "#e63946",
                "#f2a900",
                "#12827c",
                "#5f0f40",
                "#fb8b24",
                "#0f4c81",
                "#e36397",
                "#fff1d0",
                "#2ec4b6",
                "#7209b7",
            )
        ]
    )
    gy, gx = np.mgrid[:size, :size].astype(np.float32)
    best = np.full((size, size), 1e9, dtype=np.float32)
    second = best.copy()
    owner = np.zeros((size, size), dtype=int)
    for k, (sx, sy) in enumerate(seeds):
        dx, dy = np.abs(gx - sx), np.abs(gy - sy)
        away = np.hypot(np.minimum(dx, size - dx), np.minimum(dy, size - dy))
        closer = away < best
        second = np.where(closer, best, np.minimum(second, away))
        owner = np.where(closer, k, owner)
        best = np.where(closer, away, best)
    lead = np.clip((second - best) / 5 - 0.3, 0, 1)[..., None]
    gem = hues[owner % len(hues)] * (1.15 - 0.012 * best)[..., None]
    gem += 55 * np.clip(1 - best / 12, 0, 1)[..., None] ** 2
    glass = bytes_of((gem * lead + rgb("#1a0d14") * (1 - lead)).astype(np.float32)).reshape(-1, 3)
    x, y = grid(w, h)
    fold = int(rng.choice([6, 8, 10]))
    wedge = 2 * np.pi / fold
    r, a = np.hypot(x, y), np.arctan2(y, x)
    folded = np.abs((a + np.pi) % wedge - wedge / 2)
    seam = np.clip(np.abs(np.sin((a + np.pi) / wedge * np.pi)) * r * 60, 0.55, 1)[..., None].astype(
        np.float32
    )
    tape = Tape(shot.seconds)
    tape.add(0, pad([note("kirwani", d, 130.8) for d in (0, 2, 4)], shot.seconds), 0.4)
    for k, at in enumerate(np.arange(0, shot.seconds - 0.4, 0.18)):
        tape.add(
            at,
            bell(note("kirwani", (0, 2, 4, 7, 4, 2)[k % 6] + (k // 12) % 3, 261.6), 1.3),
            0.22,
            float(np.sin(k)),
        )
        if k % 3 == 0:
            tape.add(at, drum(("ge", "na", "tin", "na")[k // 3 % 4], 130), 0.4)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            turn = 0.32 * t
            zoom = 150 * (1 + 0.18 * np.sin(0.8 * t))
            u = r * np.cos(folded + turn) * zoom + 34 * t
            v = r * np.sin(folded + turn) * zoom + 21 * t
            index = (v.astype(np.int32) % size) * size + u.astype(np.int32) % size
            yield bytes_of(glass[index] * seam)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.4))
