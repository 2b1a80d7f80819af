"""The border's log for an auditor: read-only, a page at a time, and each look an entry itself.

Sealed entries show their commitment. What opens them is for its owner, by command, and never here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.border.log import checkpoints, notes
from jhalak.border.log.entries import Entry, EntryError, Kind, read_entry
from jhalak.border.log.hashing import leaf_hash
from jhalak.border.log.keys import log_folder
from jhalak.border.log.notes import NoteError
from jhalak.border.log.proofs import proof
from jhalak.border.log.reading import newest, number_at
from jhalak.border.log.tiles import TileError, Tiles
from jhalak.options import options
from jhalak.people.access import Viewer, require
from jhalak.people.log_names import name_in_log
from jhalak.people.models import Person
from jhalak.people.roles import Permission
from jhalak.problems import BadRequest, NotFound, Unavailable
from jhalak.records.ledger import enter
from jhalak.records.models import AuditEntry

PAGE = 50
READ = "border.read"
ONE_SITTING = timedelta(minutes=15)


class Line(msgspec.Struct, frozen=True):
    """One entry."""

    number: int
    id: str
    kind: str
    at: datetime
    body: dict[str, Any]
    sealed: bool


class Listing(msgspec.Struct, frozen=True):
    """`before`: where the next page begins, 0 at the end. `size`: of the log; 0 before its first
    entry.
    """

    size: int
    root: str
    items: list[Line]
    before: int


class Shown(msgspec.Struct, frozen=True):
    """One entry with what it takes to check it."""

    line: Line
    leaf: str
    leaf_hash: str
    size: int


def access_log(viewer: Viewer, *, before: str = "", kind: str = "", until: str = "") -> Listing:
    """The newest entries before a number (of a page before), up to a day, of one kind or all.
    Raises SignInNeeded, Forbidden, BadRequest, Unavailable.
    """
    person = require(viewer, Permission.READ_AUDIT)
    do_note_reading(person)
    kinds: Collection[Kind] = [Kind(kind)] if kind in list(Kind) else []
    if (kind and not kinds) or (before and not _is_number(before)):
        raise BadRequest("bad_place", _("That place in the list is not known. Start again."))
    try:
        tiles, head = _opened()
        if head is None:
            return Listing(0, "", [], 0)
        place = int(before) if before else head.size
        if until:
            place = min(place, number_at(tiles, head.size, _end_of(until)))
        found = newest(tiles, head.size, place, kinds=kinds, most=PAGE)
    except (TileError, EntryError, NoteError, OSError) as error:
        raise _away(error) from error
    lines = [_line(number, entry) for number, entry in found.entries]
    return Listing(head.size, head.root.hex(), lines, found.before)


def access_entry(viewer: Viewer, number: int) -> Shown:
    """Raises SignInNeeded, Forbidden, NotFound, Unavailable."""
    person = require(viewer, Permission.READ_AUDIT)
    do_note_reading(person)
    try:
        tiles, head = _opened()
        if head is None:
            raise IndexError
        leaf = tiles.entry(number, head.size)
        line = _line(number, read_entry(leaf))
    except IndexError as error:
        raise NotFound("no_such_entry", _("The log has no such entry.")) from error
    except (TileError, EntryError, NoteError, OSError) as error:
        raise _away(error) from error
    return Shown(line, leaf.decode(), leaf_hash(leaf).hex(), head.size)


def access_proof(viewer: Viewer, number: int) -> bytes:
    """C2SP tlog-proof of an entry, with the checkpoint of now. Raises as `access_entry`."""
    person = require(viewer, Permission.READ_AUDIT)
    do_note_reading(person)
    try:
        tiles, head = _opened()
        return proof(tiles, number, head.size if head else 0)
    except IndexError as error:
        raise NotFound("no_such_entry", _("The log has no such entry.")) from error
    except (TileError, NoteError, OSError) as error:
        raise _away(error) from error


def access_checkpoint(viewer: Viewer) -> bytes:
    """The signed head. Raises SignInNeeded, Forbidden, NotFound."""
    do_note_reading(require(viewer, Permission.READ_AUDIT))
    try:
        return Tiles(log_folder(options().folder)).checkpoint()
    except TileError as error:
        raise NotFound("no_checkpoint", _("The log has no checkpoint yet.")) from error


def do_note_reading(person: Person) -> None:
    """Who reads the log is in the log: once a sitting, for an entry for each click would let a
    reader fill it.
    """
    recent = AuditEntry.objects.filter(
        actor_id=person.pk, action=READ, at__gt=timezone.now() - ONE_SITTING
    )
    if recent.exists():
        return
    named = name_in_log(person)
    with transaction.atomic():
        records.audit(person, READ, "border:log")
        enter(Kind.AUDIT_READ, {"subject": named, "role": person.role, "what": "log"})


def _opened() -> tuple[Tiles, checkpoints.Checkpoint | None]:
    tiles = Tiles(log_folder(options().folder))
    if not (tiles.folder / "checkpoint").exists():
        return tiles, None
    return tiles, checkpoints.read_text(notes.parse(tiles.checkpoint()).text)


def _line(number: int, entry: Entry) -> Line:
    at = datetime.fromtimestamp(entry.at / 1000, UTC)
    sealed = entry.body.keys() == {"commitment"}
    return Line(number, entry.id, entry.kind.value, at, entry.body, sealed)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _end_of(day: str) -> int:
    try:
        midnight = datetime.combine(datetime.fromisoformat(day).date(), time(), UTC)
        return int((midnight + timedelta(days=1)).timestamp() * 1000) - 1
    except (ValueError, OverflowError) as error:
        raise BadRequest("bad_day", _("Give the day as 2026-11-29.")) from error


def _away(error: Exception) -> Unavailable:
    text = _("The log cannot be read now: %(why)s") % {"why": error}
    return Unavailable("log_unreadable", text)
