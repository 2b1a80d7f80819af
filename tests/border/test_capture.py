"""An auditor's capture against the ledger: equal books agree, and each kind of cheat is named."""

from __future__ import annotations

import contextlib
import io
import ipaddress
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.capture import CaptureError, Flow, Reconciliation, reconcile
from tests.border import wires
from tests.border.wires import ACK, MAIL, OURS, VIEWER, pcap, pcapng, talk, tcp, udp

INSIDE = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/64")]
BEGIN = 1_780_000_000_000
SENT, RECEIVED = 1234, 567
FLOW = Flow("mail", MAIL, 587, BEGIN, BEGIN + 40, RECEIVED, SENT)
GOOD = talk((OURS, 40_000), (MAIL, 587), SENT, RECEIVED)
QUIET = udp((VIEWER, 9), (VIEWER, 9), b"")  # not of this machine; only tells the time


def look(frames: list[bytes], *ledger: Flow, **more: object) -> Reconciliation:
    return reconcile(io.BytesIO(pcap(frames)), ledger, INSIDE, **more)  # type: ignore[arg-type]


def the_difference(found: Reconciliation) -> str:
    assert len(found.differences) == 1, found.differences
    return found.differences[0]


@pytest.mark.parametrize("write", [pcap, pcapng])
def test_equal_books_agree(write: Callable[[list[bytes]], bytes]) -> None:
    """Retransmissions count once, order does not matter, sequence numbers wrap."""
    frames = [*GOOD, *talk((VIEWER, 5000), (OURS, 443), 700, 90_000)]
    found = reconcile(io.BytesIO(write(frames)), [FLOW], INSIDE)
    assert not found.differences
    assert (found.matched, found.answered, found.packets) == (1, 1, len(frames))
    assert found.from_ms == BEGIN
    assert found.until_ms == BEGIN + len(frames) - 1


def test_one_hidden_packet() -> None:
    hidden = udp((OURS, 5353), ("192.0.2.9", 53), b"secret")
    found = look([*GOOD[:9], hidden, *GOOD[9:]], FLOW)
    assert the_difference(found) == "a leak: 1 packet of UDP to 192.0.2.9 port 53"


def test_one_hidden_segment_in_a_declared_connection() -> None:
    more = tcp((OURS, 40_000), (MAIL, 587), 4_294_967_001 + SENT, 24, b"12345")
    said = the_difference(look([*GOOD[:-2], more, *GOOD[-2:]], FLOW))
    assert said.startswith("a leak: 1239 bytes out on the wire for mail")


def test_a_hidden_connection() -> None:
    found = look([*GOOD, *talk((OURS, 40_001), ("192.0.2.9", 443), 10, 20)], FLOW)
    assert the_difference(found) == (
        "a leak: a connection to 192.0.2.9 port 443 with 10 bytes out and 20 in is not in the"
        " ledger"
    )


def test_a_second_connection_to_a_declared_address() -> None:
    found = look([*GOOD, *talk((OURS, 40_001), (MAIL, 587), 10, 20)], FLOW)
    assert "10 bytes out and 20 in is not in the ledger" in the_difference(found)
    assert found.matched == 1


def test_a_port_used_again_is_another_connection() -> None:
    again = talk((OURS, 40_000), (MAIL, 587), 10, 20, first=5)
    short = msgspec.structs.replace(FLOW, bytes_out=10, bytes_in=20)
    assert not look([*GOOD, *again], FLOW, short).differences
    assert "is not in the ledger" in the_difference(look([*GOOD, *again], FLOW))


def test_a_flow_that_the_ledger_invented() -> None:
    invented = msgspec.structs.replace(FLOW, destination="sms", address="192.0.2.1")
    said = the_difference(look([*GOOD, *[QUIET] * 99], FLOW, invented))
    assert said.startswith("a lie: the ledger has a flow to sms")


def test_more_bytes_in_the_ledger_than_on_the_wire() -> None:
    said = the_difference(look([*GOOD, *[QUIET] * 99], msgspec.structs.replace(FLOW, bytes_in=999)))
    assert said.startswith("a lie: 999 bytes in in the ledger for mail")


def test_what_the_capture_missed_is_no_lie() -> None:
    missing = [one for number, one in enumerate(GOOD) if number not in (5, 6)]
    assert the_difference(look([*missing, *[QUIET] * 99], FLOW)).startswith("unseen: the capture")


def test_a_flow_outside_the_time_of_the_capture_is_not_asked_for() -> None:
    before = msgspec.structs.replace(FLOW, opened=BEGIN - 90_000, closed=BEGIN - 80_000)
    assert not look(GOOD, FLOW, before).differences


