"""Rangoli: sikku kolam, one line winding around dots, and petals of coloured powder.

A kolam is a mirror curve (Gerdes 1990; Nagata & Robinson 2006): around every dot four short
arcs; between two dots the line crosses, except where a mirror stands. Mirrors are placed
symmetrically, and of several tries the one with the fewest loops is drawn, so that a hand could
do it without lifting. The pen's height is the note that sounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .canvas import Field, Pixels, Scene, Shot, bytes_of, clouds, ease, glow, grid, rgb
from .sound import Tape, bell, drone, drum, note, pluck

Dot = tuple[int, int]
_SIDES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # north, east, south, west
_FLOORS = (
    ("#6b2b1a", "#fff6ea", "#ffd166"),
    ("#233b2d", "#fdfbf1", "#ff9f6e"),
    ("#2a2350", "#fff4df", "#f2a900"),
)


def make(shot: Shot) -> Scene:
    return _kolam(shot) if shot.variant % 2 == 0 else _petals(shot)


# ---- the line ----------------------------------------------------------------------------------


def _dots(reach: int, extra: int) -> list[Dot]:
    """A diamond of dots, stretched upright."""
    tall = reach + extra
    return [
        (x, y)
        for y in range(-tall, tall + 1)
        for x in range(-reach, reach + 1)
        if abs(x) + max(0, abs(y) - extra) <= reach
    ]


def _mirrors(dots: set[Dot], rng: np.random.Generator, share: float) -> set[tuple[Dot, int]]:
    """Sides of dots where the line turns back: the rim, and a symmetric few inside."""
    stands: dict[tuple[int, int, int], bool] = {}
    found = set()
    for x, y in sorted(dots):
        for side, (dx, dy) in enumerate(_SIDES):
            if (x + dx, y + dy) not in dots:
                found.add(((x, y), side))
                continue
            key = (abs(2 * x + dx), abs(2 * y + dy), abs(dx))
            if key not in stands:
                stands[key] = bool(rng.random() < share)
            if stands[key]:
                found.add(((x, y), side))
    return found


def loops(dots: list[Dot], mirrors: set[tuple[Dot, int]]) -> list[NDArray[np.float64]]:
    """The closed lines around the dots, as rough polygons in units of the dots' distance.

    Arc k of a dot joins its sides k and k+1. At a crossing arc s-1 goes straight on into the
    neighbour's arc s'-1 and arc s into s' (s' is the neighbour's side that touches); at a
    mirror the two arcs of the same dot join.
    """
    unused = {(d, k) for d in dots for k in range(4)}
    found = []
    for start in sorted(unused):
        if start not in unused:
            continue
        dot, arc = start
        entry = arc  # came in through side `arc`, leaves through the other end
        line: list[tuple[float, float]] = []
        while (dot, arc) in unused:
            unused.discard((dot, arc))
            leave = (arc + 1) % 4 if entry == arc else arc
            for side in (entry, None, leave):
                if side is None:
                    a, b = _SIDES[arc], _SIDES[(arc + 1) % 4]
                    line.append((dot[0] + 0.30 * (a[0] + b[0]), dot[1] + 0.30 * (a[1] + b[1])))
                else:
                    far = 0.41 if (dot, side) in mirrors else 0.5
                    line.append((dot[0] + far * _SIDES[side][0], dot[1] + far * _SIDES[side][1]))
            line.pop()  # the next arc begins with the same point
            if (dot, leave) in mirrors:
                arc = leave if arc != leave else (leave - 1) % 4
                entry = leave
            else:
                ahead = leave == (arc + 1) % 4  # left as arc s-1 of side s
                dot = (dot[0] + _SIDES[leave][0], dot[1] + _SIDES[leave][1])
                entry = (leave + 2) % 4
                arc = (entry - 1) % 4 if ahead else entry
        found.append(np.array(line))
    return sorted(found, key=len, reverse=True)


def _smooth(line: NDArray[np.float64], rounds: int = 4) -> NDArray[np.float64]:
    """Chaikin's corner cutting on a closed line."""
    for _ in range(rounds):
        after = np.roll(line, -1, axis=0)
        line = np.stack([0.75 * line + 0.25 * after, 0.25 * line + 0.75 * after], 1).reshape(-1, 2)
    return np.concatenate([line, line[:1]])


