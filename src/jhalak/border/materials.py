"""The bill of materials: what an installation is made of, as CycloneDX 1.6 JSON (ECMA-424).

Made from what is installed (importlib.metadata) and, for the files' hashes, from the lock file. It
holds no clock and its serial number is made from its content, so that the same installation gives
the same bytes.
"""

from __future__ import annotations

import re
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from jhalak.border.release import PACKAGE, needed, normal, requirements

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("6f1d2c54-3d5e-5a0e-9f0b-6f2f6f7a1b90")


def materials(lock: Path | None = None) -> dict[str, Any]:
    """The bill as a dict. `lock`: a requirements file with hashes. Raises OSError."""
    hashes = locked(lock.read_text("utf-8")) if lock else {}
    libraries = dict(sorted(needed().items()))
    ours = metadata.distribution(PACKAGE)
    top = {**_component(PACKAGE, ours, []), "type": "application"}
    components = [
        _component(name, found, hashes.get((name, found.version), []))
        for name, found in libraries.items()
    ]
    dependencies = [
        {"ref": _purl(name, found.version), "dependsOn": sorted(_needs(found, libraries))}
        for name, found in [(PACKAGE, ours), *libraries.items()]
    ]
    serial = uuid.uuid5(_NAMESPACE, repr((top, components, dependencies)))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": top},
        "components": components,
        "dependencies": dependencies,
    }


def locked(text: str) -> dict[tuple[str, str], list[str]]:
    """(name, version) -> SHA-256 of each file that a lock file admits for it."""
    found: dict[tuple[str, str], list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if pinned := _PINNED.match(line):
            current = found.setdefault((normal(pinned[1]), pinned[2]), [])
        current += _HASH.findall(line)
    return found


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _component(name: str, found: metadata.Distribution, hashes: list[str]) -> dict[str, Any]:
    purl = _purl(name, found.version)
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": found.version,
        "purl": purl,
    }
    if licences := _licences(found):
        component["licenses"] = licences
    if hashes:  # several files, one for each system: so of the distribution, not the component
        component["externalReferences"] = [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in hashes],
            }
        ]
    return component


def _licences(found: metadata.Distribution) -> list[dict[str, Any]]:
    """An SPDX expression where the library states one, else its own words or classifiers."""
    about = found.metadata
    if "License-Expression" in about:
        return [{"expression": about["License-Expression"]}]
    words = about["License"].strip() if "License" in about else ""
    if words and "\n" not in words and len(words) < 100:
        return [{"license": {"name": words}}]
    named = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or () if "License" in c]
    return [{"license": {"name": name}} for name in dict.fromkeys(named)]


def _needs(found: metadata.Distribution, libraries: dict[str, metadata.Distribution]) -> set[str]:
    return {
        _purl(name, libraries[name].version)
        for extra in ("", *(found.metadata.get_all("Provides-Extra") or ()))
        for name, _ in requirements(found, normal(extra))
        if name in libraries
    }
