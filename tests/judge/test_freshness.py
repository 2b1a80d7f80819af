"""A model that is served late tells worse; one that never learns, worst."""

from __future__ import annotations

from bench.judge import freshness, standin


def test_the_later_a_copy_the_worse_it_tells() -> None:
    found = freshness.run(standin.kuairec(0.3), pages=8)
    assert set(found) == {*freshness.INTERVALS, None}
    assert all(0.0 < value < 1.0 for value in found.values())
    assert found[10] > found[None] + 0.02
    assert found[10] > found[10_000] > found[None]
