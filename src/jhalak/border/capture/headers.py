"""What is needed of a frame's headers: who sent it to whom, and where in a TCP stream it lies.

Ethernet (with VLAN tags), Linux "cooked" captures, raw IP and loopback; IPv4 and IPv6 with their
extension headers. What cannot be read is said, never passed over: an unread packet could be the one
that leaks.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from jhalak.border.capture.files import Frame

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
TCP, UDP = 6, 17
SYN, FIN, RST, ACK = 2, 1, 4, 16
_ETHERNET, _RAW, _SLL, _SLL2, _NULL = 1, 101, 113, 276, 0
_V4, _V6 = 0x0800, 0x86DD
_VLAN = frozenset({0x8100, 0x88A8, 0x9100, 0x9200})
# Kinds of frames that no router passes on: ARP, link discovery, port access, loop detection; below
# 0x600 the field is a length, as spanning tree has it. Any other could be IP in another coat
# (MPLS, PPPoE).
_OF_THE_LINK = frozenset({0x0806, 0x88CC, 0x888E, 0x9000})
_LENGTH = 0x600
_EXTENSIONS = frozenset({0, 43, 60})  # hop-by-hop, routing, destination options


class Unread(Exception):
    """The headers of this frame cannot be read; the message says why."""


@dataclass(frozen=True)
class Packet:
    """Ports are 0 where a protocol has none, or in a fragment after the first."""

    at_ns: int
    source: Address
    target: Address
    protocol: int
    source_port: int = 0
    target_port: int = 0
    flags: int = 0
    sequence: int = 0
    payload: int = 0  # bytes
    fragment: bool = False


def packet(frame: Frame) -> Packet | None:
    """None for what is for the link alone: it does not pass a router. Raises Unread."""
    found = _network(frame)
    if found is None:
        return None
    version, data = found
    left = frame.length - (len(frame.data) - len(data))
    return _ipv4(frame.at_ns, data, left) if version == 4 else _ipv6(frame.at_ns, data, left)


def _network(frame: Frame) -> tuple[int, bytes] | None:
    data = frame.data
    if frame.link == _RAW or frame.link in (228, 229):
        return (data[0] >> 4 if data else 0), data
    if frame.link == _NULL:
        return (data[4] >> 4 if len(data) > 4 else 0), data[4:]
    at = {_ETHERNET: 12, _SLL: 14, _SLL2: 0}.get(frame.link)
    if at is None:
        raise Unread(f"a frame of link type {frame.link}")
    head = 20 if frame.link == _SLL2 else at + 2
    if len(data) < head:
        raise Unread("a frame shorter than its header")
    kind = int.from_bytes(data[at : at + 2], "big")
    while kind in _VLAN:
        if len(data) < head + 4:
            raise Unread("a frame cut off in its VLAN tag")
        kind = int.from_bytes(data[head + 2 : head + 4], "big")
        head += 4
    if kind in (_V4, _V6):
        return (4 if kind == _V4 else 6), data[head:]
    if kind in _OF_THE_LINK or kind < _LENGTH:
        return None
    raise Unread(f"a frame of kind 0x{kind:04x}")


def _ipv4(at_ns: int, data: bytes, left: int) -> Packet:
    if len(data) < 20 or data[0] >> 4 != 4:
        raise Unread("an IPv4 packet cut off in its header")
    head, total = 4 * (data[0] & 15), int.from_bytes(data[2:4], "big")
    if total == 0:  # left to the network card to cut up (TSO)
        total = left
    if head < 20 or total < head or len(data) < head:
        raise Unread("an IPv4 packet with lengths that cannot be")
    offset = int.from_bytes(data[6:8], "big")
    source, target = ipaddress.IPv4Address(data[12:16]), ipaddress.IPv4Address(data[16:20])
    if offset & 0x3FFF:
        return Packet(at_ns, source, target, data[9], payload=total - head, fragment=True)
    return _transport(at_ns, source, target, data[9], data[head:], total - head)


def _ipv6(at_ns: int, data: bytes, left: int) -> Packet:
    if len(data) < 40 or data[0] >> 4 != 6:
        raise Unread("an IPv6 packet cut off in its header")
    source, target = ipaddress.IPv6Address(data[8:24]), ipaddress.IPv6Address(data[24:40])
    total = int.from_bytes(data[4:6], "big") or left - 40
    following, at = data[6], 40
    while following in _EXTENSIONS:
        if len(data) < at + 8:
            raise Unread("an IPv6 packet cut off in its extension headers")
        following, size = data[at], 8 * (data[at + 1] + 1)
        at += size
        total -= size
    if total < 0:
        raise Unread("an IPv6 packet with lengths that cannot be")
    if following == 44:
        protocol = data[at] if len(data) > at else 0
        return Packet(at_ns, source, target, protocol, payload=total, fragment=True)
    return _transport(at_ns, source, target, following, data[at:], total)


def _transport(
    at_ns: int, source: Address, target: Address, protocol: int, data: bytes, total: int
) -> Packet:
    if protocol == TCP:
        if len(data) < 14:
            raise Unread("a TCP segment cut off in its header")
        ports = struct.unpack(">HHI", data[:8])
        payload = total - 4 * (data[12] >> 4)
        if data[12] >> 4 < 5 or payload < 0:
            raise Unread("a TCP segment with lengths that cannot be")
        return Packet(at_ns, source, target, TCP, ports[0], ports[1], data[13], ports[2], payload)
    if protocol == UDP and len(data) >= 8:
        one, two = struct.unpack(">HH", data[:4])
        return Packet(at_ns, source, target, UDP, one, two, payload=total - 8)
    return Packet(at_ns, source, target, protocol, payload=total)
