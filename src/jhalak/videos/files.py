"""The bytes of uploads under way, one file each in the uploads folder.

The row's offset is the truth: it moves only after fsync, so that what was acknowledged is on disk;
a file that is longer (its process died before the row moved) is cut back when the upload goes on. A
lock on the file itself keeps two requests apart, in any process; the system lets go of it when a
process dies.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jhalak.options import options

ALL, LAST = 1.0, 0.25  # shares of the reserve


class Busy(Exception):
    """Another request is writing to this upload."""


def folder() -> Path:
    return options().folder / "uploads"


def path_of(upload_id: str) -> Path:
    """`upload_id` comes from a row, never from an address: no name becomes a path."""
    return folder() / upload_id


@contextmanager
def opened(upload_id: str) -> Iterator[BinaryIO]:
    """The file of an upload, for this caller alone; made when it is not there. Raises Busy."""
    path = path_of(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b", 0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy from error
        yield file  # closing it lets go of the lock


def leaves(size: int, share: float) -> bool:
    """Whether `size` more bytes on the data folder's disk leave this share of the reserve free.

    A new upload leaves all of it; what is under way, and a video that is made, may use of it, but
    never the last part, which rows and the log of events need to go on.
    """
    given = options()
    given.folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(given.folder).free - size >= share * given.disk_reserve


def cut(file: BinaryIO, offset: int) -> int:
    """Make the file end at `offset`, or where it ends if that is before. Returns where it ends."""
    end = min(offset, os.fstat(file.fileno()).st_size)
    file.truncate(end)
    file.seek(end)
    return end


def settle(file: BinaryIO) -> None:
    """On return, what was written stays, whatever happens."""
    os.fsync(file.fileno())


def remove(upload_id: str) -> None:
    path_of(upload_id).unlink(missing_ok=True)
