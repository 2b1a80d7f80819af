"""The installation's key, and what is derived from it.

    root, one generation ── wraps ──┬── secrets of the installation, 32 bytes each, by name
    (file, variable, service)       │     "hashes"  ── HKDF ──> one HMAC key for each kind of hash
                                    │     "signing" ── HKDF ──> Ed25519 seeds
                                    └── one key for each person (people.py)

A root wraps and does nothing else, so that a rotation exchanges it in minutes: keyed hashes and
signatures stay what they are. With a key service the hashes are made by the service.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jhalak.border.keys import transit
from jhalak.border.keys.errors import KeyMissing, KeyRefused
from jhalak.border.keys.roots import SIZE, Item, Root, derive
from jhalak.border.keys.sources import Source, TransitSource, source
from jhalak.border.keys.store import Generation, Row, Store

FORMAT = b"\x01"
_HEAD = 4  # bytes: the format, then the generation


class Installation:
    """See the module. Any thread may use it; `close` it."""

    def __init__(self, folder: Path, where: Source) -> None:
        self.folder = folder
        self.store = Store(folder)
        self.source = where
        self.made = False  # whether this very load made the key: an event for the log
        self._roots: dict[int, Root] = {}
        self._secrets: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls, folder: Path, env: Mapping[str, str], socket: transit.Service | None = None
    ) -> Installation:
        """The key of the installation whose keys lie in `folder`; made at the first start.

        `env` may hold JHALAK_INSTALLATION_KEY; `socket` is a key service, which then counts. Raises
        KeyMissing when keys are here and what wraps them is not, KeyRefused for a wrong one,
        KeysAway.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = cls(folder, source(folder, env, socket))
        try:
            if not made.store.living():
                made.made = made.store.begin_first(made.source.first().key_id)
            made.root(made.newest())
            made.secret("hashes")  # opens what the key wrapped: a service may refuse only now
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        self.store.close()

    # ---- wrapping

    def newest(self) -> Generation:
        return self.store.living()[0]

    def root(self, generation: Generation) -> Root:
        """Raises KeyMissing."""
        found = self._roots.get(generation.number) or self.source.find(generation.key_id)
        if found is None:
            raise KeyMissing(
                f"The installation key {generation.key_id.hex()} is not there, and the keys in"
                f" {self.folder} need it. Put it back as it was (docs/parts/border.md, Keys)."
            )
        self._roots[generation.number] = found
        return found

    def wrap_many(self, items: Sequence[Item], generation: Generation) -> list[bytes]:
        """Raises KeyMissing, KeysAway."""
        head = FORMAT + generation.number.to_bytes(_HEAD - 1, "big")
        return [head + wrapped for wrapped in self.root(generation).wrap(items)]

    def unwrap_many(self, items: Sequence[Item]) -> list[bytes]:
        """All from one generation. Raises KeyRefused, KeyMissing, KeysAway."""
        if not items:
            return []
        heads = {item.data[:_HEAD] for item in items}
        (head,) = heads if len(heads) == 1 else (b"",)
        if len(head) != _HEAD or head[:1] != FORMAT:
            raise KeyRefused("this is no wrapped key of one generation")
        number = int.from_bytes(head[1:], "big")
        living = next((one for one in self.store.living() if one.number == number), None)
        if living is None:
            raise KeyRefused("the installation key that wrapped this has ended")
        bare = [Item(item.data[_HEAD:], item.about) for item in items]
        return self.root(living).unwrap(bare)

    def wrap(self, data: bytes, about: bytes = b"") -> bytes:
        """`data`, at most 64 KiB, wrapped by the newest root. A rotation reaches only what is kept
        here: for what shall outlive one, use `secret`. Raises KeysAway.
        """
        if len(data) > 65536:
            raise ValueError("wrapping is for keys: at most 64 KiB")
        return self.wrap_many([Item(data, about)], self.newest())[0]

    def unwrap(self, wrapped: bytes, about: bytes = b"") -> bytes:
        """Raises KeyRefused, KeyMissing, KeysAway."""
        return self.unwrap_many([Item(wrapped, about)])[0]

    # ---- what is derived

    def secret(self, name: str) -> bytes:
        """32 random bytes of this name, made when first asked for, the same ever after."""
        with self._lock:
            if name not in self._secrets:
                self._secrets[name] = self._found_or_made(name)
            return self._secrets[name]

    def _found_or_made(self, name: str) -> bytes:
        about = about_secret(name)
        while (row := self.store.find("secrets", name)) is None:
            now = self.newest()
            wrapped = self.wrap_many([Item(os.urandom(SIZE), about)], now)[0]
            self.store.insert("secrets", Row(name, now.number, wrapped))
        return self.unwrap(row.wrapped or b"", about)

    def _hash(self, purpose: str, value: bytes) -> bytes:
        if isinstance(self.source, TransitSource):
            return transit.mac(self.source.service, purpose.encode() + b"\0" + value)
        return hmac.digest(derive(self.secret("hashes"), purpose), value, "sha256")

    def lookup_hash(self, kind: str, value: str) -> bytes:
        """32 bytes by which a value is found again and not read: HMAC-SHA-256. Each kind ("mail",
        "phone") has a key of its own. Raises KeysAway.
        """
        return self._hash(f"lookup/{kind}", value.encode())

    def subject_hash(self, person_id: str) -> bytes:
        """A person's name in the log, 32 bytes: nobody without the key finds out whose it is.
        Raises KeysAway.
        """
        return self._hash("subject", person_id.encode())

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """The installation's key to sign for one purpose, e.g. "export". Raises KeysAway."""
        seed = derive(self.secret("signing"), f"signing/{purpose}")
        return Ed25519PrivateKey.from_private_bytes(seed)


def about_secret(name: str) -> bytes:
    return b"jhalak secret v1\0" + name.encode()


def about_person(subject: bytes) -> bytes:
    return b"jhalak person's key v1\0" + subject
