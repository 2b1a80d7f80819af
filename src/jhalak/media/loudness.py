"""How loud a clip is, and what makes all clips equally loud: -14 LUFS, true peak under -1 dB.

ITU-R BS.1770-5 over the sound as it will be heard: downmixed to two channels at 48 kHz by ffmpeg,
which hands us samples through a pipe. Energy is weighted ("K") where it is cheapest, in the
spectrum of blocks of 100 ms, by Parseval; the blocks join to windows of 400 ms, gated at -70 LUFS
and 10 LU under the mean. Inter-sample peaks are looked for only where samples are high. 20 s of
sound take about 0.1 s in all.

The gain is one number for the whole clip, so nothing pumps; a limiter holds what would pass the
peak. Platforms that people know play at -14 LUFS; the margins are argued in docs/decisions.md.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from jhalak.media.commands import measure_command, measure_sound_command
from jhalak.media.model import AS_IT_IS, Gain, Limits, Probe, Refused
from jhalak.media.process import Budget, Command, run

TARGET_LUFS = -14.0
PEAK_DB = -1.0
_MOST_DB = 20.0
"""No more is added: what is quieter than -34 LUFS is a quiet room, and would become noise."""
_LIMITED_DB = 10.0
"""A limiter may take so much off the highest peaks; beyond, speech begins to sound pressed."""
_SILENCE_LUFS = -70.0
_RATE = 48_000
_BLOCK = _RATE // 10
_UP = 4  # oversampling by which BS.1770 annex 2 finds peaks between samples
_SPAN = 512
_LOOKED_AT = 64  # spans with the highest samples; the true peak is in one of them


class Loudness(msgspec.Struct, frozen=True):
    lufs: float | None
    """Integrated; None for silence and for less than 400 ms."""
    peak_db: float
    """True peak, dB of full scale; -120 for silence."""


def measure(
    probe: Probe, source: Path, limits: Limits, stop: threading.Event | None = None
) -> Loudness | None:
    """Of the sound that is taken; None when there is none, or none that ffmpeg can decode."""
    if probe.audio_index is None:
        return None
    return _measure(measure_command(probe, source), probe.duration_ms, limits, stop)


def measure_sound(
    sound: Path, duration_ms: int, limits: Limits, stop: threading.Event | None = None
) -> Loudness | None:
    """Of the first `duration_ms` of a sound that a clip takes instead of its own."""
    command = measure_sound_command(sound, duration_ms / 1000)
    return _measure(command, duration_ms, limits, stop)


def _measure(
    command: Command, duration_ms: int, limits: Limits, stop: threading.Event | None
) -> Loudness | None:
    meter = Meter()
    try:
        run(command, [meter.feed], Budget.of(limits, duration_ms), stop=stop)
    except Refused:  # whoever encodes it meets the same, and says so
        return None
    return meter.result()


def gain(found: Loudness | None) -> Gain:
    """What makes it right."""
    if found is None:
        return AS_IT_IS
    db = _wanted_db(found)
    return Gain(db, found.peak_db + db > PEAK_DB)


def _wanted_db(found: Loudness) -> float:
    if found.lufs is None:
        return 0.0
    wanted = min(TARGET_LUFS - found.lufs, _MOST_DB)
    if wanted > 0:
        wanted = max(0.0, min(wanted, PEAK_DB - found.peak_db + _LIMITED_DB))
    return round(wanted, 1)


class Meter:
    """Takes interleaved float32 of two channels at 48 kHz, cut anywhere."""

    def __init__(self) -> None:
        self._left = b""
        self._energies: list[npt.NDArray[np.float32]] = []
        self._high: list[tuple[float, npt.NDArray[np.float32]]] = []

    def feed(self, data: bytes) -> None:
        data = self._left + data
        whole = len(data) // (_BLOCK * 8) * (_BLOCK * 8)
        self._left = data[whole:]
        if whole:
            self._take(np.frombuffer(data, np.float32, whole // 4).reshape(-1, _BLOCK, 2))

    def _take(self, blocks: npt.NDArray[np.float32]) -> None:
        blocks = np.nan_to_num(blocks, nan=0.0, posinf=1.0, neginf=-1.0)
        spectrum = np.fft.rfft(blocks, axis=1)
        power = np.abs(spectrum) ** 2 * _WEIGHTS
        self._energies.append(2 / _BLOCK**2 * power.sum(axis=(1, 2)))
        self._keep_high(blocks.reshape(-1, 2))

    def _keep_high(self, samples: npt.NDArray[np.float32]) -> None:
        spans = samples[: len(samples) // _SPAN * _SPAN].reshape(-1, _SPAN, 2)
        peaks = np.abs(spans).max(axis=(1, 2), initial=0.0)
        best = np.argsort(peaks)[-_LOOKED_AT:]
        self._high += [(float(peaks[at]), spans[at]) for at in best]
        self._high = sorted(self._high, key=lambda pair: pair[0])[-_LOOKED_AT:]

    def result(self) -> Loudness:
        tail = np.frombuffer(self._left, np.float32, len(self._left) // 8 * 2).reshape(-1, 2)
        if len(tail):  # a last part block counts for the peak, and for loudness as if it went on
            self._keep_high(np.pad(tail, ((0, -len(tail) % _SPAN), (0, 0))))
        return Loudness(self._integrated(), self._true_peak())

    def _integrated(self) -> float | None:
        blocks = np.concatenate([*self._energies, np.empty(0, np.float32)]).astype(np.float64)
        if len(blocks) < 4:
            return None
        windows = np.convolve(blocks, np.ones(4) / 4, "valid")
        loud = windows[_lufs(windows) > _SILENCE_LUFS]
        if not len(loud):
            return None
        kept = loud[_lufs(loud) > _lufs(loud.mean()) - 10]
        return float(_lufs(kept.mean()))

    def _true_peak(self) -> float:
        if not self._high or self._high[-1][0] <= 0:
            return -120.0
        spans = np.stack([span for _, span in self._high])
        spectrum = np.fft.rfft(spans, axis=1)
        between = np.abs(np.fft.irfft(spectrum, _SPAN * _UP, axis=1)) * _UP
        # A span's ends ring, because the spectrum takes it for one round of a circle.
        inside = between[:, _SPAN // 8 : -_SPAN // 8].max()
        return float(20 * np.log10(max(inside, self._high[-1][0])))


def _lufs(energy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return -0.691 + 10 * np.log10(np.maximum(energy, 1e-12))


def _weights() -> npt.NDArray[np.float32]:
    """K weighting of each frequency of a block: the two filters of BS.1770 annex 1, squared."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(_BLOCK))
    shelf = np.polyval([1.19839281085285, -2.69169618940638, 1.53512485958697], z) / np.polyval(
        [0.73248077421585, -1.69065929318241, 1.0], z
    )
    high = np.polyval([1.0, -2.0, 1.0], z) / np.polyval(
        [0.99007225036621, -1.99004745483398, 1.0], z
    )
    weights = np.abs(shelf * high) ** 2
    weights[[0, -1]] /= 2  # the two that a real signal's spectrum holds once
    return weights.astype(np.float32)[None, :, None]


_WEIGHTS = _weights()
