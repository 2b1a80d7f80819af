"""Gathers one evidence pack from what an installation keeps in its data folder.

What only the application knows (the map, who has which role) comes in as `Said`; the engine opens
no database. The order is that of trust: the log first, all else after it, the manifest over all,
and the report last, made by the very verifier that a stranger will run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from jhalak.border.evidence.copying import copy_tiles, first_entry
from jhalak.border.log import rotation, witnesses
from jhalak.verify import verify

Tell = Callable[[str, int, int], None]


class EvidenceError(Exception):
    """No pack can be made; the message says why."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation says of itself, each as verify.py reads it."""

    map: Mapping[str, Any]  # declared: {name: ...}, live: [name], differences: [sentence]
    processes: list[Any]  # {name, pid, started_ms, sealed, walls, why}
    destinations: list[Any]  # {name, host, port, purpose, classes, owner, expires}
    exceptions: list[Any]  # {kind, subject, reason, owner, expires, from_ms?, until_ms?}
    release: Mapping[str, Any]  # the release manifest, and differences: [sentence]
    models: Mapping[str, tuple[Mapping[str, Any], bytes]]  # digest -> (line, manifest)
    people: list[Any]  # {name, roles, subject} of who has more than a viewer's rights
    materials: Mapping[str, Any]  # CycloneDX
    captures: list[Any]  # {capture, sha256, differences}
    keys: Mapping[str, Any]  # log: verifier key, witnesses: [verifier key]
    jurisdiction: str  # the operator's statement


def gather(
    log: Path,
    out: Path,
    said: Said,
    *,
    since_ms: int,
    until_ms: int,
    period_ms: int,
    sign: Callable[[str], bytes],
    tell: Tell = lambda _what, _done, _of: None,
    processes: int | None = None,
) -> verify.Report:
    """Writes the pack `out`, which must not exist, and returns what the verifier says of it.

    `log`: the folder with `checkpoint` and `tile`. `sign`: from a note's text to the note signed
    with the log's key. Raises EvidenceError; then nothing is left at `out`.
    """
    if out.exists() or out.is_symlink():
        raise EvidenceError(f"{out} is there already, and evidence is not overwritten")
    fresh = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        fresh.mkdir(parents=True)
        report = _gather(log, fresh, said, (since_ms, until_ms, period_ms), sign, tell, processes)
        fresh.rename(out)
    except (OSError, verify.Broken) as error:
        raise EvidenceError(f"no evidence was made: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return report


def _gather(
    log: Path,
    fresh: Path,
    said: Said,
    times: tuple[int, int, int],
    sign: Callable[[str], bytes],
    tell: Tell,
    processes: int | None,
) -> verify.Report:
    since_ms, until_ms, period_ms = times
    # First: what comes later is not in this pack. Cosigned if it has witnesses.
    cosigned = witnesses.last(log) if said.keys.get("witnesses") else None
    signed = cosigned or (log / "checkpoint").read_bytes()
    exchanged = rotation.records(log)
    checkpoint = verify.Checkpoint.parse(signed)
    if exchanged and checkpoint.size <= int(exchanged[-1].name):  # cosigned before the key changed
        signed = (log / "checkpoint").read_bytes()
        checkpoint = verify.Checkpoint.parse(signed)
    first = first_entry(log, checkpoint.size, since_ms)
    target = fresh / "log"
    target.mkdir()
    (target / "checkpoint").write_bytes(signed)
    if (log / "checkpoints").is_dir():
        shutil.copytree(log / "checkpoints", target / "checkpoints")
    if exchanged:
        (target / rotation.FOLDER).mkdir()
        for path in exchanged:
            shutil.copyfile(path, target / rotation.FOLDER / path.name)
    copy_tiles(log, target, checkpoint.size, first, lambda done, of: tell("copying", done, of))
    workers = processes or min(os.cpu_count() or 1, 8)
    read = verify.read_log(
        verify.Tiles(target, checkpoint.size),
        first,
        period_ms,
        workers,
        lambda done, of: tell("reading", done, of),
    )
    _write_said(fresh, said)
    _json(fresh / "flows.json", read.sums())
    shutil.copyfile(verify.__file__, fresh / "verify.py")
    manifest = {
        "format": verify.FORMAT,
        "origin": checkpoint.origin,
        "since_ms": since_ms,
        "until_ms": until_ms,
        "made_ms": until_ms,
        "period_ms": period_ms,
        "first_entry": first,
        "jurisdiction": said.jurisdiction,
        "files": _hashes(fresh),
    }
    _json(fresh / "manifest.json", manifest)
    digest = hashlib.sha256((fresh / "manifest.json").read_bytes()).hexdigest()
    (fresh / "manifest.note").write_bytes(sign(f"evidence of {checkpoint.origin}\n{digest}\n"))
    report = verify.Pack(fresh, processes=workers).run(read)
    _json(fresh / "report.json", report.as_json())
    (fresh / "report.html").write_text(verify.as_html(report), "utf-8")
    return report


def _write_said(fresh: Path, said: Said) -> None:
    _json(fresh / "map.json", said.map)
    _json(fresh / "release.json", said.release)
    _json(fresh / "keys.json", said.keys)
    _json(fresh / "materials.cdx.json", said.materials)
    for name in ("processes", "destinations", "exceptions", "people", "captures"):
        _json(fresh / f"{name}.json", getattr(said, name))
    _json(fresh / "models.json", [line for _, (line, _) in sorted(said.models.items())])
    (fresh / "models").mkdir()
    for digest, (_, manifest) in said.models.items():
        (fresh / "models" / f"{digest}.json").write_bytes(manifest)


def _hashes(fresh: Path) -> dict[str, str]:
    """Of every file but the tiles: these are bound by the checkpoint."""
    found = {}
    for folder, folders, files in os.walk(fresh):
        here = Path(folder)
        if here == fresh / "log":
            folders[:] = [name for name in folders if name != "tile"]
        for name in files:
            with (here / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[(here / name).relative_to(fresh).as_posix()] = digest
    return found


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
