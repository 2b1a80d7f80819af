"""Frames from a capture file: pcap and pcapng, as tcpdump, dumpcap and Wireshark write them.

Ours because the readers on PyPI are either unkept (dpkt, python-pcapng: 2022), or whole tool kits
that dissect what an attacker sent (scapy). All that is needed is a frame's time and bytes; the
formats are those of draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Nothing in the file is
believed: every length is bounded and checked before it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_FRAME = 1 << 18  # bytes; snap lengths are at most that
MOST_BLOCK = 1 << 24
MOST_INTERFACES = 10_000
_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_MAGIC = 0x1A2B3C4D


class CaptureError(Exception):
    """No capture, or a damaged one; the message says where."""


@dataclass(frozen=True)
class Frame:
    at_ns: int  # Unix time
    link: int  # LINKTYPE_*
    data: bytes
    length: int  # on the wire; more than there is of `data` when it was cut off


def frames(file: BinaryIO) -> Iterator[Frame]:
    """Raises CaptureError."""
    start = _exactly(file, 4, "its first bytes")
    if start in _PCAP:
        yield from _pcap(file, *_PCAP[start])
    elif start == b"\x0a\x0d\x0d\x0a":
        yield from _pcapng(file)
    else:
        raise CaptureError("it is neither pcap nor pcapng")


def _exactly(file: BinaryIO, size: int, what: str) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise CaptureError(f"the capture is cut off in {what}")
    return data


def _pcap(file: BinaryIO, order: str, unit: int) -> Iterator[Frame]:
    major, _, _, _, _, link = struct.unpack(f"{order}HHiIII", _exactly(file, 20, "its header"))
    if major != 2:
        raise CaptureError(f"it is pcap of version {major}")
    number = 0
    while head := file.read(16):
        number += 1
        if len(head) != 16:
            raise CaptureError(f"the capture is cut off in the head of frame {number}")
        seconds, part, kept, length = struct.unpack(f"{order}IIII", head)
        if kept > MOST_FRAME:
            raise CaptureError(f"frame {number} says that it has {kept} bytes")
        data = _exactly(file, kept, f"frame {number}")
        yield Frame(seconds * 1_000_000_000 + part * unit, link & 0xFFFF, data, max(length, kept))


def _pcapng(file: BinaryIO) -> Iterator[Frame]:
    order = _section(file)
    interfaces: list[tuple[int, int]] = []  # link, nanoseconds: negative for a power of two
    while head := file.read(8):
        if len(head) != 8:
            raise CaptureError("the capture is cut off between blocks")
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            file.seek(-4, 1)
            order, interfaces = _section(file), []
            continue
        kind, size = struct.unpack(f"{order}II", head)
        if size < 12 or size % 4 or size > MOST_BLOCK:
            raise CaptureError(f"a block says that it has {size} bytes")
        body = _exactly(file, size - 12, "a block")
        if struct.unpack(f"{order}I", _exactly(file, 4, "a block"))[0] != size:
            raise CaptureError("a block has two lengths")
        if kind == _INTERFACE:
            if len(interfaces) == MOST_INTERFACES:
                raise CaptureError("it has too many interfaces")
            interfaces.append(_interface(body, order))
        elif kind == _ENHANCED:
            yield _enhanced(body, order, interfaces)
        elif kind == _SIMPLE:
            raise CaptureError("it has packets without a time (simple packet blocks)")


def _section(file: BinaryIO) -> str:
    """The rest of a section header, whose type was read; the byte order of the section."""
    head = _exactly(file, 8, "a section header")
    for order in "<>":
        size, magic = struct.unpack(f"{order}II", head)
        if magic == _MAGIC:
            if not 28 <= size <= MOST_BLOCK or size % 4:
                raise CaptureError(f"a section header says that it has {size} bytes")
            body = _exactly(file, size - 12, "a section header")
            if struct.unpack(f"{order}HH", body[:4])[0] != 1:
                raise CaptureError("it is pcapng of another version")
            return order
    raise CaptureError("a section has no byte order")


def _interface(body: bytes, order: str) -> tuple[int, int]:
    if len(body) < 8:
        raise CaptureError("an interface is cut off")
    link, at, resolution = struct.unpack(f"{order}H", body[:2])[0], 8, 6
    while at + 4 <= len(body):
        code, size = struct.unpack(f"{order}HH", body[at : at + 4])
        if code == 0:
            break
        value = body[at + 4 : at + 4 + size]
        if code == 9 and size == 1 and value:  # if_tsresol
            resolution = value[0]
        elif code == 14:  # if_tsoffset
            raise CaptureError("an interface has a time offset")
        at += 4 + size + -size % 4
    if resolution & 0x7F > (63 if resolution & 0x80 else 18):
        raise CaptureError("an interface has a resolution of time that no clock has")
    return link, resolution


def _enhanced(body: bytes, order: str, interfaces: list[tuple[int, int]]) -> Frame:
    if len(body) < 20:
        raise CaptureError("a packet is cut off")
    which, high, low, kept, length = struct.unpack(f"{order}IIIII", body[:20])
    if which >= len(interfaces):
        raise CaptureError("a packet names an interface that was not declared")
    if kept > MOST_FRAME or kept > len(body) - 20:
        raise CaptureError("a packet is longer than its block")
    link, resolution = interfaces[which]
    ticks = high << 32 | low
    if resolution & 0x80:
        at_ns = (ticks * 1_000_000_000) >> (resolution & 0x7F)
    else:
        at_ns = ticks * 1_000_000_000 // 10**resolution
    return Frame(at_ns, link, body[20 : 20 + kept], max(length, kept))
