"""The words of the tus 1.0 protocol: headers in, headers out, and its own refusals. Knows no rows.

Source: tus.io/protocols/resumable-upload, version 1.0.0; core, creation, creation-with-upload,
termination, expiration, checksum.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec
from django.utils.http import http_date
from django.utils.translation import gettext_lazy as _

from jhalak.options import options
from jhalak.problems import BadRequest, Problem

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
BYTES = "application/offset+octet-stream"
MOST_METADATA = 8_000  # characters of the header

Hash = Callable[[bytes], "Hasher"]


class Hasher(Protocol):
    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


ALGORITHMS: Mapping[str, Callable[[], Hasher]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),  # the one that every tus client knows
    "sha256": hashlib.sha256,
}


class WrongVersion(Problem):
    status = 412


class Locked(Problem):
    status = 423


class ChecksumMismatch(Problem):
    status = 460  # the protocol's own


class NoRoom(Problem):
    status = 507


class Checksum(msgspec.Struct, frozen=True):
    """What the bytes of one request must add up to."""

    algorithm: str
    digest: bytes

    def start(self) -> Hasher:
        return ALGORITHMS[self.algorithm]()


def check_version(header: str | None) -> None:
    """Raises WrongVersion, which names the version that is spoken here."""
    if header != VERSION:
        raise WrongVersion(
            "tus_version",
            _("This server speaks tus 1.0.0: send Tus-Resumable: 1.0.0."),
            headers={"Tus-Version": VERSION},
        )


def number(header: str | None, name: str) -> int:
    """A header that is a whole number, 0 or more. Raises BadRequest that names it."""
    if header is None or not header.isascii() or not header.isdecimal() or len(header) > 18:
        message = _("%(name)s must be a whole number of bytes.") % {"name": name}
        raise BadRequest("bad_header", message, field=name)
    return int(header)


def metadata(header: str) -> dict[str, str]:
    """Upload-Metadata: pairs of a key and a base64 value, commas between. Raises BadRequest."""
    problem = BadRequest(
        "bad_metadata",
        _("Upload-Metadata must be pairs of a name and base64 of UTF-8 text."),
        field="Upload-Metadata",
    )
    if len(header) > MOST_METADATA:
        raise problem
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _space, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise problem from error
        if not key.isascii() or key in found:
            raise problem
        found[key] = text
    return found


def checksum(header: str | None) -> Checksum | None:
    """Upload-Checksum: an algorithm and a base64 digest. Raises BadRequest."""
    if header is None:
        return None
    algorithm, _space, value = header.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        message = _("Upload-Checksum must use one of: %(names)s.") % {"names": algorithms()}
        raise BadRequest("checksum_algorithm", message, field="Upload-Checksum")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != len(ALGORITHMS[algorithm]().digest()):
        raise BadRequest(
            "bad_checksum",
            _("Upload-Checksum must be an algorithm and base64 of its digest."),
            field="Upload-Checksum",
        )
    return Checksum(algorithm, digest)


def algorithms() -> str:
    return ",".join(ALGORITHMS)


def about() -> dict[str, str]:
    """What OPTIONS tells."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(options().upload_limit),
        "Tus-Checksum-Algorithm": algorithms(),
    }


def expires(at: datetime) -> dict[str, str]:
    return {"Upload-Expires": http_date(at.timestamp())}
