"""Where a model that the operator brought comes from: a file beside its weights that names each
file by its hash, and says from where and under which licence it is used.

    <folder>/provenance.json
    <data>/border/models/<digest>.json    every such file that was ever declared here

Weights are code that decides: what is loaded is what was declared, to the byte, or it is not
loaded. What Jhalak trains itself has a manifest of its own (jhalak.feed.models).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec

from jhalak.border.log import durable

FILE = "provenance.json"
MOST = 1 << 20  # bytes of the file
MOST_FILES = 1000
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class ProvenanceError(Exception):
    """Weights whose origin is not declared, or that are not what was declared."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`files`: name in the folder -> SHA-256."""

    kind: Text
    origin: Text
    licence: Text
    files: dict[str, str]


def declared_folder(data: Path) -> Path:
    return data / "border" / "models"


def digest(story: bytes) -> str:
    return hashlib.sha256(story).hexdigest()


def declare(folder: Path, data: Path, kind: str, origin: str, licence: str) -> str:
    """Hashes the folder as it is now and writes its provenance, there and among what was declared;
    returns the digest. Raises ProvenanceError, OSError.
    """
    files = _hashes(folder)
    if not files:
        raise ProvenanceError(f"{folder} holds no file")
    try:
        made = msgspec.convert(
            {"kind": kind, "origin": origin, "licence": licence, "files": files}, Provenance
        )
    except msgspec.ValidationError as error:
        raise ProvenanceError(f"the provenance is not whole: {error}") from error
    story = msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=2) + b"\n"
    durable.make_folder(declared_folder(data), 0o700)
    durable.replace(declared_folder(data) / f"{digest(story)}.json", story)
    durable.replace(folder / FILE, story)
    return digest(story)


def check(folder: Path, kind: str) -> str:
    """That every file of a model is what was declared, and none is there beside; returns the digest
    of the provenance. Raises ProvenanceError.
    """
    try:
        with (folder / FILE).open("rb") as file:
            story = file.read(MOST)  # a longer one is cut off, and no JSON
        made = msgspec.json.decode(story, type=Provenance)
        found = _hashes(folder)
    except FileNotFoundError as error:
        raise ProvenanceError(
            f"{folder} does not say where its weights come from: declare it with"
            f" `jhalak border model {folder} --kind {kind} --origin ... --licence ...`"
        ) from error
    except (msgspec.MsgspecError, OSError) as error:
        raise ProvenanceError(f"{folder / FILE} cannot be used: {error}") from error
    if made.kind != kind:
        raise ProvenanceError(f"{folder} is declared as {made.kind!r} and not as {kind!r}")
    for name in sorted(found.keys() | made.files.keys()):
        if found.get(name) != made.files.get(name):
            what = "was added" if name not in made.files else "was altered or is missing"
            raise ProvenanceError(f"{folder / name} {what} since the model was declared")
    return digest(story)


def _hashes(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in (FILE, f"{FILE}.new") or not path.is_file():
            continue
        if len(found) == MOST_FILES:
            raise ProvenanceError(f"{folder} holds more than {MOST_FILES} files: is it a model?")
        with path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
