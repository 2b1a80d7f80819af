"""Objects as plain files in a folder: the default store, and what the proxy serves from.

    <root>/videos/42/540.mp4     the object "videos/42/540.mp4"
    <root>/.new/<name>           a put under way

A put writes a file under `.new`, syncs it, and gives it its name with one rename, so that whoever
looks sees the old object or the new one, whole. The writer holds a lock (flock) on its file as long
as it lives; opening the store removes the files that nobody holds any more, at once and without
waiting for them to grow old.

Where etag and content type are kept: in extended attributes of the file, written before the rename.
They appear with the bytes, in the same instant; there is no second file or table that a crash could
leave out of step. Where attributes are absent (a file copied here by hand, a backup restored
without them), nothing is lost: the etag is the SHA-256 of the bytes and is computed again, the
content type follows from the ending of the name. On a file system without attributes at all, `put`
therefore refuses a content type that the ending does not say.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import mimetypes
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from jhalak.stores.objects import (
    AlreadyThere,
    BadKey,
    Listed,
    NoSuchObject,
    ObjectInfo,
    ObjectsError,
    StoreFull,
    check_content_type,
    check_key,
    internal_path,
)

NEW = ".new"
ETAG = "user.jhalak.sha256"
TYPE = "user.jhalak.type"
CHUNK = 1 << 20
DEFAULT_TYPE = "application/octet-stream"
TYPES = {
    ".avif": "image/avif",
    ".jpg": "image/jpeg",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt",
    ".webm": "video/webm",
    ".webp": "image/webp",
}
NO_ATTRIBUTES = (errno.ENODATA, errno.ENOTSUP, errno.EPERM, errno.EACCES)
FOLDER_OF_ANOTHER = "it is the folder of another key, or another key would be its folder"
T = TypeVar("T")


class FolderObjects:
    """See the module. `root` is made if it is not there."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100  (not resolve: links stay as they are)
        self._new = self.root / NEW
        try:
            self._new.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ObjectsError(f"cannot keep objects in {root}: {error.strerror}") from error
        self._sweep()

    def put(
        self,
        key: str,
        source: bytes | Path | BinaryIO,
        *,
        content_type: str,
        if_absent: bool = False,
    ) -> ObjectInfo:
        target = self._path(key)
        check_content_type(content_type)
        if if_absent and target.is_file():  # spares the copy; what decides is the link below
            raise AlreadyThere(key)
        draft, stream = self._draft()
        with stream:
            try:
                with _readable(source) as readable:
                    etag, size = _copy(readable, stream)
                _keep_attributes(stream.fileno(), key, etag, content_type)
                # An explicit time: the kernel's own is only as fine as its tick.
                now = time.time_ns()
                os.utime(stream.fileno(), ns=(now, now))
                os.fsync(stream.fileno())
                self._name(draft, target, key, if_absent)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise StoreFull(f"no room for {key}: {error.strerror}") from error
                raise
            finally:
                draft.unlink(missing_ok=True)
        return ObjectInfo(key, size, etag, content_type, now // 1_000_000)

    def head(self, key: str) -> ObjectInfo | None:
        try:
            with self.open(key) as stream:
                return _info(key, stream)
        except NoSuchObject:
            return None

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        if start < 0 or (length is not None and length < 0):
            raise ValueError("a range starts at 0 or later and is not shorter than nothing")
        with self.open(key) as stream:
            stream.seek(start)
            return stream.read() if length is None else stream.read(length)

    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        try:
            # No link is followed at the end, and no pipe or device is waited for.
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise NoSuchObject(key) from error
            raise
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise NoSuchObject(key)
        return os.fdopen(number, "rb")

    def delete(self, *keys: str) -> None:
        for path in [self._path(key) for key in keys]:
            self._remove(path)

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            path.unlink()
            # Folders that are now empty go too; the first that is not empty ends it.
            with contextlib.suppress(OSError):
                for folder in path.parents:
                    if folder == self.root:
                        break
                    folder.rmdir()

    def list(self, prefix: str = "") -> Iterator[Listed]:
        yield from self._walk(self.root, "", prefix)

    def internal_path(self, key: str) -> str:
        return internal_path(key)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _draft(self) -> tuple[Path, io.BufferedWriter]:
        """A new file under `.new` that is locked for as long as it is open."""
        while True:
            path = self._new / f"{time.time_ns():x}-{secrets.token_hex(6)}"
            stream = _again(partial(_create, path), self._new)
            fcntl.flock(stream, fcntl.LOCK_EX)
            if os.fstat(stream.fileno()).st_nlink:  # else a sweep was between the two lines
                return path, stream
            stream.close()

    def _name(self, draft: Path, target: Path, key: str, if_absent: bool) -> None:
        def name() -> None:
            if if_absent:
                os.link(draft, target)
            else:
                draft.replace(target)

        known = target.parent.is_dir()
        try:
            _again(name, target.parent)
        except FileExistsError as error:
            if target.is_dir():
                raise BadKey(f"{key!r}: {FOLDER_OF_ANOTHER}") from error
            raise AlreadyThere(key) from error  # also where it is deleted by now
        except (IsADirectoryError, NotADirectoryError) as error:
            raise BadKey(f"{key!r}: {FOLDER_OF_ANOTHER}") from error
        # The name is durable once the folder that holds it is, and so on up for a new folder.
        with contextlib.suppress(FileNotFoundError):  # deleted again meanwhile
            for folder in target.parents:
                _sync_folder(folder)
                if known or folder == self.root:
                    break

    def _walk(self, folder: Path, words: str, prefix: str) -> Iterator[Listed]:
        """The objects below `folder`, in order of keys: a folder sorts as its name and a slash."""
        try:
            with os.scandir(folder) as entries:
                found = [
                    (entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name)
                    for entry in entries
                    if not entry.name.startswith(".")
                ]
        except (FileNotFoundError, NotADirectoryError):
            return  # deleted meanwhile
        for name in sorted(found, key=_utf8):
            key = words + name
            if name.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(folder / name, key, prefix)
            elif key.startswith(prefix):
                with contextlib.suppress(BadKey, FileNotFoundError):  # by other hands; or gone
                    found_here = (folder / name).lstat()
                    if stat.S_ISREG(found_here.st_mode):
                        modified_ms = found_here.st_mtime_ns // 1_000_000
                        yield Listed(check_key(key), found_here.st_size, modified_ms)

    def _sweep(self) -> None:
        """Remove what killed writers left under `.new`: the files on which nobody holds a lock."""
        for path in self._new.iterdir():
            if not path.is_file():
                continue
            with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)


