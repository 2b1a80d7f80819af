"""Little worlds: cellular automata, cell by cell on a crisp grid.

Life with the ghosts of the dead (Conway), Brian's Brain (Silverman), an elementary rule as a
waterfall (Wolfram), the cyclic world that winds itself into spirals (Griffeath), a sandpile
(Bak, Tang, Wiesenfeld) and ants (Langton).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from .canvas import Pixels, Scene, Shot, bytes_of, ramp, rgb
from .sound import Tape, drum, note, pad, times

Grid = NDArray[np.int16]
_CELL = 3  # working pixels a cell; two are lit, one is the gap


def make(shot: Shot) -> Scene:
    cw, ch = max(8, shot.width // 6), max(12, shot.height // 6)
    world: Callable[[Shot, int, int], Iterator[Pixels]] = (
        _life, _brain, _rule, _cyclic, _pile, _ants,
    )[shot.variant % 6]  # fmt: skip
    cells = world(shot, cw, ch)
    return Scene(cw * _CELL, ch * _CELL, shot.fps, _grow(cells), _music(shot), crisp=True)


def _grow(cells: Iterator[Pixels]) -> Iterator[Pixels]:
    """Cells to little tiles with a darker gap."""
    for cell in cells:
        big = cell.repeat(_CELL, 0).repeat(_CELL, 1)
        dim = cell.repeat(_CELL, 1) // 2
        big[_CELL - 1 :: _CELL] = dim
        big[:, _CELL - 1 :: _CELL] //= 2
        yield big


def _music(shot: Shot) -> NDArray[np.int16]:
    """Chip sounds: a square-wave arpeggio that a small automaton plays."""
    rng = shot.rng(9)
    tape = Tape(shot.seconds)
    beat = 0.125 + 0.01 * (shot.variant % 4)
    rule = (30, 90, 110, 45, 150, 73)[shot.variant % 6]
    row = rng.integers(0, 2, 16)
    raga = ("bhupali", "malkauns", "kirwani", "durga", "yaman", "hamsadhwani")[shot.variant % 6]
    for index, at in enumerate(np.arange(0, shot.seconds - 0.15, beat)):
        if index % 16 == 0:
            near = 4 * np.roll(row, 1) + 2 * row + np.roll(row, -1)
            row = (rule >> near) & 1
        if row[index % 16]:
            t = times(beat * 1.5)
            f = note(raga, int(row.cumsum()[index % 16]) + (index % 3) * 2, 220)
            wave = np.tanh(3 * np.sin(2 * np.pi * f * t)) * np.exp(-9 * t)
            tape.add(at, wave.astype(np.float32), 0.22, ((index % 8) - 3.5) / 5)
        if index % 8 == 0:
            tape.add(at, drum("thud", 90), 0.7)
        if index % 8 == 4:
            tape.add(at, drum("ka"), 0.35)
    tape.add(0, pad([note(raga, 0, 110), note(raga, 3, 110)], shot.seconds), 0.25)
    return tape.finish(0.2)


def _around(alive: Grid) -> Grid:
    """How many of the eight neighbours live, on a torus."""
    rows = np.roll(alive, 1, 0) + alive + np.roll(alive, -1, 0)
    total: Grid = np.roll(rows, 1, 1) + rows + np.roll(rows, -1, 1) - alive
    return total


def _mirrored(rng: np.random.Generator, w: int, h: int, share: float) -> Grid:
    quarter = rng.random((h // 2 + h % 2, w // 2 + w % 2)) < share
    top = np.concatenate([quarter, quarter[:, : w // 2][:, ::-1]], axis=1)
    return np.concatenate([top, top[: h // 2][::-1]], axis=0).astype(np.int16)


def _life(shot: Shot, w: int, h: int) -> Iterator[Pixels]:
    alive = _mirrored(shot.rng(), w, h, 0.33)
    ghost = np.zeros((h, w), dtype=np.float32)
    age = np.zeros((h, w), dtype=np.float32)
    young, old = rgb("#eafff2"), rgb("#2fbf71")
    trail = ramp(["#05070d", "#0d1b3d", "#173f7a", "#1c8f9c"]).astype(np.float32)
    for frame in range(shot.count):
        if frame % 2 == 0:
            n = _around(alive)
            alive = ((n == 3) | ((alive == 1) & (n == 2))).astype(np.int16)
        age = np.where(alive == 1, age + 1, 0)
        ghost = np.maximum(ghost * 0.93, alive)
        part = np.minimum(age / 16, 1)[..., None]
        live = young * (1 - part) + old * part
        back = trail[(ghost * 255).astype(np.intp)]
        yield bytes_of(np.where(alive[..., None] == 1, live, back))


def _brain(shot: Shot, w: int, h: int) -> Iterator[Pixels]:
    rng = shot.rng()
    state = (rng.random((h, w)) < 0.24).astype(np.int16)
    table = np.array([rgb("#10061e"), rgb("#ffffff"), rgb("#ff3d81")], dtype=np.float32)
    trail = np.zeros((h, w, 3), dtype=np.float32)
    for frame in range(shot.count):
        if frame % 8 == 0:  # a new ember now and then keeps the fire going
            y, x = int(rng.integers(0, h - 6)), int(rng.integers(0, w - 6))
            state[y : y + 6, x : x + 6] = rng.random((6, 6)) < 0.35
        if frame % 2 == 0:
            n = _around((state == 1).astype(np.int16))
            state = np.where(state == 1, 2, np.where((state == 0) & (n == 2), 1, 0)).astype(
                np.int16
            )
        now = table[state]
        trail = np.where(state[..., None] > 0, now, trail * np.array([0.80, 0.74, 0.90]))
        yield bytes_of(np.maximum(trail, table[0]))


def _rule(shot: Shot, w: int, h: int) -> Iterator[Pixels]:
    rng = shot.rng()
    rule = int(rng.choice([30, 90, 110, 150, 73, 105]))
    row = np.zeros(w, dtype=np.int64)
    row[w // 2] = 1
    table = ramp(["#ff7b00", "#ffd000", "#f72585", "#7209b7", "#4361ee", "#4cc9f0"], cyclic=True)
    board = np.zeros((h, w, 3), dtype=np.uint8)
    board[:] = (14, 12, 24)
    line = 0
    for frame in range(shot.count):
        for _ in range(h // 3 if frame == 0 else 1 + (frame % 2)):
            near = 4 * np.roll(row, 1) + 2 * row + np.roll(row, -1)
            colour = table[(line * 2 + np.abs(np.arange(w) - w // 2) * 2) % 256]
            board = np.roll(board, -1, 0) if line >= h else board
            board[min(line, h - 1)] = np.where(row[:, None] == 1, colour, (14, 12, 24))
            row = (rule >> near) & 1
            if line % 61 == 60:
                row[int(rng.integers(0, w))] ^= 1
            line += 1
        yield board


def _cyclic(shot: Shot, w: int, h: int) -> Iterator[Pixels]:
    kinds = 12
    state = shot.rng().integers(0, kinds, (h, w)).astype(np.int16)
    table = ramp(
        ["#003049", "#d62828", "#f77f00", "#fcbf49", "#eae2b7", "#2a9d8f"], kinds, cyclic=True
    )
    for frame in range(shot.count):
        rounds = 6 if frame < 10 else 1
        for _ in range(rounds):
            after = (state + 1) % kinds
            moved = np.zeros((h, w), dtype=bool)
            for axis in (0, 1):
                for way in (1, -1):
                    moved |= np.roll(state, way, axis) == after
            state = np.where(moved, after, state)
        yield table[state]


def _pile(shot: Shot, w: int, h: int) -> Iterator[Pixels]:
    grains = np.zeros((h + 2, w + 2), dtype=np.int32)
    table = np.array([rgb(c) for c in ("#0f1226", "#28527a", "#f2a900", "#fff4d6", "#d5363e")])
    cy, cx = h // 2 + 1, w // 2 + 1
    pour = max(20, round(w * h * 1.6 / shot.count))
    for _ in range(shot.count):
        grains[cy, cx] += pour
        for _ in range(40):
            topple = grains >> 2
            if not topple[1:-1, 1:-1].any():
                break
            grains -= topple << 2
            grains[1:] += topple[:-1]
            grains[:-1] += topple[1:]
            grains[:, 1:] += topple[:, :-1]
            grains[:, :-1] += topple[:, 1:]
            grains[0] = grains[-1] = 0
            grains[:, 0] = grains[:, -1] = 0
        yield table[np.minimum(grains[1:-1, 1:-1], 4)].astype(np.uint8)


def _ants(shot: Shot, w: int, h: int) -> Iterator[Pixels]:
    turns = ((1, 1, -1, -1), (1, -1, -1, 1), (-1, -1, 1, 1))[int(shot.rng().integers(0, 3))]
    colours = ("#101418", "#00a896", "#ff6f59", "#f0f3bd")
    table = np.array([rgb(c) for c in colours], dtype=np.float32).astype(np.uint8)
    x, y, way = w // 2, h // 2, 0
    cells = bytearray(w * h)
    for frame in range(shot.count):
        for _ in range(400 + round(8_000 * frame / shot.count)):
            kind = cells[y * w + x]
            way = (way + turns[kind]) % 4
            cells[y * w + x] = (kind + 1) % 4
            if way % 2:
                x = (x + 2 - way) % w
            else:
                y = (y + way - 1) % h
        board = np.frombuffer(bytes(cells), dtype=np.uint8)
        picture = table[board].reshape(h, w, 3)
        picture[y, x] = 255
        yield picture
