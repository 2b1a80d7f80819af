"""What people send into the sky: the kites of Uttarayan, and lanterns over water."""

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
    glow,
    rgb,
    splat,
    stamp,
    vertical,
)
from .land import crickets, fill_below, ridge
from .sound import (
    Tape,
    coloured,
    drone,
    flute,
    note,
    phrase,
    pluck,
    times,
)


def kites(shot: Shot) -> Scene:
    """Uttarayan: the sky over Ahmedabad in January."""
    w, h = shot.width, shot.height
    rng = shot.rng()
    sky = vertical(["#2f9be0", "#7cc6f2", "#d8f0fb", "#fff4dd"], w, h)
    soft = (
        np.clip(clouds(rng, w, h, 170, 5), 0, 1)[..., None] * np.linspace(1, 0.2, h)[:, None, None]
    )
    sky += (255 - sky) * (soft * 0.75).astype(np.float32)
    base = Image.fromarray(bytes_of(sky))
    roofs = ImageDraw.Draw(base)
    x = 0.0
    while x < w:
        wide, tall = rng.uniform(0.08, 0.2) * w, rng.uniform(0.06, 0.13) * h
        shade = ("#c96f4a", "#a8553a", "#e0a070", "#8a4632")[int(rng.integers(0, 4))]
        roofs.rectangle((x, h - tall, x + wide, h), fill=shade)
        for k in range(3):
            px = x + wide * (0.15 + 0.28 * k)
            roofs.rectangle((px, h - tall * 0.7, px + wide * 0.13, h - tall * 0.42), fill="#5a2d22")
        x += wide
    tape = Tape(shot.seconds)
    for k, at in enumerate(np.arange(0, shot.seconds - 0.2, 0.2)):  # dhol and a bright tune
        tape.add(at, drum_of(k), 0.6)
    for k, d in enumerate(phrase(rng, int(shot.seconds / 0.4) - 1, 0, 7)):
        tape.add(k * 0.4, pluck(note("bilawal", d, 293.7), 0.9, 0.8), 0.45, (k % 3 - 1) / 2)
    t = times(shot.seconds)
    gust = coloured(21, len(t), 300, 1500)
    tape.add(0, (gust * (0.5 + 0.4 * np.sin(2 * np.pi * 0.4 * t))).astype(np.float32), 0.03)
    hues = ("#e63946", "#f2a900", "#2a9d8f", "#7209b7", "#ff6f91", "#1d3557", "#ff8c42", "#0b8f47")
    kites = [
        (
            rng.uniform(0.1, 0.9),
            rng.uniform(0.06, 0.72),
            rng.uniform(0.35, 1.25),
            rng.uniform(0, 6),
            int(rng.integers(0, 8)),
            int(rng.integers(0, 8)),
        )
        for _ in range(17)
    ]
    kites.sort(key=lambda k: k[2])

    def frames() -> Iterator[Pixels]:
        twice = base.resize((w * 2, h * 2), Image.Resampling.BILINEAR)
        for frame in range(shot.count):
            s = frame / shot.fps
            image = twice.copy()
            draw = ImageDraw.Draw(image)
            for kx, ky, size, phase, one, two in kites:
                gust_x = 0.05 * np.sin(1.1 * s + phase) + 0.02 * np.sin(2.7 * s + 2 * phase)
                gust_y = 0.03 * np.sin(1.4 * s + 1.7 * phase) + 0.012 * np.sin(4 * s + phase)
                at = np.array([(kx + gust_x * size) * w, (ky + gust_y * size) * h]) * 2
                tilt = 0.35 * np.sin(1.1 * s + phase + 0.8) + 0.12 * np.sin(5 * s + phase)
                _kite(
                    draw,
                    at,
                    w * 0.17 * size,
                    tilt,
                    s * 6 + phase,
                    hues[one],
                    hues[two if two != one else (two + 3) % 8],
                    (w * 2, h * 2),
                )
            yield np.asarray(image.reduce(2))

    return Scene(w, h, shot.fps, frames(), tape.finish(0.25))


def drum_of(step: int) -> NDArray[np.float32]:
    """One stroke of a dhol's loop."""
    from .sound import drum

    return drum(("thud", "tap", "na", "tap", "thud", "thud", "na", "tap")[step % 8], 95)


