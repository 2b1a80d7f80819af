from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.people import throttle
from jhalak.people.throttle import Throttle
from jhalak.problems import TooMany


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_steady_rate() -> None:
    clock = Clock()
    limit = Throttle(burst=3, every_s=10, clock=clock)
    for _ in range(3):
        limit.spend("a")
    with pytest.raises(TooMany) as refused:
        limit.spend("a")
    assert refused.value.headers == {"Retry-After": "10"}
    limit.spend("b")
    clock.now += 9.9
    with pytest.raises(TooMany):
        limit.spend("a")
    clock.now += 0.1
    limit.spend("a")
    limit.give_back("a")
    limit.spend("a")
    with pytest.raises(TooMany):
        limit.spend("a")


@given(st.integers(1, 5), st.floats(0.5, 20), st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_never_more_than_the_rate(burst: int, every: float, pauses: list[float]) -> None:
    clock = Clock()
    limit = Throttle(burst, every, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        wait = limit.wait("a")
        try:
            limit.spend("a")
        except TooMany:
            assert wait > 0
        else:
            passed.append(clock.now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            span = passed[last] - passed[first]
            assert last - first + 1 <= burst + span / every + 1e-6


def test_a_flood_of_keys_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_KEYS", 100)
    limit = Throttle(burst=1, every_s=1000)
    for number in range(1000):
        limit.spend(f"key {number}")
        assert len(limit._paid) <= 100


@pytest.mark.parametrize(
    ("wait", "word"),
    [
        (0.2, "1 second."),
        (119, "119 seconds."),
        (119.5, "2 minutes."),
        (7200, "120 minutes."),
        (86_400, "24 hours."),
    ],
)
def test_a_wait_is_said_in_a_unit_that_fits_it(wait: float, word: str) -> None:
    said = throttle.too_many(wait)
    assert str(said.message).endswith(f" {word}")
