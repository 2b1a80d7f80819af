"""Who cosigns this installation's log: `<data>/border/witnesses.txt`, one witness a line.

    witness.example/one+6e1c34f2+BOvN...  /srv/jhalak/border/witness.sock

The witness's key, then where it is asked: the path of a Unix socket, or address:port on this
machine; without it the key stands there for evidence packs alone. What was cosigned last lies as
`cosigned` in the log's folder: a checkpoint with the signatures of the log and of the witnesses.
"""

from __future__ import annotations

from pathlib import Path

from jhalak.border.log import durable
from jhalak.border.log.checkpoints import read_text
from jhalak.border.log.notes import Note, NoteError, Verifier, parse

FILE = "witnesses.txt"
COSIGNED = "cosigned"


def load(border: Path) -> list[tuple[Verifier, str]]:
    """Each witness and where it is asked ("": nowhere). Raises NoteError naming the line."""
    try:
        lines = (border / FILE).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            found.append((Verifier.parse(words[0]), " ".join(words[1:])))
        except NoteError as error:
            raise NoteError(f"{FILE}, line {number}: {error}") from error
    return found


def keep(log_folder: Path, note: Note) -> None:
    """Keep a cosigned checkpoint as the last one. Raises OSError."""
    durable.replace(log_folder / COSIGNED, str(note).encode())


def last(log_folder: Path) -> bytes | None:
    """The checkpoint that was cosigned last; None if none was."""
    try:
        return (log_folder / COSIGNED).read_bytes()
    except FileNotFoundError:
        return None


def last_size(log_folder: Path) -> int:
    """How much of the log is cosigned. 0 if nothing, or if what lies there is no note."""
    try:
        return read_text(parse(last(log_folder) or b"").text).size
    except NoteError:
        return 0
