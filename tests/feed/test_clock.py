"""Watch time: nobody is credited with more time than went by."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.feed.clock import MOST_LOOPS, WatchClock

claims = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**18), 10**18))


def test_one_page_reported_at_once_gets_all_its_time():
    clock = WatchClock()
    believed = [clock.bound("m1", 0, 40_000, 8_000, 5_000) for _ in range(8)]
    assert believed == [5_000] * 8
    assert clock.bound("m1", 0, 40_000, 8_000, 5_000) == 0  # the 40 seconds are used up
    assert clock.bound("m2", 0, 40_000, 8_000, 5_000) == 5_000  # another viewer's are not


def test_claims_end_at_the_clock_and_at_so_many_rounds():
    clock = WatchClock()
    assert clock.bound("m1", 1_000, 4_000, 8_000, 60_000) == 3_000
    assert clock.bound("m2", 0, 10**9, 8_000, 10**9) == MOST_LOOPS * 8_000
    assert clock.bound("m3", 5_000, 4_000, 8_000, 100) == 0  # served after now


@pytest.mark.parametrize("claim", [math.nan, math.inf, -math.inf, -1, 0, -0.0])
def test_absurd_claims_are_nothing(claim):
    clock = WatchClock()
    assert clock.bound("m1", 0, 10_000, 8_000, claim) == 0
    assert clock.bound("m1", 0, 10_000, 8_000, 10_000) == 10_000


def test_a_video_without_length_is_nothing():
    assert WatchClock().bound("m1", 0, 10_000, 0, 5_000) == 0
    assert WatchClock().bound("m1", 0, 10_000, -5, 5_000) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 60_000), st.integers(0, 60_000), st.integers(-1, 10**6), claims),
        max_size=40,
    )
)
def test_never_more_than_the_time_that_went_by(claimed):
    clock, now, total, first = WatchClock(), 0, 0, None
    for ahead, ago, duration, claim in claimed:
        now += ahead
        served = max(0, now - ago)
        first = served if first is None else min(first, served)
        credit = clock.bound("m1", served, now, duration, claim)
        assert isinstance(credit, int)
        assert 0 <= credit <= now - served
        total += credit
        assert total <= now - first


def test_holds_few_viewers_and_forgets_the_idle():
    clock = WatchClock(viewers=10)
    for number in range(1000):
        clock.bound(f"g{number}", 0, 10_000, 8_000, 5_000)
    assert len(clock) == 10
    assert clock.bound("g999", 0, 10_000, 8_000, 8_000) == 5_000
