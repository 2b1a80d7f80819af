"""Seconds as somebody says them."""

from __future__ import annotations

import pytest
from django.utils import translation

from jhalak.site.spans import span


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3.0, "0 s"),
        (0.9, "0 s"),
        (119.9, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (33607, "9 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_the_largest_unit_of_which_there_are_two(seconds: float, said: str) -> None:
    with translation.override("en"):
        assert span(seconds) == said