def test_the_viewers_own_connections_from_before_the_capture() -> None:
    frames = talk((VIEWER, 5000), (OURS, 443), 700, 900)[3:]
    assert look(frames).differences
    assert not look(frames, serves=[443]).differences


def test_icmp_fragments_and_ipv6_are_seen() -> None:
    echo = wires.ip(OURS, "192.0.2.9", 1, b"\x08\0abc")
    fragment = bytearray(udp((OURS, 1), ("192.0.2.9", 2), b"x"))
    fragment[20:22] = b"\x20\x00"
    six = udp(("2001:db8::5", 1), ("2001:db8:1::9", 443), b"x")
    neighbour = wires.ip("2001:db8::5", "ff02::1", 58, b"\x87\0")
    assert look([echo, bytes(fragment), six, neighbour]).differences == [
        "a leak: 1 fragment of UDP to 192.0.2.9",
        "a leak: 1 packet of ICMP to 192.0.2.9",
        "a leak: 1 packet of UDP to 2001:db8:1::9 port 443",
    ]


def test_bytes_in_a_reset_are_seen() -> None:
    reset = tcp((OURS, 40_000), (MAIL, 587), 9, 4 | ACK, b"secret")
    said = the_difference(look([*GOOD, reset], FLOW))
    assert said == f"a leak: 1 reset with 6 bytes to {MAIL} port 587"
    assert not look([*GOOD, tcp((OURS, 40_000), (MAIL, 587), 9, 4)], FLOW).differences


def test_who_calls_where_nothing_is_served_is_told() -> None:
    frames = talk((VIEWER, 5000), (OURS, 2222), 700, 900)
    assert look(frames).answered == 1
    said = the_difference(look(frames, serves=[443]))
    assert said.startswith(f"a leak: 900 bytes to {VIEWER}, who called at port 2222")
    assert not look(frames, serves=[443, 2222]).differences


def test_ip_in_another_coat_is_not_passed_over() -> None:
    packet = udp((OURS, 1), ("192.0.2.9", 2), b"x")
    tagged = packet[:12] + b"\x91\x00\0\x07" + packet[12:]
    assert the_difference(look([tagged])) == "a leak: 1 packet of UDP to 192.0.2.9 port 2"
    label = packet[:12] + b"\x88\x47\0\0\x11\x40" + packet[14:]
    assert the_difference(look([label])) == "unread: 1 of a frame of kind 0x8847"
    assert not look([packet[:12] + b"\x08\x06" + bytes(28)]).differences  # ARP


def test_what_cannot_be_read_is_said() -> None:
    assert the_difference(look([*GOOD, GOOD[0][:30]], FLOW)).startswith("unread: 1 of an IPv4")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: pcap([])[:24] + b))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(CaptureError):
        reconcile(io.BytesIO(data), [], INSIDE)


@settings(max_examples=60, deadline=None)
@given(
    which=st.sampled_from([pcap, pcapng]),
    cuts=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 5000),
)
def test_no_damage_breaks_the_reader(
    which: Callable[[list[bytes]], bytes], cuts: list[tuple[int, int]], end: int
) -> None:
    data = bytearray(which([*GOOD, udp((OURS, 1), (VIEWER, 2), b"x")])[: end or None])
    for at, value in cuts:
        if at < len(data):
            data[at] = value
    with contextlib.suppress(CaptureError):
        reconcile(io.BytesIO(bytes(data)), [FLOW], INSIDE)


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=30),
    order=st.randoms(use_true_random=False),
    first=st.integers(0, 2**32 - 1),
    dropped=st.sets(st.integers(0, 29)),
)
def test_each_byte_counts_once(
    sizes: list[int], order: object, first: int, dropped: set[int]
) -> None:
    """Segments in any order, some twice, some overlapping, some lost: bytes seen and bytes missed
    add up to what was sent.
    """
    segments, at, seen = [], 0, set[int]()
    for number, size in enumerate(sizes):
        if number not in dropped:
            segments += [(at, size), (max(0, at - 3), size + min(3, at))]
            seen |= set(range(max(0, at - 3), at + size))
        at += size
    order.shuffle(segments)  # type: ignore[attr-defined]
    frames = [tcp((OURS, 1), (MAIL, 587), first, 2)]
    frames += [
        tcp((OURS, 1), (MAIL, 587), first + 1 + begin, 16, b"y" * size) for begin, size in segments
    ]
    frames.append(tcp((OURS, 1), (MAIL, 587), first + 1 + at, 17))
    flow = Flow("mail", MAIL, 587, BEGIN, BEGIN + 1, 0, at)
    said = look([*frames, *[QUIET] * 9], flow).differences
    if len(seen) == at:
        assert not said
    else:
        assert said == [
            f"unseen: the capture misses {at - len(seen)} bytes out of mail ({MAIL} port 587)"
        ]
