"""Letters: words that move, in ten scripts, each beat a stroke of the tabla.

Greetings as posters, a rain of Malayalam letters, the first Kural, Tagore's "walk alone", a
line of Ghalib in Nastaliq, and water in ten languages, made of waves. The poems are long in the
public domain.
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
    dot,
    ease,
    glow,
    ramp,
    rgb,
    spring,
    stamp,
    vertical,
)
from .sound import Tape, bell, drone, drum, flute, note, pad, pluck
from .type import Mark, Word, fitting, names, word

_POSTERS = (
    ("#f2a900", "#1b1b3a"), ("#c1121f", "#fff3e0"), ("#0b6e4f", "#ffe8a3"), ("#3a0ca3", "#ffb4a2"),
    ("#fff3e0", "#c8442e"), ("#12827c", "#fff8e7"), ("#e2725b", "#2b0a3d"), ("#1d3557", "#f2c14e"),
    ("#9c2a4d", "#ffd6e0"), ("#14110f", "#f2a900"),
)  # fmt: skip
_HELLO = (
    ("नमस्ते",), ("வணக்கம்",), ("নমস্কার",), ("నమస్కారం",), ("ನಮಸ್ಕಾರ",), ("നമസ്കാരം",), ("નમસ્તે",),
    ("ਸਤ", "ਸ੍ਰੀ", "ਅਕਾਲ"), ("ନମସ୍କାର",), ("آداب",),
)  # fmt: skip
_WATER = ("पानी", "நீர்", "জল", "నీరు", "ನೀರು", "വെള്ളം", "પાણી", "ਪਾਣੀ", "ପାଣି", "پانی")
_KURAL = ("அகர", "முதல", "எழுத்தெல்லாம்", "ஆதி", "பகவன்", "முதற்றே", "உலகு")
_TAGORE = ("যদি", "তোর", "ডাক", "শুনে", "কেউ", "না", "আসে", "তবে", "একলা", "চলো", "রে")
_GHALIB = ("ہزاروں", "خواہشیں", "ایسی", "کہ", "ہر", "خواہش", "پہ", "دم", "نکلے")


def make(shot: Shot) -> Scene:
    return (_hello, _rain, _kural, _alone, _ghalib, _water)[shot.variant % 6](shot)


def put(canvas: Field, mark: Mark, x: float, y: float, colour: Field, strength: float = 1) -> None:
    """A mark onto a float canvas, its baseline start at x, y; clipped."""
    left, top = round(x) + mark.x, round(y) + mark.y
    h, w = mark.mask.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.shape[1], left + w), min(canvas.shape[0], top + h)
    if x0 >= x1 or y0 >= y1:
        return
    part = mark.mask[y0 - top : y1 - top, x0 - left : x1 - left, None] * np.float32(strength)
    spot = canvas[y0:y1, x0:x1]
    spot += (colour - spot) * part


def _beats(shot: Shot, count: int) -> tuple[float, Tape]:
    """Seconds a beat so that `count` beats fill the clip; a tape with a tabla groove on them."""
    beat = shot.seconds / (count + 0.25)
    tape = Tape(shot.seconds)
    tape.add(0, drone(130.8, shot.seconds), 0.25)
    strokes = ("ge", "na", "tin", "na", "ge", "ka", "tin", "na")
    for half in range(count * 2):
        kind = strokes[half % 8]
        tape.add(
            half * beat / 2, drum(kind, 138), 0.75 if half % 2 == 0 else 0.4, (half % 3 - 1) / 3
        )
    return beat, tape


def _hello(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    beat, tape = _beats(shot, len(_HELLO))
    start = int(shot.rng().integers(0, 10))
    for k in range(len(_HELLO)):
        tape.add(k * beat, bell(note("bhupali", k, 261.6), 1.5), 0.35)

    def frames() -> Iterator[Pixels]:
        last: Field = np.zeros((h, w, 3), dtype=np.float32)
        for frame in range(shot.count):
            t = frame / shot.fps
            k = min(int(t / beat), len(_HELLO) - 1)
            part = t / beat - k
            ground, ink = (rgb(c) for c in _POSTERS[(k + start) % 10])
            edge = 0 if k == 0 else round(h * (1 - float(ease(part * 4.5))))
            canvas = np.empty((h, w, 3), dtype=np.float32)
            canvas[:] = ground
            words = _HELLO[k]
            sizes = [fitting(x, w * (0.86 if len(words) == 1 else 0.6), w * 0.42) for x in words]
            # a whisper of the same word, outlined by a slightly darker ground, marches behind
            ghost = fitting(words[0], w * 1.7, w * 0.9).whole()
            put(canvas, ghost, w * (0.1 - 0.35 * part), h * 0.30, ground * 0.9)
            put(canvas, ghost, -w * (0.75 - 0.35 * part), h * 0.92, ground * 0.9)
            for line, shaped in enumerate(sizes):
                y = h * 0.53 + (line - (len(sizes) - 1) / 2) * w * 0.36
                x = (w - shaped.width) / 2
                for i, mark in enumerate(shaped.parts):
                    come = spring(np.clip((part - 0.05 - 0.05 * i) * 3.2, 0, 1))
                    if come > 0:
                        put(canvas, mark, x, y + (1 - come) * w * 0.4, ink, min(1, come * 1.5))
            whole = bytes_of(canvas)
            if 0 < edge < h:  # the new sheet slides up over the old one
                mixed = last.copy()
                mixed[edge:] = canvas[: h - edge]
                yield bytes_of(mixed)
                continue
            if part > 0.55:
                last = canvas
            yield whole

    return Scene(w, h, shot.fps, frames(), tape.finish(0.3))


def _rain(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    letters = [x for x in names("malayalam") if len(x) == 1]
    columns = 9
    tape = Tape(shot.seconds)
    tape.add(0, pad([note("desh", d, 110) for d in (0, 2, 4)], shot.seconds), 0.4)
    for at in np.arange(0.1, shot.seconds - 0.6, 0.21):
        tape.add(
            at,
            pluck(note("desh", int(rng.integers(0, 11)), 220), 1.1, 0.35),
            0.35,
            rng.uniform(-1, 1),
        )
    sky = vertical(["#04231c", "#0b4f3c", "#0c7a57"], w, h)
    hues = ramp(["#f2f7c9", "#b8f2a0", "#5fe3a1"], 16).astype(np.float32)
    layers = []
    for depth in range(3):
        size = w / columns * (0.75, 1.15, 1.9)[depth]
        speed = h * (0.16, 0.28, 0.46)[depth]
        many = (36, 22, 9)[depth]
        for _ in range(many):
            mark = word(letters[int(rng.integers(0, len(letters)))], size).whole()
            layers.append(
                (mark, rng.uniform(-0.05, 0.95) * w, rng.uniform(0, 1),
                 speed * rng.uniform(0.85, 1.2),
                 (0.28, 0.6, 1.0)[depth], hues[int(rng.integers(0, 16))], rng.uniform(0, 6))
            )  # fmt: skip

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = sky.copy()
            for mark, x, start, speed, strength, hue, sway in layers:
                y = (start * 1.3 * h + speed * t) % (1.3 * h) - 0.12 * h
                put(canvas, mark, x + 9 * np.sin(1.5 * t + sway), y, hue, strength)
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _stack(
    lines: tuple[tuple[str, ...], ...], width: float, tallest: float, lead: float
) -> tuple[list[list[Word]], list[float]]:
    """Lines of words, each line as large as fits, and their baselines: `lead` ems apart, from
    0.
    """
    out, baselines, y, before = [], [], 0.0, 0.0
    for line in lines:
        unit = sum(word(x, 1000).width for x in line) + 260 * (len(line) - 1)
        size = round(min(tallest, width / unit * 1000), 1)
        y += max(size, 0.8 * before) * lead
        before = size
        out.append([word(x, size) for x in line])
        baselines.append(y)
    return out, baselines


def _kural(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    beat, tape = _beats(shot, len(_KURAL) + 2)
    for k in range(len(_KURAL)):
        tape.add(k * beat, pluck(note("hamsadhwani", (0, 2, 4, 3, 5, 4, 7)[k], 196), 2.0, 0.6), 0.7)
    lines = tuple((x,) for x in _KURAL)
    shaped, base = _stack(lines, w * 0.84, w * 0.21, 1.14)
    top = (h - base[-1]) * 0.42
    ground = vertical(["#7a1220", "#5a0d1c", "#2b0710"], w, h)
    gold, pale = rgb("#f7c548"), rgb("#fff1d0")

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = ground.copy()
            # a column of palm-leaf rules behind the verse
            for k in range(len(_KURAL)):
                rule = round(top + base[k] + w * 0.075)
                canvas[rule : rule + 2, round(w * 0.08) : round(w * 0.92)] += 16
            for k, line in enumerate(shaped):
                age = t / beat - k
                if age <= 0:
                    continue
                y = top + base[k]
                for i, mark in enumerate(line[0].parts):
                    come = float(ease((age - 0.06 * i) * 2.6))
                    if come <= 0:
                        continue
                    heat = max(0.0, 1 - age * 0.8)
                    slide = (1 - come) * w * 0.5 * (1 if k % 2 else -1)
                    put(canvas, mark, w * 0.08 + slide, y, pale * heat + gold * (1 - heat), come)
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.35))


def _alone(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    beat = shot.seconds / (len(_TAGORE) + 1.5)
    tape = Tape(shot.seconds)
    tape.add(0, drone(123.5, shot.seconds), 0.35)
    tune = (0, 0, 2, 4, 4, 3, 2, 4, 5, 4, 2)
    steps = [(note("bilawal", d, 246.9), beat) for d in tune]
    tape.add(0, flute([*steps, (note("bilawal", 0, 246.9), beat)], 3), 0.4)
    for k in range(len(_TAGORE)):
        tape.add(k * beat, drum("ge" if k % 4 == 0 else "na", 123), 0.4)
    lines = (("যদি", "তোর"), ("ডাক", "শুনে"), ("কেউ", "না"), ("আসে", "তবে"), ("একলা",), ("চলো", "রে"))
    shaped, base = _stack(lines, w * 0.84, w * 0.225, 1.13)
    halo, disc = glow(w * 0.62), dot(w * 0.2, 3)
    dawn = vertical(["#20133f", "#5b2a6b", "#c4556b", "#f29b68"], w, h)
    ink, lamp = rgb("#fff4e0"), rgb("#ffd166")

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = dawn.copy()
            rise = h * (1.06 - 0.13 * t / shot.seconds)
            stamp(canvas, halo, w * 0.5, rise, rgb("#ffe3a3"))
            stamp(canvas, disc, w * 0.5, rise, rgb("#ffeec2"))
            k = 0
            for row, line in enumerate(shaped):
                x = w * 0.08
                y = h * 0.06 + base[row]
                for shape in line:
                    age = t / beat - k + (1 if k == 0 else 0)  # never an empty page
                    if age > 0:
                        come = float(ease(age * 1.6))
                        alone = row == 4
                        colour = lamp if alone else ink
                        put(canvas, shape.whole(), x, y + (1 - come) * 26, colour, come)
                    x += shape.width * 1.0 + w * 0.06
                    k += 1
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _ghalib(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    beat = shot.seconds / (len(_GHALIB) + 1.6)
    tape = Tape(shot.seconds)
    tape.add(0, drone(110, shot.seconds), 0.4)
    for k, degree in enumerate((0, 2, 1, 2, 4, 5, 4, 2, 0)):
        tape.add(k * beat, pluck(note("kirwani", degree, 220), 2.4, 0.9), 0.55, 0.2)
        tape.add(k * beat + beat / 2, pluck(note("kirwani", degree - 3, 220), 1.4, 0.9), 0.2, -0.3)
    lines = (("ہزاروں",), ("خواہشیں",), ("ایسی", "کہ", "ہر"), ("خواہش", "پہ"), ("دم", "نکلے"))
    shaped, base = _stack(lines, w * 0.78, w * 0.185, 1.56)
    top = (h - base[-1]) * 0.36
    paper = vertical(["#f4e9d2", "#efdfc0", "#e6cfa6"], w, h)
    rng = shot.rng()
    paper *= (1 + 0.02 * rng.standard_normal((h, w, 1))).astype(np.float32)
    ink, red = rgb("#1d1a2b"), rgb("#a4133c")
    for inset in (0.045, 0.058):  # a ruled border, as in a handwritten page
        x0, y0 = round(w * inset), round(w * inset)
        for sl in (np.s_[y0 : y0 + 2, x0 : w - x0], np.s_[h - y0 - 2 : h - y0, x0 : w - x0],
                   np.s_[y0 : h - y0, x0 : x0 + 2],
                   np.s_[y0 : h - y0, w - x0 - 2 : w - x0]):  # fmt: skip
            paper[sl] = rgb("#9c6b30")

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            canvas = paper.copy()
            k = 0
            for row, line in enumerate(shaped):
                x = w * 0.9
                y = top + base[row]
                for shape in line:
                    x -= shape.width
                    age = t / beat - k
                    if age > 0:
                        whole = shape.whole()
                        # written from right to left: an edge travels over the word
                        run = np.linspace(1, 0, whole.mask.shape[1], dtype=np.float32)
                        wet = np.clip((age * 1.15 - run) * 9, 0, 1)
                        fresh = np.clip(1.4 - age, 0, 1)
                        colour = red * fresh + ink * (1 - fresh)
                        put(canvas, Mark(whole.mask * wet, whole.x, whole.y), x, y, colour)
                    x -= w * 0.05
                    k += 1
            yield bytes_of(canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))


def _water(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    beat = shot.seconds / (len(_WATER) + 0.25)
    tape = Tape(shot.seconds)
    tape.add(0, pad([note("durga", d, 146.8) for d in (0, 2, 4)], shot.seconds), 0.5)
    for k in range(len(_WATER)):
        tape.add(k * beat, bell(note("durga", (0, 3, 1, 4, 2, 5, 3, 6, 4, 7)[k], 293.7), 2.2), 0.5)
        tape.add(k * beat + beat / 2, bell(note("durga", k % 4 + 2, 587.3), 1.2), 0.18, 0.5)
    table = ramp(["#e8fbff", "#7fd8e8", "#1b9aaa", "#06506b", "#021c33"]).astype(np.float32)
    rows = np.arange(h, dtype=np.float32)
    columns = np.arange(w)

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            t = frame / shot.fps
            k = min(int(t / beat), len(_WATER) - 1)
            part = t / beat - k
            light = np.zeros((h, w, 1), dtype=np.float32)
            for which, strength in ((k - 1, 1 - part * 3), (k, min(1.0, part * 4 + (k == 0)))):
                if which >= 0 and strength > 0:
                    shaped = fitting(_WATER[which], w * 0.8, w * 0.52)
                    put(
                        light,
                        shaped.whole(),
                        (w - shaped.width) / 2,
                        h * 0.47,
                        np.ones(1, dtype=np.float32),
                        strength,
                    )
            # below the line the word is mirrored, stretched and broken by waves
            line = round(h * 0.56)
            below = (
                light[line - (h - line) : line][::-1][: h - line] if 2 * line >= h else light[:0]
            )
            light[line : line + len(below)] = below * 0.55
            deep = np.clip((rows - line) / (h - line), 0, 1)
            swing = (2 + 22 * deep) * np.sin(rows * 0.085 - 5.2 * t) * (rows > line)
            swing += (1 + 9 * deep) * np.sin(rows * 0.19 + 3.1 * t) * (rows > line)
            swing += 3 * np.sin(rows * 0.03 + 2 * t)
            index = np.clip(columns[None, :] + swing[:, None], 0, w - 1).astype(np.intp)
            bent = np.take_along_axis(light[..., 0], index, axis=1)
            tone = 40 + 185 * rows / h + 8 * np.sin(rows * 0.05 - 2 * t) * (rows > line)
            ground = table[np.clip(tone, 0, 255).astype(np.intp)][:, None, :]
            ink = rgb("#04263f") * (1 - deep[:, None, None]) + rgb("#d8fbff") * deep[:, None, None]
            yield bytes_of(ground + (ink - ground) * bent[..., None])

    return Scene(w, h, shot.fps, frames(), tape.finish(0.5))
