"""Tells the log how things stand at the border: when the data map, the declared destinations or the
register of exceptions have changed, and each day all of it, with what moved since (a residency
report). The broker tells of a destination too, before it sends anything there.

What the log was told last is kept beside it; where that is lost, it is told once more.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction

from jhalak.border import exceptions, live_map, residency
from jhalak.border.egress import destinations
from jhalak.border.log import checkpoints, durable, notes
from jhalak.border.log.entries import Kind, now_ms
from jhalak.border.log.keys import log_folder
from jhalak.border.log.tiles import TileError, Tiles
from jhalak.border.services import Processes
from jhalak.records import ledger
from jhalak.records.jobs import Progress
from jhalak.rights import declared
from jhalak.site.live import report

MOST = 50  # differences that an entry lists
STEP = 50_000  # entries between two looks at the progress

logger = logging.getLogger(__name__)


class Told(msgspec.Struct):
    """What the log was told last."""

    map: str = ""
    destinations: list[dict[str, Any]] = []
    exceptions: list[dict[str, Any]] = []
    reported_ms: int = 0
    reported_size: int = 0


def told_file(data: Path) -> Path:
    return data / "border" / "told.json"


def told(data: Path) -> Told:
    try:
        return msgspec.json.decode(told_file(data).read_bytes(), type=Told)
    except FileNotFoundError:
        return Told()
    except msgspec.MsgspecError:
        logger.warning("%s cannot be read: the log is told all of it again", told_file(data))
        return Told()


def _now(data: Path, last: Told) -> Told:
    """Raises DestinationsError, ExceptionsError."""
    return msgspec.structs.replace(
        last,
        map=live_map.digest(declared.declared()),
        destinations=[one.said() for one in destinations.load(data).values()],
        exceptions=[one.said() for one in exceptions.load(data)],
    )


def changed(data: Path) -> bool:
    """Whether the log knows something else. Raises DestinationsError, ExceptionsError."""
    last = told(data)
    return _now(data, last) != last


def do_tell_changes(data: Path) -> None:
    """Entries for what differs from what the log was told. Raises DestinationsError,
    ExceptionsError, OSError.
    """
    last = told(data)
    now = _now(data, last)
    if now == last:
        return
    found = report()["differences"] if now.map != last.map else []
    named = {one["name"] for one in now.destinations}
    with transaction.atomic():
        if now.map != last.map:
            body = {"digest": now.map, "before": last.map, "differences": found[:MOST]}
            ledger.enter(Kind.MAP, body)
        for one in _without(now.destinations, last.destinations):
            ledger.enter(Kind.DESTINATION, one)
        for one in last.destinations:
            if one["name"] not in named:
                ledger.enter(Kind.DESTINATION, {"name": one["name"], "withdrawn": True})
        for one in _without(now.exceptions, last.exceptions):
            ledger.enter(Kind.EXCEPTION, {**one, "event": "declared"})
        for one in _without(last.exceptions, now.exceptions):
            ledger.enter(Kind.EXCEPTION, {**one, "event": "withdrawn"})
    _keep(data, now)


def _without(some: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in some if one not in others]


def do_report_residency(data: Path, progress: Progress) -> dict[str, Any]:
    """Enters a residency report, and returns it. Reads the log since the one before. Raises
    TileError, EntryError, OSError, and the errors of the files that an operator writes.
    """
    last, until = told(data), now_ms()
    tiles = Tiles(log_folder(data))
    size = _size(tiles)
    first = min(last.reported_size, size)
    movement = residency.Movement()
    for index, leaf in tiles.entries(first, size):
        movement.take(leaf)
        if index % STEP == 0:
            progress((index - first) / max(1, size - first))
    found = report()
    body = residency.said(
        movement,
        entries=(first, size),
        times=(last.reported_ms, until),
        map_digest=live_map.digest(declared.declared()),
        map_differences=found["differences"],
        destinations=[one.said() for one in destinations.load(data).values()],
        exceptions=[one.said() for one in exceptions.load(data)],
        unsealed=[one.name for one in Processes(data).all() if not one.as_declared],
    )
    ledger.enter(Kind.RESIDENCY_REPORT, body)
    _keep(data, msgspec.structs.replace(last, reported_ms=until, reported_size=size))
    return body


def _size(tiles: Tiles) -> int:
    try:
        text = tiles.checkpoint()
    except TileError:
        return 0  # no entry yet
    return checkpoints.read_text(notes.parse(text).text).size


def _keep(data: Path, what: Told) -> None:
    durable.replace(told_file(data), msgspec.json.encode(what), 0o600)
