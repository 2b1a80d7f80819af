"""A pack in which all is in order, and a copy of it to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.verify import packs
from tests.verify.packs import make_pack


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return packs.entries()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, leaves: list[bytes]) -> Path:
    return make_pack(tmp_path_factory.mktemp("good"), leaves)


@pytest.fixture
def pack(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "evidence"))
