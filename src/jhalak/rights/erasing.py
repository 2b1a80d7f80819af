"""Somebody is erased: step by step, each of which may be done again from its start.

A worker may be killed at any line. What was done is written down after each step (`Leaving.steps`),
and what a step needs was written down before the first (`Leaving.work`).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from django.db import connection, models, transaction
from django.utils import timezone

from jhalak import records
from jhalak.border.data_map import Erasure
from jhalak.border.live_map import digest as map_digest
from jhalak.border.log.entries import Kind, canonical
from jhalak.feed.erasing import MARKER
from jhalak.people.models import Person
from jhalak.records import ledger
from jhalak.records.jobs import Retry
from jhalak.records.keyring import shred
from jhalak.records.models import AuditEntry, Job
from jhalak.records.states import LIVE
from jhalak.rights import keyring, tombstones
from jhalak.rights.declared import declared
from jhalak.rights.models import Kept, Leaving
from jhalak.rights.states import LeavingState, may_follow
from jhalak.rights.walking import (
    Names,
    Planned,
    Table,
    names_of,
    offsets,
    personal_tables,
    plan,
    rows,
)
from jhalak.videos import files
from jhalak.videos.actions import do_delete_video
from jhalak.videos.models import Video

Counts = dict[str, int]
BATCH = 500
ERASE = "rights.erase"
OWN = (Leaving, Kept)  # what the erasure itself is written down in


def do_begin(leaving: Leaving, person: Person) -> None:
    """From here on there is no way back: nobody can log in. Nothing if they just did."""
    names = names_of(person)
    planned = plan(names)
    digest = plan_digest(planned)
    with transaction.atomic():
        row = Leaving.objects.select_for_update().get(pk=leaving.pk)
        gone = Person.objects.select_for_update().filter(pk=person.pk, leaving_at__isnull=False)
        if row.state == LeavingState.ERASING or not gone.exists():
            return
        move(row, LeavingState.ERASING)
        Person.objects.filter(pk=person.pk).update(password="!", leaving_at=timezone.now())  # noqa: S106
        person.sessions.all().delete()
        Leaving.objects.filter(pk=row.pk).update(
            work=msgspec.to_builtins(names),
            plan_digest=digest,
            receipt={"plan": msgspec.to_builtins(planned)},
        )


def move(row: Leaving, state: LeavingState) -> None:
    """In the caller's transaction, which holds the row. Raises ValueError for what cannot be."""
    if not may_follow(row.state, state):
        raise ValueError(f"what is {row.state} does not become {state}")
    Leaving.objects.filter(pk=row.pk).update(state=state)
    row.state = state


def plan_digest(planned: list[Planned]) -> str:
    """SHA-256 of the plan and of the map that it was made by, in hex."""
    body = {"map": map_digest(declared()), "plan": msgspec.to_builtins(planned)}
    return hashlib.sha256(canonical(body)).hexdigest()


def erase(leaving: Leaving, progress: Callable[[float], None] = lambda _share: None) -> None:
    """All steps that are still to be done. Raises Retry while something cannot be overwritten."""
    for number, (name, step) in enumerate(STEPS.items()):
        leaving.refresh_from_db()
        if leaving.state == LeavingState.ERASED:
            return
        if name not in leaving.steps:
            counts = step(leaving, msgspec.convert(leaving.work, Names))
            steps = {**leaving.steps, name: counts}
            Leaving.objects.filter(pk=leaving.pk).update(steps=steps)
        progress((number + 1) / (len(STEPS) + 1))
    leaving.refresh_from_db()
    _finish(leaving)


# ---- the steps -----------------------------------------------------------------------------------


def _key(leaving: Leaving, names: Names) -> Counts:
    """First: what is encrypted with it is gone from now on, in every backup too. And a tombstone
    stands, so that no backup brings back what is erased from here on.
    """
    now = time.time_ns() // 1_000_000
    tombstones.put(names.subject, names.in_events, leaving.plan_digest, now)
    shred(names.key_name)
    return {}


def _videos(_leaving: Leaving, names: Names) -> Counts:
    """Each as if its author deleted it: the feed hears of it, what is under way ends."""
    gone = 0
    person = Person.objects.filter(pk=names.pk).first()
    for video in Video.objects.filter(author_id=names.pk).select_related("author"):
        if person is not None:
            do_delete_video(person, video)
            gone += 1
    _uploads(names)
    return {"Video": gone}


def _uploads(names: Names) -> None:
    for upload in names.uploads:
        files.remove(upload)


def _rows(leaving: Leaving, names: Names) -> Counts:
    counts: Counts = {}
    Leaving.objects.filter(person_id=names.pk, state=LeavingState.TAKEN_BACK).delete()
    for table in personal_tables():
        if table.model in OWN:
            continue
        if table.model is Video:
            _videos(leaving, names)  # what a request that was under way made meanwhile
        end = _HOW[table.erasure]
        count = end(table, names)
        if count:
            counts[table.name] = count
    return counts


