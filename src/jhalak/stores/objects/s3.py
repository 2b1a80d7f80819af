"""Objects in a bucket of any store that speaks S3, by obstore (the Rust crate object_store).

Where etag and content type are kept: the type is the object's own; the SHA-256 of the bytes is its
metadata `sha256`, since S3's own ETag says nothing about the bytes of an object that came in parts.
It is known before the first byte is sent, so it appears with them. On their way the bytes are
covered by the request's signature (x-amz-content-sha256), which the store checks.

A put larger than one part is a multipart upload: seen whole or not at all. Parts that a killed
process leaves behind are the bucket's to remove (lifecycle rule AbortIncompleteMultipartUpload).
`if_absent` is `If-None-Match: *`; that goes with a single request, so such an object passes through
memory whole.

A store that does not answer is asked again for a while, later and later; then it is StoreAway.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

import obstore
from obstore import exceptions as failures
from obstore.store import S3Store

from jhalak.stores.objects import (
    INTERNAL_PREFIX,
    AlreadyThere,
    BadKey,
    Listed,
    NoSuchObject,
    ObjectInfo,
    StoreAway,
    StoreFull,
    StoreRefused,
    check_content_type,
    check_key,
)
from jhalak.stores.objects.bucket import KEY, SECRET, Bucket, keys_of

SHA256 = "sha256"
PART = 8 << 20
PARTS_AT_ONCE = 4
IN_MEMORY = 8 << 20  # what is larger is spooled to a temporary file
CHUNK = 1 << 20
SIGNED_FOR = timedelta(minutes=5)  # to begin in, not to end in; and clocks differ

CONNECT = timedelta(seconds=3)
SILENCE = timedelta(seconds=20)  # no byte for so long
REQUEST = timedelta(seconds=300)  # the longest: a whole object on a slow line
RETRIES = 6
PATIENCE = timedelta(seconds=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)

_FULL = ("QuotaExceeded", "507 Insufficient Storage", "XMinioStorageFull", "no writable volumes")
_REFUSED = ("403 Forbidden", "401 Unauthorized", "NoSuchBucket")


class S3Objects:
    """See the module. Raises StoreRefused at once when the environment has no keys; the network is
    first asked when something is.
    """

    def __init__(self, bucket: Bucket) -> None:
        key, secret = keys_of()
        self._name = f"{bucket.name} at {bucket.endpoint}"
        self._store = S3Store(
            bucket.name,
            endpoint=bucket.endpoint,
            region=bucket.region,
            access_key_id=key,
            secret_access_key=secret,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": not bucket.secure,
                "connect_timeout": CONNECT,
                "read_timeout": SILENCE,
                "timeout": REQUEST,
            },
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": PATIENCE,
                "backoff": {
                    "init_backoff": FIRST_PAUSE,
                    "max_backoff": LONGEST_PAUSE,
                    "base": 2,
                },
            },
        )

    def put(
        self,
        key: str,
        source: bytes | Path | BinaryIO,
        *,
        content_type: str,
        if_absent: bool = False,
    ) -> ObjectInfo:
        check_key(key)
        check_content_type(content_type)
        with _known(source) as (body, etag, size), self._told(key):
            obstore.put(
                self._store,
                key,
                body,
                attributes={"Content-Type": content_type, SHA256: etag},
                mode="create" if if_absent else "overwrite",
                use_multipart=size > PART and not if_absent,
                chunk_size=PART,
                max_concurrency=PARTS_AT_ONCE,
            )
            try:
                modified = obstore.head(self._store, key)["last_modified"].timestamp()
            except FileNotFoundError:  # deleted again meanwhile
                modified = time.time()
        return ObjectInfo(key, size, etag, content_type, int(modified * 1000))

    def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        try:
            with self._told(key):
                found = obstore.get(self._store, key, options={"head": True})
        except NoSuchObject:
            return None
        attributes = found.attributes
        return ObjectInfo(
            key,
            found.meta["size"],
            str(attributes.get(SHA256) or self._hashed(key)),
            str(attributes.get("Content-Type", "application/octet-stream")),
            int(found.meta["last_modified"].timestamp() * 1000),
        )

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        check_key(key)
        if start < 0 or (length is not None and length < 0):
            raise ValueError("a range starts at 0 or later and is not shorter than nothing")
        with self._told(key):
            if start == 0 and length is None:
                return bytes(obstore.get(self._store, key).bytes())
            size = obstore.head(self._store, key)["size"]  # S3 has no empty range, and none beyond
            end = size if length is None else min(size, start + length)
            if start >= end:
                return b""
            return bytes(obstore.get_range(self._store, key, start=start, end=end))

    def open(self, key: str) -> BinaryIO:
        check_key(key)
        # Fetched whole, since a bucket keeps no old version for those who are in the middle of it.
        held = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (the caller closes it)
        try:
            with self._told(key):
                for chunk in obstore.get(self._store, key).stream(min_chunk_size=CHUNK):
                    held.write(chunk)
        except BaseException:
            held.close()
            raise
        held.seek(0)
        return cast(BinaryIO, held)

    def delete(self, *keys: str) -> None:
        checked = [check_key(key) for key in keys]
        if checked:
            with contextlib.suppress(NoSuchObject), self._told(checked[0]):
                obstore.delete(self._store, checked)  # a thousand go with one request

    def list(self, prefix: str = "") -> Iterator[Listed]:
        # The store is asked by whole words; half a word is looked for here.
        folder = prefix.rpartition("/")[0]
        with self._told(prefix):
            for batch in obstore.list(self._store, folder or None):
                for found in batch:
                    key = found["path"]
                    if not key.startswith(prefix) or _foreign(key):
                        continue
                    modified_ms = int(found["last_modified"].timestamp() * 1000)
                    yield Listed(key, found["size"], modified_ms)

    def internal_path(self, key: str) -> str:
        check_key(key)
        signed = urlsplit(obstore.sign(self._store, "GET", key, SIGNED_FOR))
        path = signed.path.split("/", 2)[2]  # without the bucket's name, which the proxy adds
        return f"{INTERNAL_PREFIX}{path}?{signed.query}"

    def _hashed(self, key: str) -> str:
        """The SHA-256 of an object that came by other hands."""
        digest = hashlib.sha256()
        with self._told(key):
            for chunk in obstore.get(self._store, key).stream(min_chunk_size=CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    @contextlib.contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """What obstore raises, as what this protocol raises."""
        try:
            yield
        except failures.AlreadyExistsError as error:
            raise AlreadyThere(key) from error
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StoreRefused(f"there is no bucket {self._name}: make it first") from error
            raise NoSuchObject(key) from error
        except (failures.PermissionDeniedError, failures.UnauthenticatedError) as error:
            raise self._refused(error) from error
        except failures.BaseError as error:
            text = str(error)
            if any(word in text for word in _FULL):
                raise StoreFull(f"no room for {key} in {self._name}") from error
            if any(word in text for word in _REFUSED):
                raise self._refused(error) from error
            raise StoreAway(f"{self._name} does not answer: {_short(error)}") from error

    def _refused(self, error: Exception) -> StoreRefused:
        return StoreRefused(
            f"{self._name} refuses us: check {KEY} and {SECRET}, the bucket's name and region,"
            f" and that this key may read, write, list and delete there. {_short(error)}"
        )


def _short(error: Exception) -> str:
    """The first lines: obstore appends its inner state."""
    return str(error).partition("\n\nDebug source")[0].strip()[:400]


def _foreign(key: str) -> bool:
    try:
        check_key(key)
    except BadKey:
        return True
    return False


@contextlib.contextmanager
def _known(source: bytes | Path | BinaryIO) -> Iterator[tuple[bytes | Path | IO[bytes], str, int]]:
    """A source that can be sent, and sent again; its SHA-256 and its size."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield bytes(source), hashlib.sha256(source).hexdigest(), len(source)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
            yield source, digest.hexdigest(), stream.tell()
    else:
        digest = hashlib.sha256()
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                spool.write(chunk)
            size = spool.tell()
            spool.seek(0)
            yield cast(IO[bytes], spool), digest.hexdigest(), size


__all__ = ["S3Objects"]
