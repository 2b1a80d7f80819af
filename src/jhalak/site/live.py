"""The whole data map against what is really here: the report for an evidence folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jhalak.border import live_map
from jhalak.border.data_map import Part
from jhalak.rights import declared

TEMPLATE = Path(__file__).parent / "front" / "embedded.conf.template"


def live_logs() -> set[str]:
    """Of the processes, and of the front, whose format stands in its template."""
    (form,) = re.findall(r"log_format jhalak '([^']*)'", TEMPLATE.read_text("utf-8"))
    return declared.live_logs() | {f"front.{name}" for name in re.findall(r"\$(\w+)", form)}


def report() -> dict[str, Any]:
    """`declared`, `live` and `differences`, over everything that this machine can look at. What a
    browser keeps is looked at by a test that walks the app in one. Objects and files are compared
    one way: what is declared need not be there yet.
    """
    whole = declared.declared()
    live = {
        Part.COLUMNS: declared.live_columns(),
        Part.EVENTS: declared.live_events(),
        Part.LOGS: live_logs(),
        Part.OBJECTS: declared.live_objects() | set(whole[Part.OBJECTS]),
        Part.FILES: declared.live_files() | set(whole[Part.FILES]),
    }
    found = live_map.report(whole, live)
    ways = declared.subjects()
    for part in (Part.COLUMNS, Part.EVENTS):
        found["differences"] += live_map.without_a_way(whole[part], ways, part)
    return found
