"""From nothing to a video: clone the repository, run scripts/demo with empty caches, until the
first clip plays.

"Plays" is what a browser needs: the feed gives an item, and its file answers a range request with
bytes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from bench.figures import figure
from bench.serving import free_port

ROOT = Path(__file__).parent.parent
LIMIT_S = 120.0
PATIENCE_S = 300.0


def _plays(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/feed?n=8", timeout=5) as answer:
            items = json.load(answer)["items"]
        if not items:
            return False
        wanted = urllib.request.Request(url + items[0]["src"], headers={"Range": "bytes=0-65535"})
        with urllib.request.urlopen(wanted, timeout=5) as answer:
            return answer.status == 206 and len(answer.read()) > 0
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return False


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="jhalak-clone-") as folder:
        home = Path(folder)
        port = free_port()
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JHALAK_", "VIRTUAL_ENV"))}
        env |= {"PIP_NO_CACHE_DIR": "1", "HOME": folder, "XDG_CACHE_HOME": f"{folder}/cache"}
        env.pop("PYTHONPATH", None)
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", ROOT, home / "jhalak"], check=True)
        cloned = time.monotonic()
        words = ["scripts/demo", "--no-browser", "--port", str(port), "--data", str(home / "data")]
        with (home / "demo.log").open("wb") as log:
            demo = subprocess.Popen(
                words, cwd=home / "jhalak", env=env, stdout=log, stderr=log, start_new_session=True
            )
        installed = 0.0
        try:
            while not _plays(f"http://127.0.0.1:{port}"):
                if demo.poll() is not None or time.monotonic() - began > PATIENCE_S:
                    raise RuntimeError((home / "demo.log").read_text(errors="replace")[-3000:])
                if not installed and (home / "data").exists():
                    installed = time.monotonic()
                time.sleep(0.1)
            played = time.monotonic()
        finally:
            demo.send_signal(signal.SIGTERM)
            try:
                demo.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(demo.pid, signal.SIGKILL)
    return [
        figure("clone", cloned - began, "s"),
        figure("clone: install what the lock pins", installed - cloned, "s"),
        figure("clone: start to first playable video", played - installed, "s"),
        figure("clone to first playable video", played - began, "s", at_most=LIMIT_S),
    ]