@dataclass
class _Plan:
    lines: list[NDArray[np.float64]]
    dots: list[Dot]
    unit: float


def _plan(shot: Shot) -> _Plan:
    rng = shot.rng()
    reach, extra = ((2, 2), (3, 2), (3, 3))[int(rng.integers(0, 3))]
    dots = _dots(reach, extra)
    tries = [loops(dots, _mirrors(set(dots), rng, rng.uniform(0.12, 0.4))) for _ in range(14)]
    best = min(tries, key=lambda t: (len(t) > 4, abs(len(t) - 2), -len(t[0])))
    unit = min(shot.width / (2 * reach + 1.9), shot.height / (2 * (reach + extra) + 2.6))
    return _Plan([_smooth(line) for line in best], dots, unit)


def _floor(shot: Shot, colour: str) -> Field:
    rng = shot.rng(2)
    w, h = shot.width, shot.height
    x, y = grid(w, h)
    light = 1.12 - 0.28 * np.hypot(x, y * 0.7)
    rough = 1 + 0.10 * clouds(rng, w, h, 70, 5)
    speck = 1 + 0.035 * rng.standard_normal((h, w)).astype(np.float32)
    floor: Field = rgb(colour) * (light * rough * speck)[..., None]
    return floor


def _kolam(shot: Shot) -> Scene:
    plan = _plan(shot)
    w, h = shot.width, shot.height
    ground, white, accent = _FLOORS[(shot.variant // 2) % len(_FLOORS)]
    lengths = [float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in plan.lines]
    total = sum(lengths)
    draw_time = shot.seconds * 0.86
    tape = Tape(shot.seconds)
    tape.add(0, drone(98, shot.seconds), 0.4)
    path = np.concatenate(plan.lines)
    step = 0.24
    for k, at in enumerate(np.arange(0.2, draw_time, step)):
        place = path[min(len(path) - 1, int(len(path) * float(ease(at / draw_time))))]
        degree = round(5 - place[1] * 1.3)
        tape.add(at, pluck(note("hamsadhwani", degree, 196), 1.8, 0.4), 0.5, float(place[0]) / 5)
        if k % 4 == 0:
            tape.add(at, drum("ge", 98), 0.3)
    tape.add(draw_time, bell(note("hamsadhwani", 5, 392), 2.0), 0.5)
    hand = _Hand(shot, plan, _floor(shot, ground), (rgb(white), rgb(accent)))

    def frames() -> Iterator[Pixels]:
        for frame in range(shot.count):
            part = float(ease((frame + 1) / shot.fps / draw_time))
            hand.draw_to(total * (0.09 + 0.91 * part), lengths)
            yield bytes_of(hand.canvas)

    return Scene(w, h, shot.fps, frames(), tape.finish(0.35))


class _Hand:
    """Draws a plan's lines one after the other; each lies over the ones before, like powder."""

    def __init__(self, shot: Shot, plan: _Plan, floor: Field, colours: tuple[Field, Field]) -> None:
        self.w, self.h = shot.width, shot.height
        self.plan, self.colours = plan, colours
        self.powder = 0.8 + 0.2 * shot.rng(4).random((self.h, self.w), dtype=np.float32)
        self.thick = max(2.0, plan.unit * 0.115)
        self.number, self.at, self.finished = 0, 0, 0.0
        self.canvas = floor
        self._lift()
        spot = max(2.0, plan.unit * 0.085) * 2
        for x, y in plan.dots:
            self._dab(self.w + x * plan.unit * 2, self.h + y * plan.unit * 2, spot)
        _lay(floor, self.below, self.mask, (0, 0, self.w, self.h), self.powder, colours[1])
        self._lift()

    def _lift(self) -> None:
        """The next line begins: what is drawn so far becomes ground."""
        self.below = self.canvas.copy()
        self.mask = Image.new("L", (self.w * 2, self.h * 2), 0)
        self.brush = ImageDraw.Draw(self.mask)

    def _dab(self, x: float, y: float, r: float) -> None:
        self.brush.ellipse((x - r, y - r, x + r, y + r), fill=255)

    def draw_to(self, goal: float, lengths: list[float]) -> None:
        """Go on until `goal` units of line are drawn in all."""
        while self.number < len(self.plan.lines):
            part = min(1.0, (goal - self.finished) / lengths[self.number])
            self._stroke(part)
            if part < 1:
                return
            self.finished += lengths[self.number]
            self.number, self.at = self.number + 1, 0
            self._lift()

    def _stroke(self, part: float) -> None:
        line = self.plan.lines[self.number]
        upto = int(part * (len(line) - 1))
        if upto <= self.at:
            return
        piece = line[max(0, self.at - 2) : upto + 1] * self.plan.unit * 2 + (self.w, self.h)
        points = [tuple(p) for p in piece.tolist()]
        self.brush.line(points, fill=255, width=round(self.thick * 2), joint="curve")
        for x, y in (points[0], points[-1]):
            self._dab(x, y, self.thick)
        (x0, y0), (x1, y1) = piece.min(0) / 2 - self.thick - 3, piece.max(0) / 2 + self.thick + 3
        colour = self.colours[self.number % 2]
        _lay(self.canvas, self.below, self.mask, (x0, y0, x1, y1), self.powder, colour)
        self.at = upto


def _lay(
    canvas: Field,
    below: Field,
    pen: Image.Image,
    box: tuple[float, float, float, float],
    powder: Field,
    colour: Field,
) -> None:
    """Refresh one box of the canvas: the pen's mask (twice as large) as powder over what lies
    below.
    """
    h, w = powder.shape
    x0, y0 = max(0, int(box[0])), max(0, int(box[1]))
    x1, y1 = min(w, int(box[2]) + 1), min(h, int(box[3]) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    small = pen.crop((x0 * 2, y0 * 2, x1 * 2, y1 * 2)).reduce(2)
    mask = np.asarray(small, dtype=np.float32)[..., None] / 255 * powder[y0:y1, x0:x1, None]
    spot = below[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = spot + (colour - spot) * mask


# ---- petals ------------------------------------------------------------------------------------

_POWDERS = (
    ("#3d1f16", ("#f2a900", "#d7263d", "#ff6f3c", "#fff3e0", "#8e1b5a", "#2e933c")),
    ("#1c2541", ("#ff4d8d", "#ffd23f", "#3bceac", "#fff8f0", "#7b2cbf", "#ff8c42")),
    ("#2b1a2f", ("#ffb703", "#fb5607", "#ff006e", "#fdf0d5", "#8338ec", "#3a86ff")),
)


def _petals(shot: Shot) -> Scene:
    w, h = shot.width, shot.height
    rng = shot.rng()
    ground, powders = _POWDERS[(shot.variant // 2) % len(_POWDERS)]
    x, y = grid(w, h)
    r, a = np.hypot(x, y), np.arctan2(y, x) + np.pi / 2
    picture = _floor(shot, ground)
    birth = np.full((h, w), 9.0, dtype=np.float32)
    fold = int(rng.choice([8, 10, 12]))
    shuffle = rng.permutation(len(powders))
    edge_px = 2 / w
    radius, layer, starts = 0.0, 0, []
    layers = 11
    grain = (1 + 0.07 * rng.standard_normal((h, w))).astype(np.float32)[..., None]
    soft = clouds(rng, w, h, 14, 2) * 0.012
    while layer < layers and radius < 1.75:
        tall = float(rng.uniform(0.13, 0.2)) * (1 + 0.05 * layer)
        many = fold if layer < 3 else fold * 2 if layer < 8 else fold * 3
        phase = (layer % 2) * np.pi / many
        turn = np.abs((a + phase + np.pi / many) % (2 * np.pi / many) - np.pi / many) * many / np.pi
        inner, outer = radius, radius + tall * 1.55
        along = np.clip((r - inner) / (outer - inner), 0, 1)
        kind = int(rng.integers(0, 3)) if layer else 0
        width = (np.sin(np.pi * along**0.75), 1 - along, np.sqrt(np.clip(1 - along**2, 0, 1)))[kind]
        inside = (width * 0.96 - turn) * r / many * np.pi
        inside = np.where((r > inner) & (r < outer), inside, -1.0)
        ring = -0.1 + 0.96 * layer / layers
        starts.append(max(0.0, ring))
        sweep = ring + 0.055 * ((a % (2 * np.pi)) / (2 * np.pi)) + 0.02 * along + soft
        colour = rgb(powders[shuffle[layer % len(powders)]])
        heart = rgb(powders[shuffle[(layer + 2) % len(powders)]])
        body = colour * (1 - 0.25 * along[..., None])
        core = np.clip((inside - 0.35 * tall * 0.5) / (edge_px * 2), 0, 1)[..., None]
        body = body + (heart - body) * core
        rim = np.clip(1 - np.abs(inside - edge_px * 2.4) / (edge_px * 2.2), 0, 1)[..., None]
        body = body + (rgb("#fffaf0") - body) * rim
        cover = np.clip(inside / edge_px + 0.5, 0, 1)[..., None]
        picture = picture * (1 - cover) + body * grain * cover
        birth = np.where(inside > -edge_px, sweep, birth).astype(np.float32)
        radius += tall * float(rng.uniform(0.72, 0.95))
        layer += 1
    heart_mask = np.clip((0.055 - r) / edge_px, 0, 1)[..., None]
    picture = picture * (1 - heart_mask) + rgb("#fff3c4") * heart_mask
    birth = np.where(r < 0.06, 0.05, birth).astype(np.float32)
    tape = Tape(shot.seconds)
    tape.add(0, drone(116.5, shot.seconds), 0.35)
    for k, at in enumerate(starts):
        tape.add(at * shot.seconds, bell(note("bhupali", k, 233), 2.0), 0.5)
        for j in range(4):
            stroke = ("ge", "na", "tin", "na")[j]
            tape.add((at + 0.0186 * j) * shot.seconds, drum(stroke, 140), 0.45, (j - 1.5) / 3)
            pitch = note("bhupali", k + (j * 2) % 5, 233)
            tape.add((at + 0.0186 * j) * shot.seconds, pluck(pitch, 1.0, 0.5), 0.3, (1.5 - j) / 3)
    lamps = _lamps(shot, w) if shot.variant % 6 == 5 else []
    final = bytes_of(picture)
    return Scene(w, h, shot.fps, _poured(shot, final, birth, lamps), tape.finish(0.35))


def _lamps(shot: Shot, w: int) -> list[tuple[float, float, float]]:
    """Places of little oil lamps and the moment each is lit, as a part of the clip."""
    found = []
    for k in range(12):
        angle = 2 * np.pi * k / 12
        found.append(
            (
                w / 2 + 0.43 * w * np.sin(angle),
                shot.height / 2 - 0.43 * w * np.cos(angle),
                0.5 + 0.03 * k,
            )
        )
    return found


def _poured(
    shot: Shot, final: Pixels, birth: Field, lamps: list[tuple[float, float, float]]
) -> Iterator[Pixels]:
    """Each pixel appears at its moment: the order of a hand pouring powder."""
    h, w = birth.shape
    canvas = bytes_of(_floor(shot, _POWDERS[(shot.variant // 2) % len(_POWDERS)][0])).reshape(-1, 3)
    source = final.reshape(-1, 3)
    order = np.argsort(birth, axis=None, kind="stable")
    moments = birth.ravel()[order]
    rng = shot.rng(8)
    halo = glow(w * 0.13)[..., None]
    at = 0
    for frame in range(shot.count):
        part = (frame + 1) / shot.count
        upto = int(np.searchsorted(moments, part))
        canvas[order[at:upto]] = source[order[at:upto]]
        at = upto
        picture = canvas.reshape(h, w, 3)
        lit = [lamp for lamp in lamps if lamp[2] < part]
        if not lit:
            yield picture.copy()
            continue
        picture = picture.copy()
        reach = halo.shape[0] // 2
        for x, y, since in lit:
            power = min(1.0, (part - since) * 14) * (0.8 + 0.2 * rng.random())
            x0, y0 = round(x) - reach, round(y) - reach
            cx0, cy0 = max(0, x0), max(0, y0)
            cx1, cy1 = min(w, x0 + 2 * reach + 1), min(h, y0 + 2 * reach + 1)
            shine = halo[cy0 - y0 : cy1 - y0, cx0 - x0 : cx1 - x0] * power
            spot = picture[cy0:cy1, cx0:cx1].astype(np.float32)
            light = rgb("#ffb347") * shine * 0.75 + rgb("#fff6d0") * shine**5
            picture[cy0:cy1, cx0:cx1] = np.clip(spot + light, 0, 255).astype(np.uint8)
        yield picture
