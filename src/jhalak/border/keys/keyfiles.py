"""Where local roots are: files of the installation, or an environment variable.

A file `installation.<n>.key` holds 32 bytes in base64, mode 0600, one for each generation that
lives; the variable JHALAK_INSTALLATION_KEY holds one such line, or during a rotation two of them
with a space between. Where the variable is set, files are neither read nor made.
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from jhalak.border.keys.errors import KeyRefused
from jhalak.border.keys.roots import SIZE, LocalRoot

VARIABLE = "JHALAK_INSTALLATION_KEY"
_NAME = re.compile(r"installation\.([0-9]{1,9})\.key")


def new_line() -> str:
    """A new root, as it is written in a file or in the variable."""
    return base64.b64encode(os.urandom(SIZE)).decode()


def _root(line: str, where: str) -> LocalRoot:
    try:
        return LocalRoot(base64.b64decode(line.strip(), validate=True))
    except (ValueError, KeyRefused) as error:  # ValueError: no base64
        raise KeyRefused(f"{where} holds no key: 32 bytes in base64 are expected") from error


def from_environment(env: Mapping[str, str]) -> list[LocalRoot]:
    """Raises KeyRefused."""
    return [_root(line, VARIABLE) for line in env.get(VARIABLE, "").split()]


def file_of(folder: Path, generation: int) -> Path:
    return folder / f"installation.{generation}.key"


def from_files(folder: Path) -> list[LocalRoot]:
    """Raises KeyRefused for a file that others may read, or that holds no key."""
    found = []
    for path in sorted(folder.iterdir()):
        if not _NAME.fullmatch(path.name):
            continue
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # its rotation ended just now
        except OSError as error:
            raise KeyRefused(f"{path} cannot be read: {error}") from error
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyRefused(f"others may read {path}. Change that: chmod 600 {path}")
            line = file.read(1000)
        if line and not line.strip(b"\0"):
            continue  # its rotation is destroying it at this moment
        found.append(_root(line.decode("ascii", "replace"), str(path)))
    return found


def make_file(folder: Path, generation: int) -> LocalRoot:
    """The root of a generation from its file, which is made first where there is none. Whoever
    comes second finds the first one's.
    """
    path = file_of(folder, generation)
    if not path.exists():
        draft = folder / f".{path.name}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(draft, flags, 0o600)
        try:
            os.write(descriptor, new_line().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        sync_folder(folder)
    return _root(path.read_text("ascii"), str(path))


def destroy_file(folder: Path, generation: int) -> None:
    """Overwritten, synced, removed. Idempotent."""
    path = file_of(folder, generation)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.write(descriptor, b"\0" * os.fstat(descriptor).st_size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
