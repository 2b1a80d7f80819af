"""Exchanging the key that signs the log. The log and its origin stay; who trusts the old key is led
to the new one by what the old one signed.

    <log>/rotations/<entry>          the KEY entry that names old and new, then its proof
                                     (tlog-proof) under a checkpoint that both keys signed
    <data>/border/signing/log.key    the newest key first, then the one that still signs beside it
    <data>/border/signing/log.key.next  what is wished: the new key, or "alone": the old one ends

A note may carry several signatures (C2SP signed-note); two keys of one name differ in their ids. So
who knows the old key reads each checkpoint of the overlap, and has that long to learn the new one.

Whoever writes the log carries a wish out, in steps of which each may be cut off and done again:

    1  the entry, whose id follows from the new key: it is there once
    2  the checkpoint with both signatures, in the place of the old key's
    3  the record
    4  log.key with both keys, by one rename
    5  the wish is forgotten
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jhalak.border.log import durable
from jhalak.border.log.checkpoints import Checkpoint, decimal, read_signed
from jhalak.border.log.entries import EntryError, Kind, entry, read_entry
from jhalak.border.log.hashing import HASH_BYTES, ProofError, leaf_hash, verify_inclusion
from jhalak.border.log.keys import load_signers
from jhalak.border.log.notes import NoteError, Signer, Verifier, decode64, generate
from jhalak.border.log.proofs import proof
from jhalak.border.log.writer import Log

FOLDER = "rotations"
EVENT = "log_rotated"
ALONE = "alone"
MOST_RECORD = 1 << 18


@dataclass(frozen=True)
class Rotation:
    """One exchange, verified: `old` and `new` both signed `head`, whose tree holds the entry."""

    old: Verifier
    new: Verifier
    head: Checkpoint


def wish_file(key_file: Path) -> Path:
    return key_file.with_name(f"{key_file.name}.next")


def wish(key_file: Path, *, alone: bool = False) -> None:
    """Have the log's writer take a new key; `alone`: have the old one end. A wish that waits is not
    overwritten. Raises NoteError, OSError.
    """
    path = wish_file(key_file)
    if path.exists():
        return
    signers = load_signers(key_file)
    if alone and len(signers) < 2:
        raise NoteError("one key signs the log: there is none to end")
    if not alone and len(signers) > 1:
        raise NoteError("the key before still signs: end it first, with --alone")
    text = ALONE if alone else generate(signers[0].name).private_text()
    durable.replace(path, f"{text}\n".encode(), 0o600)


def go_on(log: Log, key_file: Path) -> bool:
    """Carry out what is wished; whether there was a wish. Raises LogError, NoteError, OSError."""
    path = wish_file(key_file)
    try:
        text = path.read_text("utf-8").strip()
    except FileNotFoundError:
        return False
    if text == ALONE:
        signers: Sequence[Signer] = load_signers(key_file)[:1]
        log.sign_with(signers)
    else:
        signers = _exchange(log, Signer.parse(text), load_signers(key_file))
    lines = "".join(f"{one.private_text()}\n" for one in signers)
    durable.replace(key_file, lines.encode(), 0o600)
    path.unlink()
    durable.sync_folder(path.parent)
    return True


def _exchange(log: Log, new: Signer, signers: Sequence[Signer]) -> Sequence[Signer]:
    if signers[0].verifier == new.verifier:  # cut off after step 4
        return signers
    old = signers[0]
    name = f"log-key-{sha256(str(new.verifier).encode()).hexdigest()[:32]}"
    found = log.known(name)
    if found is None:
        body = {"event": EVENT, "old": str(old.verifier), "new": str(new.verifier)}
        leaf = entry(Kind.KEY, body, id=name)
        found = log.append([leaf])[0], leaf
    index, leaf = found
    log.sign_with((new, old))
    durable.make_folder(log.folder / FOLDER)
    record = leaf + b"\n" + proof(log.tiles, index, log.head.size)
    durable.replace(log.folder / FOLDER / f"{index:019d}", record)
    return new, old


def records(log_folder: Path) -> list[Path]:
    """The records of a log, in the order of their entries."""
    folder = log_folder / FOLDER
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted(path for path in found if path.name.isdigit())


def read_record(data: bytes) -> Rotation:
    """Check one record by itself. Raises NoteError, which says what is not so."""
    try:
        leaf, _, rest = data[:MOST_RECORD].partition(b"\n")
        head, _, checkpoint = rest.partition(b"\n\n")
        said = read_entry(leaf)
        if said.kind is not Kind.KEY or said.body.get("event") != EVENT:
            raise NoteError("the entry exchanges no key of the log")
        old, new = (Verifier.parse(str(said.body.get(name))) for name in ("old", "new"))
        if old.name != new.name:
            raise NoteError("the keys are of two logs")
        signed, _ = read_signed(checkpoint, old)
        read_signed(checkpoint, new)
        first, number, *steps = head.decode("ascii").split("\n")
        if first != "c2sp.org/tlog-proof@v1" or not number.startswith("index "):
            raise NoteError("there is no proof of the entry")
        index, path = decimal(number.removeprefix("index ")), [decode64(step) for step in steps]
        if any(len(step) != HASH_BYTES for step in path):
            raise NoteError(f"a hash has {HASH_BYTES} bytes")
        verify_inclusion(leaf_hash(leaf), index, signed.size, path, signed.root)
    except (EntryError, ProofError, ValueError) as error:
        raise NoteError(f"no record of an exchanged key: {error}") from error
    return Rotation(old, new, signed)


def newest_first(known: Verifier, rotations: Sequence[bytes]) -> tuple[Verifier, ...]:
    """A key that is trusted and those it leads to, the newest first: each named by an entry under a
    checkpoint that the one before signed. Records of other logs are passed over. Raises NoteError
    if a record is none, or does not go on from the key before.
    """
    found = [known]
    for data in rotations:
        one = read_record(data)
        if one.old.name != known.name:
            continue
        if one.old != found[0]:
            raise NoteError(f"the key {_short(one.old)} is not the one that signed until then")
        found.insert(0, one.new)
    return tuple(found)


def _short(key: Verifier) -> str:
    return f"{key.name}+{key.key_id.hex()}"
