"""Whether what was made looks and sounds like its source, by another way than the engine's.

Frames are decoded by PyAV without any filter, turned into RGB by the formulas of the standards in
numpy (BT.601, BT.709, BT.2020; PQ and HLG of BT.2100; the tone curve as it is written in
docs/parts/media.md), and turned upright by what the test says, not by what the probe says.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from PIL import Image

from jhalak.media.process import ffmpeg

Array = np.ndarray[Any, Any]

_LUMA = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
_TO_709 = {
    "2020": [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    "p3": [[1.2249, -0.2247, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0979]],
}
_SIDE = 192


class Look(NamedTuple):
    """How a clip is to be read."""

    matrix: str = "709"
    full: bool = False
    transfer: str = "sdr"
    """sdr, pq or hlg."""
    wide: str = ""
    """Primaries other than BT.709: 2020 or p3."""
    turn: int = 0
    """Degrees clockwise, after mirroring left to right where `mirrored`."""
    mirrored: bool = False


class Likeness(NamedTuple):
    ssim: float
    """The worst of the frames compared."""
    colour: float
    """Mean difference of 0..255 RGB, the worst of the frames."""
    lead: float
    """How much more alike, by the mean SSIM, than the best of the seven wrong ways to hold it."""


PLAYED = Look()


def likeness(
    source: Path, look: Look, made: Path, made_look: Look = PLAYED, *, stream: int = 0
) -> Likeness:
    """Compare frames of the first 1.5 s of both, by their times from the first frame."""
    theirs, ours = _frames(source, stream), _frames(made, 0)
    lasts = min(theirs[-1][0], ours[-1][0])
    colour, right, wrong = 0.0, [], []
    for share in (0.0, 0.45, 0.9):
        time = max(time for time, _ in theirs if time <= lasts * share)
        true = upright(_picture(_at(theirs, time), look), look)
        shown = upright(_picture(_at(ours, time), made_look), made_look)
        shown = shown.resize(_small(shown.size))
        true = true.resize(shown.size)
        right.append(ssim(true, shown))
        difference = np.abs(np.asarray(true, np.float64) - np.asarray(shown, np.float64))
        colour = max(colour, float(difference.mean()))
        wrong.append([ssim(turned.resize(shown.size), shown) for turned in _turned(true)])
    lead = np.mean(right) - np.mean(wrong, axis=0).max()
    return Likeness(min(right), colour, float(lead))


def _small(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _SIDE / max(size))
    return max(8, round(size[0] * scale)), max(8, round(size[1] * scale))


def _frames(path: Path, stream: int) -> list[tuple[float, av.VideoFrame]]:
    found: list[tuple[float, av.VideoFrame]] = []
    with av.open(str(path)) as file, contextlib.suppress(av.error.InvalidDataError):
        file.streams.video[stream].thread_type = "AUTO"
        for frame in file.decode(video=stream):
            time = frame.time or 0.0
            if not found and time < 0 and not frame.key_frame:
                continue  # an edit may begin between two key frames: nobody can decode these
            found.append((time, frame))
            if found[-1][0] - found[0][0] > 1.5:
                break
    first = min(time for time, _ in found)
    return [(time - first, frame) for time, frame in found]


def _at(frames: list[tuple[float, av.VideoFrame]], time: float) -> av.VideoFrame:
    return max((f for f in frames if f[0] <= time + 0.005), key=lambda f: f[0])[1]


def _plane(frame: av.VideoFrame, at: int) -> Array:
    plane, part = frame.planes[at], frame.format.components[at]
    wide = np.uint16 if part.bits > 8 else np.uint8
    lines = np.frombuffer(plane, wide).reshape(plane.height, -1)[:, : plane.width]
    return lines.astype(np.float64) / 2 ** (part.bits - 8)


def _picture(frame: av.VideoFrame, look: Look) -> Image.Image:
    """As an ordinary screen shows it: RGB of BT.709 primaries and gamma 2.4."""
    bits = frame.format.components[0].bits
    y, u, v = (_plane(frame, at) for at in range(3))
    step = max(1, max(y.shape) // 960)  # a large picture is compared by a part of its samples
    full = 255 if bits == 8 else 256 - 2.0 ** (8 - bits)
    y = y / full if look.full else (y - 16) / 219
    u, v = ((c - 128) / (full if look.full else 224) for c in (u, v))
    u, v = (_grown(c, y.shape)[::step, ::step] for c in (u, v))
    y = y[::step, ::step]
    red, blue = _LUMA[look.matrix]
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    rgb = np.clip(np.stack([r, g, b], axis=2), 0, 1)
    if look.transfer != "sdr" or look.wide:
        rgb = _to_screen(rgb, look)
    return Image.fromarray(np.round(255 * rgb).astype(np.uint8))


def _grown(chroma: Array, shape: tuple[int, ...]) -> Array:
    down, across = (-(-shape[n] // chroma.shape[n]) for n in (0, 1))
    return chroma.repeat(down, axis=0).repeat(across, axis=1)[: shape[0], : shape[1]]


def _to_screen(rgb: Array, look: Look) -> Array:
    if look.transfer == "pq":
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = rgb ** (1 / m2)
        light = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * 10000 / 203
    elif look.transfer == "hlg":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(rgb <= 0.5, rgb**2 / 3, (np.exp((rgb - c) / a) + b) / 12)
        luma = scene @ [0.2627, 0.678, 0.0593]
        light = scene * (luma**0.2)[..., None] * 1000 / 203
    else:
        light = rgb**2.4
    light = np.maximum(light @ np.array(_TO_709[look.wide or "2020"]).T, 0)
    if look.transfer != "sdr":
        brightest = np.maximum(light.max(axis=2, keepdims=True), 1e-6)
        light = light * _bent(brightest) / brightest
    return np.clip(light, 0, 1) ** (1 / 2.4)


def _bent(light: Array) -> Array:
    knee, peak = 0.3, 1000 / 203
    a = -(knee**2) * (peak - 1) / (knee**2 - 2 * knee + peak)
    b = (knee**2 - 2 * knee * peak + peak) / (peak - 1)
    bent = (b * b + 2 * b * knee + knee * knee) / (b - a) * (light + a) / (light + b)
    return np.where(light <= knee, light, bent)


def upright(picture: Image.Image, look: Look) -> Image.Image:
    if look.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.rotate(-look.turn, expand=True)


def _turned(picture: Image.Image) -> list[Image.Image]:
    """The seven other ways to hold it."""
    mirror = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turns = [picture.rotate(angle, expand=True) for angle in (90, 180, 270)]
    return [*turns, *(mirror.rotate(angle, expand=True) for angle in (0, 90, 180, 270))]


def ssim(one: Image.Image, two: Image.Image) -> float:
    """Structural similarity of brightness (Wang et al. 2004), over blocks of 8x8."""
    a, b = (_blocks(np.asarray(picture.convert("L"), np.float64)) for picture in (one, two))
    ma, mb = a.mean(axis=(1, 3)), b.mean(axis=(1, 3))
    va, vb = a.var(axis=(1, 3)), b.var(axis=(1, 3))
    both = (a * b).mean(axis=(1, 3)) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * ma * mb + c1) * (2 * both + c2)
    return float((top / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def _blocks(grey: Array) -> Array:
    high, wide = (n // 8 * 8 for n in grey.shape)
    return grey[:high, :wide].reshape(high // 8, 8, wide // 8, 8)


class Heard(NamedTuple):
    lufs: float
    peak_db: float


def heard(path: Path) -> Heard | None:
    """Loudness of the first sound by ffmpeg's own meter; None without sound."""
    with av.open(str(path)) as file:
        if not file.streams.audio:
            return None
    steps = "aformat=sample_fmts=flt:channel_layouts=stereo,ebur128=peak=true"
    words = ["-hide_banner", "-nostats", "-i", str(path), "-map", "0:a:0", "-af", steps]
    ran = subprocess.run(
        [ffmpeg(), *words, "-f", "null", "-"], capture_output=True, text=True, check=True
    )
    summary = ran.stderr[ran.stderr.rindex("Summary") :]
    lufs, peak = (re.search(rf"{name}: +(\S+)", summary) for name in ("I", "Peak"))
    assert lufs
    assert peak
    return Heard(float(lufs[1]), float(peak[1]))
