"""What one entry of the log is: canonical JSON with five members, at most 65,535 bytes.

    {"at":1764500000000,"body":{...},"id":"0199...","kind":"model","v":1}

Canonical: UTF-8, members sorted by name, no spaces, no floats, each string escaped only where JSON
demands it. With names in ASCII and numbers below 2**53 that is RFC 8785 (JSON Canonicalization
Scheme), so that every language has a library that writes the same bytes. The length is what the two
bytes before an entry in a C2SP tlog-tiles bundle can say.

A sealed entry holds a commitment in place of its body: SHA-256 over a salt of 32 random bytes and
the hidden body. The log then proves that the body stood there at that time, and tells it only when
it is revealed; without the salt a body of few possible values could be guessed.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from enum import StrEnum
from typing import Any

import msgspec

LIMIT = 65_535  # bytes of one entry
VERSION = 1
SALT_BYTES = 32
_DEPTH = 16  # how deep a body nests
_GREATEST = 2**53 - 1  # the greatest integer that every JSON reader keeps exactly
_ID = re.compile(r"[0-9a-zA-Z._-]{1,64}")
_ENCODER = msgspec.json.Encoder(order="sorted", enc_hook=str.__str__)  # a str of another class too


class Kind(StrEnum):
    """What an entry is about."""

    START = "start"  # a process of the system began
    STOP = "stop"  # and ended in order
    SEAL = "seal"  # what a process says about its walls
    CONTROL = "control"  # a deliberate attempt to leave
    EGRESS_FLOW = "egress_flow"  # one connection of the broker, with its bytes
    EGRESS_REFUSAL = "egress_refusal"
    DESTINATION = "destination"  # declared or changed
    EXCEPTION = "exception"  # the register of exceptions changed
    RESIDENCY_REPORT = "residency_report"
    RELEASE = "release"  # which code runs
    MODEL = "model"  # weights put in force or taken back
    TAKEDOWN = "takedown"  # a video withdrawn or restored
    ORDER = "order"  # an authority's order
    KEY = "key"  # a key made, rotated, retired
    STAFF_SESSION = "staff_session"  # somebody with a role signed in
    AUDIT_READ = "audit_read"  # an auditor looked
    EXPORT = "export"
    ERASURE = "erasure"
    MAP = "map"  # the data map changed
    CLOCK = "clock"  # the machine's clock went back


class EntryError(ValueError):
    """This cannot be an entry; the message says why."""


class Entry(msgspec.Struct, frozen=True):
    """One entry as read from the log. `at`: Unix time in ms when it happened, by the machine's
    clock; the order of the log is the order of arrival.
    """

    at: int
    body: dict[str, Any]
    id: str
    kind: Kind


class Sealed(msgspec.Struct, frozen=True):
    """What opens a sealed entry: kept beside the log, shown when it is revealed."""

    id: str
    salt: str  # hex
    body: dict[str, Any]


def new_id(at_ms: int) -> str:
    """An id that no other entry has: 48 bits of time in ms, then 80 random bits, in hex. Sorts by
    time, as a UUID of version 7.
    """
    return f"{at_ms:012x}{os.urandom(10).hex()}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def canonical(value: Any) -> bytes:
    """The one form of a JSON value: see the module. Raises EntryError for floats, integers beyond
    2**53, names that are not ASCII, lone surrogates, and what is no JSON.
    """
    _check(value, 0)
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise EntryError("a text holds half a surrogate pair, which UTF-8 cannot say") from error


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -_GREATEST <= value <= _GREATEST:
            raise EntryError(f"the integer {value} is beyond 2**53: write it as text")
    elif kind is dict:
        _check_depth(depth)
        for name, item in value.items():
            _check_name(name)
            if type(item) is not str:
                _check(item, depth + 1)
    elif kind is list or kind is tuple:
        _check_depth(depth)
        for item in value:
            _check(item, depth + 1)
    elif not isinstance(value, str):
        raise EntryError(f"{kind.__name__} is no part of an entry (floats neither): {value!r}")


def _check_depth(depth: int) -> None:
    if depth > _DEPTH:
        raise EntryError(f"nested deeper than {_DEPTH}")


def _check_name(name: object) -> None:
    if isinstance(name, str) and 0 < len(name) <= 256 and name.isascii() and name.isprintable():
        return
    raise EntryError(f"a name must be 1 to 256 printable ASCII characters: {name!r}")


def entry(
    kind: Kind,
    body: dict[str, Any],
    *,
    at_ms: int | None = None,
    id: str | None = None,  # noqa: A002
) -> bytes:
    """The bytes of an entry, which are a leaf of the tree. Raises EntryError."""
    at = now_ms() if at_ms is None else at_ms
    name = new_id(at) if id is None else id
    fields = {
        "at": at,
        "body": body,
        "id": name,
        "kind": str(Kind(kind)),
        "v": VERSION,
    }
    if not isinstance(body, dict):
        raise EntryError("a body is an object")
    if type(at) is not int or at < 0:
        raise EntryError(f"not a time in ms: {at!r}")
    if not _ID.fullmatch(name):
        raise EntryError(f"not an id: {name!r}")
    data = canonical(fields)
    if len(data) > LIMIT:
        raise EntryError(f"an entry has at most {LIMIT} bytes, this one {len(data)}")
    return data


def read_entry(data: bytes) -> Entry:
    """An entry from its bytes, which are anybody's. Raises EntryError if it is not one, or not in
    its one form.
    """
    if len(data) > LIMIT:
        raise EntryError(f"an entry has at most {LIMIT} bytes, this one {len(data)}")
    try:
        fields = msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        raise EntryError(f"not JSON: {error}") from error
    if not isinstance(fields, dict) or set(fields) != {"at", "body", "id", "kind", "v"}:
        raise EntryError("an entry has the members at, body, id, kind, v and no others")
    if fields["v"] != VERSION or type(fields["v"]) is not int:
        raise EntryError(f"an entry of version {fields['v']!r}, known is {VERSION}")
    if not isinstance(fields["id"], str):
        raise EntryError("an id is a text")
    try:
        kind = Kind(fields["kind"])
    except ValueError as error:
        raise EntryError(f"not a kind of entry: {fields['kind']!r}") from error
    again = entry(kind, fields["body"], at_ms=fields["at"], id=fields["id"])
    if again != data:
        raise EntryError("not in canonical form")
    return Entry(fields["at"], fields["body"], fields["id"], kind)


def seal(
    kind: Kind,
    body: dict[str, Any],
    *,
    at_ms: int | None = None,
    id: str | None = None,  # noqa: A002
) -> tuple[bytes, Sealed]:
    """A sealed entry, and what opens it. Raises EntryError."""
    at = now_ms() if at_ms is None else at_ms
    name = new_id(at) if id is None else id
    entry(kind, body, at_ms=at, id=name)  # what is hidden keeps the same rules
    opener = Sealed(name, os.urandom(SALT_BYTES).hex(), body)
    return entry(kind, {"commitment": commitment(opener)}, at_ms=at, id=name), opener


def commitment(opener: Sealed) -> str:
    """SHA-256(salt || canonical body), in hex. Raises EntryError."""
    try:
        salt = bytes.fromhex(opener.salt)
    except ValueError as error:
        raise EntryError("the salt is not in hex") from error
    if len(salt) != SALT_BYTES:
        raise EntryError(f"a salt has {SALT_BYTES} bytes")
    return hashlib.sha256(salt + canonical(opener.body)).hexdigest()


def opens(found: Entry, opener: Sealed) -> bool:
    """Whether this is what the sealed entry stands for. Raises EntryError."""
    return found.id == opener.id and found.body == {"commitment": commitment(opener)}
