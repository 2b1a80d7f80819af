"""Signed notes (C2SP signed-note) with Ed25519, and the timestamped signatures of witnesses (C2SP
tlog-cosignature, cosignature/v1).

    text, each line ended by a newline
    <empty line>
    — <key name> base64(key id, 4 bytes || signature)

Keys are written as golang.org/x/mod/sumdb/note does: `name+id+base64(type || public key)` for who
verifies, `PRIVATE+KEY+name+id+base64(type || seed)` for who signs.
"""

from __future__ import annotations

import base64
import binascii
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LONGEST = 64 << 10  # bytes of a note
MOST_SIGNATURES = 64
_DASH = "— "
_PRIVATE = "PRIVATE+KEY+"


class NoteError(ValueError):
    """No note, no key, or no signature that is to be trusted; the message says which."""


class Type(IntEnum):
    """What a signature means, as signed-note numbers it."""

    NOTE = 1  # Ed25519 over the text
    COSIGNATURE = 4  # Ed25519 over a time and the text: cosignature/v1


@dataclass(frozen=True)
class Signature:
    """One signature line, not verified. `data`: what follows the four bytes of the key's id."""

    name: str
    key_id: bytes
    data: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A note, taken apart and not verified."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


@dataclass(frozen=True)
class Verifier:
    """A name and a public key that somebody trusts."""

    name: str
    public: bytes
    type: Type = Type.NOTE

    @property
    def key_id(self) -> bytes:
        return sha256(_checked(self.name).encode() + b"\n" + self._typed()).digest()[:4]

    def _typed(self) -> bytes:
        return bytes([self.type]) + self.public

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._typed()).decode()}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read `name+id+base64`. Raises NoteError."""
        name, key_id, coded = _three(text)
        type_, public = _typed_key(coded)
        found = cls(_checked(name), public, type_)
        if found.key_id.hex() != key_id:
            raise NoteError(f"the key of {name} does not have the id {key_id}")
        return found

    def made(self, signature: Signature) -> bool:
        """Whether a signature says that it is by this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def verify(self, text: str, signature: Signature) -> int:
        """The time of a cosignature in s since the epoch, 0 for other types. Raises NoteError if
        the signature is not by this key over this text.
        """
        data, at, message = signature.data, 0, text.encode()
        if self.type is Type.COSIGNATURE:
            if len(data) != 72:
                raise NoteError(f"a cosignature of {self.name} has 72 bytes, this one {len(data)}")
            (at,) = struct.unpack(">Q", data[:8])
            message, data = _cosigned(text, at), data[8:]
        try:
            if not self.made(signature):
                raise InvalidSignature
            Ed25519PublicKey.from_public_bytes(self.public).verify(data, message)
        except (InvalidSignature, ValueError) as error:
            raise NoteError(f"the signature of {self.name} is wrong") from error
        return int(at)


@dataclass(frozen=True)
class Signer:
    """A name and its private key."""

    name: str
    key: Ed25519PrivateKey
    type: Type = Type.NOTE

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.key.public_key().public_bytes_raw(), self.type)

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read `PRIVATE+KEY+name+id+base64`. Raises NoteError, which tells nothing of the key."""
        if not text.startswith(_PRIVATE):
            raise NoteError("not a private key of a note")
        name, key_id, coded = _three(text.removeprefix(_PRIVATE))
        type_, seed = _typed_key(coded)
        found = cls(_checked(name), Ed25519PrivateKey.from_private_bytes(seed), type_)
        if found.verifier.key_id.hex() != key_id:
            raise NoteError(f"the private key of {name} does not have the id {key_id}")
        return found

    def private_text(self) -> str:
        """The key as text, for a file that nobody else reads."""
        coded = base64.b64encode(bytes([self.type]) + self.key.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{coded}"

    def sign(self, text: str, at_s: int | None = None) -> Signature:
        """Sign a text, which ends in a newline. `at_s`: the time that a cosignature says, now by
        default. Raises NoteError if a note cannot hold the text.
        """
        _check_text(text)
        if self.type is Type.NOTE:
            data = self.key.sign(text.encode())
        else:
            at = int(time.time()) if at_s is None else at_s
            data = struct.pack(">Q", at) + self.key.sign(_cosigned(text, at))
        return Signature(self.name, self.verifier.key_id, data)


def generate(name: str, type: Type = Type.NOTE) -> Signer:  # noqa: A002
    """A new key. Raises NoteError if the name cannot be one."""
    return Signer(_checked(name), Ed25519PrivateKey.generate(), type)


def parse(data: bytes) -> Note:
    """Take a note apart. Raises NoteError for whatever is none."""
    if len(data) > LONGEST:
        raise NoteError(f"a note has at most {LONGEST} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    if any(letter < " " and letter != "\n" for letter in whole):
        raise NoteError("a note holds no control characters")
    text, gap, lines = whole.rpartition("\n\n")
    if not gap:
        raise NoteError("a note has an empty line before its signatures")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, of which there is at least one. Raises NoteError."""
    if not lines.endswith("\n"):
        raise NoteError("a note ends in a newline")
    found = lines.removesuffix("\n").split("\n")
    if len(found) > MOST_SIGNATURES:
        raise NoteError(f"a note has at most {MOST_SIGNATURES} signatures")
    return tuple(map(_signature, found))


def verify(note: Note, known: Sequence[Verifier]) -> list[tuple[Verifier, int]]:
    """Who of the known signed, each once, and when (`Verifier.verify`); the unknown are passed
    over.

    Raises NoteError if a known key's signature is wrong, or if none is there.
    """
    found: dict[str, tuple[Verifier, int]] = {}
    for signature in note.signatures:
        for verifier in known:
            if verifier.made(signature):
                at = verifier.verify(note.text, signature)
                found.setdefault(str(verifier), (verifier, at))
    if not found:
        raise NoteError("no signature of a key that is trusted")
    return list(found.values())


def _signature(line: str) -> Signature:
    name, space, coded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("not a signature line")
    data = decode64(coded)
    if len(data) < 5:
        raise NoteError("a signature is too short")
    return Signature(_checked(name), data[:4], data[4:])


def decode64(text: str) -> bytes:
    """Standard base64 in its one form. Raises NoteError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("not base64") from error
    if base64.b64encode(data).decode() != text:
        raise NoteError("not base64 in its one form")
    return data


def _cosigned(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(letter < " " and letter != "\n" for letter in text):
        raise NoteError("a note's text ends in a newline and holds no other control characters")


def _checked(name: str) -> str:
    if not name or "+" in name or any(letter.isspace() or letter < " " for letter in name):
        raise NoteError(f"not a key's name: {name[:80]!r}")
    return name


def _three(text: str) -> tuple[str, str, str]:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise NoteError("a key is name+id+base64")
    return parts[0], parts[1], parts[2]


def _typed_key(coded: str) -> tuple[Type, bytes]:
    data = decode64(coded)
    if len(data) != 33:
        raise NoteError("an Ed25519 key has 32 bytes and one for its type")
    try:
        return Type(data[0]), data[1:]
    except ValueError as error:
        raise NoteError(f"keys of type {data[0]} are not known here") from error
