"""The keys of this room: to sign, to name somebody by a hash, to seal what the law has us keep."""

from __future__ import annotations

import hmac
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from jhalak.people.models import Person

NONCE = 12  # bytes


def public_id(person: Person) -> str:
    """What a person is called in hashes. The moment of joining is in it: a number may come again
    after a backup was restored, and then it is somebody else's.
    """
    return f"m{person.pk}.{round(person.created.timestamp() * 1_000_000)}"


def _secret(name: str) -> bytes:
    key = HKDF(SHA256(), 32, salt=None, info=f"jhalak rights {name}".encode())
    return key.derive(settings.SECRET_KEY.encode())


def subject_of(person: Person) -> str:
    """A person's name in the border's log, in hex: nobody without the key finds out whose it is."""
    return hmac.digest(_secret("subject"), public_id(person).encode(), "sha256").hex()


def hash_of(kind: str, value: str) -> str:
    """By which a value is found again and not read, in hex."""
    return hmac.digest(_secret(f"lookup {kind}"), value.encode(), "sha256").hex()


def signing_key() -> Ed25519PrivateKey:
    """Signs downloads and receipts."""
    return Ed25519PrivateKey.from_private_bytes(_secret("signing"))


def seal(data: bytes) -> bytes:
    """Encrypted under a key that no other part of the product has."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(_secret("kept")).encrypt(nonce, data, None)


def unseal(sealed: bytes) -> bytes:
    """Raises InvalidTag."""
    return AESGCM(_secret("kept")).decrypt(sealed[:NONCE], sealed[NONCE:], None)
