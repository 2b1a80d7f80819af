"""What a log says of itself: its name, its size, its root (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from jhalak.border.log.hashing import HASH_BYTES
from jhalak.border.log.notes import Note, NoteError, Verifier, decode64, parse, verify

GREATEST = 2**63 - 1


@dataclass(frozen=True)
class Checkpoint:
    """The size and the root of the log that is named `origin`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_text(text: str) -> Checkpoint:
    """A checkpoint from a note's text; lines after the third are the log's own. Raises
    NoteError.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "" or not all(lines):
        raise NoteError("a checkpoint has at least three lines, none of them empty")
    root = decode64(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteError(f"a root has {HASH_BYTES} bytes")
    return Checkpoint(lines[0], decimal(lines[1]), root)


def decimal(text: str) -> int:
    """A size in its one form. Raises NoteError."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or str(int(text)) != text:
        raise NoteError(f"not a size: {text[:40]!r}")
    if int(text) > GREATEST:
        raise NoteError(f"beyond 2**63: {text}")
    return int(text)


def read_signed(data: bytes, log: Verifier, *others: Verifier) -> tuple[Checkpoint, Note]:
    """A checkpoint that the log signed, with this key or another of its keys. Raises NoteError: no
    note, another log's, a wrong signature, none by these keys.
    """
    note = parse(data)
    found = read_text(note.text)
    if found.origin != log.name:
        raise NoteError(f"a checkpoint of {found.origin}, not of {log.name}")
    verify(note, [log, *others])
    return found, note
