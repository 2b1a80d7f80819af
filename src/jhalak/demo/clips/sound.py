"""Synthesised sound: plucked strings, drone, flute, bells, skins, weather, and the ragas to
play them in.

Everything is additive or shaped noise, in numpy; a tape mixes it, adds a small room, and never
clips. Ragas are lists of just-intonation ratios over Sa, as printed in any primer of Hindustani
or Carnatic music.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Wave = NDArray[np.floating[Any]]

_S, _R1, _R2, _G1, _G2, _M1, _M2 = 1.0, 16 / 15, 9 / 8, 6 / 5, 5 / 4, 4 / 3, 45 / 32
_P, _D1, _D2, _N1, _N2 = 3 / 2, 8 / 5, 5 / 3, 9 / 5, 15 / 8
RAGAS: dict[str, tuple[float, ...]] = {
    "yaman": (_S, _R2, _G2, _M2, _P, _D2, _N2),
    "bhairav": (_S, _R1, _G2, _M1, _P, _D1, _N2),
    "bhupali": (_S, _R2, _G2, _P, _D2),
    "durga": (_S, _R2, _M1, _P, _D2),
    "malkauns": (_S, _G1, _M1, _D1, _N1),
    "desh": (_S, _R2, _M1, _P, _N2),
    "hamsadhwani": (_S, _R2, _G2, _P, _N2),
    "kirwani": (_S, _R2, _G1, _M1, _P, _D1, _N2),
    "bilawal": (_S, _R2, _G2, _M1, _P, _D2, _N2),
}


def note(raga: str, degree: int, sa: float = 220.0) -> float:
    """Hz of the n-th step of a raga; negative and large degrees go through the octaves."""
    scale = RAGAS[raga]
    octave, step = divmod(degree, len(scale))
    return sa * scale[step] * 2.0**octave


def phrase(rng: np.random.Generator, length: int, low: int = -2, high: int = 8) -> list[int]:
    """Degrees of a melody that walks by steps, leaps now and then and comes home."""
    here, line = 0, []
    for index in range(length):
        line.append(here)
        step = int(rng.choice([-2, -1, -1, 1, 1, 2, 3]))
        here = min(max(here + step, low), high)
        if index == length - 2:
            here = 0
    return line


def times(seconds: float) -> Wave:
    wave: Wave = np.arange(max(1, round(seconds * RATE)), dtype=np.float32) / np.float32(RATE)
    return wave


def envelope(t: Wave, attack: float, release: float) -> Wave:
    """Rises over `attack`, falls over the last `release` seconds."""
    end = float(t[-1])
    rise = np.minimum(1, t / max(attack, 1e-4))
    fall = np.clip((end - t) / max(release, 1e-4), 0, 1)
    wave: Wave = (rise * fall).astype(np.float32)
    return wave


@lru_cache(maxsize=256)
def pluck(hertz: float, seconds: float = 1.6, bright: float = 0.5) -> Wave:
    """A plucked string; `bright` 0 is a soft veena, 1 a sitar with its buzzing bridge."""
    t = times(seconds)
    out = np.zeros_like(t)
    for k in range(1, 4 + round(bright * 9)):
        if hertz * k > 9000:
            break
        level = abs(np.sin(np.pi * k * 0.21)) / k ** (1.5 - 0.7 * bright)
        decay = np.exp(-t * (1.7 + k * (0.9 - 0.5 * bright)))
        bloom = 1 + 0.5 * bright * np.sin(2 * np.pi * (0.6 + 0.35 * k) * t)
        out += level * decay * bloom * np.sin(2 * np.pi * hertz * k * (1 + 0.00008 * k * k) * t)
    wave: Wave = (out * envelope(t, 0.003, 0.08)).astype(np.float32)
    return wave


@lru_cache(maxsize=256)
def bell(hertz: float, seconds: float = 2.0, *, wood: bool = False) -> Wave:
    """A small bell, or with `wood` a marimba bar."""
    t = times(seconds)
    rows = (
        ((1, 1.0, 5.0), (3.93, 0.35, 14.0), (9.2, 0.12, 30.0))
        if wood
        else ((1, 1.0, 1.6), (2.0, 0.5, 2.4), (2.76, 0.4, 3.4), (5.4, 0.22, 6.0), (8.93, 0.1, 9.0))
    )
    out = np.zeros_like(t)
    for ratio, level, decay in rows:
        if hertz * ratio < 12_000:
            out += level * np.exp(-decay * t) * np.sin(2 * np.pi * hertz * ratio * t)
    wave: Wave = (out * envelope(t, 0.002, 0.05)).astype(np.float32)
    return wave


def flute(path: Sequence[tuple[float, float]], seed: int = 0) -> Wave:
    """A bamboo flute along (hertz, seconds) steps, gliding between them, with breath and a late
    vibrato.
    """
    if not path:
        return np.zeros(1, dtype=np.float32)
    total = sum(step[1] for step in path)
    t = times(total)
    marks = np.cumsum([0.0] + [step[1] for step in path])
    target = np.array([path[0][0]] * 1 + [p[0] for p in path], dtype=np.float64)
    index = np.minimum(np.searchsorted(marks[1:], t, side="right"), len(path) - 1)
    since = t - marks[index]
    before = target[index]
    after = target[index + 1]
    glide = np.clip(since / 0.09, 0, 1)
    hertz = before * (after / before) ** (glide * glide * (3 - 2 * glide))
    hertz *= 1 + 0.006 * np.clip(since - 0.2, 0, 0.4) / 0.4 * np.sin(2 * np.pi * 5.2 * t)
    angle = 2 * np.pi * np.cumsum(hertz) / RATE
    breath = coloured(seed, len(t), 900, 4200) * 0.05
    out = np.sin(angle) + 0.32 * np.sin(2 * angle) + 0.1 * np.sin(3 * angle) + breath
    swell = 0.75 + 0.25 * np.sin(np.pi * np.clip(since / 0.5, 0, 1))
    wave: Wave = (out * swell * envelope(t, 0.06, 0.25)).astype(np.float32)
    return wave


def drone(sa: float, seconds: float) -> Wave:
    """A tanpura's cloud of overtones, slow and even."""
    t = times(seconds)
    out = np.zeros_like(t)
    for root, level in ((sa / 2, 0.9), (sa, 0.5), (sa * 0.75, 0.6)):
        for k in range(1, 9):
            swell = 0.55 + 0.45 * np.sin(2 * np.pi * (0.11 + 0.037 * k) * t + k * 1.7 + root)
            out += level / k**1.15 * swell * np.sin(2 * np.pi * root * k * 1.0007 ** (k % 3) * t)
    wave: Wave = (out * envelope(t, 0.4, 0.5) / 3).astype(np.float32)
    return wave


