"""Holds the connections of a capture against the flows of the ledger, one by one.

The machine's own addresses are `inside`. What is for the link alone (neighbour discovery, DHCP) is
not counted: no router passes it on. A connection that was begun outside is an answer to a viewer
and no egress, if it came to a port that is ours to serve. One begun inside must be a flow of the
ledger with the same address, port and bytes. Anything else that leaves (UDP, ICMP, fragments, bytes
in a reset, what cannot be read) is a leak: the broker sends none of it.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from jhalak.border.capture.files import frames
from jhalak.border.capture.headers import ACK, FIN, RST, SYN, TCP, Address, Packet, Unread, packet
from jhalak.border.capture.streams import Connection

SLACK_MS = 2_000  # two clocks, and the kernel's closing after the broker's
MOST_DIFFERENCES = 1000
_NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LINK = tuple(map(ipaddress.ip_network, ("224.0.0.0/24", "255.255.255.255/32", "ff02::/16")))
_Key = tuple[object, int, object, int]


class Flow(msgspec.Struct, frozen=True):
    """An egress flow as the ledger has it; times in Unix ms."""

    destination: str
    address: str
    port: int
    opened: int
    closed: int
    bytes_in: int
    bytes_out: int


class Reconciliation(msgspec.Struct, frozen=True):
    """`differences`: one sentence for each leak and each lie; empty when the books agree."""

    packets: int
    from_ms: int
    until_ms: int
    matched: int
    answered: int
    differences: list[str]


def reconcile(
    capture: BinaryIO,
    ledger: Iterable[Flow],
    inside: Iterable[Network],
    serves: Iterable[int] = (),
) -> Reconciliation:
    """Compares a capture with all flows of the ledger that touch its time. `serves`: our ports at
    which viewers call. A connection that was open before the capture began counts as theirs only
    at one of them; and when any is named, an answer from another port is a leak. Raises
    CaptureError.
    """
    wire = _Wire(tuple(inside), frozenset(serves))
    for frame in frames(capture):
        wire.take_frame(frame.at_ns)
        try:
            found = packet(frame)
        except Unread as error:
            wire.unread[str(error)] += 1
            continue
        if found is not None:
            wire.take(found)
    return _compare(wire, list(ledger))


class _Wire:
    def __init__(self, inside: tuple[Network, ...], serves: frozenset[int]) -> None:
        self.inside, self.serves = inside, serves
        self.packets = self.answered = 0
        self.first_ns = self.last_ns = 0
        self.open: dict[_Key, Connection] = {}
        self.done: list[Connection] = []
        self.stray: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()

    def take_frame(self, at_ns: int) -> None:
        self.first_ns = min(self.first_ns, at_ns) if self.packets else at_ns
        self.last_ns = max(self.last_ns, at_ns)
        self.packets += 1

    def _is_inside(self, address: Address) -> bool:
        return any(address in network for network in self.inside)

    def take(self, found: Packet) -> None:
        out, to_inside = self._is_inside(found.source), self._is_inside(found.target)
        if out == to_inside or _of_the_link(found.target):
            return  # within the machine, not of it at all, or such as no router passes on
        if found.protocol != TCP or found.fragment:
            if out:
                name = _NAMES.get(found.protocol, f"protocol {found.protocol}")
                what = f"fragment of {name}" if found.fragment else f"packet of {name}"
                port = f" port {found.target_port}" if found.target_port else ""
                self.stray[f"{what} to {found.target}{port}"] += 1
            return
        self._segment(found, out)

    def _segment(self, found: Packet, out: bool) -> None:
        one, two = (found.source, found.source_port), (found.target, found.target_port)
        inside, outside = (one, two) if out else (two, one)
        key: _Key = (*inside, *outside)
        opening = found.flags & (SYN | ACK) == SYN
        known = self.open.get(key)
        if known is None or (opening and known.closing):
            if known is not None:
                self.done.append(known)
            known = Connection(inside, outside, found.at_ns, found.at_ns)
            known.begun_inside = False if not out and inside[1] in self.serves else None
            self.open[key] = known
        if opening:
            known.begun_inside = out
        known.closed_ns = max(known.closed_ns, found.at_ns)
        known.closing = known.closing or bool(found.flags & (FIN | RST))
        if not found.flags & RST:
            (known.out if out else known.back).take(found)
        elif out and found.payload:  # no kernel of ours sends any, and no stream counts them
            where = f"{found.target} port {found.target_port}"
            self.stray[f"reset with {found.payload} bytes to {where}"] += 1

    def connections(self) -> Iterator[Connection]:
        yield from self.done
        yield from self.open.values()


def _of_the_link(target: Address) -> bool:
    return target.is_link_local or any(target in network for network in _LINK)


def _compare(wire: _Wire, ledger: list[Flow]) -> Reconciliation:
    first, last = wire.first_ns // 1_000_000, wire.last_ns // 1_000_000
    differences = [f"a leak: {count} {what}" for what, count in sorted(wire.stray.items())]
    differences += [f"unread: {count} of {what}" for what, count in sorted(wire.unread.items())]
    groups: dict[tuple[str, int], tuple[list[Connection], list[Flow]]] = {}
    answered = 0
    for one in wire.connections():
        if one.begun_inside is False:
            answered += 1
            port = one.inside[1]
            if wire.serves and port not in wire.serves and one.out.bytes:
                differences.append(
                    f"a leak: {one.out.bytes} bytes to {one.outside[0]}, who called at port {port},"
                    " where nothing is served"
                )
            continue
        key = (str(one.outside[0]), one.outside[1])
        groups.setdefault(key, ([], []))[0].append(one)
    for flow in ledger:
        if flow.closed >= first and flow.opened <= last:
            groups.setdefault((_plain(flow.address), flow.port), ([], []))[1].append(flow)
    matched = 0
    for where, (seen, told) in sorted(groups.items()):
        good, said = _match(where, seen, told, first, last)
        matched += good
        differences += said
    return Reconciliation(
        wire.packets, first, last, matched, answered, differences[:MOST_DIFFERENCES]
    )


def _plain(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def _match(
    where: tuple[str, int], seen: list[Connection], told: list[Flow], first: int, last: int
) -> tuple[int, list[str]]:
    """Pairs of one destination: first those that agree to the byte, then what overlaps in time."""
    matched = 0
    said: list[str] = []
    left = sorted(seen, key=lambda one: one.opened_ns)
    flows = sorted(told, key=lambda flow: flow.opened)
    for exact in (True, False):
        for one in list(left):
            pair = next((f for f in flows if _overlap(one, f) and _fits(one, f, exact)), None)
            if pair is None:
                continue
            left.remove(one)
            flows.remove(pair)
            if exact:
                matched += 1
            else:
                said += _bytes(one, pair, first, last)
    name = f"{where[0]} port {where[1]}"
    for one in left:
        said.append(
            f"a leak: a connection to {name} with {one.out.bytes} bytes out and {one.back.bytes} in"
            " is not in the ledger"
        )
    said += [
        f"a lie: the ledger has a flow to {flow.destination} ({name}) with {flow.bytes_out} bytes"
        " out that is not on the wire"
        for flow in flows
        if flow.opened >= first and flow.closed <= last
    ]
    return matched, said


def _overlap(one: Connection, flow: Flow) -> bool:
    opened, closed = one.opened_ns // 1_000_000, one.closed_ns // 1_000_000
    return opened <= flow.closed + SLACK_MS and flow.opened <= closed + SLACK_MS


def _fits(one: Connection, flow: Flow, exact: bool) -> bool:
    return not exact or (one.out.bytes, one.back.bytes) == (flow.bytes_out, flow.bytes_in)


def _bytes(one: Connection, flow: Flow, first: int, last: int) -> Iterator[str]:
    whole = flow.opened >= first and flow.closed <= last  # else the rest may be outside
    for way, wire, ledger, missed in (
        ("out", one.out.bytes, flow.bytes_out, one.out.missed),
        ("in", one.back.bytes, flow.bytes_in, one.back.missed),
    ):
        name = f"{flow.destination} ({flow.address} port {flow.port})"
        if wire > ledger:
            yield f"a leak: {wire} bytes {way} on the wire for {name}, {ledger} in the ledger"
        elif whole and wire + missed < ledger:
            yield f"a lie: {ledger} bytes {way} in the ledger for {name}, {wire} on the wire"
        elif whole and wire < ledger:
            yield f"unseen: the capture misses {ledger - wire} bytes {way} of {name}"
