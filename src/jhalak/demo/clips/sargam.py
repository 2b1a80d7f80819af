"""Sargam: music that draws itself. The picture is made from the same numbers as the sound.

An oscilloscope of two tones, a veena's notes on seven lines, falling sargam, seven strings with
their standing waves, teental as a wheel of sixteen, and a harmonograph whose pendulums are the
chord.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from .canvas import (
    Pixels,
    Scene,
    Shot,
    bytes_of,
    dot,
    glow,
    ramp,
    rgb,
    stamp,
    vertical,
)
from .letters import put
from .scope import pendulum, scope
from .sound import Tape, drone, drum, note, phrase, pluck
from .type import word

_SWARA = ("सा", "रे", "ग", "म", "प", "ध", "नि")


def make(shot: Shot) -> Scene:
    return (scope, _veena, _falling, _strings, _wheel, pendulum)[shot.variant % 6](shot)


def _line(
    shot: Shot, raga: str, sa: float, each: float, bright: float
) -> tuple[Tape, list[tuple[float, int]]]:
    """A melody of plucked notes: tape and (seconds, degree)."""
    rng = shot.rng(3)
    count = int((shot.seconds - 1.0) / each)
    tape = Tape(shot.seconds)
    tape.add(0, drone(sa / 2, shot.seconds), 0.35)
    played = []
    at = 0.25
    for degree in phrase(rng, count, 0, 7):
        played.append((at, degree))
        tape.add(at, pluck(note(raga, degree, sa), 2.2, bright), 0.7, (degree - 3.5) / 6)
        at += each * float(rng.choice([1, 1, 1, 0.5, 1.5]))
        if at > shot.seconds - 0.6:
            break
    return tape, played


def _veena(shot: Shot) -> Scene:
    """Concentric rings: every note throws one, its size the pitch, its colour the swara."""
    w, h = shot.size(2)
    tape, played = _line(shot, "hamsadhwani", 174.6, 0.36, 0.45)
    hues = ramp(["#f2a900", "#ff5d5d", "#c77dff", "#4cc9f0", "#72efdd"], 8).astype(np.float32)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    places = [(w * (0.5 + 0.30 * np.sin(d * 2.4)), h * (0.82 - 0.085 * d)) for _, d in played]
    ground = vertical(["#150f2e", "#0d0a1f", "#1a0f24"], w, h)

    def frames() -> Iterator[Pixels]:
        core, halo = dot(w * 0.018, 2), glow(w * 0.2)
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = ground.copy()
            lit: list[tuple[float, float]] = []
            for (at, degree), (cx, cy) in zip(played, places, strict=True):
                age = t - at
                if age < 0:
                    continue
                lit.append((cx, cy))
                if age > 2.4:
                    continue
                fade = (1 - age / 2.4) ** 1.6
                radius = w * (0.05 + 0.34 * age)
                reach = int(radius + w * 0.05)
                x0, x1 = max(0, int(cx) - reach), min(w, int(cx) + reach)
                y0, y1 = max(0, int(cy) - reach), min(h, int(cy) + reach)
                away = np.hypot(x[y0:y1, x0:x1] - cx, y[y0:y1, x0:x1] - cy)
                ring = np.exp(-(((away - radius) / (w * 0.012)) ** 2))
                ring += 0.5 * np.exp(-(((away - radius * 0.66) / (w * 0.01)) ** 2))
                canvas[y0:y1, x0:x1] += (ring * fade)[..., None] * hues[degree]
                stamp(canvas, halo * fade * 0.8, cx, cy, hues[degree])
            for cx, cy in lit[-24:]:
                stamp(canvas, core, cx, cy, rgb("#fff3dc"))
            if len(lit) > 1:
                image = Image.fromarray(bytes_of(canvas))
                ImageDraw.Draw(image).line(lit[-24:], fill="#f7dfae", width=1)
                yield np.asarray(image)
            else:
                yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.35))


def _falling(shot: Shot) -> Scene:
    """Swaras fall on seven lanes and sound when they touch the line."""
    w, h = shot.width, shot.height
    tape, played = _line(shot, "yaman", 220, 0.26, 0.6)
    lanes = [
        rgb(c)
        for c in ("#f94144", "#f3722c", "#f9c74f", "#90be6d", "#43aa8b", "#4d96ff", "#b56bff")
    ]
    ground = vertical(["#10122b", "#191a3d", "#0c0d20"], w, h)
    lane = w / 7
    goal = h * 0.80
    for k in range(7):
        x = round(lane * k)
        ground[:, x : x + 1] += 14
        ground[round(goal) - 2 : round(goal) + 2, x + 6 : round(lane * (k + 1)) - 6] = (
            lanes[k] * 0.9
        )
    labels = [word(s, lane * 0.55) for s in _SWARA]
    for k, label in enumerate(labels):
        put(ground, label.whole(), lane * (k + 0.5) - label.width / 2, goal + lane * 0.85, lanes[k])
    speed = h * 0.42

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = ground.copy()
            for at, degree in played:
                k = degree % 7
                y = goal - (at - t) * speed
                x0, x1 = round(lane * k + 8), round(lane * (k + 1) - 8)
                if t < at:
                    top, low = max(0, round(y - lane * 0.55)), round(y)
                    if low > 0:
                        canvas[top:low, x0:x1] = lanes[k]
                        canvas[top : top + 3, x0:x1] = 255
                elif t - at < 0.6:
                    fade = 1 - (t - at) / 0.6
                    tall = round(h * 0.34 * fade)
                    beam = np.linspace(0, 1, tall)[:, None, None] ** 2 * fade if tall else None
                    if beam is not None:
                        a = round(goal) - tall
                        canvas[a : round(goal), x0:x1] += lanes[k] * beam
                    canvas[round(goal) - 4 : round(goal) + 4, x0 - 6 : x1 + 6] = 255 * fade + lanes[
                        k
                    ] * (1 - fade)
                    label = labels[k]
                    put(
                        canvas,
                        label.whole(),
                        lane * (k + 0.5) - label.width / 2,
                        goal + lane * 0.85,
                        rgb("#ffffff"),
                        fade,
                    )
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.3))


def _strings(shot: Shot) -> Scene:
    """Seven upright strings; a plucked one shows its standing wave, the higher the more
    bellies.
    """
    w, h = shot.width, shot.height
    tape, played = _line(shot, "bhupali", 196, 0.3, 0.8)
    wood = vertical(["#3b1d10", "#5a2d16", "#2a130a"], w, h)
    rng = shot.rng(2)
    wood *= 1 + 0.06 * np.repeat(rng.standard_normal((1, w, 1)), h, 0).astype(np.float32)
    for fret in range(9):
        y = round(h * (1 - 0.93 * 0.5 ** (fret / 5.5)) * 1.6 - h * 0.06)
        if 0 < y < h - 8:
            wood[y : y + 7] = rgb("#d9a441") * 0.8
            wood[y + 7 : y + 9] *= 0.4
    base = Image.fromarray(bytes_of(wood))
    ys = np.linspace(0, h, 97)
    hues = ramp(["#ffe8a3", "#ffd166", "#fff6e0"], 7)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            image = base.copy()
            draw = ImageDraw.Draw(image, "RGBA")
            for k in range(7):
                x = w * (0.13 + 0.123 * k)
                swing, bellies = 0.0, 1
                for at, degree in played:
                    if degree % 7 == k and 0 <= t - at < 1.8:
                        swing = w * 0.05 * np.exp(-2.1 * (t - at))
                        bellies = 1 + degree // 2
                shape = np.sin(np.pi * bellies * ys / h) * swing
                colour = tuple(int(v) for v in hues[k])
                if swing > 0.6:
                    left = list(zip((x - shape).tolist(), ys.tolist(), strict=True))
                    right = list(zip((x + shape).tolist(), ys.tolist(), strict=True))
                    draw.polygon(left + right[::-1], fill=(*colour, 92))
                    now = np.cos(2 * np.pi * (7 + k) * t)
                    for s in (1.0, -1.0, now):
                        points = list(zip((x + s * shape).tolist(), ys.tolist(), strict=True))
                        draw.line(points, fill=(*colour, 235), width=2)
                else:
                    draw.line([(x, 0), (x, h)], fill=(*colour, 220), width=max(2, 5 - k // 2))
            yield np.asarray(image)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.3))


def _wheel(shot: Shot) -> Scene:
    """Teental: sixteen beats, clapped at 1, 5 and 13, waved at 9 (any primer of tabla)."""
    w, h = shot.width, shot.height
    theka = "धा धिं धिं धा धा धिं धिं धा धा तिं तिं ता ता धिं धिं धा"
    bols = theka.split()
    beat = max(0.16, min(0.25, shot.seconds / 32))
    tape = Tape(shot.seconds)
    tape.add(0, drone(138.6, shot.seconds), 0.3)
    for k in range(int(shot.seconds / beat)):
        bol = bols[k % 16]
        at = k * beat
        if bol in ("धा", "धिं"):
            tape.add(at, drum("ge", 140), 0.9)
        tape.add(at, drum("na" if bol in ("धा", "ता") else "tin", 140), 0.6, 0.2)
        if k % 16 == 0:
            tape.add(at, drum("thud", 140), 0.9)
        if k % 2 and (k // 16) % 2:
            tape.add(at + beat / 2, drum("ka"), 0.3, -0.4)
    ground = vertical(["#2a0a12", "#4a0f1e", "#1d060d"], w, h)
    labels = [word(b, w * 0.088).whole() for b in bols]
    widths = [word(b, w * 0.088).width for b in bols]
    cx, cy, ring = w / 2, h * 0.47, w * 0.375
    gold, cream, red = rgb("#f2a900"), rgb("#fff1d6"), rgb("#ff5a4f")

    def frames() -> Iterator[Pixels]:
        disc = [dot(w * 0.055 * s, 2) for s in (1.0, 1.12, 1.26, 1.42)]
        halo = glow(w * 0.24)
        head = dot(w * 0.185, 3)
        rim, eye = dot(w * 0.205, 3), dot(w * 0.085, 3)
        for frame in range(shot.count):
            t = frame / shot.fps
            now = t / beat
            k = int(now) % 16
            part = now - int(now)
            canvas = ground.copy()
            throb = (1 - part) ** 2
            stamp(canvas, halo * (0.35 + 0.65 * throb), cx, cy, gold)
            stamp(canvas, rim, cx, cy, rgb("#6b3a1a"))
            stamp(canvas, head, cx, cy, rgb("#f4e3c3") * (0.86 + 0.14 * throb))
            stamp(canvas, eye, cx + 3 * throb, cy, rgb("#1a1014"))
            for i in range(16):
                angle = 2 * np.pi * i / 16
                x, y = cx + ring * np.sin(angle), cy - ring * 1.0 * np.cos(angle)
                live = i == k
                special = i in (0, 4, 12)
                colour = cream if live else (red if i == 8 else gold if special else rgb("#7d2a35"))
                size = 3 - min(3, int(part * 6)) if live else (1 if special else 0)
                stamp(canvas, disc[size], x, y, colour)
                ink = rgb("#2a0a12") if live or special or i == 8 else rgb("#f6d9b8")
                put(canvas, labels[i], x - widths[i] / 2, y + w * 0.025, ink)
            # how far round: an arm of light
            for j in range(18):
                angle = 2 * np.pi * (now - j * 0.045) / 16
                r = w * 0.262
                stamp(
                    canvas,
                    disc[0][::3, ::3] * (1 - j / 18),
                    cx + r * np.sin(angle),
                    cy - r * np.cos(angle),
                    cream,
                )
            # the count so far, as four rows of strokes
            for i in range(k + 1):
                x0 = round(w * (0.14 + 0.19 * (i % 4)))
                y0 = round(h * (0.80 + 0.03 * (i // 4)))
                canvas[y0 : y0 + 8, x0 : x0 + round(w * 0.15)] = gold if i == k else rgb("#a4473a")
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.3))