def _create(path: Path) -> io.BufferedWriter:
    return path.open("xb")


def _again(act: Callable[[], T], folder: Path) -> T:
    """`act`, with `folder` made before it; again when a delete took the empty folder in between.
    Raises NotADirectoryError where a file has its name, what `act` raises, ObjectsError.
    """
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except FileExistsError as error:
                # It was there for mkdir, and gone when mkdir looked again: by now anything.
                if not stat.S_ISDIR(folder.stat().st_mode):
                    raise NotADirectoryError(str(folder)) from error
                continue
            return act()
    raise ObjectsError(f"the folder {folder} does not stay")


@contextlib.contextmanager
def _readable(source: bytes | Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    elif isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source)
    else:
        yield source


def _copy(source: BinaryIO, target: BinaryIO) -> tuple[str, int]:
    """Copy to the end. Returns SHA-256 in hex, and size in bytes."""
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
        size += len(chunk)
    target.flush()
    return digest.hexdigest(), size


def _utf8(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _type_by_ending(key: str) -> str:
    ending = os.path.splitext(key)[1].lower()  # noqa: PTH122
    return TYPES.get(ending) or mimetypes.types_map.get(ending) or DEFAULT_TYPE


def _keep_attributes(number: int, key: str, etag: str, content_type: str) -> None:
    try:
        os.setxattr(number, ETAG, etag.encode())
        os.setxattr(number, TYPE, content_type.encode())
    except (OSError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno not in NO_ATTRIBUTES:
            raise
        if _type_by_ending(key) != content_type:
            raise ObjectsError(
                f"this file system keeps no attributes, so a key must end as its type says: "
                f"{key} is not {content_type}"
            ) from error


def _attribute(number: int, name: str) -> str | None:
    try:
        return os.getxattr(number, name).decode()
    except AttributeError:
        return None  # not Linux
    except OSError as error:
        if error.errno in NO_ATTRIBUTES:
            return None
        raise


def _info(key: str, stream: BinaryIO) -> ObjectInfo:
    found = os.fstat(stream.fileno())
    etag = _attribute(stream.fileno(), ETAG)
    if etag is None:
        digest = hashlib.sha256()
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
        etag = digest.hexdigest()
    return ObjectInfo(
        key,
        found.st_size,
        etag,
        _attribute(stream.fileno(), TYPE) or _type_by_ending(key),
        found.st_mtime_ns // 1_000_000,
    )


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
