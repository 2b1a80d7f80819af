"""Where things of a video lie: object keys and work folders. Every run writes under a name of its
own.
"""

from __future__ import annotations

from pathlib import Path

from jhalak.options import options
from jhalak.videos.models import Video

VIDEOS = "videos/"
ORIGINALS = "originals/"


def video_prefix(public_id: str) -> str:
    return f"{VIDEOS}{public_id}/"


def run_prefix(video: Video) -> str:
    return f"{VIDEOS}{video.public_id}/{video.run}/"


def original_key(upload_id: str) -> str:
    """The key that an upload's row already implies, before there is a video."""
    return f"{ORIGINALS}{upload_id}"


def work_folder() -> Path:
    return options().folder / "work"


def work_of(public_id: str) -> list[Path]:
    """Work folders of a video's runs, of this one and of dead ones."""
    return [path for path in _rooms() if path.name.rpartition(".")[0] == public_id]


def all_work() -> dict[Path, tuple[str, str]]:
    """Every work folder, with the public id and the run that it is named after."""
    return {path: (path.name.rpartition(".")[0], path.name.rpartition(".")[2]) for path in _rooms()}


def _rooms() -> list[Path]:
    folder = work_folder()
    return list(folder.iterdir()) if folder.is_dir() else []
