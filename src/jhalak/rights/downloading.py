"""Everything about one person, as one ZIP file.

    index.html            to be read, in the person's language
    data/<table>.json     rows that are theirs, found by walking the data map
    data/events.json      what the log of events says of them
    data/feed.json        what the feed made of it
    media/...             their originals, clips and pictures
    received.json         who outside got any of it, and what ways out are declared now
    omissions.json        what is not in here, and why
    manifest.json         SHA-256 and size of all of the above
    signature.json        Ed25519 over the manifest, and the key to check it with

Written row by row into a file, so that a large account needs no more memory than a small one. A
file that cannot be read is an omission that is listed, never silence.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import IO, Any

import msgspec
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from jhalak import records
from jhalak.border.data_map import Column, DataClass
from jhalak.border.egress import destinations
from jhalak.border.log.entries import Kind
from jhalak.feed.data_map import SUBJECTS as EVENTS
from jhalak.feed.erasing import names as named
from jhalak.options import options
from jhalak.people.contacts import access_contacts
from jhalak.people.disclosures import access_disclosures
from jhalak.people.models import ContactKind, Person
from jhalak.records import ledger
from jhalak.rights import keyring
from jhalak.rights.models import Download
from jhalak.rights.states import DownloadState
from jhalak.rights.walking import DOWNLOADS, Names, Table, log, names_of, personal_tables, rows
from jhalak.stores.objects import NoSuchObject
from jhalak.videos.models import Video

KEPT_DAYS = 7
CHUNK = 1 << 20
ROWS = 500
SHOWN_ROWS = 200  # of one table on the page; the JSON has all
ORPHAN_S = 3600.0


class Omission(msgspec.Struct, frozen=True):
    """What is left out. `why`: in the person's language."""

    what: str
    why: str


class Packing:
    """The ZIP while it is written, and what is known of its parts."""

    def __init__(self, target: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True)
        self.parts: dict[str, dict[str, Any]] = {}
        self.omissions: list[Omission] = []

    def add(self, name: str, pieces: Iterable[bytes], *, small: bool = True) -> None:
        """`small`: text, which is made smaller; media is small already."""
        info = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self.zip.open(info, "w", force_zip64=True) as part:
            for piece in pieces:
                part.write(piece)
                digest.update(piece)
                size += len(piece)
        self.parts[name] = {"sha256": digest.hexdigest(), "size": size}


def make(
    download: Download, held: dict[str, Any], progress: Callable[[float], None] = lambda _s: None
) -> None:
    """Makes the file, puts it, and says where it is. Any time again from its start."""
    from jhalak.rights.actions import object_key

    names = names_of(download.person)
    room = options().folder / "run"
    room.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=room) as file, translation.override(download.language):
        omitted = _pack(Packing(file), download.person, names, held, progress)
        file.seek(0)
        key = object_key(download)
        put = records.objects().put(key, file, content_type="application/zip")
    with transaction.atomic():
        changed = Download.objects.filter(pk=download.pk, state=DownloadState.ASKED).update(
            state=DownloadState.READY,
            key=key,
            size=put.size,
            sha256=put.etag,
            ends=timezone.now() + timedelta(days=KEPT_DAYS),
        )
        if changed:
            body = {"subject": names.subject, "sha256": put.etag, "omissions": omitted}
            ledger.enter(Kind.EXPORT, body)
    if not changed:  # whoever asked was erased meanwhile, or it was made twice
        records.objects().delete(key)


def _pack(
    packing: Packing,
    person: Person,
    names: Names,
    held: dict[str, Any],
    progress: Callable[[float], None],
) -> int:
    with packing.zip:
        shown = [one for table in personal_tables() if (one := _table(packing, table, names))]
        progress(0.1)
        contacts = msgspec.to_builtins(access_contacts(person), enc_hook=str)
        packing.add("data/contacts.json", [_json(contacts)])
        packing.add("data/events.json", _array(_events(names)))
        packing.add("data/feed.json", [_json(held)])
        progress(0.2)
        media = _media(packing, names, progress)
        received = _received(packing, person)
        packing.add("received.json", [_json(received)])
        _say_omissions(packing)
        packing.add("omissions.json", [_json(packing.omissions)])
        page = {
            "person": person,
            "made": timezone.now(),
            "contacts": contacts,
            "tables": shown,
            "media": media,
            "held": held,
            "received": received,
            "omissions": packing.omissions,
        }
        packing.add("index.html", [render_to_string("takeout.html", page).encode()])
        manifest = _json(
            {
                "v": 1,
                "kind": "jhalak.download",
                "subject": names.subject,
                "handle": names.handle,
                "made_ms": round(timezone.now().timestamp() * 1000),
                "files": packing.parts,
            }
        )
        key = keyring.signing_key()
        packing.add("manifest.json", [manifest])
        signature = {
            "over": "manifest.json",
            "signature": key.sign(manifest).hex(),
            "public_key": key.public_key().public_bytes_raw().hex(),
        }
        packing.add("signature.json", [_json(signature)])
    return len(packing.omissions)


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)


def _array(items: Iterable[Any]) -> Iterator[bytes]:
    before = b"[\n"
    for item in items:
        yield before + msgspec.json.encode(item, enc_hook=str)
        before = b",\n"
    yield b"\n]\n" if before != b"[\n" else b"[]\n"


