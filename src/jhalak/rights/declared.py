"""The data map of all rooms in one, and what is really there."""

from __future__ import annotations

import importlib
import string
import types
from typing import Any, get_args

import msgspec
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from jhalak import records
from jhalak.border import live_map
from jhalak.border.data_map import Column, Part, Subject
from jhalak.feed import events
from jhalak.options import options

Parts = dict[Part, dict[str, Column]]


def _rooms() -> list[types.ModuleType]:
    """Every data_map there is. A room without rows may have none."""
    names = [
        "jhalak.feed",
        *(c.name for c in apps.get_app_configs() if c.name.startswith("jhalak.")),
    ]
    found = []
    for name in names:
        try:
            found.append(importlib.import_module(f"{name}.data_map"))
        except ModuleNotFoundError as error:
            if error.name != f"{name}.data_map":
                raise
    return found


def declared() -> Parts:
    """What all rooms declare. Raises MapError when two declare the same."""
    whole: Parts = {part: {} for part in Part}
    for room in _rooms():
        for part in Part:
            for name, column in getattr(room, part.value.upper(), {}).items():
                if name in whole[part]:
                    raise live_map.MapError(f"{part.value}: {name} is declared twice")
                whole[part][name] = column
    return whole


def subjects() -> dict[str, Subject]:
    """How rows and events are found from a person, by the name of their table or struct."""
    return {name: one for room in _rooms() for name, one in getattr(room, "SUBJECTS", {}).items()}


def tables() -> dict[str, type[models.Model]]:
    """The models whose rows are ours, by name."""
    return {
        model.__name__: model
        for config in apps.get_app_configs()
        if config.name.startswith("jhalak.")
        for model in config.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def live_columns() -> set[str]:
    """What the database has, whatever the models say."""
    named = {model._meta.db_table: name for name, model in tables().items()}
    with connection.cursor() as cursor:
        return {
            f"{named.get(table, table)}.{column.name}"
            for table in connection.introspection.table_names(cursor)
            for column in connection.introspection.get_table_description(cursor, table)
        }


def live_events() -> set[str]:
    """The fields of every struct that may stand in the log of events."""
    kinds: list[Any] = [*get_args(events.Event), events.Arm]
    return {
        f"{kind.__name__}.{field.name}" for kind in kinds for field in msgspec.structs.fields(kind)
    }


def live_objects() -> set[str]:
    """First words of the keys that are in the store now."""
    return {f"{one.key.partition('/')[0]}/" for one in records.objects().list()}


def live_files() -> set[str]:
    """First names in the data folder. What SQLite keeps beside a file belongs to the file."""
    folder = options().folder
    there = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return {name.removesuffix("-wal").removesuffix("-shm") for name in there}


def live_logs() -> set[str]:
    """Fields of a line that the processes write. What the front writes, `jhalak.site` knows."""
    logging: dict[str, Any] = settings.LOGGING
    style = logging["formatters"]["line"]["format"]
    return {f"process.{name}" for _, name, _, _ in string.Formatter().parse(style) if name}


def check() -> None:
    """Before anything is started. Raises MapError, which names what is not declared and says what
    to do.
    """
    whole = declared()
    live = {Part.COLUMNS: live_columns(), Part.EVENTS: live_events()}
    found = live_map.differences(whole, live)
    for part in live:
        found += live_map.without_a_way(whole[part], subjects(), part)
    if found:
        lines = "\n  ".join(found)
        raise live_map.MapError(f"The data map and what is kept differ. Nothing starts.\n  {lines}")
