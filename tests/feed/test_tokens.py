"""Serving tokens: what was signed is read back, and nothing else is ever accepted."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.feed import tokens
from jhalak.feed.experiments.plans import MOST_LAYERS
from jhalak.feed.tokens import BadToken, Served, Why

SECRET = b"s" * 32
DAY = 24 * 3_600_000
SERVED = Served(
    "g" + "ab" * 16, 2**40, 60_000, "f" * 16, 7, "trending", 0.1234, 10**12, "session-1"
)
TOKEN = tokens.mint(SECRET, SERVED)


def why(token, secret=SECRET, now_ms=10**12 + 1000, max_age_ms=DAY):
    with pytest.raises(BadToken) as caught:
        tokens.open(secret, token, now_ms, max_age_ms)
    return caught.value.why


@given(
    st.builds(
        Served,
        viewer=st.from_regex(r"\A[mg][0-9a-f]{1,32}\Z"),
        video=st.integers(0, 2**63 - 1),
        duration_ms=st.integers(0, 2**40),
        slate=st.from_regex(r"\A[0-9a-f]{16}\Z"),
        slot=st.integers(0, 99),
        source=st.sampled_from(["newest", "served_again"]),
        propensity=st.floats(0, 1, exclude_min=True),
        served_ms=st.integers(0, 10**12),
        model=st.just("session-1"),
        score=st.floats().map(tokens.hundredths),
        arms=st.lists(st.sampled_from(["1a", "120b", "9999d"]), max_size=MOST_LAYERS).map("".join),
    ),
    st.binary(min_size=1, max_size=64),
)
def test_says_what_was_signed_and_only_with_the_same_secret(served, secret):
    token = tokens.mint(secret, served)
    assert len(token) <= tokens.LONGEST
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert tokens.open(secret, token, 10**12, 10**12) == served
    assert why(token, secret=secret + b"x") is Why.FORGED


def test_every_single_changed_bit_is_refused():
    for at, letter in enumerate(TOKEN):
        for bit in range(7):
            changed = TOKEN[:at] + chr(ord(letter) ^ (1 << bit)) + TOKEN[at + 1 :]
            assert why(changed) in (Why.FORGED, Why.MALFORMED)


def test_every_part_and_every_addition_is_refused():
    for length in range(len(TOKEN)):
        assert why(TOKEN[:length]) in (Why.FORGED, Why.MALFORMED)
    for more in ("A", "=", "==", "\n", " ", ".", "-", TOKEN):
        assert why(TOKEN + more) in (Why.FORGED, Why.MALFORMED)
        assert why(more + TOKEN) in (Why.FORGED, Why.MALFORMED)


@pytest.mark.parametrize(
    "token",
    ["", "A", "=" * 8, "A" * 200, "A" * 10**6, "झ" * 50, "\x00" * 40, "\ud800", "+/+/" * 20],
)
def test_refuses_rubbish(token):
    assert why(token) in (Why.FORGED, Why.MALFORMED)


@pytest.mark.parametrize("token", [None, 7, b"bytes", [TOKEN]])
def test_refuses_what_is_no_text(token):
    assert why(token) is Why.MALFORMED


@given(st.text(max_size=250))
def test_refuses_any_text(token):
    assert why(token) in (Why.FORGED, Why.MALFORMED)


def test_holds_for_its_time_only():
    assert tokens.open(SECRET, TOKEN, 10**12 + DAY, DAY) == SERVED
    assert why(TOKEN, now_ms=10**12 + DAY + 1) is Why.EXPIRED
    assert tokens.open(SECRET, TOKEN, 10**12 - tokens.SKEW_MS, DAY) == SERVED
    assert why(TOKEN, now_ms=10**12 - tokens.SKEW_MS - 1) is Why.FUTURE


def test_what_does_not_fit_is_not_signed():
    with pytest.raises(ValueError, match="at most"):
        tokens.mint(SECRET, Served("m1", 1, 1, "s" * 300, 0, "newest", 1.0, 1, "m"))


def test_a_score_is_held_in_hundredths_and_a_token_of_before_has_none():
    given = [1.234, -0.005, 1e300, -1e300, float("nan"), float("inf")]
    assert [tokens.hundredths(score) for score in given] == [123, 0, 32767, -32767, None, None]
    body = tokens._VERSION + tokens._encoder.encode(list(msgspec.structs.astuple(SERVED))[:-1])
    raw = body + tokens._mac(SECRET, body)
    before = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert tokens.open(SECRET, before, 10**12, DAY) == SERVED
