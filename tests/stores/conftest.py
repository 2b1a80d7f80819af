"""The conformance suites are not test modules by name; their asserts shall speak all the same."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "tests.stores.conformance_objects", "tests.stores.conformance_events"
)
