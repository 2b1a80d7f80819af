"""Has the witnesses of `<data>/border/witnesses.txt` cosign the border's log."""

from __future__ import annotations

import logging

from jhalak.border.log import witnesses
from jhalak.border.log.keys import key_file, load_signer, log_folder
from jhalak.border.log.notes import Note, NoteError
from jhalak.border.log.tiles import TileError, Tiles
from jhalak.options import options
from jhalak.witness import WitnessError, ask

logger = logging.getLogger(__name__)


def cosign() -> tuple[Note | None, list[str]]:
    """Ask each witness for its signature on one checkpoint, which is kept if anybody signed.
    Returns it, and what went wrong with whom. Raises NoteError, OSError.
    """
    data = options().folder
    folder = log_folder(data)
    log = load_signer(key_file(data)).verifier
    tiles = _Frozen(folder)
    found: Note | None = None
    wrong: list[str] = []
    for verifier, at in witnesses.load(data / "border"):
        if not at:
            continue
        try:
            note = ask(at, verifier, tiles, log, witnesses.last_size(folder))
        except (WitnessError, TileError) as error:
            wrong.append(f"{verifier.name}: {error}")
            continue
        fresh = note.signatures[-1]
        found = Note(note.text, (*(found or note).signatures, *([fresh] if found else [])))
    if found is not None:
        witnesses.keep(folder, found)
    return found, wrong


class _Frozen(Tiles):
    """A log as it was when it was first looked at: all witnesses sign the same checkpoint."""

    _data: bytes | None = None

    def checkpoint(self) -> bytes:
        if self._data is None:
            self._data = super().checkpoint()
        return self._data


def wanted() -> bool:
    """Whether there is somebody to ask and something that is not cosigned."""
    data = options().folder
    try:
        if not any(at for _, at in witnesses.load(data / "border")):
            return False
        text = Tiles(log_folder(data)).checkpoint()
    except (NoteError, TileError) as error:
        logger.error("the log cannot be cosigned: %s", error)
        return False
    return not (witnesses.last(log_folder(data)) or b"").startswith(text)
