"""Roots: one generation of the installation key each, which wraps other keys and does nothing else.

A local root is 32 random bytes. Its wrapping key and its name come out of it by HKDF-SHA-256 (RFC
5869), so that neither says anything about the other; wrapping is AES-256-GCM (NIST SP 800-38D) with
a random nonce of 96 bits. What the wrapped key is for goes in as associated data: a wrapped key
that is moved to another person's row does not open.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jhalak.border.keys.errors import KeyRefused

SIZE = 32  # bytes of every key here
NONCE = 12


class Item(NamedTuple):
    """What is wrapped or unwrapped, and what it is for."""

    data: bytes
    about: bytes


class Root(Protocol):
    """One generation of the installation key."""

    @property
    def key_id(self) -> bytes:
        """Names the root and gives nothing of it away. At most 64 bytes."""

    def wrap(self, items: Sequence[Item]) -> list[bytes]:
        """Raises KeysAway."""

    def unwrap(self, items: Sequence[Item]) -> list[bytes]:
        """Raises KeyRefused for what another root wrapped, or somebody changed; KeysAway."""


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, by HKDF-SHA-256."""
    return HKDF(SHA256(), SIZE, salt=None, info=f"jhalak/v1/{purpose}".encode()).derive(secret)


def seal(key: AESGCM, data: bytes, about: bytes) -> bytes:
    """nonce || ciphertext || tag: 28 bytes more than `data`."""
    nonce = os.urandom(NONCE)
    return nonce + key.encrypt(nonce, data, about)


def unseal(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    """Raises KeyRefused."""
    try:
        return key.decrypt(sealed[:NONCE], sealed[NONCE:], about)
    except (InvalidTag, ValueError) as error:  # ValueError: too short to be one
        raise KeyRefused("this was encrypted with another key, or was altered") from error


class LocalRoot:
    """A root whose 32 bytes this process holds."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SIZE:
            raise KeyRefused(f"an installation key has {SIZE} bytes, this one {len(secret)}")
        self.key_id = derive(secret, "id")[:8]
        self._key = AESGCM(derive(secret, "wrap"))

    def wrap(self, items: Sequence[Item]) -> list[bytes]:
        return [seal(self._key, item.data, item.about) for item in items]

    def unwrap(self, items: Sequence[Item]) -> list[bytes]:
        return [unseal(self._key, item.data, item.about) for item in items]
