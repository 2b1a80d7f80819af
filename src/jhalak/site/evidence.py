"""What this installation says of itself, for an evidence pack, from rows and its folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from jhalak.border import exceptions, provenance, release
from jhalak.border.egress import destinations
from jhalak.border.evidence import Said
from jhalak.border.log import witnesses
from jhalak.border.log.keys import key_file, load_signer
from jhalak.border.materials import materials
from jhalak.border.services import EXCUSED, Processes, built_in_exceptions
from jhalak.feed import models
from jhalak.media.speech import KIND
from jhalak.options import options
from jhalak.people.models import Person
from jhalak.people.roles import STAFF
from jhalak.records.keyring import subject_of
from jhalak.site.live import report

JURISDICTION = "jurisdiction.txt"


def say(data: Path, captures: list[Any], lock: Path | None = None) -> Said:
    """Reads it all now. `captures`: what `reconcile` found, as captures.json holds it. Raises
    OSError, and the errors of the files that an operator writes.
    """
    border = data / "border"
    processes = Processes(data).all()
    demo = {one.name for one in processes if one.exception == "client"}
    built_in = [
        one
        for one in built_in_exceptions()
        if one["reason"] != EXCUSED["client"] or one["subject"] in demo
    ]
    return Said(
        map=report(),
        processes=[msgspec.to_builtins(one) for one in processes],
        destinations=[one.said() for one in destinations.load(data).values()],
        exceptions=[*built_in, *(one.said() for one in exceptions.load(data))],
        release=said_of_release(border / release.FILE),
        models=said_of_models(data / "feed" / "models") | said_of_brought(data),
        people=[
            {
                "name": person.handle,
                "roles": [person.role],
                "subject": subject_of(person.key_name),
            }
            for person in Person.objects.filter(role__in=STAFF).order_by("handle")
        ],
        materials=materials(lock),
        captures=captures,
        keys={
            "log": str(load_signer(key_file(data)).verifier),
            "witnesses": [str(verifier) for verifier, _ in witnesses.load(border)],
        },
        jurisdiction="\n".join(_lines(border / JURISDICTION)),
    )


def said_of_release(path: Path) -> dict[str, Any]:
    """The release manifest, and how what stands here differs from it, file by file."""
    try:
        made = release.read(path)
    except release.ReleaseError:
        return {"files": {}, "differences": []}
    told: dict[str, Any] = msgspec.to_builtins(made)
    return {**told, "differences": release.compare(made, deep=True)}


def said_of_models(folder: Path) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Each kept artefact: whether it is, to the byte, what its manifest speaks of."""
    found: dict[str, tuple[dict[str, Any], bytes]] = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if len(path.name) != 64:
            continue
        why, kind, story = "", "", b""
        try:
            story = (path / models.MANIFEST).read_bytes()[: models.MOST_MANIFEST]
            kind = models.read_manifest(folder, path.name).kind
            models.read(folder, kind, path.name)
        except (models.ModelError, OSError) as error:
            why = str(error)
        line = {"digest": path.name, "kind": kind, "holds": not why, "why": why}
        found[path.name] = (line, story)
    return found


def said_of_brought(data: Path) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Each model that was ever declared here; of the one in force, whether it still is what was
    declared.
    """
    found: dict[str, tuple[dict[str, Any], bytes]] = {}
    for path in sorted(provenance.declared_folder(data).glob("*.json")):
        line = {"digest": path.stem, "kind": KIND, "holds": True, "why": ""}
        found[path.stem] = (line, path.read_bytes()[: provenance.MOST])
    if options().speech_model:
        folder = Path(options().speech_model)
        try:
            digest, why = provenance.check(folder, KIND), ""
        except provenance.ProvenanceError as error:
            digest, why = hashlib.sha256(str(folder).encode()).hexdigest(), str(error)
        if why or digest not in found:
            why = why or "it was declared elsewhere: declare it here"
            found[digest] = ({"digest": digest, "kind": KIND, "holds": False, "why": why}, b"")
    return found


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_captures(paths: list[Path]) -> list[Any]:
    """What `jhalak border reconcile --json` wrote, one file each. Raises ValueError, OSError."""
    return [json.loads(path.read_text("utf-8")) for path in paths]
