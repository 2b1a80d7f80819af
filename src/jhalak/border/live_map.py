"""The data map held against what is really there.

Pure: whoever can look (at a schema, a store, a folder, a browser) brings the names that it found;
here they are compared, and told in words that say what to do. A part of which nobody brings the
live names is not compared, and the report says so: silence is no agreement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from jhalak.border.data_map import Basis, Column, Part, Subject

Declared = Mapping[Part, Mapping[str, Column]]
Live = Mapping[Part, Iterable[str]]


class MapError(Exception):
    """What is kept and what is declared differ; the message names each difference."""


def compare(
    declared: Mapping[str, Column], live: Iterable[str], part: Part = Part.COLUMNS
) -> list[str]:
    """What differs between one part of the map and what is there, one sentence each."""
    there = set(live)
    missing = [
        f"{name} is not declared: say in {part.value.upper()} of its room's data_map.py what it"
        " holds, why, for how long, and how it ends"
        for name in there - set(declared)
    ]
    stale = [f"{name} is declared and no longer exists" for name in set(declared) - there]
    return sorted(missing + stale)


def differences(declared: Declared, live: Live) -> list[str]:
    """Over all parts that were looked at, in the order of the parts."""
    return [
        f"{part.value}: {line}"
        for part in Part
        if part in live
        for line in compare(declared.get(part, {}), live[part], part)
    ]


def without_a_way(
    columns: Mapping[str, Column], subjects: Mapping[str, Subject], part: Part = Part.COLUMNS
) -> list[str]:
    """What is personal and is not found from its person, so that nothing would erase it."""
    return sorted(
        f"{part.value}: {name} is personal, and SUBJECTS does not say how {name.partition('.')[0]}"
        " is found from its person: nothing would erase it"
        for name, column in columns.items()
        if column.basis is not Basis.NOT_PERSONAL and name.partition(".")[0] not in subjects
    )


def report(declared: Declared, live: Live) -> dict[str, Any]:
    """The whole map as plain data, for `map.json` of an evidence folder."""
    return {
        "declared": {
            f"{part.value}:{name}": msgspec.to_builtins(column)
            for part in Part
            for name, column in sorted(declared.get(part, {}).items())
        },
        "live": sorted(f"{part.value}:{name}" for part in live for name in live[part]),
        "looked_at": [part.value for part in Part if part in live],
        "differences": differences(declared, live),
    }


def digest(declared: Declared) -> str:
    """SHA-256 of the declared map, in hex: another one is another promise."""
    encoder = msgspec.json.Encoder(order="deterministic")
    return hashlib.sha256(encoder.encode(report(declared, {})["declared"])).hexdigest()
