"""Counting packets: how long a clip really is, and whether its H.264 can be copied as it is."""

from __future__ import annotations

from av.packet import Packet
from av.stream import Stream

_NAL_IDR = 5
_NAL_SLICE = 1


def avcc_length_size(extradata: bytes) -> int:
    """Bytes of a NAL's length in AVCC form (ISO/IEC 14496-15, 5.3.3.1), 0 when it is not that."""
    if len(extradata) < 7 or extradata[0] != 1:
        return 0
    return (extradata[4] & 3) + 1


def first_slice(data: bytes, length_size: int) -> int:
    """Type of the first slice NAL of an AVCC packet, or -1 when its NALs do not fill it: ffmpeg's
    decoder passes over such a packet, another player need not.
    """
    at, found = 0, -1
    while at + length_size < len(data):
        length = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if length == 0 or length > len(data) - at:
            return -1
        kind = data[at] & 0x1F
        if found < 0 and _NAL_SLICE <= kind <= _NAL_IDR:
            found = kind
        at += length
    return found if at == len(data) else -1


class Tally:
    """Sums over packets. Times are seconds, from the first frame shown."""

    def __init__(self, length_size: int) -> None:
        self._length_size = length_size
        self.frames = 0
        self.keys = 0
        self.clean = length_size > 0
        self._bytes = 0
        self._begin: float | None = None
        self._end = 0.0
        self._sound_begin: float | None = None
        self._sound_end = 0.0
        self._last_key: float | None = None
        self._longest_gop = 0.0
        self._last_dts: int | None = None

    def picture(self, packet: Packet[Stream]) -> None:
        begin, end = _span(packet)
        if packet.is_discard:  # outside of the edit list: decoded, not shown
            self.clean = False
            return
        if self.frames == 0 and not packet.is_keyframe:
            self.clean = False
        self.frames += 1
        self._bytes += packet.size
        self._begin = begin if self._begin is None else min(begin, self._begin)
        self._end = max(self._end, end)
        dts = packet.dts
        if dts is None or (self._last_dts is not None and dts <= self._last_dts):
            self.clean = False
        self._last_dts = dts
        kind = first_slice(bytes(packet), self._length_size) if self.clean else -1
        if kind < 0:
            self.clean = False
        if packet.is_keyframe:
            self.keys += 1
            if self._last_key is not None:
                self._longest_gop = max(self._longest_gop, begin - self._last_key)
            self._last_key = begin
            # Only an IDR closes a group; a player that starts at another key frame shows grey.
            if kind != _NAL_IDR:
                self.clean = False

    def sound(self, packet: Packet[Stream]) -> None:
        begin, end = _span(packet)
        if not packet.is_discard:
            self._sound_begin = begin if self._sound_begin is None else self._sound_begin
            self._sound_end = max(self._sound_end, end)

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last frame or sound."""
        begins = [b for b in (self._begin, self._sound_begin) if b is not None]
        ends = [e for b, e in self._spans() if b is not None]
        return max(0.0, max(ends, default=0.0) - min(begins, default=0.0))

    def _spans(self) -> tuple[tuple[float | None, float], ...]:
        return (self._begin, self._end), (self._sound_begin, self._sound_end)

    @property
    def start_ms(self) -> int:
        begins = [begin for begin, _ in self._spans() if begin is not None]
        return round(min(begins, default=0.0) * 1000)

    @property
    def late_ms(self) -> int:
        if self._begin is None or self._sound_begin is None:
            return 0
        return round((self._begin - max(0.0, self._sound_begin)) * 1000)

    @property
    def picture_seconds(self) -> float:
        return max(0.0, self._end - (self._begin or 0.0))

    @property
    def frame_rate(self) -> float:
        return self.frames / self.picture_seconds if self.picture_seconds > 0 else 0.0

    @property
    def bits_per_second(self) -> int:
        return round(self._bytes * 8 / self.picture_seconds) if self.picture_seconds > 0 else 0

    @property
    def longest_gop_ms(self) -> int:
        last = self._end - self._last_key if self._last_key is not None else self.picture_seconds
        return round(max(self._longest_gop, last) * 1000)


def _span(packet: Packet[Stream]) -> tuple[float, float]:
    base = float(packet.time_base)
    begin = packet.pts if packet.pts is not None else packet.dts or 0
    return begin * base, (begin + (packet.duration or 0)) * base
