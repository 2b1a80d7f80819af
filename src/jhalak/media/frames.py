"""Decoded frames as pictures in memory, for what is made of single frames."""

from __future__ import annotations

import threading
from pathlib import Path

from PIL import Image

from jhalak.media.commands import still_command
from jhalak.media.model import Limits, Probe
from jhalak.media.process import Budget, run


def read_frames(
    probe: Probe,
    source: Path,
    size: tuple[int, int],
    *,
    keys: bool,
    seconds: float,
    most: int,
    rate: float = 0.0,
    limits: Limits,
    stop: threading.Event | None,
    nice: int = 0,
) -> list[Image.Image]:
    """At most `most` frames of the first `seconds`, upright, in BT.709, of `size`.

    `keys`: key frames alone are decoded. `rate`: frames a second, the next earlier one where there
    is none; 0 gives each frame once. Raises Refused, Stopped, Failed as ffmpeg does.
    """
    cutter = _Cutter(*size)
    command = still_command(probe, source, *size, keys=keys, seconds=seconds, most=most, rate=rate)
    budget = Budget.of(limits, round(seconds * 1000), nice=nice)
    run(command, [cutter.feed], budget, stop=stop)
    return cutter.pictures


def fitted(probe: Probe, width: int, height: int) -> tuple[int, int]:
    """The clip's size as shown, made small enough for both; never larger than it is."""
    scale = min(1.0, width / probe.width, height / probe.height)
    return max(1, round(probe.width * scale)), max(1, round(probe.height * scale))


class _Cutter:
    """Cuts a stream of raw RGB into pictures."""

    def __init__(self, width: int, height: int) -> None:
        self.pictures: list[Image.Image] = []
        self._size = (width, height)
        self._bytes = width * height * 3
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= self._bytes:
            raw = bytes(self._buffer[: self._bytes])
            del self._buffer[: self._bytes]
            self.pictures.append(Image.frombytes("RGB", self._size, raw))