# ---- rows ----------------------------------------------------------------------------------------


def _table(packing: Packing, table: Table, names: Names) -> dict[str, Any] | None:
    """Writes the rows of one table, and returns what the page shows of them."""
    if table.subject.why_not:
        packing.omissions.append(Omission(table.name, str(table.subject.why_not)))
    if not table.subject.to_show:
        return None
    fields = [
        field
        for field in table.model._meta.concrete_fields
        if _may_show(table.columns[str(field.column)], field)
    ]
    hidden = [str(one.column) for one in table.model._meta.concrete_fields if one not in fields]
    if hidden:
        why = _("A secret that protects your account, or bytes that only a machine can use.")
        packing.omissions.append(Omission(f"{table.name}: {', '.join(hidden)}", why))
    seen: list[dict[str, Any]] = []
    count = 0

    def every() -> Iterator[dict[str, Any]]:
        nonlocal count
        for row in _values(table, names, fields):
            count += 1
            if len(seen) < SHOWN_ROWS:
                seen.append(row)
            yield row

    packing.add(f"data/{table.name}.json", _array(every()))
    columns = list(seen[0]) if seen else []
    lines = [[row[name] for name in columns] for row in seen]
    return {"name": table.name, "count": count, "columns": columns, "rows": lines}


def _may_show(column: Column, field: models.Field[Any, Any]) -> bool:
    return column.holds is not DataClass.SECRET and not isinstance(field, models.BinaryField)


def _values(
    table: Table, names: Names, fields: list[models.Field[Any, Any]]
) -> Iterator[dict[str, Any]]:
    plain = [field.attname for field in fields]
    more = {}
    for field in fields:
        if field.related_model is Person:
            more[f"{field.name}_handle"] = models.F(f"{field.name}__handle")
        elif field.related_model is Video:
            more[f"{field.name}_public_id"] = models.F(f"{field.name}__public_id")
    found = rows(table, names, shown=True).values(*plain, **more)
    for row in found.iterator(chunk_size=ROWS):
        if table.name == "AuditEntry" and row["actor_id"] != names.pk:
            row["actor_id"] = None  # who decided about you is told as a role
        yield row


# ---- events, media, receivers --------------------------------------------------------------------


def _events(names: Names) -> Iterator[dict[str, Any]]:
    theirs = set(names.in_events) | {("video", str(pk)) for pk in _video_keys(names)}
    for offset, event in log():
        if theirs.intersection(named(event, shown=True)):
            yield {"offset": offset, **msgspec.to_builtins(event)}


def _video_keys(names: Names) -> Iterable[int]:
    return Video.objects.filter(author_id=names.pk).values_list("pk", flat=True)


def _media(
    packing: Packing, names: Names, progress: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Every object of theirs but the downloads themselves."""
    found: list[dict[str, Any]] = []
    store = records.objects()
    prefixes = [prefix for prefix in names.prefixes if not prefix.startswith(DOWNLOADS)]
    for number, prefix in enumerate(prefixes):
        for one in store.list(prefix):
            try:
                with store.open(one.key) as stream:
                    packing.add(f"media/{one.key}", _pieces(stream), small=False)
            except NoSuchObject:
                why = _("It was deleted while this file was made.")
                packing.omissions.append(Omission(one.key, why))
                continue
            found.append({"path": f"media/{one.key}", "size": one.size})
        progress(0.2 + 0.7 * (number + 1) / len(prefixes))
    have = {one["path"] for one in found}
    for key in names.originals:
        if f"media/{key}" not in have:
            packing.omissions.append(Omission(key, _("The store does not have this file.")))
    return found


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(CHUNK):
        yield piece


def _received(packing: Packing, person: Person) -> dict[str, Any]:
    """Who outside got something of this person, and to whom something of anybody may go now."""
    fields = ("name", "purpose", "classes", "owner")
    try:
        declared = [one.said() for one in destinations.load(options().folder).values()]
    except destinations.DestinationsError:
        declared = []
        why = _("The operator's list of ways out could not be read when this file was made.")
        packing.omissions.append(Omission("received.json: declared", why))
    return {
        "got": [
            {**one, "what": str(ContactKind(one["kind"]).label)}
            for one in access_disclosures(person)
        ],
        "declared": [{name: one[name] for name in fields} for one in declared],
    }


def _say_omissions(packing: Packing) -> None:
    for name, subject in EVENTS.items():
        if subject.why_not:
            packing.omissions.append(Omission(f"events: {name}", str(subject.why_not)))
    packing.omissions.append(
        Omission(
            "front-access.log",
            _("Lines of the web server name a network address and no account."),
        )
    )


def sweep() -> int:
    """Files of downloads that no row names any more, once they are old enough. Returns how many."""
    before = timezone.now().timestamp() - ORPHAN_S
    kept = set(Download.objects.exclude(key="").values_list("key", flat=True))
    gone = [
        one.key
        for one in records.objects().list(DOWNLOADS)
        if one.key not in kept and one.modified_ms / 1000 < before
    ]
    records.objects().delete(*gone)
    return len(gone)
