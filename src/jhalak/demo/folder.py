"""A folder of one's own videos (`--clips`): which files, under which words. Each file goes up
once, by its content.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from pathlib import Path

OWNER = "creator"
_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".3gp"})


class FolderError(Exception):
    """The folder cannot be used; the message says why."""


def videos(folder: Path) -> list[tuple[str, Path]]:
    """(key, file) of every video file in the folder, not deeper, by name. Raises FolderError."""
    if not folder.is_dir():
        raise FolderError(f"--clips {folder}: there is no such folder.")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in _SUFFIXES and f.is_file())
    found: dict[str, Path] = {}
    for file in files:
        with file.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        found.setdefault(f"own-{digest[:16]}", file)
    return list(found.items())


def words(file: Path) -> dict[str, str]:
    """tus metadata from a file's name."""
    caption = re.sub(r"[_\-]+", " ", file.stem).strip()[:200]
    kind = mimetypes.guess_type(file.name)[0] or "video/mp4"
    return {
        "filename": file.name,
        "filetype": kind if kind.startswith("video/") else "video/mp4",
        "caption": caption or "clip",
        "visibility": "public",
    }
