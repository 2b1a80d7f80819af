"""What `jhalak demo` keeps running beside the site: the world's builder and its crowd, both over
HTTP.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jhalak.site.supervisor import Program, When


def demo_programs(url: str, data: Path, clips: Path | None) -> tuple[Program, ...]:
    """Both start when the site answers; when one cannot go on, the site stays."""
    world = [sys.executable, "-m", "jhalak.demo.world", "--url", url, "--data", str(data)]
    if clips is not None:
        world += ["--clips", str(clips.absolute())]
    crowd = [sys.executable, "-m", "jhalak.demo.crowd", "--url", url, "--data", str(data)]
    return (
        Program("world", world, once=True, vital=False, when=When.WHEN_READY, drain=3.0),
        Program("crowd", crowd, vital=False, when=When.WHEN_READY, drain=3.0),
    )


def open_browser(url: str) -> None:
    """A browser, where there is a screen. A browser that fails is no reason to stop."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        return
    subprocess.Popen(
        [sys.executable, "-m", "webbrowser", "-t", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
