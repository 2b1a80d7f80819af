"""Flocks: starlings at dusk and dawn, fireflies that fall into step, a school of fish, kites,
lanterns.

Birds and fish steer by three habits: keep apart, turn together, stay near (Reynolds 1987), each
looking only at a few others. Fireflies are coupled clocks (Kuramoto 1975): out of chaos, one
pulse.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from .aloft import kites, lanterns
from .canvas import (
    Field,
    Pixels,
    Scene,
    Shot,
    bytes_of,
    clouds,
    dot,
    glow,
    noise,
    resize,
    rgb,
    splat,
    stamp,
    vertical,
)
from .land import crickets, fill_below, ridge
from .sound import RATE, Tape, bell, chirp, coloured, flute, note, pad, phrase, pluck, times
from .swarm import Swarm


def make(shot: Shot) -> Scene:
    if shot.variant % 6 in (0, 4):
        return _starlings(shot)
    return {1: _fireflies, 2: _fish, 3: kites, 5: lanterns}[shot.variant % 6](shot)


def _dusk(shot: Shot, tape: Tape, raga: str, sa: float) -> None:
    rng = shot.rng(6)
    tape.add(0, pad([note(raga, d, sa) for d in (0, 2, 4)], shot.seconds), 0.4)
    for _ in range(int(shot.seconds * 5)):
        at = rng.uniform(0, shot.seconds - 0.3)
        low = rng.uniform(1900, 3800)
        tape.add(
            at,
            chirp(low, low * rng.uniform(0.7, 1.5), rng.uniform(0.05, 0.14), 0.08),
            0.05,
            rng.uniform(-1, 1),
        )
    rush = coloured(9, round(shot.seconds * RATE), 400, 2600)
    t = times(shot.seconds)
    tape.add(0, (rush * (0.5 + 0.5 * np.sin(2 * np.pi * 0.3 * t))).astype(np.float32), 0.025)


def _starlings(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    dawn = shot.variant % 6 == 4
    sky = (
        vertical(["#7fb7d6", "#f3d9c4", "#f7b7a3", "#f28f8f"], w, h)
        if dawn
        else vertical(["#2b2350", "#8b3a62", "#f0703e", "#ffc46b"], w, h)
    )
    sky += 10 * clouds(rng, w, h, 150, 4)[..., None] * np.linspace(1, 0, h)[:, None, None]
    sun = dot(w * 0.13, 6)
    stamp(sky, glow(w * 0.55) * 0.7, w * 0.64, h * 0.70, rgb("#ffe0a0"))
    stamp(sky, sun, w * 0.64, h * 0.70, rgb("#fff1c9"))
    for k, colour in enumerate(
        ("#b9576b", "#6f3350", "#2a1630") if not dawn else ("#d98f96", "#9a6578", "#4b3549")
    ):
        fill_below(
            sky, ridge(rng, w, h * (0.80 + 0.07 * k), h * 0.05, w * (0.5 - 0.1 * k)), rgb(colour)
        )
    tape = Tape(shot.seconds)
    _dusk(shot, tape, "durga" if dawn else "malkauns", 130.8)
    if dawn:
        steps = [
            (note("durga", d, 523.2), 0.4)
            for d in phrase(shot.rng(2), int(shot.seconds / 0.4) - 2, 0, 5)
        ]
        tape.add(0.3, flute(steps, 4), 0.22)
    many = round((3600 if not dawn else 2400) * w * h / 518_400) + 30
    swarm = Swarm(rng, many, w, h, w / 540 * 5.2)
    wander = rng.uniform(0, 6, 4)
    ink = rgb("#120a1a" if not dawn else "#2c2438")

    def frames() -> Iterator[Pixels]:
        for _ in range(24):
            swarm.step(np.array([w * 0.5, h * 0.4]), 0.05, w * 0.012)
        for frame in range(shot.count):
            t = frame / shot.fps
            goal = np.array(
                [
                    w
                    * (
                        0.5
                        + 0.27 * np.sin(1.3 * t + wander[0])
                        + 0.08 * np.sin(2.9 * t + wander[1])
                    ),
                    h
                    * (
                        0.38
                        + 0.13 * np.sin(0.9 * t + wander[2])
                        + 0.04 * np.cos(2.3 * t + wander[3])
                    ),
                ]
            )
            swarm.step(goal, 0.085, w * 0.012)
            p, d = swarm.place, swarm.heading
            light = splat(p[:, 0], p[:, 1], 1.1, w, h)
            light += splat(p[:, 0] - d[:, 0] * 0.4, p[:, 1] - d[:, 1] * 0.4, 0.8, w, h)
            light[1:] += 0.5 * light[:-1]
            cover = np.minimum(light, 0.92)
            rows = np.flatnonzero(cover.any(1))
            picture = sky.copy()
            if len(rows):
                a, b = rows[0], rows[-1] + 1
                picture[a:b] += (ink - picture[a:b]) * cover[a:b, :, None]
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.4))


def _fireflies(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    ground = vertical(["#061018", "#0a2426", "#0c3326", "#04120e"], w, h)
    stamp(ground, glow(w * 0.9) * 0.35, w * 0.5, h * 0.45, rgb("#2c7a6a"))
    for depth in range(3):  # trunks, nearer and darker
        colour = rgb(("#0d3a33", "#082521", "#030d0c")[depth])
        for _ in range(5 + depth):
            x = rng.uniform(0, w)
            width = w * (0.018 + 0.022 * depth) * rng.uniform(0.7, 1.4)
            columns = np.arange(w)
            lean = rng.uniform(-0.03, 0.03) * w
            rows = np.linspace(0, 1, h)[:, None]
            middle = x + lean * rows + 3 * np.sin(rows * 9 + x)
            cover = np.clip(
                width / 2 * (1 + 0.35 * rows**3) - np.abs(columns[None] - middle) + 0.5, 0, 1
            )
            ground += (colour - ground) * cover[..., None].astype(np.float32)
    fill_below(ground, ridge(rng, w, h * 0.93, h * 0.06, 18), rgb("#020807"))
    many = 90
    place = np.stack([rng.uniform(0, w, many), rng.uniform(h * 0.25, h * 0.94, many)], 1)
    size = rng.uniform(0.5, 1.3, many)
    phase = rng.uniform(0, 2 * np.pi, many)
    pace = rng.normal(2 * np.pi * 0.95, 0.5, many)
    tape = Tape(shot.seconds)
    crickets(shot, tape)
    tape.add(0, pad([note("malkauns", d, 110) for d in (0, 2, 4)], shot.seconds), 0.35)
    # the light of each frame decides how loud the glass bells are
    together: list[Field] = []
    for _ in range(shot.count):
        mean = np.exp(1j * phase).mean()
        pull = 0.25 + 2.6 * len(together) / shot.count
        phase = phase + (pace + pull * abs(mean) * np.sin(np.angle(mean) - phase)) / shot.fps
        together.append(phase.copy())
    for frame in range(1, shot.count):
        flashed = np.flatnonzero(
            (together[frame] // (2 * np.pi)) > (together[frame - 1] // (2 * np.pi))
        )
        for who in flashed[:3]:
            pitch = note("malkauns", int(size[who] * 8), 440)
            tape.add(frame / shot.fps, bell(pitch, 1.4), 0.08, place[who, 0] / w * 2 - 1)
    halos = [glow(w * 0.06 * s) for s in (0.6, 1.0, 1.5)]
    warm = rgb("#e9ff70")

    def frames() -> Iterator[Pixels]:
        drift = rng.uniform(0, 6, (many, 2))
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = ground.copy()
            power = np.exp(-((np.mod(together[frame], 2 * np.pi) / 1.1) ** 2)) * 0.85 + 0.15
            for k in range(many):
                x = place[k, 0] + 9 * np.sin(0.7 * t + drift[k, 0])
                y = place[k, 1] + 7 * np.sin(0.9 * t + drift[k, 1])
                stamp(canvas, halos[min(2, int(size[k] * 2.2))] * np.float32(power[k]), x, y, warm)
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _fish(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    deep = vertical(["#5fd3d6", "#1797a8", "#0a5a7a", "#052c4a", "#031a30"], w, h)
    rays = noise(rng, w, 6, w * 0.12)[3]
    tape = Tape(shot.seconds)
    tape.add(0, pad([note("yaman", d, 98) for d in (0, 2, 4, 6)], shot.seconds), 0.5)
    for _ in range(int(shot.seconds * 3)):
        at = rng.uniform(0, shot.seconds - 0.4)
        tape.add(
            at,
            chirp(rng.uniform(250, 500), rng.uniform(700, 1300), rng.uniform(0.04, 0.1)),
            0.10,
            rng.uniform(-1, 1),
        )
    for at in np.arange(0.2, shot.seconds - 1, 0.75):
        tape.add(
            at,
            pluck(note("yaman", int(rng.integers(0, 9)), 196), 2, 0.2),
            0.35,
            rng.uniform(-0.6, 0.6),
        )
    many = 125
    swarm = Swarm(rng, many, w, h, w / 540 * 4.2, 0.7)
    swarm.place[:] = rng.normal((w * 0.5, h * 0.5), (w * 0.2, h * 0.2), (many, 2))
    size = np.sort(rng.uniform(0.7, 1.35, many))
    shade = (140 + 115 * (size - 0.7) / 0.65).astype(int)  # far ones are fainter
    tint = np.where(rng.random(many) < 0.12, 1, 0)
    wander = rng.uniform(0, 6, 2)

    def frames() -> Iterator[Pixels]:
        bend = np.arange(h)[:, None] * 0.35
        for frame in range(shot.count):
            t = frame / shot.fps
            goal = np.array(
                [
                    w * (0.5 + 0.2 * np.sin(0.8 * t + wander[0])),
                    h * (0.5 + 0.27 * np.sin(1.1 * t + wander[1])),
                ]
            )
            swarm.step(goal, 0.05, w * 0.05, 0.04)
            shift = ((np.arange(w)[None, ::8] + bend[::8] + 26 * t) % w).astype(np.intp)
            beam = (
                np.clip(rays[shift] - 0.15, 0, 1)
                * np.linspace(1, 0, len(bend[::8]))[:, None] ** 1.5
            )
            light = resize(beam.astype(np.float32), w, h)
            picture = deep + light[..., None] * np.array([70, 90, 80], dtype=np.float32)
            masks = [Image.new("L", (w * 2, h * 2), 0) for _ in range(2)]
            pens = [ImageDraw.Draw(mask) for mask in masks]
            for k in range(many):
                at, ahead = swarm.place[k] * 2, swarm.heading[k]
                _one_fish(pens[tint[k]], at, ahead, size[k] * w / 540 * 2, t * 13 + k, shade[k])
            for mask, colour in zip(masks, (rgb("#e6fbff"), rgb("#ffb627")), strict=True):
                box = mask.getbbox()
                if box is None:
                    continue
                x0, y0, x1, y1 = box[0] // 2, box[1] // 2, (box[2] + 1) // 2, (box[3] + 1) // 2
                small = mask.crop((x0 * 2, y0 * 2, x1 * 2, y1 * 2)).reduce(2)
                spot = picture[y0:y1, x0:x1]
                spot += (colour - spot) * (np.asarray(small, dtype=np.float32) / 255)[..., None]
            yield bytes_of(picture)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _one_fish(
    pen: ImageDraw.ImageDraw, at: Field, heading: Field, size: float, beat: float, shade: int
) -> None:
    length = 19 * size
    ahead = heading / max(1e-3, float(np.hypot(*heading)))
    side = np.array([-ahead[1], ahead[0]])
    wag = 0.35 * np.sin(beat)
    nose, tail = at + ahead * length, at - ahead * length * 0.8 + side * wag * length * 0.3
    fin = tail - ahead * length * 0.55 + side * wag * length * 0.6
    cheek = at + ahead * length * 0.5
    body = [
        nose,
        cheek + side * length * 0.26,
        at + side * length * 0.33,
        tail,
        at - side * length * 0.33,
        cheek - side * length * 0.26,
    ]
    pen.polygon([tuple(p) for p in body], fill=int(shade))
    lobe = side * length * 0.36
    pen.polygon([tuple(tail), tuple(fin + lobe), tuple(fin - lobe)], fill=int(shade * 0.8))
    eye = at + ahead * length * 0.62
    r = max(1.5, 1.3 * size)
    pen.ellipse((eye[0] - r, eye[1] - r, eye[0] + r, eye[1] + r), fill=30)
