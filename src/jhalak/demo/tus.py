"""Sending one file by tus 1.0, resumably: create, patch in chunks with checksums, ask for the
offset after a break.

The protocol: tus.io/protocols/resumable-upload (core, creation, checksum). The server's word on
the offset is final.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .client import Client, Refused, Reply, Unreachable

CHUNK = 1 << 20
_VERSION = {"Tus-Resumable": "1.0.0"}
_MISMATCH = 460  # the checksum extension's status: the chunk was damaged and dropped


def metadata(values: Mapping[str, str]) -> str:
    """Upload-Metadata: keys with base64 values."""
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items()
    )


def create(client: Client, path: str, size: int, values: Mapping[str, str]) -> str:
    """Ask for an upload of `size` bytes; returns its address (a path). Raises Refused."""
    headers = {**_VERSION, "Upload-Length": str(size), "Upload-Metadata": metadata(values)}
    reply = client.call("POST", path, headers=headers, body=b"")
    location = urlsplit(reply.headers.get("location", ""))
    if not location.path:
        raise Refused(reply.status, "no_location", "The server created no upload address.")
    return location.path + (f"?{location.query}" if location.query else "")


def offset(client: Client, location: str) -> int:
    """How many bytes the server holds. Raises Refused (404, 410: the upload is no more)."""
    return int(client.call("HEAD", location, headers=_VERSION).headers.get("upload-offset", "0"))


def send(
    client: Client,
    location: str,
    source: Path,
    *,
    chunk: int = CHUNK,
    progress: Callable[[int], None] | None = None,
) -> Reply | None:
    """Send what the server lacks of `source`; returns its last answer, None when it had all.

    A lost line, a restart, a damaged chunk or a wrong offset lead to HEAD and on from there;
    gives up with Unreachable when nothing moves for the client's patience.
    """
    size = source.stat().st_size
    at = offset(client, location)
    last: Reply | None = None
    moved = time.monotonic()
    with source.open("rb") as file:
        while at < size:
            file.seek(at)
            piece = file.read(chunk)
            check = base64.b64encode(hashlib.sha1(piece).digest()).decode()  # noqa: S324 (the protocol's)
            headers = {
                **_VERSION,
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(at),
                "Upload-Checksum": f"sha1 {check}",
            }
            before = at
            try:
                reply = client.once("PATCH", location, piece, headers)
                if reply.status >= 400 and reply.status not in (409, 423, 429, 502, 503, _MISMATCH):
                    raise Refused(
                        reply.status, "upload_refused", reply.body[:300].decode("utf-8", "replace")
                    )
                if reply.status < 400:
                    last = reply
                    at = int(reply.headers.get("upload-offset", at + len(piece)))
                else:
                    client.sleep(0.1)
                    at = offset(client, location)
            except (OSError, http.client.HTTPException):
                client.sleep(0.1)
                at = offset(client, location)
            if at != before:
                moved = time.monotonic()
            elif time.monotonic() - moved > client.patience:
                raise Unreachable(f"The upload at {location} does not move beyond byte {at}.")
            if progress is not None:
                progress(at)
    return last


def upload(
    client: Client, path: str, source: Path, values: Mapping[str, str]
) -> tuple[str, Reply | None]:
    """Create and send in one: (address, last answer)."""
    location = create(client, path, source.stat().st_size, values)
    return location, send(client, location, source)
