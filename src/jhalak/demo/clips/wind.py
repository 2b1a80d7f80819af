"""Wind: thousands of brushes carried by a flow field (curl noise after Bridson 2007), and ink
let loose in water.

Curl of a smooth potential has no sources or sinks, so strokes never clump; the paper keeps what
was painted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .canvas import Field, Pixels, Scene, Shot, bytes_of, clouds, grid, resize, rgb
from .sound import RATE, Tape, coloured, drone, flute, note, phrase, times

_INKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("#f6eddc", ("#1d3557", "#e2725b", "#e9b44c", "#457b9d", "#8d2f3a")),
    ("#0d1321", ("#f2a900", "#ff6b6b", "#f7fff7", "#4ecdc4", "#ffe66d")),
    ("#fbf3e4", ("#0b6e4f", "#08a045", "#6bbf59", "#21d19f", "#073b3a")),
    ("#fdf6ec", ("#1b1b3a", "#c1121f", "#f4a261", "#2a9d8f", "#e76f51")),
    ("#1a0b1f", ("#ff9e6d", "#ff5d8f", "#c879ff", "#ffd6a5", "#7bdff2")),
    ("#efe6d5", ("#22223b", "#4a4e69", "#9a8c98", "#c9ada7", "#d5363e")),
)


def make(shot: Shot) -> Scene:
    if shot.variant % 6 in (3, 4):
        return _marbling(shot)
    return _strokes(shot)


def _air(shot: Shot) -> NDArray[np.int16]:
    rng = shot.rng(3)
    raga = ("bhupali", "durga", "desh", "malkauns", "yaman", "hamsadhwani")[shot.variant % 6]
    sa = (220.0, 196.0, 246.9)[shot.variant % 3]
    tape = Tape(shot.seconds)
    tape.add(0, drone(sa / 2, shot.seconds), 0.35)
    steps: list[tuple[float, float]] = []
    left = shot.seconds - 0.5
    for degree in phrase(rng, 24, -1, 7):
        length = float(rng.choice([0.32, 0.48, 0.64, 0.96]))
        if length > left - 0.3:
            break
        left -= length
        steps.append((note(raga, degree, sa * 2), length))
    steps.append((note(raga, 0, sa * 2), max(0.4, left)))
    tape.add(0.25, flute(steps, shot.seed), 0.34)
    t = times(shot.seconds)
    gust = coloured(shot.seed % 50, len(t), 250, 1100)
    swell = 0.35 + 0.3 * np.sin(2 * np.pi * 0.21 * t + 1) + 0.2 * np.sin(2 * np.pi * 0.37 * t)
    tape.add(0, (gust[: len(t)] * swell).astype(np.float32), 0.05)
    assert len(t) <= round(shot.seconds * RATE) + 1
    return tape.finish(0.5)


def _curl(field: Field) -> tuple[Field, Field]:
    """A wind without sources from a potential; longest gust about 1."""
    up, right = np.gradient(field)
    size = np.float32(float(np.percentile(np.hypot(up, right), 97)) or 1.0)
    return np.asarray(up / size), np.asarray(-right / size)


def _strokes(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    ground, names = _INKS[shot.variant % 6]
    inks = np.stack([rgb(n) for n in names])
    small = (max(8, w // 4), max(8, h // 4))
    cell = w / 4 * (0.6, 0.34, 0.5, 0.5, 0.5, 0.8)[shot.variant % 6]
    before, after = (_curl(clouds(rng, *small, cell, 3)) for _ in range(2))
    drift = (0.0, 0.0, 0.5, 0.0, 0.0, 0.25)[shot.variant % 6]
    many = round(1900 * w * h / 518_400) + 20
    paper = rgb(ground) * (1 + 0.025 * clouds(rng, w, h, 60, 5)[..., None])
    pad_ = 16  # strokes begin and end beyond the paper's edge
    canvas = np.pad(bytes_of(paper), ((pad_, pad_), (pad_, pad_), (0, 0)), mode="edge")

    def frames() -> Iterator[Pixels]:
        px = rng.uniform(0, w, many).astype(np.float32)
        py = rng.uniform(0, h, many).astype(np.float32)
        life = rng.integers(5, 60, many)
        # neighbours share an ink: bands of colour follow the same air
        tone = clouds(rng, w, h, w * 0.4, 2)
        which = np.zeros(many, dtype=np.int64)
        thick = rng.random(many) < 0.3
        shade = rng.uniform(0.82, 1.12, (many, 1)).astype(np.float32)

        def choose(who: NDArray[np.bool_]) -> None:
            at = tone[py[who].astype(int) % h, px[who].astype(int) % w]
            which[who] = (np.clip(at * 1.5 + 0.5, 0, 0.999) * len(inks)).astype(int)

        choose(np.ones(many, dtype=bool))
        pace = np.float32(w / 540 * 1.5)
        for frame in range(shot.count):
            part = np.float32(frame / shot.count)
            gx = before[0] * (1 - part) + after[0] * part + np.float32(drift)
            gy = before[1] * (1 - part) + after[1] * part
            for _ in range(3):
                ix = np.clip(px / w * small[0], 0, small[0] - 1).astype(np.int32)
                iy = np.clip(py / h * small[1], 0, small[1] - 1).astype(np.int32)
                px += gx[iy, ix] * pace
                py += gy[iy, ix] * pace
                life -= 1
                gone = (life <= 0) | (px < -12) | (py < -12) | (px >= w + 11) | (py >= h + 11)
                if gone.any():
                    count = int(gone.sum())
                    px[gone] = rng.uniform(-11, w + 10, count)
                    py[gone] = rng.uniform(-11, h + 10, count)
                    life[gone] = rng.integers(25, 95, count)
                    choose(gone)
                jx, jy = (px + pad_).astype(np.int32), (py + pad_).astype(np.int32)
                colour = inks[which] * shade
                for dx, dy, strength in ((0, 0, 0.62), (1, 0, 0.36), (0, 1, 0.36), (1, 1, 0.3)):
                    _dab(canvas, jx + dx, jy + dy, colour, strength)
                for dx, dy in ((2, 0), (2, 1), (0, 2), (1, 2), (-1, 0), (-1, 1), (0, -1), (1, -1)):
                    _dab(canvas, (jx + dx)[thick], (jy + dy)[thick], colour[thick], 0.3)
            yield canvas[pad_:-pad_, pad_:-pad_].copy()

    return Scene(w, h, shot.fps, frames(), _air(shot))


def _dab(
    canvas: Pixels, x: NDArray[np.int32], y: NDArray[np.int32], colour: Field, strength: float
) -> None:
    under = canvas[y, x].astype(np.float32)
    canvas[y, x] = np.clip(under + (colour - under) * np.float32(strength), 0, 255).astype(np.uint8)


def _marbling(shot: Shot) -> Scene:
    """Drops of paint on still water, then a breath over it: the flow carries the picture
    itself.
    """
    w, h = shot.size(1.5)
    cw, ch = shot.size(6)  # the flow is smooth: where paint came from is tracked coarsely
    rng = shot.rng()
    source = _drops(shot, rng)
    sh, sw = source.shape[:2]
    flat = source.reshape(-1, 3)
    winds = [_curl(clouds(rng, cw, ch, cw * 0.5, 2)) for _ in range(2)]
    gx, gy = np.meshgrid(np.arange(cw, dtype=np.float32), np.arange(ch, dtype=np.float32))

    def frames() -> Iterator[Pixels]:
        mx, my = gx.copy(), gy.copy()
        pace = np.float32(0.42 * cw / 90)
        for frame in range(shot.count):
            part = np.float32(frame / shot.count)
            bx = gx - (winds[0][0] * (1 - part) + winds[1][0] * part) * pace
            by = gy - (winds[0][1] * (1 - part) + winds[1][1] * part) * pace
            bx, by = np.clip(bx, 0, cw - 1.01), np.clip(by, 0, ch - 1.01)
            mx, my = _sample(mx, bx, by), _sample(my, bx, by)
            x = np.clip(resize(mx, w, h) * np.float32(sw / cw), 0, sw - 1).astype(np.int32)
            y = np.clip(resize(my, w, h) * np.float32(sh / ch), 0, sh - 1).astype(np.int32)
            yield flat[y * sw + x]

    return Scene(w, h, shot.fps, frames(), _air(shot))


def _drops(shot: Shot, rng: np.random.Generator) -> Pixels:
    """Paint dropped one after the other, each pushing the earlier ones outward (Lu et al.
    2012).
    """
    w, h = shot.width, shot.height
    ground, names = _INKS[shot.variant % 6]
    x, y = grid(w, h)
    x, y = x.ravel().copy(), y.ravel().copy()
    picture = np.empty((w * h, 3), dtype=np.float32)
    picture[:] = rgb(ground)
    open_ = np.arange(w * h)
    drops = [
        (rng.uniform(-0.95, 0.95), rng.uniform(-1.7, 1.7), rng.uniform(0.2, 0.46))
        for _ in range(26)
    ]
    for number, (px, py, size) in enumerate(reversed(drops)):
        dx, dy = x - px, y - py
        away2 = np.maximum(dx * dx + dy * dy, 1e-6)
        inside = away2 < size * size
        ring = (np.sqrt(away2[inside]) / size * (2 + number % 4)).astype(int)
        inks = np.array([rgb(n) for n in (*names, ground)])
        picture[open_[inside]] = inks[(ring * 2 + number) % len(inks)]
        out = ~inside
        pull = np.sqrt(1 - size * size / away2[out])
        x, y, open_ = px + dx[out] * pull, py + dy[out] * pull, open_[out]
    return bytes_of(picture.reshape(h, w, 3))


def _sample(field: Field, x: Field, y: Field) -> Field:
    """Bilinear look-up at x, y (inside the field)."""
    ix, iy = x.astype(np.int32), y.astype(np.int32)
    fx, fy = x - ix, y - iy
    ix1, iy1 = np.minimum(ix + 1, field.shape[1] - 1), np.minimum(iy + 1, field.shape[0] - 1)
    top = field[iy, ix] * (1 - fx) + field[iy, ix1] * fx
    low = field[iy1, ix] * (1 - fx) + field[iy1, ix1] * fx
    mixed: Field = top * (1 - fy) + low * fy
    return mixed
