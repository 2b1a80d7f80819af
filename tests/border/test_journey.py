"""All that people do, from signing up to training the feed, and not one packet leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.border.conftest import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's"),
    pytest.mark.skipif(
        "JHALAK_DATABASE_URL" in os.environ, reason="the world of its own has no other database"
    ),
]


def test_the_whole_journey_sends_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.border.journey", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
        capture_output=True,
        text=True,
        check=False,
    )
    log = tmp_path / "data" / "serve.log"
    assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")
    told = json.loads(done.stdout.splitlines()[-1])
    if "refused" in told:
        pytest.skip(f"no world of its own can be made here: {told['refused']}")
    assert told["states"][-1] == "complete"
    assert told["bytes"] == 206
    assert told["accepted"] == 1
    assert told["liked"] == 200
    assert told["model"]
    assert told["learnt"]
    assert told["trained"] == ["done"]
    assert set(told["pages"]) == {200}
    assert told["hosts"] == [told["site"]]
    assert told["packets"] == []
    assert told["seen"] > 0, "the capture is blind, so that its zero says nothing"
    assert all(sealed for name, sealed in told["sealed"].items() if name != "supervisor")
