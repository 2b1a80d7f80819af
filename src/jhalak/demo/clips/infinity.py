"""Endless: Julia sets that breathe, dives into the Mandelbrot set, Newton's basins, orbit
traps.

A dive computes the plane once in log-polar coordinates around its goal, so that zooming is only
a shift of rows and many octaves cost no more than one still. Smooth counts after the
escape-time literature (Peitgen & Richter 1986).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .canvas import Field, Pixels, Scene, Shot, grid, paint, ramp, resize
from .sound import RATE, Tape, bell, note, pad, times

_GOLD = ("#0b1026", "#25355f", "#7b5cd6", "#e85d9e", "#ffb347", "#fff3c4", "#ffb347", "#5a2a82")
_SEA = ("#03071e", "#0b525b", "#2a9d8f", "#e9f5db", "#f2a900", "#9d0208", "#370617")
_ROSE = ("#10002b", "#5a189a", "#c77dff", "#ffd6ff", "#ff8fab", "#a4133c", "#3c0919")
_MIDNIGHT = ("#000814", "#003566", "#00b4d8", "#caf0f8", "#ffc300", "#d35400", "#250902")
_LIMIT = 420


def make(shot: Shot) -> Scene:
    table = {
        0: lambda: _julia(shot, _GOLD, 0),
        1: lambda: _dive(shot, complex(-0.743643887037151, 0.131825904205330), _SEA),
        2: lambda: _newton(shot),
        3: lambda: _julia(shot, _MIDNIGHT, 1),
        4: lambda: _dive(shot, complex(-0.761574, -0.0847596), _ROSE),
        5: lambda: _trap(shot),
    }
    return table[shot.variant % 6]()


def _endless(shot: Shot, raga: str, way: int) -> NDArray[np.int16]:
    """Shepard's tone (1964): it always climbs, or sinks, and never arrives."""
    tape = Tape(shot.seconds)
    t = times(shot.seconds)
    rng = shot.rng(5)
    out = np.zeros_like(t)
    for voice in range(7):
        place = (voice / 7 + way * t / 28) % 1.0
        hertz = 55 * 2 ** (place * 6)
        level = np.sin(np.pi * place) ** 2
        out += level * np.sin(2 * np.pi * np.cumsum(hertz) / RATE)
    tape.add(0, (out / 3).astype(np.float32), 0.35)
    tape.add(0, pad([note(raga, d, 110) for d in (0, 2, 4, 7)], shot.seconds), 0.5)
    for at in np.arange(0.2, shot.seconds - 1.2, 0.72):
        tape.add(
            at, bell(note(raga, int(rng.integers(4, 12)), 220), 2.2), 0.2, rng.uniform(-0.8, 0.8)
        )
    return tape.finish(0.6)


