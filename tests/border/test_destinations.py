"""What may be declared, and where nobody is ever sent."""

from __future__ import annotations

import datetime
import ipaddress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.border.data_map import DataClass
from jhalak.border.egress.addresses import AddressRefused, pin, why_refused
from jhalak.border.egress.destinations import (
    Destination,
    DestinationsError,
    Kind,
    host_name,
    parse,
)

GOOD = """
[[destination]]
name = "sms"
kind = "sms"
host = "Gateway.Example.IN."
port = 443
purpose = "codes to log in"
classes = ["contact"]
owner = "operations@example.in"
expires = 2027-06-30
"""
ONE = Destination(
    name="a",
    kind=Kind.HTTPS,
    host="example.in",
    port=443,
    purpose="x",
    classes=(DataClass.CONTACT,),
    owner="y",
    expires=datetime.date(2027, 6, 30),
)


def test_a_declaration_is_read_and_its_host_normalised() -> None:
    found = parse(GOOD.encode())["sms"]
    assert found.host == "gateway.example.in"
    assert found.expires == datetime.date(2027, 6, 30)
    day = int(datetime.datetime(2027, 6, 30, 23, 59, tzinfo=datetime.UTC).timestamp() * 1000)
    assert not found.expired(day)
    assert found.expired(day + 60_000)
    assert parse(b"") == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "sms"', 'name = "SMS"'),
        ('name = "sms"', 'name = "../sms"'),
        ('kind = "sms"', 'kind = "ftp"'),
        ("port = 443", "port = 0"),
        ("port = 443", "port = 65536"),
        ("port = 443", 'port = "443"'),
        ("port = 443", "port = true"),
        ('["contact"]', "[]"),
        ('["contact"]', '["everything"]'),
        ("2027-06-30", '"2027-06-30"'),
        ("2027-06-30", "2027-06-30T10:00:00Z"),
        ("2027-06-30", "2027-06-31"),
        ('purpose = "codes to log in"', 'purpose = ""'),
        ('owner = "operations@example.in"', ""),
        ("port = 443", "port = 443\nextra = 1"),
        ("port = 443", "port = 443\ninternal = true"),
        ("port = 443", 'port = 443\naddress = "10.0.0"'),
        ("port = 443", 'port = 443\nsender = "a@example.in"'),
        ('kind = "sms"', 'kind = "mail"'),
        ("[[destination]]", "[[destinations]]"),
        ("[[destination]]", "[destination]"),
        ("port", "port port"),
        ("Gateway", "\\u0000"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(DestinationsError, match=r"destinations\.toml"):
        parse(text.encode())


def test_bytes_that_are_no_text_and_a_name_twice_are_refused() -> None:
    for text in (b"\xff\xfe", (GOOD + GOOD).encode(), b"[[[[" * 10_000):
        with pytest.raises(DestinationsError):
            parse(text)


@pytest.mark.slow
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(text: bytes) -> None:
    try:
        assert all(isinstance(one, Destination) for one in parse(text).values())
    except DestinationsError:
        return


@pytest.mark.parametrize(
    "host",
    [
        "exаmple.in",  # a Cyrillic a
        "example\u200b.in",  # zero-width space
        "example\u202e.in",  # right-to-left override
        "ｅxample.in",  # full-width
        "example。in",  # an ideographic full stop
        "exam\u00adple.in",  # soft hyphen
        "ßexample.in",
        "xn--.in",
        "xn--a.in",  # stands for nothing
        "xn--example-.in",
        "xn--exmple-4nf.in",  # Latin with a Cyrillic letter in it
        "xn--example-h76c.in",  # with a zero-width joiner or alike
        "",
        ".",
        "a..in",
        ".example.in",
        "example.in..",
        "-a.in",
        "a-.in",
        "a_b.in",
        "a b.in",
        "a\n.in",
        "a@b.in",
        "a:80",
        "[::1]",
        "::1",
        "127.0.0.1",
        "127.1",
        "0x7f.0x1",
        "2130706433",
        "a" * 64 + ".in",
        ".".join(["a"] * 130),
        "example.in/path",
        "user@example.in",
        "example.in%00",
    ],
)
def test_a_name_that_is_none_or_hides_something_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"host|characters|address|script|form|stands|show"):
        host_name(host)


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("EXAMPLE.In", "example.in"),
        ("example.in.", "example.in"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("xn--11b4c3d.in", "xn--11b4c3d.in"),  # Devanagari alone
        ("a-b.c1.in", "a-b.c1.in"),
        ("localhost", "localhost"),
    ],
)
def test_what_is_the_same_name_becomes_one(host: str, asked: str) -> None:
    assert host_name(host) == asked
    assert host_name(asked) == asked


@pytest.mark.slow
@given(st.text(max_size=40))
def test_a_name_that_is_taken_is_plain(text: str) -> None:
    try:
        name = host_name(text)
    except ValueError:
        return
    assert name.isascii()
    assert name == name.lower().strip(". ")
    assert host_name(name) == name


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "192.88.99.1",
        "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "64:ff9b::808:808",
        "64:ff9b:1::1", "2002:808:808::1", "2001:0:808:808::1", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
        "::ffff:0:8.8.8.8", "5f00::1", "3fff::1", "example.in", "", "1", "127.1", "0x7f.1",
        "10.0.0.1/8",
    ],
)  # fmt: skip
def test_nobody_is_sent_there(address: str) -> None:
    assert why_refused(address)
    with pytest.raises(AddressRefused, match=r"example\.in"):
        pin(ONE, lambda _host, _port: [address])
    # One bad answer among good ones is enough: which comes first is for others to choose.
    with pytest.raises(AddressRefused):
        pin(ONE, lambda _host, _port: ["1.1.1.1", address])


def test_the_public_network_is_open_and_is_asked_for_once() -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["8.8.8.8", "2606:4700::1111"]

    assert pin(ONE, resolve) == "8.8.8.8"
    assert asked == [("example.in", 443)]


def test_a_declared_address_is_not_looked_up_and_a_private_one_needs_the_word() -> None:
    def never(_host: str, _port: int) -> list[str]:
        raise AssertionError("it was looked up")

    assert pin(msgspec.structs.replace(ONE, address="1.1.1.1"), never) == "1.1.1.1"
    with pytest.raises(AddressRefused, match="private"):
        pin(msgspec.structs.replace(ONE, address="10.0.0.1"), never)
    internal = msgspec.structs.replace(ONE, address="10.0.0.1", internal=True)
    assert pin(internal, never) == "10.0.0.1"


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.sampled_from(["::ffff:0:0", "64:ff9b::", "::"]))
def test_no_address_of_the_old_network_hides_in_one_of_the_new(old: int, prefix: str) -> None:
    hidden = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | old)
    assert why_refused(str(hidden))


def test_what_cannot_be_looked_up_is_told() -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(AddressRefused, match="not found"):
        pin(ONE, nobody)
    with pytest.raises(AddressRefused, match="no address"):
        pin(ONE, lambda _host, _port: [])
