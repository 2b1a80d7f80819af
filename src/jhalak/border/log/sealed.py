"""What opens sealed entries: `sealed/<id>.json` beside the log, for its owner alone.

{"body":{...},"id":"0199...","salt":"<64 hex>"}
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from jhalak.border.log import durable
from jhalak.border.log.entries import LIMIT, EntryError, Sealed

FOLDER = "sealed"


def keep(log_folder: Path, id: str, data: bytes) -> None:  # noqa: A002
    """Keep what opens an entry, before the entry is appended. Raises OSError."""
    folder = log_folder / FOLDER
    durable.make_folder(folder, 0o700)
    durable.replace(folder / f"{id}.json", data, 0o600)


def read(data: bytes) -> Sealed:
    """What opens an entry, from its file. Raises EntryError."""
    if len(data) > 2 * LIMIT:
        raise EntryError("too long to open an entry")
    try:
        return msgspec.json.decode(data, type=Sealed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EntryError(f"nothing that opens an entry: {error}") from error


def find(log_folder: Path, id: str) -> Sealed:  # noqa: A002
    """What opens the entry with this id. Raises EntryError if it is not kept here."""
    path = log_folder / FOLDER / f"{id}.json"
    if not id.isalnum() or not path.is_file():
        raise EntryError(f"nothing is kept here that opens {id}")
    return read(path.read_bytes())
