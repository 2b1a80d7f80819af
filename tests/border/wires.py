"""Captures made by hand: frames of TCP and UDP, as pcap and as pcapng."""

from __future__ import annotations

import ipaddress
import struct

OURS, MAIL, VIEWER = "10.0.0.5", "198.51.100.7", "203.0.113.20"
SYN, ACK, FIN, PSH = 2, 16, 1, 8


def ip(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    one, two = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if one.version == 6:
        head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64)
        return b"\0" * 12 + b"\x86\xdd" + head + one.packed + two.packed + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0)
    return b"\0" * 12 + b"\x08\x00" + head + one.packed + two.packed + payload


def tcp(
    source: tuple[str, int], target: tuple[str, int], sequence: int, flags: int, data: bytes = b""
) -> bytes:
    head = struct.pack(
        ">HHIIBBHHH", source[1], target[1], sequence % 2**32, 1, 5 << 4, flags, 9, 0, 0
    )
    return ip(source[0], target[0], 6, head + data)


def udp(source: tuple[str, int], target: tuple[str, int], data: bytes) -> bytes:
    head = struct.pack(">HHHH", source[1], target[1], 8 + len(data), 0)
    return ip(source[0], target[0], 17, head + data)


def talk(
    client: tuple[str, int],
    server: tuple[str, int],
    sent: int,
    received: int,
    *,
    first: int = 4_294_967_000,  # near the end of sequence numbers, so that they wrap
    part: int = 100,
) -> list[bytes]:
    """A whole connection, with every second segment sent twice and two in the wrong order."""
    frames = [
        tcp(client, server, first, SYN),
        tcp(server, client, 77, SYN | ACK),
        tcp(client, server, first + 1, ACK),
    ]
    for way, start, size in (((client, server), first + 1, sent), ((server, client), 78, received)):
        parts = [
            tcp(*way, start + at, ACK | PSH, b"x" * min(part, size - at))
            for at in range(0, size, part)
        ]
        parts[1:3] = reversed(parts[1:3])
        for number, one in enumerate(parts):
            frames += [one] * (1 + number % 2)
    return [
        *frames,
        tcp(client, server, first + 1 + sent, FIN | ACK),
        tcp(server, client, 78 + received, FIN | ACK),
    ]


def pcap(frames: list[bytes], begin_ms: int = 1_780_000_000_000) -> bytes:
    """One frame each millisecond."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for number, frame in enumerate(frames):
        ms = begin_ms + number
        head = struct.pack("<IIII", ms // 1000, ms % 1000 * 1000, len(frame), len(frame))
        data += head + frame
    return data


def pcapng(frames: list[bytes], begin_ms: int = 1_780_000_000_000) -> bytes:
    """The same, big-endian, in nanoseconds."""

    def block(kind: int, body: bytes) -> bytes:
        body += b"\0" * (-len(body) % 4)
        size = struct.pack(">I", 12 + len(body))
        return struct.pack(">I", kind) + size + body + size

    data = block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack(">HHI", 1, 0, 65535) + struct.pack(">HHB3xI", 9, 1, 9, 0))
    for number, frame in enumerate(frames):
        ticks = (begin_ms + number) * 1_000_000
        head = struct.pack(">IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        data += block(6, head + frame)
    return data
