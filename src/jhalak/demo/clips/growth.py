"""Growing colour: two liquids, one feeds the other (Gray & Scott 1984; the atlas of patterns is
Pearson 1993).

u' = Du lap(u) - u v^2 + F (1 - u),  v' = Dv lap(v) + u v^2 - (F + k) v. Small changes of F and
k give spots that divide, corals, mazes or worms. The field is lit from the side so that it
looks like something one could touch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .canvas import Field, Pixels, Scene, Shot, bytes_of, grid, ramp, resize
from .sound import Tape, bell, note, pad

# feed, kill, palette from the liquid's edge to its heart, tempo of the marimba (s), steps a frame
_KINDS: tuple[tuple[float, float, tuple[str, ...], float, int], ...] = (
    (0.0545, 0.062, ("#fff3e4", "#ffc9a3", "#f4695c", "#a3184f", "#3c0a3a"), 0.21, 14),  # coral
    (
        0.0367,
        0.0649,
        ("#04151f", "#06414a", "#12827c", "#9be3a8", "#fff8d6"),
        0.25,
        24,
    ),  # dividing spots
    (
        0.029,
        0.057,
        ("#f6efe0", "#e8c07d", "#cc704b", "#614124", "#1c1208"),
        0.19,
        9,
    ),  # maze of henna
    (0.026, 0.0545, ("#0d0221", "#3a0ca3", "#b5179e", "#ff6b6b", "#ffe66d"), 0.17, 8),  # restless
    (
        0.058,
        0.065,
        ("#eafaf1", "#a8e6cf", "#3bb78f", "#11654e", "#06261f"),
        0.23,
        30,
    ),  # worms of moss
    (0.039, 0.058, ("#fdf0d5", "#f7b267", "#f4845f", "#c1121f", "#3d0000"), 0.2, 6),  # holes
)


def make(shot: Shot) -> Scene:
    feed, kill, colours, beat, pace = _KINDS[shot.variant % len(_KINDS)]
    w, h = shot.size(min(5, shot.width / 64))  # fewer cells than that, and nothing lives
    rng = shot.rng()
    tape = Tape(shot.seconds)
    raga = ("durga", "malkauns", "bhupali", "hamsadhwani", "desh", "bhairav")[shot.variant % 6]
    pattern = [int(v) for v in rng.integers(0, 8, 7)]
    ats = np.arange(0.05, shot.seconds - 0.3, beat)
    for index, at in enumerate(ats):
        # as the pattern fills the glass, the little tune gains a second and a third voice
        tape.add(at, bell(note(raga, pattern[index % 7], 220), 0.9, wood=True), 0.5, -0.4)
        if index > len(ats) * 0.25:
            tape.add(at, bell(note(raga, pattern[index % 5] + 3, 220), 0.9, wood=True), 0.4, 0.4)
        if index > len(ats) * 0.55 and index % 2:
            tape.add(at, bell(note(raga, pattern[index % 3] + 7, 220), 0.9, wood=True), 0.3)
    tape.add(0, pad([note(raga, 0, 110), note(raga, 2, 110)], shot.seconds), 0.3)
    table = ramp(colours)
    return Scene(
        *shot.size(2), shot.fps, _frames(shot, w, h, feed, kill, table, pace), tape.finish(0.3)
    )


def _start(shot: Shot, w: int, h: int) -> Field:
    rng = shot.rng(1)
    x, y = grid(w, h)
    v = np.zeros((h, w), dtype=np.float32)
    least = 4.2 / w  # smaller than two cells and a seed dies
    if shot.variant in (0, 2, 5):  # a flower of seeds, mirrored: growth keeps the symmetry
        arms = int(rng.integers(4, 8))
        for ring in range(1, 4):
            for k in range(arms * ring):
                angle = 2 * np.pi * k / (arms * ring) + ring * 0.5
                cx, cy = 0.42 * ring * np.cos(angle), 0.48 * ring * np.sin(angle)
                v[np.hypot(x - cx, y - cy) < max(0.05, least)] = 0.5
        v[np.hypot(x, y) < max(0.08, least)] = 0.5
    else:
        for _ in range(26):
            cx, cy = rng.uniform(-1, 1), rng.uniform(-h / w, h / w)
            v[np.hypot(x - cx, y - cy) < max(rng.uniform(0.03, 0.08), least)] = 0.5
    return v


def _frames(
    shot: Shot, w: int, h: int, feed: float, kill: float, table: Pixels, pace: int
) -> Iterator[Pixels]:
    v = np.zeros((h + 2, w + 2), dtype=np.float32)
    v[1:-1, 1:-1] = _start(shot, w, h)
    u = 1 - v
    f, fk = np.float32(feed), np.float32(feed + kill)
    steps = max(4, round(pace * 24 / shot.fps * 7 / shot.seconds))
    out_w, out_h = shot.size(2)
    lap_u = np.empty((h, w), dtype=np.float32)
    lap_v, uvv = lap_u.copy(), lap_u.copy()
    for frame in range(shot.count):
        # a first picture that shows something: growth has begun
        for _ in range(steps * 28 if frame == 0 else steps):
            for field, lap in ((u, lap_u), (v, lap_v)):
                field[0], field[-1] = field[-2], field[1]
                field[:, 0], field[:, -1] = field[:, -2], field[:, 1]
                np.add(field[:-2, 1:-1], field[2:, 1:-1], out=lap)
                lap += field[1:-1, :-2]
                lap += field[1:-1, 2:]
                lap *= np.float32(0.25)
                lap -= field[1:-1, 1:-1]
            iu, iv = u[1:-1, 1:-1], v[1:-1, 1:-1]
            np.multiply(iv, iv, out=uvv)
            uvv *= iu
            iu += lap_u * np.float32(0.84) - uvv + f * (1 - iu)
            iv += lap_v * np.float32(0.42) + uvv - fk * iv
        yield _lit(resize(v[1:-1, 1:-1].copy(), out_w, out_h), table)


def _lit(v: Field, table: Pixels) -> Pixels:
    """Relief under a lamp from the upper left."""
    body = np.clip(v * 2.6, 0, 1)
    slope = np.zeros_like(v)
    slope[1:-1, 1:-1] = (v[:-2, 1:-1] - v[2:, 1:-1]) + (v[1:-1, :-2] - v[1:-1, 2:])
    shine = np.clip(-slope * 9, -0.35, 0.6)
    index = (body * (len(table) - 1)).astype(np.intp)
    base = table.take(index, axis=0).astype(np.float32)
    return bytes_of(
        base * (1 + 0.45 * shine[..., None]) + 90 * np.maximum(shine, 0)[..., None] ** 2
    )
