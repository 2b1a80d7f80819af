"""One running instance for each data folder, and the short paths that its sockets need."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes on Linux and 104 on macOS; unix(7)


class InstanceError(Exception):
    """The data folder cannot be used now; the message says why and what to do."""


def run_folder(data: Path) -> Path:
    """`<data>/run`, made where it is missing: what exists only while the site runs. Raises
    InstanceError.
    """
    run = data / "run"
    try:
        for folder in (run, run / "temp"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o750)
        if not os.access(run, os.W_OK | os.X_OK):
            raise PermissionError(f"not writable: {run}")
    except OSError as error:
        raise InstanceError(
            f"The data folder {data} cannot be used ({error}). Choose another with --data, or make"
            " it yours."
        ) from error
    return run


def socket_folder(run: Path) -> Path:
    """Where Unix sockets go: `run`, or a short private folder when its path is too long for one."""
    if len(os.fsencode(run / "intake.sock")) <= LONGEST_SOCKET_PATH:
        return run
    digest = hashlib.sha256(os.fsencode(run)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"jhalak-{os.getuid()}-{digest}"
    if len(os.fsencode(short / "intake.sock")) > LONGEST_SOCKET_PATH:
        short = Path("/tmp") / short.name  # noqa: S108 - private, checked below
    short.mkdir(mode=0o700, exist_ok=True)
    state = short.lstat()
    if state.st_uid != os.getuid() or not short.is_dir() or short.is_symlink():
        raise InstanceError(
            f"{short} belongs to somebody else. Use a data folder with a shorter path, so that it"
            " is not needed."
        )
    short.chmod(0o700)
    return short


@contextmanager
def only_instance(run: Path) -> Iterator[bool]:
    """Holds `run/serve.lock` while the block runs. Yields whether the last instance ended without
    cleaning up.

    The lock is the kernel's (flock(2)): it goes with its process however that ends, so a stale one
    cannot be. Raises InstanceError with the other's pid when the folder is in use.
    """
    path = run / "serve.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            other = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            raise InstanceError(
                f"Jhalak already runs on this data folder (pid {other or 'unknown'}). Stop that"
                " one, or give this one a folder of its own with --data."
            ) from error
        crashed = bool(os.pread(handle, 32, 0).strip())
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield crashed
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)