def _delete(table: Table, names: Names) -> int:
    found = rows(table, names)
    if table.model is Job:
        found = found.exclude(kind=ERASE)
    gone = 0
    while keys := list(found.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            if table.model is Job:
                for job in Job.objects.filter(pk__in=keys, state__in=LIVE):
                    records.cancel(job.kind, job.subject)
            table.model._default_manager.filter(pk__in=keys).delete()
        gone += len(keys)
    return gone


def _anonymise(table: Table, names: Names) -> int:
    """The database did it when the row went that they point to. Here is looked whether it did."""
    left = rows(table, names).count()
    if left:
        raise ValueError(f"{left} rows of {table.name} still point to somebody who is gone")
    return 0


def _keep(table: Table, names: Names) -> int:
    """Encrypted beside, for as long as the law wants; what stays in the product names nobody."""
    kept = 0
    days = max(one.retention.days for one in table.columns.values())
    while batch := list(rows(table, names)[:BATCH]):
        sealed = [_kept(row, names.subject, days) for row in batch]  # may ask a key service
        with transaction.atomic():
            Kept.objects.bulk_create(sealed, ignore_conflicts=True)
            records.do_unname([row.pk for row in batch], names.objects, names.subject)
        kept += len(batch)
    return kept


def _kept(row: models.Model, subject: str, days: int) -> Kept:
    values = {field.column: getattr(row, field.attname) for field in row._meta.concrete_fields}
    plain = msgspec.json.encode(values, enc_hook=str)
    written = row.at if isinstance(row, AuditEntry) else timezone.now()
    source = keyring.hash_of("kept", f"{type(row).__name__}:{row.pk}")
    until = written + timedelta(days=days)
    return Kept(subject=subject, source=source, until=until, sealed=keyring.seal(plain))


_HOW: dict[Erasure, Callable[[Table, Names], int]] = {
    Erasure.DELETE: _delete,
    Erasure.ANONYMISE: _anonymise,
    Erasure.KEEP_UNTIL: _keep,
}


def _objects(_leaving: Leaving, names: Names) -> Counts:
    counts: Counts = {}
    store = records.objects()
    for prefix in names.prefixes:
        keys = [one.key for one in store.list(prefix)]
        store.delete(*keys)
        first = f"{prefix.partition('/')[0]}/"
        counts[first] = counts.get(first, 0) + len(keys)
    return {name: count for name, count in counts.items() if count}


def _events(_leaving: Leaving, names: Names) -> Counts:
    records.relay()
    gone = offsets(lambda name: name in names.in_events)
    records.events().erase(names.subject, gone, MARKER)
    return {"events": len(gone)}


def _look_again(leaving: Leaving, names: Names) -> Counts:
    """Nothing is taken for done that can be looked at. Then what the database keeps of old pages
    goes too. What a request still put that began before its session ended goes now: the rows are
    gone, so that no later one begins.
    """
    _uploads(names)
    _objects(leaving, names)
    for table in personal_tables():
        if table.model in OWN:
            continue
        found = rows(table, names)
        left = (found.exclude(kind=ERASE) if table.model is Job else found).count()
        if left:
            raise Retry("left", f"{left} rows of {table.name} came while it was erased")
    if offsets(lambda name: name in names.in_events):
        raise Retry("left", "events came while it was erased")
    compact()
    return {}


def compact() -> None:
    """Has the database forget the bytes of rows that are gone. Raises Retry while others read."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise Retry("busy", "others read the database: its WAL cannot be emptied yet")
        elif not connection.in_atomic_block:
            for table in personal_tables():
                cursor.execute(f'VACUUM "{table.model._meta.db_table}"')


STEPS: dict[str, Callable[[Leaving, Names], Counts]] = {
    "key": _key,
    "videos": _videos,
    "rows": _rows,
    "objects": _objects,
    "events": _events,
    "look_again": _look_again,
}


# ---- the end -------------------------------------------------------------------------------------


def _finish(leaving: Leaving) -> None:
    done = timezone.now()
    done_ms = round(done.timestamp() * 1000)
    body = {
        "v": 1,
        "kind": "jhalak.erasure",
        "subject": leaving.subject,
        "plan_digest": leaving.plan_digest,
        "asked_ms": round(leaving.asked.timestamp() * 1000),
        "done_ms": done_ms,
        "plan": leaving.receipt.get("plan", []),
        "steps": leaving.steps,
    }
    with transaction.atomic():
        row = Leaving.objects.select_for_update().get(pk=leaving.pk)
        move(row, LeavingState.ERASED)
        Leaving.objects.filter(pk=row.pk).update(
            done=done, work={}, person_id=None, receipt=signed(body)
        )
        ledger.enter(
            Kind.ERASURE,
            {"subject": leaving.subject, "plan_digest": leaving.plan_digest, "done": done_ms},
        )
    compact()


def signed(body: dict[str, Any]) -> dict[str, Any]:
    """With the signature over its canonical JSON, both keys of Ed25519 in hex."""
    key = keyring.signing_key()
    return {
        "receipt": body,
        "signature": key.sign(canonical(body)).hex(),
        "public_key": key.public_key().public_bytes_raw().hex(),
    }


def do_drop_kept() -> int:
    """What was kept for the law, and whose time is over. Returns how many."""
    gone, _ = Kept.objects.filter(until__lte=timezone.now()).delete()
    return gone
