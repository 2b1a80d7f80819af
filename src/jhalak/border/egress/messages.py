"""How a process of the site and the broker speak, over a Unix socket: one question, one reply.

frame    the body's length in 4 bytes (little-endian), the body in JSON
"""

from __future__ import annotations

import socket
import struct
import time

import msgspec

_HEAD = struct.Struct("<I")
MOST_ASKED = 1 << 20  # bytes
MOST_ANSWERED = 2 << 20


class BadFrame(Exception):
    """Bytes that are no message; says why."""


class Mail(msgspec.Struct, frozen=True, tag="mail", forbid_unknown_fields=True):
    """One mail to one person, in plain text."""

    to: str
    subject: str
    text: str


class Post(msgspec.Struct, frozen=True, tag="post", forbid_unknown_fields=True):
    """A POST of JSON over HTTPS. `path` begins with "/" and may have a query."""

    path: str
    body: msgspec.Raw


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    destination: str
    request: Mail | Post


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """It was delivered to who answers there; `status` is theirs (HTTP's, or SMTP's 250)."""

    status: int
    body: bytes = b""


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """It was not. `left`: whether some of it may have left all the same."""

    reason: str
    left: bool = False


Reply = Answer | Refusal


def write(line: socket.socket, message: Asked | Reply) -> None:
    body = msgspec.json.encode(message)
    line.sendall(_HEAD.pack(len(body)) + body)


def read(line: socket.socket, most: int, until: float) -> bytes:
    """The body of one frame, whole by `until` (of time.monotonic). Raises BadFrame, OSError."""
    (length,) = _HEAD.unpack(_exactly(line, _HEAD.size, until))
    if length > most:
        raise BadFrame(f"{length} bytes are too many: at most {most}")
    return _exactly(line, length, until)


def _exactly(line: socket.socket, size: int, until: float) -> bytes:
    parts, left = [], size
    while left:
        time_left = until - time.monotonic()
        if time_left <= 0:
            raise TimeoutError("it took too long")
        line.settimeout(time_left)
        part = line.recv(min(left, 1 << 16))
        if not part:
            raise BadFrame("it broke off")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
