"""How a web process and the feed process speak: frames over a stream, one answer to each question.

    frame    "jhf", the version in one byte, the body's length in 4 bytes (little-endian); the body
    ask      MessagePack of [name, offset, [arguments]]
    reply    MessagePack of ["answer", offset, result] or ["refusal", kind, words]

What can be asked is what `Feed` and `Clock` name, and nothing else: methods whose arguments and
result are read by their annotations, so that every value is checked where it arrives. `offset` in a
question is the end of the event log as who asks saw it: the answer knows everything up to there.

A frame of another version, too long a one or one that cannot be read is refused with words, and the
connection is closed, because nothing after it can be trusted.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Sequence
from typing import Any, Protocol, get_type_hints

import msgspec

from jhalak.feed import Engine, Query, Slate
from jhalak.feed.clock import WatchClock
from jhalak.feed.engine import Score
from jhalak.feed.held import Held
from jhalak.feed.ring import Ring

VERSION = 1
HEAD = struct.Struct("<3sBI")
MOST_ASKED = 256 << 10  # bytes of a question
MOST_ANSWERED = 8 << 20  # bytes of a reply


class Feed(Protocol):
    """What can be asked of the engine, wherever it is. A further method needs its line here."""

    def slate(self, query: Query) -> Slate: ...
    def score(self, query: Query, videos: Sequence[int]) -> list[Score]: ...
    def held(self, viewer: str, now_ms: int) -> Held: ...
    def report(self) -> dict[str, Any]: ...
    def figures(self) -> dict[str, Any]: ...
    def ring(self, now_ms: int, count: int) -> Ring: ...


class Clock(Protocol):
    """How much watching to believe: one clock for all web processes (feed.clock.WatchClock)."""

    def bound(
        self, viewer: str, served_ms: int, now_ms: int, duration_ms: int, claimed_ms: float
    ) -> int: ...
    def give_back(self, viewer: str, credit_ms: int) -> None: ...


class BadFrame(Exception):
    """Bytes that are no frame, or a body that is no message; the message says which."""


class Kind(enum.StrEnum):
    """Why there is no answer."""

    FRAME = "frame"  # the bytes could not be read
    VALUE = "value"  # the engine does not take these arguments
    FAILED = "failed"  # the engine raised, or does not know the log as far as was asked


class Ask(msgspec.Struct, frozen=True, array_like=True):
    name: str
    offset: int
    arguments: msgspec.Raw


class Answer(msgspec.Struct, frozen=True, array_like=True, tag="answer"):
    offset: int
    result: msgspec.Raw


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag="refusal"):
    kind: Kind
    words: str


class Call:
    """A method that can be asked for: whose it is, how its arguments and its result are read."""

    def __init__(self, owner: type, name: str) -> None:
        self.owner = owner
        hints = get_type_hints(getattr(owner, name))
        result = hints.pop("return")
        self.arguments: Callable[[msgspec.Raw], tuple[Any, ...]]
        self.arguments = msgspec.msgpack.Decoder(tuple[tuple(hints.values())]).decode  # type: ignore[misc]
        self.result: Callable[[msgspec.Raw], Any] = msgspec.msgpack.Decoder(result).decode


CALLS: dict[str, Call] = {
    name: Call(owner, name)
    for asked, owner in ((Feed, Engine), (Clock, WatchClock))
    for name in vars(asked)
    if not name.startswith("_")
}

encode = msgspec.msgpack.Encoder().encode
_ask = msgspec.msgpack.Decoder(Ask).decode
_reply: Callable[[bytes], Answer | Refusal] = msgspec.msgpack.Decoder(Answer | Refusal).decode


def frame(message: Ask | Answer | Refusal) -> bytes:
    body = encode(message)
    return HEAD.pack(b"jhf", VERSION, len(body)) + body


def question(name: str, offset: int, arguments: tuple[Any, ...]) -> bytes:
    return frame(Ask(name, offset, msgspec.Raw(encode(arguments))))


def take(received: bytearray, most: int) -> bytes | None:
    """The body of the frame that `received` begins with, cut off from it; None while it is not
    whole. Raises BadFrame as soon as it cannot become one.
    """
    if len(received) < HEAD.size:
        return None
    magic, version, length = HEAD.unpack_from(received)
    if magic != b"jhf":
        raise BadFrame("this is no question to the feed engine")
    if version != VERSION:
        raise BadFrame(f"version {version} is spoken here; the feed engine speaks {VERSION}")
    if length > most:
        raise BadFrame(f"a message of {length} bytes; at most {most} are taken")
    end = HEAD.size + length
    if len(received) < end:
        return None
    body = bytes(received[HEAD.size : end])
    del received[:end]
    return body


def read_ask(body: bytes) -> Ask:
    """Raises BadFrame."""
    try:
        return _ask(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(f"a question that cannot be read: {error}") from error


def read_reply(body: bytes) -> Answer | Refusal:
    """Raises BadFrame."""
    try:
        return _reply(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(f"a reply that cannot be read: {error}") from error
