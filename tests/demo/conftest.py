from __future__ import annotations

from collections.abc import Iterator

import pytest

from .platform_double import Platform, running


@pytest.fixture
def platform() -> Iterator[Platform]:
    with running() as platform:
        yield platform
