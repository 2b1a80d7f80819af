"""The registry of trained artefacts: bytes, and a manifest that says where they come from.

    <folder>/<digest>/artefact          what was trained
    <folder>/<digest>/manifest.json     what it is, from what data, code, seed and settings, how it
                                        did at the gate

The digest is the SHA-256 of the manifest, and the manifest holds that of the artefact, as in an OCI
image. So an event of the log that names a digest names all of it, and nothing is loaded whose bytes
or story were altered. A manifest holds no clock: the same log, code and settings give the same
bytes and the same digest.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

import msgspec

ARTEFACT, MANIFEST = "artefact", "manifest.json"
MOST_MANIFEST = 1 << 20  # bytes
MOST_ARTEFACT = 4 << 30
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ModelError(Exception):
    """An artefact that may not be used, or cannot be kept; the message says why."""


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of the event log that was learnt from. `root`: SHA-256 over offset, length and body
    of each event in it, in order.
    """

    first: int
    last: int
    events: int
    root: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    sha256: str  # of the artefact
    size: int  # of the artefact, in bytes
    data: Span
    code: str  # SHA-256 over the sources that trained it
    seed: int
    settings: dict[str, float]
    gate: dict[str, float | str]
    libraries: dict[str, str]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write(folder: Path, artefact: bytes, manifest: Manifest) -> str:
    """Keeps an artefact, whole or not at all; returns its digest. Keeping the same once more
    changes nothing. Raises ModelError when the manifest is not of these bytes, OSError when the
    disk does not take them.
    """
    if (manifest.sha256, manifest.size) != (sha256(artefact), len(artefact)):
        raise ModelError("the manifest is not of this artefact")
    story = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
    digest = sha256(story)
    target, fresh = folder / digest, folder / f".{digest}.{os.getpid()}.new"
    try:
        read(folder, manifest.kind, digest)
    except ModelError:
        shutil.rmtree(target, ignore_errors=True)  # absent, or damaged: put there anew
    else:
        return digest
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        for name, data in ((ARTEFACT, artefact), (MANIFEST, story)):
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # the rename is durable only when the folder is
    finally:
        os.close(handle)
    return digest


def read_manifest(folder: Path, digest: str) -> Manifest:
    """The manifest of this digest, unaltered. Raises ModelError."""
    if not _DIGEST.fullmatch(digest):
        raise ModelError(f"{digest[:80]!r} is no digest")
    story = _bytes(folder / digest / MANIFEST, MOST_MANIFEST)
    if sha256(story) != digest:
        raise ModelError(f"the manifest of {digest[:12]} was altered: its digest does not hold")
    try:
        return msgspec.json.decode(story, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"the manifest of {digest[:12]} is none: {error}") from error


def read(folder: Path, kind: str, digest: str) -> bytes:
    """The artefact of this digest, if every byte of it and of its manifest is as it was written and
    it is of this kind. Raises ModelError, which says what is not so.
    """
    manifest = read_manifest(folder, digest)
    if manifest.kind != kind:
        raise ModelError(f"{digest[:12]} is {manifest.kind[:40]!r} and not {kind!r}")
    if not 0 <= manifest.size <= MOST_ARTEFACT:
        raise ModelError(f"the manifest of {digest[:12]} speaks of {manifest.size} bytes")
    artefact = _bytes(folder / digest / ARTEFACT, manifest.size)
    if len(artefact) != manifest.size or sha256(artefact) != manifest.sha256:
        raise ModelError(f"the artefact of {digest[:12]} is cut off or was altered")
    return artefact


def _bytes(path: Path, most: int) -> bytes:
    """One byte more than `most` at most, so that no file fills the memory."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.parent.name[:12]}/{path.name} cannot be read: {error}") from error
