"""Captions files: what real ones hold, what hostile ones try, and properties over any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.media.webvtt import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_CUES,
    Cue,
    Unreadable,
    Why,
    checked,
    normal,
    parse,
    write,
)

DAY = 86_400_000
TEXTS = st.text(max_size=60).map(normal).filter(bool)
CUES = st.lists(
    st.builds(Cue, st.integers(0, 99 * DAY), st.integers(0, 99 * DAY), TEXTS), min_size=1
)


@given(CUES)
def test_what_is_written_is_read_again(cues: list[Cue]) -> None:
    assert parse(write(cues).encode()) == cues


SIGNS = "<>&;-:./ {}\\\nlt1cbgamp\u200d\u202e"


@given(st.text(alphabet=SIGNS, max_size=80).map(normal).filter(bool))
def test_no_words_become_markup(text: str) -> None:
    """A browser finds no tag and no second cue in what was written."""
    cue = Cue(0, 1000, text)
    head, times, shown = write([cue]).replace("\n\n", "\n").split("\n", 2)
    assert (head, times) == ("WEBVTT", "00:00:00.000 --> 00:00:01.000")
    assert "<" not in shown
    assert "-->" not in shown
    assert "\n\n" not in shown
    assert parse(write([cue]).encode()) == [cue]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for head in (b"", b"WEBVTT\n\n", b"WEBVTT\n\n00:01.000 --> 00:02.000\n", b"\xff\xfe"):
        try:
            cues = parse(head + data)
        except Unreadable:
            continue
        else:
            assert cues
            assert parse(write(cues).encode()) == cues


@given(st.text(alphabet="01:.,->\n WEBVTT<b>&", max_size=120))
def test_nearly_captions_are_read_or_refused(text: str) -> None:
    try:
        cues = parse(b"WEBVTT\n\n" + text.encode())
    except Unreadable:
        return
    assert all(cue.text == normal(cue.text) != "" for cue in cues)


@given(st.lists(st.builds(Cue, st.integers(-5, 50), st.integers(-5, 50), st.text(max_size=4))))
def test_what_is_kept_is_in_order_and_within_the_clip(cues: list[Cue]) -> None:
    try:
        kept = checked(cues, 40)
    except Unreadable:
        return
    assert kept
    assert [cue.start_ms for cue in kept] == sorted(cue.start_ms for cue in kept)
    assert all(0 <= cue.start_ms < cue.end_ms <= 40 and cue.text for cue in kept)
    assert checked(kept, 40) == kept


REAL = """\ufeffWEBVTT - made by hand\r
Kind: captions\r
\r
STYLE\r
::cue { background: url(https://elsewhere.example/x) }\r
\r
NOTE a remark\r
over two lines\r
\r
1\r
00:00.500 --> 00:01.500 line:0 position:20% align:start\r
<v Asha>नमस्ते</v> &amp; <i>welcome</i>\r
<c.loud>to <00:00:01.000>Jhalak</c>\r
\r
\r
00:00:02.000 --> 00:00:03.250\r
اردو \u200f(ہنستے ہوئے)\r
\r
00:00:03.250 --> 00:00:04.000\r
   \r
REGION\r
id:x\r
"""


def test_a_real_file() -> None:
    assert parse(REAL.encode()) == [
        Cue(500, 1500, "नमस्ते & welcome\nto Jhalak"),
        Cue(2000, 3250, "اردو \u200f(ہنستے ہوئے)"),
    ]


SUBRIP = """1
00:00:00,500 --> 00:00:01,500 X1:10 X2:20
{\\an8}<font color="#ffff00">Hello</font>

2
0:0:2,000 --> 0:0:3,000
I <3 this & that
"""


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_subrip(coding: str) -> None:
    assert parse(SUBRIP.encode(coding)) == [
        Cue(500, 1500, "Hello"),
        Cue(2000, 3000, "I <3 this & that"),
    ]


def test_markup_of_others_stays_text() -> None:
    file = "WEBVTT\n\n00:00.000 --> 00:01.000\n<script>alert(1)</script><img src=x onerror=y>\n"
    (cue,) = parse(file.encode())
    assert cue.text == "<script>alert(1)</script><img src=x onerror=y>"
    assert "<" not in write([cue]).split("\n", 3)[3]


def test_characters_that_control_go() -> None:
    file = b"WEBVTT\n\n00:00.000 --> 00:01.000\na\x00b\x1b[31mc&#27;&#10;&#13;&#x0a;d\x0b\n"
    assert parse(file) == [Cue(0, 1000, "ab[31mc\nd")]


@pytest.mark.parametrize(
    ("data", "why", "place"),
    [
        (b"", Why.NOT_CAPTIONS, 0),
        (b"WEBVTT\n", Why.NOT_CAPTIONS, 0),
        (b"Only words, and no time.\n", Why.NOT_CAPTIONS, 0),
        (b"\x00\x00\x00\x18ftypmp42", Why.NOT_CAPTIONS, 0),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\n\xff\xfe", Why.NOT_TEXT, 0),
        (b"WEBVTT\n\n00:00 --> 00:01\nx", Why.BAD_TIME, 3),
        (b"WEBVTT\n\n00:61.000 --> 00:62.000\nx", Why.BAD_TIME, 3),
        (b"WEBVTT\n\nid\n00:01.000 --> later\nx", Why.BAD_TIME, 4),
        ("WEBVTT\n\n००:०१.००० --> ००:०२.०००\nx".encode(), Why.BAD_TIME, 3),
        (
            b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n00:03.000 --> 00:04.000\ny",
            Why.BAD_TIME,
            5,
        ),
        (b"WEBVTT\n\n" + b"x" * MOST_BYTES, Why.TOO_BIG, 0),
        (b"WEBVTT\n" + b"\n00:00.000 --> 00:01.000\nx\n" * (MOST_CUES + 1), Why.TOO_MANY, 0),
    ],
)
def test_what_is_refused(data: bytes, why: Why, place: int) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(data)
    assert (refused.value.why, refused.value.place) == (why, place)


@pytest.mark.parametrize(
    ("cues", "why", "place"),
    [
        ([], Why.NOT_CAPTIONS, 0),
        ([Cue(0, 10, " \n\x00")], Why.NOT_CAPTIONS, 0),
        ([Cue(0, 10, "a"), Cue(20, 20, "b")], Why.BACKWARDS, 2),
        ([Cue(-1, 10, "a")], Why.OUT_OF_ORDER, 1),
        ([Cue(20, 30, "a"), Cue(10, 40, "b")], Why.OUT_OF_ORDER, 2),
        ([Cue(20, 30, "a"), Cue(1000, 1100, "b")], Why.AFTER_THE_END, 2),
        ([Cue(0, 10, "x" * (MOST_CHARACTERS + 1))], Why.TOO_LONG, 1),
        ([Cue(0, 10, "a")] * (MOST_CUES + 1), Why.TOO_MANY, 0),
    ],
)
def test_what_is_not_kept(cues: list[Cue], why: Why, place: int) -> None:
    with pytest.raises(Unreadable) as refused:
        checked(cues, 1000)
    assert (refused.value.why, refused.value.place) == (why, place)


def test_the_last_one_ends_with_the_clip() -> None:
    assert checked([Cue(0, 5000, "a")], 1000) == [Cue(0, 1000, "a")]