def pad(hertz: Sequence[float], seconds: float) -> Wave:
    """A warm held chord."""
    t = times(seconds)
    out = np.zeros_like(t)
    for number, f in enumerate(hertz):
        for detune in (0.997, 1.003):
            phase = 2 * np.pi * f * detune * t + number
            out += np.sin(phase) + 0.25 * np.sin(2 * phase) + 0.08 * np.sin(3 * phase)
    slow = 0.8 + 0.2 * np.sin(2 * np.pi * 0.23 * t)
    wave: Wave = (out * slow * envelope(t, 0.5, 0.6) / (2 * len(hertz))).astype(np.float32)
    return wave


@lru_cache(maxsize=32)
def coloured(seed: int, count: int, low: float, high: float) -> Wave:
    """Noise between two frequencies (Hz), with soft shoulders; level about 1."""
    rng = np.random.default_rng(seed)
    size = 1 << max(10, (count - 1).bit_length())
    spectrum = np.fft.rfft(rng.standard_normal(size).astype(np.float32))
    f = np.fft.rfftfreq(size, 1 / RATE)
    shape = 1 / (1 + (low / np.maximum(f, 1)) ** 4) / (1 + (f / high) ** 4)
    out = np.fft.irfft(spectrum * shape, size)[:count]
    wave: Wave = (out / max(float(out.std()), 1e-9)).astype(np.float32)
    return wave


