"""Serving tokens: what was served to whom, signed, so that an event can only be about something
that was served.

A token is base64url(version, fields as MessagePack, first 16 bytes of an HMAC-SHA256 over both).
128 bits of MAC are enough against guessing on line and keep the token short (RFC 2104, section 5).
The key is derived from the installation's secret under a name of its own, so that no other
signature made with that secret is ever a token.
"""

from __future__ import annotations

import base64
import enum
import hmac
import math
from functools import lru_cache

import msgspec

LONGEST = 200  # characters; a longer text is refused unread
SKEW_MS = 60_000  # two machines' clocks may differ by this much
_VERSION = b"\x01"
_MAC_BYTES = 16


class Why(enum.StrEnum):
    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"
    FUTURE = "future"


class BadToken(Exception):
    """A token that is not accepted. `why` tells the log; a client is told no more than that it
    is not accepted.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class Served(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One video on one page, as it was served."""

    viewer: str
    video: int
    duration_ms: int
    slate: str
    slot: int
    source: str
    propensity: float
    served_ms: int
    model: str
    score: int | None = None  # what the engine gave it: log-odds, in hundredths
    arms: str = ""  # of experiments that the viewer is in


MOST_SCORE = 2**15 - 1


def hundredths(score: float) -> int | None:
    """A score as tokens and events hold it. None for one that is no number."""
    if not math.isfinite(score):
        return None
    return round(max(-MOST_SCORE, min(MOST_SCORE, 100 * score)))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Served)


@lru_cache(maxsize=8)
def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"jhalak serving token 1", "sha256")


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(_key(secret), body, "sha256")[:_MAC_BYTES]


def mint(secret: bytes, served: Served) -> str:
    """A token of at most LONGEST url-safe characters. Raises ValueError when the fields do not
    fit in one.
    """
    body = _VERSION + _encoder.encode(served)
    token = base64.urlsafe_b64encode(body + _mac(secret, body)).rstrip(b"=").decode("ascii")
    if len(token) > LONGEST:
        raise ValueError(f"a serving token of {len(token)} characters; at most {LONGEST} fit")
    return token


def open(secret: bytes, token: str, now_ms: int, max_age_ms: int) -> Served:  # noqa: A001
    """What the token says. Raises BadToken for anything that `mint` did not make with this
    secret within max_age_ms.
    """
    raw = _decode(token)
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(secret, body)):
        raise BadToken(Why.FORGED)
    if body[:1] != _VERSION:
        raise BadToken(Why.MALFORMED)
    try:
        served = _decoder.decode(body[1:])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadToken(Why.MALFORMED) from error
    if served.served_ms > now_ms + SKEW_MS:
        raise BadToken(Why.FUTURE)
    if now_ms - served.served_ms > max_age_ms:
        raise BadToken(Why.EXPIRED)
    return served


def _decode(token: str) -> bytes:
    """The bytes of a token. Each token has one spelling: padding, foreign letters and loose last
    bits are refused.
    """
    if not isinstance(token, str) or len(token) > LONGEST or not token.isascii():
        raise BadToken(Why.MALFORMED)
    text = token.encode("ascii")
    try:
        raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise BadToken(Why.MALFORMED) from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text or len(raw) <= _MAC_BYTES + 1:
        raise BadToken(Why.MALFORMED)
    return raw
