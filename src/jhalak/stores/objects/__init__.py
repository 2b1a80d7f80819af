"""Objects: named, whole files that are put once and read by range. Originals, renditions, posters,
pictures.

The protocol is what an S3 bucket can also do: a put is seen whole or not at all, a listing tells no
more than names and sizes, nothing is appended to. `open_objects("folder:/path")` opens the default
store, a folder of plain files; `open_objects("s3://bucket?endpoint=...")` a bucket. Either is
served by the proxy (`internal_path`): bytes never pass through Python on their way to a viewer.

A key is a path of plain words, `videos/42/540.mp4`: see `check_key`. No key may be the folder of
another one (`a` beside `a/b`): a folder cannot hold both.
"""

from __future__ import annotations

import errno
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import quote

import msgspec

MAX_KEY_BYTES = 512
MAX_SEGMENT_BYTES = 200
INTERNAL_PREFIX = "/_objects/"
CONTENT_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,60}(; charset=[a-z0-9-]{1,20})?")


class ObjectsError(Exception):
    """The store could not do what was asked; the message says why. Nothing that was there before is
    lost.
    """


class BadKey(ObjectsError, ValueError):
    """A key that no store takes, or that another key makes impossible."""


class NoSuchObject(ObjectsError):
    """There is nothing under this key."""


class AlreadyThere(ObjectsError):
    """`put(if_absent=True)` found an object under this key, and left it alone."""


class StoreFull(ObjectsError):
    """There is no room for this object. Make room, then put it again."""


class StoreAway(ObjectsError):
    """The store does not answer, now. What was asked may have been done or not: ask again later."""


class StoreRefused(ObjectsError):
    """The store does not let us in: its keys are wrong, or may not do this. A person has to act."""


def is_full(error: BaseException | None) -> bool:
    """Whether a disk or store without room is what is at the bottom of `error`: layers between wrap
    what they cannot explain.
    """
    while error is not None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or isinstance(error, StoreFull):
            return True
        error = error.__cause__
    return False


class Listed(msgspec.Struct, frozen=True):
    """What a listing tells of an object."""

    key: str
    size: int
    modified_ms: int


class ObjectInfo(msgspec.Struct, frozen=True):
    """What is known of an object without reading it. `etag` is the SHA-256 of its bytes, in hex."""

    key: str
    size: int
    etag: str
    content_type: str
    modified_ms: int


class Objects(Protocol):
    """A store of objects. Any thread, any process, at any time."""

    def put(
        self,
        key: str,
        source: bytes | Path | BinaryIO,
        *,
        content_type: str,
        if_absent: bool = False,
    ) -> ObjectInfo:
        """Keep these bytes under `key`, durable on return. Readers see the old object or the new,
        whole.

        A `Path` is copied and stays where it is; a stream is read to its end. Of several puts at
        once one is the last; with `if_absent` exactly one succeeds and the others raise
        AlreadyThere. Raises BadKey, AlreadyThere, StoreFull; and as every method of a store that is
        elsewhere, StoreAway, StoreRefused.
        """
        ...

    def head(self, key: str) -> ObjectInfo | None: ...

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Bytes from `start`, `length` of them or to the end; fewer at the end. Raises
        NoSuchObject.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """A seekable stream that keeps to the object as it was at opening. Raises NoSuchObject."""
        ...

    def delete(self, *keys: str) -> None:
        """After it, none of them is there. Deleting what is not there is no error."""
        ...

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """Every object whose key starts with `prefix` (any text, also half a word), each once. What
        is in one folder comes together; beyond that there is no order (stores differ).
        """
        ...

    def internal_path(self, key: str) -> str:
        """What goes into X-Accel-Redirect so that the proxy sends this object: `/_objects/` and the
        quoted key; a bucket adds a signature, good for a few minutes. Asks nothing of the store.
        """
        ...


def check_key(key: str) -> str:
    """`key` itself, if every store takes it. Raises BadKey with what is wrong.

    Words between single slashes; no empty word, none that starts with a dot (so no `..`, and room
    for a store's own files), no backslash, no control or unpaired surrogate character; at most 512
    bytes of UTF-8, 200 a word. Case and Unicode form are kept as they are.
    """
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in key):
        raise BadKey(f"a key has no control characters: {key!r}")
    if "\\" in key:
        raise BadKey(f"a key has no backslash: {key!r}")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise BadKey(f"a key has at most {MAX_KEY_BYTES} bytes: {key[:80]!r}...")
    for word in key.split("/"):
        if not word or word.startswith("."):
            raise BadKey(f"a key is words between single slashes, none with a dot first: {key!r}")
        if len(word.encode()) > MAX_SEGMENT_BYTES:
            raise BadKey(f"a word of a key has at most {MAX_SEGMENT_BYTES} bytes: {key[:80]!r}...")
    return key


def check_content_type(content_type: str) -> str:
    """`content_type` itself, if it may stand in a header. Raises ObjectsError."""
    if not CONTENT_TYPE.fullmatch(content_type):
        raise ObjectsError(f"not a content type: {content_type[:80]!r}")
    return content_type


def internal_path(key: str) -> str:
    return INTERNAL_PREFIX + quote(check_key(key))


def open_objects(url: str) -> Objects:
    """The store at `url`. Raises ObjectsError for one that is not known, or cannot be used so."""
    kind, _, rest = url.partition(":")
    if kind == "folder" and rest:
        from jhalak.stores.objects.folder import FolderObjects

        return FolderObjects(Path(rest))
    if kind == "s3" and rest:
        from jhalak.stores.objects.bucket import bucket_at
        from jhalak.stores.objects.s3 import S3Objects

        return S3Objects(bucket_at(url))
    raise ObjectsError(f"not a store of objects: {url!r}. Known: folder:/path, s3://bucket?...")