def _julia(shot: Shot, colours: tuple[str, ...], style: int) -> Scene:
    w, h = shot.size(2.5)
    rng = shot.rng()
    x, y = grid(w, h // 2)
    half = (x * 1.05 + 1j * (y - h / w / 2) * 1.05).astype(np.complex64)
    table = ramp(colours, 512, cyclic=True)
    start = rng.uniform(0, 2 * np.pi)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = frame / shot.count
            angle = start + 2 * np.pi * 0.16 * part
            reach = 1.03
            c = reach * (np.exp(1j * angle) / 2 - np.exp(2j * angle) / 4)
            if style == 1:
                c = -1 + 0.255 * np.exp(1j * (start + 2 * np.pi * 0.5 * part))
            spin = np.exp(1j * (0.5 * part + start)) * (1.25 - 0.35 * part)
            count = _escape((half * np.complex64(spin)).ravel(), np.complex64(c), 56)
            top = count.reshape(half.shape)
            whole = np.concatenate([top, top[::-1, ::-1]])
            yield table[((whole * 17 + 150 * part).astype(np.int32)) % 512]

    return Scene(w, h // 2 * 2, shot.fps, frames(), _endless(shot, "yaman", 1))


def _escape(z: NDArray[np.complex64], c: np.complex64, limit: int) -> Field:
    """Smooth number of steps until |z| > 8; what never leaves gets where it came to rest."""
    count = np.zeros(z.shape, dtype=np.float32)
    live = np.arange(z.size)
    for step in range(limit):
        z = z * z + c
        size = z.real**2 + z.imag**2
        out = size > 64
        if out.any():
            gone = size[out]
            count[live[out]] = step + 1 - np.log2(np.log(gone) / np.float32(np.log(64)))
            keep = ~out
            live, z = live[keep], z[keep]
            if not live.size:
                break
    count[live] = limit * 0.4 + 2.5 * np.abs(z)
    return count


def _dive(shot: Shot, goal: complex, colours: tuple[str, ...]) -> Scene:
    w, h = shot.size(1.5)
    octaves = 1.55 * shot.seconds
    columns = max(96, round(w * 1.9))
    tall = float(np.hypot(1, h / w))
    per_octave = columns / (2 * np.pi) * np.log(2)
    inner = 4.2  # octaves kept under the centre, so that it never shows a hole
    rows = round((octaves + inner) * per_octave) + 2
    radius = (tall * 0.9 * 0.5 ** (np.arange(rows) / per_octave)).astype(np.float64)
    angle = np.arange(columns) * (2 * np.pi / columns)
    count = _mandelbrot((goal + radius[:, None] * np.exp(1j * angle)[None, :]).ravel(), _LIMIT)
    table = ramp(colours, 512, cyclic=True)
    strip = np.log2(count.reshape(rows, columns) + 1) * 150
    x, y = grid(w, h)
    away = np.maximum(np.hypot(x, y), 1e-4)
    row0 = np.minimum(-np.log2(away / tall) * per_octave, inner * per_octave - 2)
    turn = (np.arctan2(y, x) / (2 * np.pi) * columns) % columns
    flat = strip.ravel().astype(np.float32)
    never = float(np.log2(_LIMIT + 1) * 150 - 0.01)
    deep = np.array([10, 6, 20], dtype=np.uint8)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = frame / shot.count
            place = row0 + np.float32(part * octaves * per_octave)
            spin = turn + np.float32(columns * 0.09 * part)
            index = place.astype(np.int32) * columns + spin.astype(np.int32) % columns
            tone = flat[index]
            colour = table[(tone - 210 * part).astype(np.int32) % 512]
            colour[tone >= never] = deep  # what never escapes stays dark
            yield colour

    return Scene(w, h, shot.fps, frames(), _endless(shot, "kirwani", -1))


def _mandelbrot(c: NDArray[np.complex128], limit: int) -> Field:
    count = np.full(c.shape, float(limit), dtype=np.float32)
    live = np.arange(c.size)
    z = np.zeros_like(c)
    for step in range(limit):
        z = z * z + c
        if step < 12 or step % 4 == 0:
            size = z.real**2 + z.imag**2
            out = size > 1e4
            if out.any():
                count[live[out]] = np.maximum(
                    step + 1 - np.log2(np.log(np.minimum(size[out], 1e200)) / np.log(1e4)), 0
                )
                keep = ~out
                live, z, c = live[keep], z[keep], c[keep]
                if not live.size:
                    break
    return count


def _newton(shot: Shot) -> Scene:
    w, h = shot.size(3.4)
    rng = shot.rng()
    x, y = grid(w, h)
    plane = (x + 1j * y).astype(np.complex64)
    power = int(rng.choice([3, 4, 5]))
    table = ramp(["#1b1035", "#e63973", "#ffd166", "#06d6a0", "#118ab2"], 512, cyclic=True)
    start = rng.uniform(0, 6)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = frame / shot.count
            a = np.complex64(1 + 0.55 * np.exp(1j * (2 * np.pi * part + start)))
            z = plane * np.complex64(1.25 * np.exp(0.5j * part * np.pi))
            speed = np.zeros(z.shape, dtype=np.float32)
            for _ in range(11):
                low = z ** (power - 1)
                step = (low * z - 1) / (power * low + np.complex64(1e-6))
                z = z - a * step
                speed += np.exp(-4 * np.minimum(np.abs(step), 20))
            which = np.angle(z) / (2 * np.pi)
            shade = which * 512 + speed * 26 + 90 * part
            yield table[resize(shade.astype(np.float32), w, h).astype(np.int32) % 512]

    return Scene(w, h, shot.fps, frames(), _endless(shot, "durga", 1))


def _trap(shot: Shot) -> Scene:
    """Julia again, coloured by how near each orbit comes to a cross: Pickover's stalks."""
    w, h = shot.size(2.5)
    rng = shot.rng()
    x, y = grid(w, h // 2)
    half = (x + 1j * (y - h / w / 2)).astype(np.complex64)
    table = ramp(["#fff8e7", "#ffd27f", "#f2811d", "#a61e4d", "#2b0a3d", "#07030f"])
    start = rng.uniform(0, 6)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = frame / shot.count
            angle = start + 2.2 * part
            c = np.complex64(0.7885 * np.exp(1j * angle))
            z = half * np.complex64(1.15 * np.exp(0.4j * part))
            near = np.full(z.shape, 9.0, dtype=np.float32)
            for _ in range(18):
                z = z * z + c
                near = np.minimum(near, np.minimum(np.abs(z.real), np.abs(z.imag)))
                z = np.where(np.abs(z) > 6, np.complex64(6), z)
            top = np.clip(0.12 - 0.16 * np.log(near + 1e-3), 0, 1)
            yield paint(1 - np.concatenate([top, top[::-1, ::-1]]), table)

    return Scene(w, h // 2 * 2, shot.fps, frames(), _endless(shot, "malkauns", -1))
