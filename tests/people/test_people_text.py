from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.people.text import clean
from jhalak.problems import Invalid

ANY = st.text(st.characters(), max_size=80)
HOSTILE = st.text(
    st.sampled_from(
        "ab \n\t\r\x00\x07\x1b\x85\u0300\u0301\u0345\u1ab0\u09be\u09c7\u200b\u200c\u200d\u200e"
        "\u200f\u202a\u202e\u2066\u2069\u2028\u2029\u2060\ufeff\u00ad\u3164\u2800\ue000\ufffe\u0958\u093c"
        "\u1100\u1161\u11a8ﬀÅ\u0f71\u0f72\u0f74\U000e0041👩\ufe0f"
    ),
    max_size=40,
)
GONE = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff\u00ad\u3164")


@given(ANY | HOSTILE, st.booleans())
def test_what_is_kept_is_clean(text: str, lines: bool) -> None:
    kept = clean(text, lines=lines)
    assert unicodedata.is_normalized("NFC", kept)
    assert not set(kept) & GONE
    for character in kept:
        if character != "\n" or not lines:
            assert unicodedata.category(character) not in ("Cc", "Cs", "Co", "Zl", "Zp")
    assert "  " not in kept
    assert "\n\n\n" not in kept
    assert kept == kept.strip()
    kept.encode("utf-8")


@given(ANY | HOSTILE, st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, lines: bool) -> None:
    once = clean(text, lines=lines)
    assert clean(once, lines=lines) == once


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd", "So", "Po", "Sm")), max_size=30))
def test_letters_signs_and_markup_stay(text: str) -> None:
    expected = unicodedata.normalize("NFC", text)
    for blank in "\u115f\u1160\u3164\uffa0\u2800":
        expected = expected.replace(blank, "")
    assert clean(text) == unicodedata.normalize("NFC", expected)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("क्\u200dष", "क्\u200dष"),  # a joiner spells
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩🏽\u200d🚀", "👩🏽\u200d🚀"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),  # escaped where it is shown
        ("admin\u202egnp.exe", "admingnp.exe"),
        ("\u200d\u200d \u200e", ""),
        ("\u3164\u3164", ""),
        ("a\u200d\u200d\u200db", "a\u200db"),
        ("z" + "\u0335" * 40, "z" + "\u0335" * 6),
        ("one\n\ntwo", "one two"),
        ("\ud800x", "x"),
    ],
)
def test_examples(text: str, kept: str) -> None:
    assert clean(text) == kept


def test_length_is_counted_in_characters_of_the_result() -> None:
    assert clean("आ" * 60, most=60, field="name") == "आ" * 60
    assert clean(" " * 500 + "a" * 60, most=60, field="name") == "a" * 60
    with pytest.raises(Invalid) as refused:
        clean("आ" * 61, most=60, field="name")
    assert refused.value.field == "name"
    assert "60" in str(refused.value.message)
    with pytest.raises(Invalid):
        clean("\u200b" * 10_000_000, most=60, field="name")
