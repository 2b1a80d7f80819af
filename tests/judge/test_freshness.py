"""A model that is served late tells worse; one that never learns, worst."""

from __future__ import annotations

import pytest
from bench.judge import freshness, standin


@pytest.mark.slow
def test_the_later_a_copy_the_worse_it_tells() -> None:
    found = freshness.run(standin.kuairec(0.3), [1_000, 10_000], pages=8)
    assert found[1_000] > found[10_000] > found[None] > 0.5
