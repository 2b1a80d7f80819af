"""Files that are on disk when a call returns, and whole whenever they are seen.

The four at the top are all that touches the disk; a test that cuts the power stands in for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write all of a file, in place, and fsync it. Its name is on disk after `sync_folder`. Raises
    OSError.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def rename(old: Path, new: Path) -> None:
    """Give a file another name, in the place of what had it. Raises OSError."""
    old.replace(new)


def make(folder: Path, mode: int = 0o755) -> None:
    """Make a folder. Raises OSError."""
    folder.mkdir(mode=mode, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """Make a folder and those above it, each name on disk. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent, mode)
    make(folder, mode)
    sync_folder(folder.parent)


def write_new(files: Mapping[Path, bytes], pool: Executor) -> None:
    """Write many files, names and all. Their fsyncs run side by side in `pool`: a journal takes
    those of one moment together. Raises OSError; then any of them may be there, whole or not.
    """
    folders = {path.parent for path in files}
    for folder in sorted(folders):
        make_folder(folder)
    for _ in pool.map(write, files, files.values()):
        pass
    for _ in pool.map(sync_folder, sorted(folders)):
        pass


def replace(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a file in the place of another: whoever looks sees the old one or the new one, whole.
    Raises OSError.
    """
    draft = path.with_name(path.name + ".new")
    write(draft, data, mode)
    rename(draft, path)
    sync_folder(path.parent)
