"""The three traps of bench/judge/traps.py: ours passes each, and each naive order fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bench.judge.traps import TRAPS, Trap


@pytest.mark.parametrize("make", TRAPS, ids=lambda make: make.__name__)
def test_ours_passes_and_the_naive_orders_fail(make: Callable[..., Trap]) -> None:
    trap = make()
    assert trap.passes(trap.ours), trap.measured(trap.ours)
    assert trap.naive
    for name, order in trap.naive.items():
        assert sorted(order) == sorted(trap.ours)
        assert not trap.passes(order), name
