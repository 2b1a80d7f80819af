"""The floors hold, and the contract that keeps them can be broken: a check that never fails checks
nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("people", "videos", "social", "safety", "viewing", "records", "stores", "feed", "media")


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_floors_hold_and_a_step_upwards_is_found(tmp_path: Path) -> None:
    assert "0 broken" in _lint(ROOT).stdout
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("static", "locale", "templates", "__pycache__", "*.json")
    shutil.copytree(ROOT / "src" / "jhalak", tmp_path / "src" / "jhalak", ignore=ignored)
    (tmp_path / "src/jhalak/feed/upward.py").write_text("import jhalak.people.models\n")
    (tmp_path / "src/jhalak/border/upward.py").write_text("import jhalak.media\n")
    (tmp_path / "src/jhalak/media/web.py").write_text("import django.http\n")
    broken = _lint(tmp_path)
    assert broken.returncode != 0
    assert "2 broken" in broken.stdout
    for word in ("jhalak.feed.upward", "jhalak.border.upward", "jhalak.media.web"):
        assert word in broken.stdout


def test_every_room_is_on_a_floor() -> None:
    floors = (ROOT / "pyproject.toml").read_text()
    rooms = {path.parent.name for path in (ROOT / "src/jhalak").glob("*/__init__.py")}
    for room in sorted(rooms):
        assert f"jhalak.{room}" in floors, f"{room} has no floor in pyproject.toml"
    assert rooms.issuperset(ROOMS)
