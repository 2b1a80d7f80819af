"""What a world already has: DIR/demo.json, written after each step and atomically, so that
nothing is done twice.

The world's one password is made here on the first start: three words and a number, known to
whoever may read the data folder (mode 0600) and printed for the person at the terminal, but the
same in no two worlds.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import msgspec

_WORDS = (
    "aam", "anar", "badal", "bela", "chai", "champa", "chand", "diya", "doli", "gali", "gulab",
    "hansa", "imli", "indra", "jamun", "jheel", "kamal", "kesar", "khat", "koyal", "lehar", "mala",
    "mehndi", "mitti", "mor", "morni", "naav", "nadi", "neem", "nimbu", "noor", "pankh", "patang",
    "phool", "rang", "resham", "rimjhim", "saaz", "sangam", "sarod", "sitara", "sona", "surma",
    "taal", "tabla", "tara", "titli", "tulsi", "veena",
)  # fmt: skip


class Posted(msgspec.Struct):
    """How far one clip came: its upload's address, whether all bytes went, the video's public
    id when known.
    """

    upload: str = ""
    sent: bool = False
    video: str = ""
    last: str = ""  # its last state, once that is settled
    caption: str = ""
    creator: str = ""


class Manifest(msgspec.Struct):
    """`clips` by key, `people` who are set up."""

    password: str
    clips: dict[str, Posted] = {}
    people: list[str] = []
    format: int = 1


class ManifestError(Exception):
    """demo.json cannot be used; the message says what to do."""


def path(folder: Path) -> Path:
    return folder / "demo.json"


def new_password() -> str:
    return "-".join(
        [*(secrets.choice(_WORDS) for _ in range(3)), str(1000 + secrets.randbelow(9000))]
    )


def load(folder: Path) -> Manifest:
    """The manifest of a data folder; a new one is written at once. Raises ManifestError."""
    file = path(folder)
    try:
        return msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Manifest(password=new_password())
        save(folder, fresh)
        return fresh
    except msgspec.DecodeError as error:
        raise ManifestError(
            f"{file} cannot be read ({error}). Move it away, or give another --data folder."
        ) from error


def save(folder: Path, manifest: Manifest) -> None:
    """Whole or not at all."""
    _write(path(folder), manifest)


def load_crowd(folder: Path) -> list[str]:
    """Handles of the crowd's members that exist. Its own file: the crowd is another process."""
    try:
        return msgspec.json.decode((folder / "crowd.json").read_bytes(), type=list[str])
    except (FileNotFoundError, msgspec.DecodeError):
        return []  # they find out by logging in


def save_crowd(folder: Path, handles: list[str]) -> None:
    _write(folder / "crowd.json", handles)


def _write(file: Path, value: object) -> None:
    part = file.with_suffix(f".{os.getpid()}.part")
    raw: Any = msgspec.json.format(msgspec.json.encode(value), indent=1)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
