"""How mail addresses and phone numbers are read: two ways to write one are one, junk is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.people.addresses import address, ascii_mail
from jhalak.problems import Invalid

SAME = [
    ["asha@example.in", " Asha@EXAMPLE.in ", "asha@example.in\n", "asha@exam\u200bple.in"],
    ["आशा@उदाहरण.भारत", "आशा@xn--p1b6ci4b4b3a.xn--h2brj9c"],
    ["क्\u200dष@example.in", "क्ष@example.in"],
    ["o'brien+clips@mail.example.co.in", "O'Brien+clips@MAIL.example.co.in"],
    ["+919876543210", "+91 98765-43210", "98765 43210", "09876543210", "0091 9876543210"],
    ["+91९८७६५४३२१०", "+919876543210", "(+91) 98765.43210"],
    ["+14155550123", "+1 (415) 555-0123"],
]


@pytest.mark.parametrize("ways", SAME, ids=lambda ways: ways[0])
def test_ways_to_write_one_address_are_one(ways: list[str]) -> None:
    assert len({address(way).known_by for way in ways}) == 1
    for way in ways:
        once = address(way)
        assert address(once.shown) == once


def test_an_address_of_another_script_is_kept_and_goes_over_the_wire() -> None:
    mine = address("आशा@उदाहरण.भारत")
    assert mine.shown == "आशा@उदाहरण.भारत"
    assert ascii_mail(mine.shown) == "आशा@xn--p1b6ci4b4b3a.xn--h2brj9c"
    assert address("asha@a.in").known_by != address("ash\u0430@a.in").known_by  # a Cyrillic a


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "asha", "@", "asha@", "@example.in", "asha@example", "a b@example.in",
        "a@b@c@", ".a@b.in", "a.@b.in", "a..b@c.in", "a@-b.in", "a@b..in", "a@127.0.0.1",
        "a@[127.0.0.1]", "a\x00@b.in", "a\r\nBcc: x@y.in", "a@b.in\r\nBcc:x@y.in", "<a@b.in>",
        "a@b.in,c@d.in", '"a b"@c.in', "\u200b@b.in", "\u200d@b.in", "a\u202eb@c.in",
        "a@b\u2024in", "x" * 65 + "@b.in", "न" * 22 + "@b.in",
        "a@" + "b" * 64 + ".in", "a@" + "b." * 127 + "in", "a" * 400, "123", "+0123456789",
        "+1234567890123456", "+91 98765 43210 ext 4", "++919876543210", "98765\u00b243210",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        address(typed)
    assert refused.value.field == "contact"


@given(st.text(max_size=40) | st.from_regex(r"[+0-9 ]{1,20}|[a-zआ-ह.]{1,9}@[a-zआ-ह.-]{1,12}"))
def test_whatever_is_typed_is_refused_or_has_one_form(typed: str) -> None:
    try:
        once = address(typed)
    except Invalid:
        return
    assert address(once.shown) == once
    assert not set(once.shown) & set('\r\n\x00<>,;"')
    if once.kind == "mail":
        assert ascii_mail(once.shown).rpartition("@")[2].isascii()
