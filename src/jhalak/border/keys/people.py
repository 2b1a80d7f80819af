"""One key for each person: what it encrypted is gone for good when the key is (crypto-shredding).

Encryption is AES-256-GCM. Person, purpose and version of the format are associated data: a
ciphertext that is moved to another person, or used for another purpose, does not open. Nothing is
remembered between calls, so a key that another process destroyed is gone here at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jhalak.border.keys.errors import KeyMissing, KeyRefused, Shredded
from jhalak.border.keys.installation import Installation, about_person
from jhalak.border.keys.roots import SIZE, Item, seal, unseal
from jhalak.border.keys.rotation import Progress, Rotated, rewrap
from jhalak.border.keys.store import SUBJECT, Row

VERSION = b"\x01"
OVERHEAD = 29  # bytes: version, nonce, tag


def _about(person_id: str, purpose: str) -> bytes:
    """No two triples of version, purpose and person have one form."""
    name = purpose.encode()
    return VERSION + len(name).to_bytes(2, "big") + name + person_id.encode()


class PersonKeys:
    """Keys of people, by a name that no two people ever have. Any thread may use it."""

    def __init__(self, folder: Path, installation: Installation) -> None:
        if folder != installation.folder:
            raise ValueError("people's keys lie beside what wraps them")
        self._installation = installation
        self._store = installation.store

    def encrypt(self, person_id: str, purpose: str, plaintext: bytes) -> bytes:
        """29 bytes longer than `plaintext`. The person's key is made when first needed. Raises
        Shredded, KeyMissing, KeysAway.
        """
        key = AESGCM(self._found_or_made(person_id))
        return VERSION + seal(key, plaintext, _about(person_id, purpose))

    def decrypt(self, person_id: str, purpose: str, ciphertext: bytes) -> bytes:
        """Raises Shredded, KeyRefused (altered, or another's), KeyMissing, KeysAway."""
        if ciphertext[:1] != VERSION:
            raise KeyRefused("this is encrypted in no form that is known here")
        subject = self._subject(person_id)
        row = self._store.find("people", subject)
        if row is None:
            raise KeyMissing("this person has no key")
        key = AESGCM(self._opened(row, subject))
        return unseal(key, ciphertext[1:], _about(person_id, purpose))

    def shred(self, person_id: str) -> bool:
        """Destroys a person's key, for ever; no other is made. True if there was one. Raises
        KeysAway, also when the key is destroyed and its trace in the WAL is not yet: call it again.
        """
        return self._store.shred(self._subject(person_id))

    def replay(self, subjects: Iterable[bytes]) -> int:
        """Destroys again what the log says was destroyed, by subject hashes (32 bytes): after keys
        were restored from a backup. How many there still were. One that is destroyed already costs
        a look: this is done at each start, and destroying has two syncs.
        """
        return sum(self._store.shred(one) for one in self._not_destroyed(subjects))

    def _not_destroyed(self, subjects: Iterable[bytes]) -> Iterator[bytes]:
        for subject in subjects:
            row = self._store.find("people", subject[:SUBJECT])
            if row is None or row.wrapped is not None:
                yield subject[:SUBJECT]

    def counts(self) -> tuple[int, int]:
        """How many people have a key, and whose was destroyed."""
        return self._store.counts()

    def rewrap(self, progress: Progress | None = None) -> Rotated:
        """A new installation key, and every key wrapped by it: see `rotation.rewrap`."""
        return rewrap(self._installation, progress)

    def _subject(self, person_id: str) -> bytes:
        return self._installation.subject_hash(person_id)[:SUBJECT]

    def _found_or_made(self, person_id: str) -> bytes:
        subject = self._subject(person_id)
        while (row := self._store.find("people", subject)) is None:
            now = self._installation.newest()
            item = Item(os.urandom(SIZE), about_person(subject))
            wrapped = self._installation.wrap_many([item], now)[0]
            self._store.insert("people", Row(subject, now.number, wrapped))
        return self._opened(row, subject)

    def _opened(self, row: Row, subject: bytes) -> bytes:
        while True:
            if row.wrapped is None:
                raise Shredded("this person's key was destroyed")
            try:
                return self._installation.unwrap(row.wrapped, about_person(subject))
            except KeyRefused:
                again = self._store.find("people", subject)
                if again is None or again == row:  # else a rotation was there in between
                    raise
                row = again
