"""One person's rows, objects and events, found by walking the data map.

What a person is called in the stores is written down before the first row goes (`Names`), because
afterwards nothing says it any more.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator

import msgspec
from django.db import models
from django.db.models import Q, QuerySet

from jhalak import records
from jhalak.border.data_map import Basis, Column, Erasure, Part, Subject
from jhalak.feed.erasing import Name, theirs
from jhalak.feed.events import BadEvent, Event, decode
from jhalak.people import pictures
from jhalak.people.models import Person
from jhalak.records.models import AuditEntry
from jhalak.rights.declared import declared, subjects, tables
from jhalak.rights.keyring import subject_of
from jhalak.videos.keys import video_prefix
from jhalak.videos.models import Upload, Video

DOWNLOADS = "downloads/"
BATCH = 1000  # events read at once


class Names(msgspec.Struct, frozen=True):
    """What a person is called wherever something of theirs lies."""

    subject: str
    pk: int
    key_name: str
    handle: str
    videos: tuple[str, ...]  # those too that they deleted: others may have said something of them
    uploads: tuple[str, ...]
    originals: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"m{self.pk}"

    @property
    def objects(self) -> tuple[str, ...]:
        """As audit entries call them."""
        return f"@{self.handle}", *(f"video:{one}" for one in self.videos)

    @property
    def in_events(self) -> tuple[Name, ...]:
        return ("viewer", self.key), ("author", str(self.pk))

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Of objects. An original is an object by itself."""
        return (
            f"{pictures.PREFIX}{self.pk}/",
            f"{DOWNLOADS}{self.pk}/",
            *map(video_prefix, self.videos),
            *self.originals,
        )


def names_of(person: Person) -> Names:
    videos = list(Video.objects.filter(author=person).values_list("public_id", "source_key"))
    uploaded = AuditEntry.objects.filter(actor_id=person.pk, action="video.upload")
    once = {name.removeprefix("video:") for name in uploaded.values_list("object", flat=True)}
    here = [public_id for public_id, _ in videos]
    return Names(
        subject_of(person),
        person.pk,
        person.key_name,
        person.handle,
        (*here, *sorted(once.difference(here))),
        tuple(Upload.objects.filter(owner=person).values_list("pk", flat=True)),
        tuple(key for _, key in videos if key),
    )


# ---- rows ----------------------------------------------------------------------------------------


class Table(msgspec.Struct, frozen=True):
    """A table that holds something personal, with how it ends."""

    name: str
    model: type[models.Model]
    subject: Subject
    columns: dict[str, Column]
    erasure: Erasure


def personal_tables() -> list[Table]:
    """What points at others first, so that nothing is left pointing at what is gone."""
    found = {}
    whole, ways = declared()[Part.COLUMNS], subjects()
    for name, model in tables().items():
        columns = {
            column.partition(".")[2]: one
            for column, one in whole.items()
            if column.partition(".")[0] == name
        }
        if name in ways:
            found[model] = Table(name, model, ways[name], columns, _erasure(name, columns))
    ordered: list[Table] = []
    while found:
        wanted = {to for model in found for to in _points_at(model) if to is not model}
        free = [model for model in found if model not in wanted] or list(found)
        ordered += [found.pop(model) for model in free]
    return ordered


def _points_at(model: type[models.Model]) -> set[type[models.Model]]:
    """What a row cannot be without: what may be null is set so by the database."""
    return {
        field.related_model  # type: ignore[misc]
        for field in model._meta.concrete_fields
        if field.is_relation and not field.null
    }


def _erasure(name: str, columns: dict[str, Column]) -> Erasure:
    """One way for the rows of one table. Raises ValueError for a table with two."""
    ways = {one.erasure for one in columns.values() if one.basis is not Basis.NOT_PERSONAL}
    ways -= {Erasure.SHRED_KEY}  # beside deleting the row: in backups too
    if len(ways) > 1:
        raise ValueError(f"the rows of {name} cannot both {' and '.join(sorted(ways))}")
    return ways.pop() if ways else Erasure.DELETE


def rows(table: Table, names: Names, *, shown: bool = False) -> QuerySet[models.Model]:
    """The rows of a table that are a person's; with `shown`, those that they may have."""
    paths = table.subject.to_show if shown else table.subject.paths
    if not paths:
        return table.model._default_manager.none()
    terms = [_term(table.name, path, names) for path in paths]
    found = table.model._default_manager.filter(functools.reduce(operator.or_, terms))
    return found.order_by("pk")


def _term(table: str, path: str, names: Names) -> Q:
    match table, path:
        case "AuditEntry", "object":
            return Q(object__in=names.objects)
        case "Job", "owner":
            of_person = Q(kind="videos.announce_author", subject=str(names.pk))
            return Q(owner=names.key) | of_person | Q(subject__in=names.videos)
        case _, "subject":
            return Q(subject=names.subject)
        case "OutboxEvent" | "LedgerEntry", _:
            return Q(pk__in=())  # on their way: relayed before anything is looked for
    return Q(**{path: names.pk})


# ---- events --------------------------------------------------------------------------------------


def log() -> Iterator[tuple[int, Event]]:
    """The whole log of events, what is not understood left out."""
    level = 0
    while stored := records.events().read(level, BATCH):
        level = stored[-1].offset
        for one in stored:
            try:
                yield one.offset, decode(one.body)
            except BadEvent:
                continue  # of a later version


def offsets(is_theirs: Callable[[Name], bool]) -> set[int]:
    """Of the events that name somebody, as a guest too."""
    return theirs(log, is_theirs)[1]


# ---- the plan ------------------------------------------------------------------------------------


class Planned(msgspec.Struct, frozen=True):
    """What is done to one kind of thing. `count`: -1 when it is not counted beforehand."""

    what: str
    where: str  # "rows", "objects", "events"
    erasure: Erasure
    count: int
    keep_days: int = 0


def plan(names: Names, *, count_events: bool = True) -> list[Planned]:
    """What erasing somebody would do now. Changes nothing."""
    found = []
    for table in personal_tables():
        count = rows(table, names).count()
        if count:
            kept = table.erasure is Erasure.KEEP_UNTIL
            keep = max(one.retention.days for one in table.columns.values()) if kept else 0
            found.append(Planned(table.name, "rows", table.erasure, count, keep))
    whole = declared()[Part.OBJECTS]
    counts: dict[str, int] = {}
    for prefix in names.prefixes:
        first = f"{prefix.partition('/')[0]}/"
        counts[first] = counts.get(first, 0) + sum(1 for _ in records.objects().list(prefix))
    found += [
        Planned(first, "objects", whole[first].erasure if first in whole else Erasure.DELETE, count)
        for first, count in sorted(counts.items())
        if count
    ]
    events = len(offsets(lambda name: name in names.in_events)) if count_events else -1
    return [*found, Planned("events", "events", Erasure.DELETE, events)]
