"""The weights as a file that a person reads and edits: TOML, each number with its meaning, bounds
and default in a comment above it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping

from jhalak.feed.config import Config
from jhalak.feed.tuning import KNOBS, read

MOST_BYTES = 64 * 1024


class BadFile(ValueError):
    """A file that is no such TOML; the message says where it goes wrong."""


def dumps(values: Mapping[str, float], head: str) -> str:
    """The file. `values`: what differs from the defaults; `head`: lines for its beginning."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    defaults = read(Config())
    group = ""
    for name, knob in KNOBS.items():
        where, _, last = name.rpartition(".")
        if where != group:
            group = where
            lines += ["", f"[{group}]"]
        bounds = f"{knob.least:g} to {knob.most:g}, default {defaults[name]:g}"
        value = values.get(name, defaults[name])
        lines += ["", f"# {knob.meaning}", f"# {bounds}"]
        lines.append(f"{last} = {int(value) if knob.whole else float(value)}")
    return "\n".join(lines) + "\n"


def loads(text: str) -> dict[str, object]:
    """Every value in the file by its full name, unchecked (see `tuning.faults`). Raises BadFile."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadFile(f"the file is larger than {MOST_BYTES} bytes")
    try:
        return dict(_flat(tomllib.loads(text)))
    except (ValueError, RecursionError) as error:  # no TOML, or a number of thousands of digits
        raise BadFile(str(error)) from error


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """One level of tables is named by dots; what lies deeper is no number, and is refused so."""
    for name, value in table.items():
        if isinstance(value, dict) and value:
            for inner, number in value.items():
                yield f"{name}.{inner}", number
        else:
            yield name, value


def changed(values: Mapping[str, object]) -> dict[str, float]:
    """Of values without faults those that differ from the defaults."""
    defaults = read(Config())
    return {
        name: float(value)
        for name, value in sorted(values.items())
        if isinstance(value, int | float) and float(value) != defaults[name]
    }