def _kite(
    draw: ImageDraw.ImageDraw,
    at: Field,
    size: float,
    tilt: float,
    flutter: float,
    one: str,
    two: str,
    limit: tuple[int, int],
) -> None:
    """A patang: a square on its corner with a bowed spar, a small tail, its thread running
    down.
    """
    c, s = np.cos(tilt), np.sin(tilt)

    def place(x: float, y: float) -> tuple[float, float]:
        return (float(at[0] + size * (c * x - s * y)), float(at[1] + size * (s * x + c * y)))

    foot = (at[0] + (limit[0] / 2 - at[0]) * 0.35, limit[1] * 0.95)
    middle = (
        (at[0] + foot[0]) / 2 + 30 * np.sin(flutter / 6),
        (at[1] + foot[1]) / 2 + limit[1] * 0.04,
    )
    thread = [
        (
            (1 - u) ** 2 * at[0] + 2 * u * (1 - u) * middle[0] + u * u * foot[0],
            (1 - u) ** 2 * at[1] + 2 * u * (1 - u) * middle[1] + u * u * foot[1],
        )
        for u in np.linspace(0, 1, 14)
    ]
    draw.line(thread, fill="#ffffff", width=1)
    top, right, low, left = place(0, -1), place(0.86, -0.05), place(0, 0.95), place(-0.86, -0.05)
    draw.polygon([top, right, low, left], fill=one)
    draw.polygon(
        [place(0, -0.42), place(0.36, -0.02), place(0, 0.4), place(-0.36, -0.02)], fill=two
    )
    draw.line([top, low], fill="#3a2a20", width=2)
    draw.line(
        [place(-0.86 + 1.72 * u, -0.05 - 0.42 * np.sin(np.pi * u)) for u in np.linspace(0, 1, 12)],
        fill="#3a2a20",
        width=2,
    )
    draw.polygon(
        [low, place(0.2, 1.3 + 0.04 * np.sin(flutter)), place(-0.2, 1.3 - 0.04 * np.sin(flutter))],
        fill=two,
    )


def lanterns(shot: Shot) -> Scene:
    w, h = shot.size(1.5)
    rng = shot.rng()
    sky = vertical(["#060a1f", "#141a3f", "#3a2a5a", "#7a4560"], w, h)
    stars = splat(
        rng.uniform(0, w, 260).astype(np.float32),
        rng.uniform(0, h * 0.7, 260).astype(np.float32),
        rng.uniform(20, 150, 260).astype(np.float32),
        w,
        h,
    )
    sky += stars[..., None]
    water = round(h * 0.84)
    fill_below(sky, ridge(rng, w, water - 2, h * 0.05, w * 0.3), rgb("#151129"))
    tape = Tape(shot.seconds)
    tape.add(0, drone(98, shot.seconds), 0.35)
    crickets(shot, tape)
    steps = [(note("yaman", d, 392), 0.5) for d in phrase(rng, int(shot.seconds / 0.5) - 2, -1, 6)]
    tape.add(0.4, flute(steps, 12), 0.3)
    many = 58
    x0, depth = rng.uniform(0, w, many), np.sort(rng.uniform(0.3, 1.4, many))
    start, sway = rng.uniform(0, 1.25, many), rng.uniform(0, 6, many)
    warm, core = rgb("#ff9d3c"), rgb("#ffe7b0")

    def frames() -> Iterator[Pixels]:
        halos = {k: glow(w * 0.115 * (0.3 + 0.1 * k)) for k in range(13)}
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = sky.copy()
            for k in range(many):
                size = depth[k]
                y = h * (1.12 - ((start[k] + t * 0.06 * size) % 1.3))
                x = x0[k] + w * 0.02 * np.sin(0.8 * t + sway[k])
                if y > water:
                    continue
                flick = 0.9 + 0.1 * np.sin(9 * t + sway[k] * 5)
                stamp(canvas, halos[min(12, int(size * 9))] * np.float32(0.62 * flick), x, y, warm)
                bh, bw = max(2, round(w * 0.022 * size)), max(1, round(w * 0.016 * size))
                a, b, c, d = (
                    max(0, round(y) - bh),
                    min(water, round(y) + bh),
                    max(0, round(x) - bw),
                    min(w, round(x) + bw),
                )
                if a < b and c < d:
                    run = np.linspace(0.55, 1.1, b - a, dtype=np.float32)[:, None, None]
                    canvas[a:b, c:d] = np.minimum(255, (warm * 0.5 + core * 0.5) * run * flick)
            below = canvas[2 * water - h : water][::-1]
            wave = (
                4 * np.sin(np.arange(h - water) * 0.7 + 5 * t) * np.linspace(0.3, 1, h - water)
            ).astype(int)
            index = np.clip(np.arange(w)[None] + wave[:, None], 0, w - 1)
            canvas[water:] = (
                np.take_along_axis(below, index[..., None], axis=1) * 0.55 + rgb("#0a0a22") * 0.45
            )
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.55))
