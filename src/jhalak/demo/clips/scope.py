"""Two machines that draw sound: an oscilloscope, and a harmonograph whose pendulums are a chord."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .canvas import (
    Field,
    Pixels,
    Scene,
    Shot,
    bytes_of,
    dot,
    rgb,
    splat,
    stamp,
    vertical,
)
from .sound import (
    RATE,
    Tape,
    drone,
    envelope,
    pluck,
    times,
)


def _lamp(light: Field, hue: Field, ground: Field) -> Pixels:
    """Phosphor: faint is coloured, strong is white."""
    level = light[..., None]
    return bytes_of(ground + hue * np.minimum(level, 1.4) + 120 * np.clip(level - 0.9, 0, 1.2))


def scope(shot: Shot) -> Scene:
    """Left ear across, right ear up: ratios of small numbers close into knots (Lissajous 1857)."""
    w, h = shot.size(1.5)
    ratios = ((1, 1), (2, 3), (3, 4), (4, 5), (3, 5), (1, 2), (5, 6), (2, 5))
    rng = shot.rng()
    order = rng.permutation(len(ratios))
    each = 1.35
    t = times(shot.seconds)
    left, right = np.zeros_like(t), np.zeros_like(t)
    base = 110.0
    for k in range(int(np.ceil(shot.seconds / each))):
        p, q = ratios[order[k % len(order)]]
        a, b = round(k * each * RATE), min(len(t), round((k + 1) * each * RATE))
        part = t[a:b]
        drift = 2 * np.pi * 0.35 * part
        shape = envelope(part - part[0], 0.05, 0.12)
        left[a:b] = shape * (
            np.sin(2 * np.pi * base * p * part) + 0.12 * np.sin(2 * np.pi * base * p * 5 * part)
        )
        right[a:b] = shape * (
            np.sin(2 * np.pi * base * q * part + drift)
            + 0.12 * np.sin(2 * np.pi * base * q * 4 * part)
        )
    tape = Tape(shot.seconds)
    tape.data[0] += left[: tape.data.shape[1]] * 0.6
    tape.data[1] += right[: tape.data.shape[1]] * 0.6
    tape.data += tape.data[::-1] * 0.3
    tape.add(0, drone(55, shot.seconds), 0.3)
    hues = [rgb(c) for c in ("#19e68c", "#f2a900", "#4cc9f0", "#ff5d8f")]

    def frames() -> Iterator[Pixels]:
        light = np.zeros((h, w), dtype=np.float32)
        ground = np.zeros((h, w, 3), dtype=np.float32)
        ground[:] = rgb("#060a0c")
        for k in range(1, 10):  # the scope's own grid
            ground[round(h * k / 10)] += 9
            ground[:, min(w - 1, round(w * k / 10))] += 9
        per = RATE // shot.fps
        for frame in range(shot.count):
            a = frame * per
            x = left[a : a + per] * 0.36 * w + w / 2
            y = h / 2 - right[a : a + per] * 0.36 * w * 1.35
            light *= 0.72
            new = splat(x.astype(np.float32), y.astype(np.float32), 0.9, w, h)
            light += new
            small = Image.fromarray(bytes_of(np.minimum(light, 4) * 60)).reduce(4)
            soft = np.asarray(small.resize((w, h), Image.Resampling.BILINEAR), dtype=np.float32)
            hue = hues[int(frame / shot.fps / each) % 4]
            yield _lamp(np.minimum(light * 0.55, 2.2) + soft / 105, hue, ground)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.25))


def pendulum(shot: Shot) -> Scene:
    """A harmonograph: pendulums whose periods are the chord's frequencies, drawn as they die
    away.
    """
    w, h = shot.width, shot.height
    rng = shot.rng()
    chords = (((2, 3), (4, 5)), ((3, 4), (5, 6)), ((1, 2), (3, 5)), ((3, 5), (2, 5)))
    (p, q), (r, s) = chords[int(rng.integers(0, len(chords)))]
    tape = Tape(shot.seconds)
    root = 73.4
    t = times(shot.seconds)
    for k, m in enumerate((p, q, r, s)):
        wave = np.sin(2 * np.pi * root * m * t) * np.exp(-0.18 * t) * envelope(t, 0.3, 0.4)
        wave *= 0.8 + 0.2 * np.sin(2 * np.pi * (0.4 + 0.13 * k) * t)
        tape.add(0, wave.astype(np.float32), 0.35, (k - 1.5) / 2)
    for at in np.arange(0.3, shot.seconds - 0.8, 0.6):
        m = (p, q, r, s)[int(rng.integers(0, 4))]
        tape.add(at, pluck(root * 4 * m / 2, 1.6, 0.3), 0.25, rng.uniform(-0.7, 0.7))
    detune = 1 + rng.uniform(0.002, 0.006)
    phases = rng.uniform(0, np.pi, 4)
    turns = 26.0
    many = 26_000

    def path(u: NDArray[np.float64]) -> tuple[Field, Field]:
        a = u * turns * 2 * np.pi / max(p, q)
        die = np.exp(-1.5 * u)
        x = np.sin(a * p + phases[0]) + 0.55 * np.sin(a * q * detune + phases[1])
        y = np.sin(a * q + phases[2]) + 0.55 * np.sin(a * p * detune + phases[3])
        return (
            (w / 2 + 0.29 * w * x * die).astype(np.float32),
            (h / 2 + 0.29 * w * 1.55 * y * die).astype(np.float32),
        )

    ground = vertical(["#fbf5e9", "#f6ead2"], w, h)
    inks = np.stack([rgb(c) for c in ("#0b3954", "#c81d4e", "#e8871e")])

    def frames() -> Iterator[Pixels]:
        canvas = ground.copy()
        pen = dot(w * 0.012, 2)
        for frame in range(shot.count):
            a, b = frame / shot.count, (frame + 1) / shot.count
            u = np.linspace(a, b, max(2, many // shot.count * 3))
            x, y = path(u)
            ink = (
                inks[0] * (1 - a) + inks[1] * a
                if a < 0.5
                else inks[1] * (2 - 2 * a) + inks[2] * (2 * a - 1)
            )
            x0, x1 = max(0, int(x.min()) - 2), min(w, int(x.max()) + 4)
            y0, y1 = max(0, int(y.min()) - 2), min(h, int(y.max()) + 4)
            light = splat(x - x0, y - y0, 0.34, x1 - x0, y1 - y0)
            light[1:] += 0.7 * light[:-1]
            light[:, 1:] += 0.7 * light[:, :-1]
            spot = canvas[y0:y1, x0:x1]
            spot += (ink - spot) * np.minimum(light, 0.8)[..., None]
            picture = canvas.copy()
            stamp(picture, pen, float(x[-1]), float(y[-1]), rgb("#14110f"))
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))
