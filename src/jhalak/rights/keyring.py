"""The installation's keys as this room needs them: to name somebody by a hash, to sign, to seal
what the law has us keep. Each raises KeysError.
"""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jhalak.people.models import Person
from jhalak.records import keyring
from jhalak.records.keyring import installation

NONCE = 12  # bytes


def subject_of(person: Person) -> str:
    """A person's name in the border's log."""
    return keyring.subject_of(person.key_name)


def hash_of(kind: str, value: str) -> str:
    """By which a value is found again and not read, in hex."""
    return installation().lookup_hash(f"rights/{kind}", value).hex()


def signing_key() -> Ed25519PrivateKey:
    """Signs downloads and receipts."""
    return installation().signing_key("rights")


def _kept() -> AESGCM:
    return AESGCM(installation().secret("rights/kept"))


def seal(data: bytes) -> bytes:
    """Encrypted under a key that no other part of the product has."""
    nonce = os.urandom(NONCE)
    return nonce + _kept().encrypt(nonce, data, None)


def unseal(sealed: bytes) -> bytes:
    """Raises InvalidTag."""
    return _kept().decrypt(sealed[:NONCE], sealed[NONCE:], None)
