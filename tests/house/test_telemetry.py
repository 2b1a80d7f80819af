"""What libraries would tell their makers is told nobody, where no seal stands too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from jhalak.border import SealError, Wall, sealed, survey
from jhalak.border.services import service_rules

WALLS = frozenset({Wall.USER, Wall.NETWORK})


def left_at_home(home: Path, code: str) -> list[str]:
    """Names of the files in an empty home after a Python there ran `code`, without a network; and
    not as in CI, where the library keeps still by itself.
    """
    home.mkdir()
    rules = msgspec.structs.replace(service_rules(home), walls=WALLS)
    try:
        if survey(rules).refused:
            pytest.skip("the kernel refuses a process without a network")
    except SealError as error:
        pytest.skip(str(error))
    report, told = os.pipe()
    try:
        command = sealed([sys.executable, "-c", code], rules, told)
        env = {"HOME": str(home), "PATH": os.environ["PATH"]}
        subprocess.run(command, env=env, pass_fds=(told,), check=True, timeout=60)
    finally:
        os.close(report)
        os.close(told)
    return [path.name for path in home.rglob("*") if path.is_file()]


def test_onnxruntime_keeps_and_calls_nothing(tmp_path: Path) -> None:
    load = "from jhalak.feed.graph import empty; empty()"
    assert left_at_home(tmp_path / "ours", load) == []
    # By itself it does: should its next version do so elsewhere, this look must follow it.
    assert "deviceid" in left_at_home(tmp_path / "bare", "import onnxruntime")
