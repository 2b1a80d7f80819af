"""What a world remembers of itself."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jhalak.demo import manifest
from jhalak.demo.manifest import ManifestError, Posted


def test_a_new_world_gets_a_password_and_keeps_it(tmp_path: Path) -> None:
    first = manifest.load(tmp_path / "world")
    first.clips["sky-1"] = Posted(upload="/api/uploads/u1", sent=True, creator="megha_das")
    manifest.save(tmp_path / "world", first)
    assert manifest.load(tmp_path / "world") == first
    assert manifest.load(tmp_path / "other").password != first.password
    assert len(first.password) >= 12
    mode = manifest.path(tmp_path / "world").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert [f.name for f in (tmp_path / "world").iterdir()] == ["demo.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"clips": 4}', b"\xff\xfe"])
def test_a_broken_manifest_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    manifest.path(tmp_path).write_bytes(content)
    with pytest.raises(ManifestError, match=r"demo\.json.*Move it away"):
        manifest.load(tmp_path)
    assert manifest.path(tmp_path).read_bytes() == content