@lru_cache(maxsize=64)
def drum(kind: str, hertz: float = 150.0) -> Wave:
    """Strokes of tabla and friends: "na" (rim), "tin" (open), "ge" (bass, gliding), "ka"
    (slap), "tap", "thud".
    """
    seconds = {"na": 0.35, "tin": 0.7, "ge": 0.6, "ka": 0.12, "tap": 0.08, "thud": 0.45}[kind]
    t = times(seconds)
    hiss = coloured(7, len(t), 1500, 7000)
    if kind in ("na", "tin"):
        base, ring = hertz * 2, 9.0 if kind == "na" else 4.5
        out = sum(
            level * np.exp(-ring * (1 + k * 0.3) * t) * np.sin(2 * np.pi * base * ratio * t)
            for k, (ratio, level) in enumerate(((1, 0.9), (2.0, 0.6), (3.01, 0.4), (4.0, 0.15)))
        )
        out = out + 0.25 * hiss * np.exp(-180 * t)
    elif kind in ("ge", "thud"):
        bend = hertz * (0.5 + 0.35 * np.exp(-t * 16)) * (1 + (0.12 * t if kind == "ge" else 0))
        out = np.sin(2 * np.pi * np.cumsum(bend) / RATE) * np.exp(-5.5 * t) * 1.2
        out = out + 0.12 * hiss * np.exp(-220 * t)
    elif kind == "ka":
        out = 0.5 * hiss * np.exp(-60 * t)
    else:
        wood = np.sin(2 * np.pi * hertz * 5 * t) + 0.6 * np.sin(2 * np.pi * hertz * 8.3 * t)
        out = (wood * 0.6 + 0.3 * hiss) * np.exp(-75 * t)
    wave: Wave = (np.asarray(out) * envelope(t, 0.001, 0.03)).astype(np.float32)
    return wave


def chirp(low: float, high: float, seconds: float, wobble: float = 0.0) -> Wave:
    """A bird or a falling drop: a tone that slides."""
    t = times(seconds)
    part = t / max(seconds, 1e-6)
    hertz = low * (high / low) ** part * (1 + wobble * np.sin(2 * np.pi * 28 * t))
    out = np.sin(2 * np.pi * np.cumsum(hertz) / RATE)
    wave: Wave = (out * np.sin(np.pi * np.clip(part, 0, 1)) ** 0.7).astype(np.float32)
    return wave


class Tape:
    """A stereo track of fixed length that sounds are laid on. Times in seconds, pan -1 left to
    1 right.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.data = np.zeros((2, max(1, round(seconds * RATE))), dtype=np.float32)

    def add(self, at: float, wave: Wave, gain: float = 1.0, pan: float = 0.0) -> None:
        start = max(0, round(at * RATE))
        wave = wave[: max(0, self.data.shape[1] - start)]
        if len(wave):
            angle = (pan + 1) * np.pi / 4
            self.data[0, start : start + len(wave)] += wave * np.float32(gain * np.cos(angle))
            self.data[1, start : start + len(wave)] += wave * np.float32(gain * np.sin(angle))

    def finish(self, room: float = 0.25) -> NDArray[np.int16]:
        """Room, level, short fades: int16 (samples, 2)."""
        out = self.data
        if room > 0:
            out = out + room * _reverb(out)
        peak = float(np.abs(out).max())
        out = np.tanh(out / max(peak, 1e-6) * 1.25) * 0.72
        fade = min(out.shape[1] // 4, RATE // 8)
        out[:, :256] *= np.linspace(0, 1, min(256, out.shape[1]), dtype=np.float32)
        if fade:
            out[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        samples: NDArray[np.int16] = (out.T * 32_767).astype(np.int16)
        return samples


def _reverb(dry: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convolution with decaying noise, one tail for each ear."""
    tail = RATE * 5 // 4
    t = np.arange(tail, dtype=np.float32) / RATE
    size = 1 << (dry.shape[1] + tail - 1).bit_length()
    wet = np.empty_like(dry)
    for ear in range(2):
        hush = coloured(100 + ear, tail, 180, 3800) * np.exp(-t * 4.2)
        hush /= np.sqrt(float((hush**2).sum()))
        spectrum = np.fft.rfft(dry[ear], size) * np.fft.rfft(hush, size)
        wet[ear] = np.fft.irfft(spectrum, size)[: dry.shape[1]]
    return wet
