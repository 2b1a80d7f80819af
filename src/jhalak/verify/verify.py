"""Checks an evidence pack of a Jhalak installation on a machine without network: green or red.

    python verify.py evidence/ --log-key VKEY --witness-key VKEY [--json out.json] [--html out.html]

Exit status 0 is green, 1 red, 2 no pack at all. Needs Python 3.11 and the package `cryptography`,
and nothing of Jhalak: this one file is meant to be read by who does not trust its author. Nothing
in the pack is believed: what is signed is checked against the signature, what is logged against
the Merkle tree, what is summed is summed again.

Formats: RFC 6962 (tree), C2SP tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import bisect
import datetime
import errno
import hashlib
import html
import io
import json
import multiprocessing
import os
import stat
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "jhalak/evidence/v1"
KEPT = frozenset(  # each is read
    {"start", "stop", "seal", "control", "destination", "release", "exception", "residency_report"}
)
COUNTED = frozenset(
    {"egress_flow", "egress_refusal", "model", "takedown", "order", "key", "staff_session"}
    | {"audit_read", "export", "erasure", "map", "clock"}
)
KINDS = KEPT | COUNTED
# What the checks below read may not be hidden behind a commitment.
OPEN = KEPT | {"egress_flow", "egress_refusal", "model", "map", "clock", "key"}
# Processes that are outside by what they are for; any other exception must stand in the log.
BY_DESIGN = frozenset({"supervisor", "keeper", "broker", "control", "world", "crowd"})
# What is only entered while the site runs.
BUSY = frozenset({"control", "egress_flow", "egress_refusal", "staff_session", "audit_read"})
HOUR_MS = 3_600_000  # of flows the first and the last of each hour are looked at
SPAN_MS = 300_000  # what ran is known by spans of this length
EVER = 1 << 53  # milliseconds; no time of an entry is as late
LATE_MS = 15 * 60_000  # entries of several processes may come in another order than their times
SILENCE = 2  # periods: the control comes at any moment of each, so two lie less than that apart
LONGEST_PERIOD_MS = 24 * 3_600_000  # a pack may state a shorter one, and no longer one
CODE = (".py", ".pyc", ".so", ".pyd", ".pth")  # what Python would run
MOST_JSON = 256 << 20
MOST_NOTE = 1 << 20
MOST_REASONS = 20  # that one check lists; the rest is counted
WIDTH = 256  # hashes in a full tile, entries in a full bundle
CHUNK = 64  # bundles that one task reads
CHECKS = {
    "pack": "Every file is the one that the manifest names, and the log's key signed the manifest",
    "checkpoint": "The log's key signed the checkpoint",
    "tree": "Every entry is the one that was logged, at its place",
    "witnesses": "Witnesses cosigned the checkpoint",
    "history": "The log has one history: earlier checkpoints lie in this one",
    "entries": "Every entry is well formed, and its id is used once",
    "time": "No time is missing, and no clock went back",
    "control": "In each period a deliberate attempt to leave was blocked and seen",
    "map": "All that is stored is declared",
    "seal": "Every process was sealed",
    "flows": "What left went to declared destinations, and the sums hold",
    "exceptions": "The log knows each exception, and none is over its date",
    "release": "The code that ran is the released one",
    "models": "Each model in force has a true manifest",
    "capture": "Captures of the wire agree with the ledger",
}
NEVER_CLAIMED = (
    "That nothing can leave. Shown is: nothing else left through the measured border in this time.",
    "That no covert channel exists: timing, patterns hidden in public videos, names of files.",
    "That nobody filmed a screen, carried out a disk, or looked on from abroad over a shoulder.",
    "That an operator who holds kernel, meter and log key together did not lie from the start.",
    "That witnesses are independent of the operator: who they are must be known another way.",
    "What a declared destination does with what it receives.",
    "What was copied before the log began, and what went on while the site was stopped.",
    "That a compiled byte-code file beside a source is that source: only sources are hashed.",
    "That a person's data is gone from a model's weights; only which data a model was made from.",
    "Jurisdiction: who can be compelled is the operator's statement, and no computer proves it.",
)


class Broken(Exception):
    """A file or note that cannot be read as what it should be; the message says why."""


def plain(text: str) -> str:
    """Without what a terminal would obey, or what turns the direction of writing: such characters
    are told by their numbers. The words of a pack are its maker's.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)


@dataclass
class Report:
    """What was found. `reasons`: check -> sentences; a check without any holds, if not idle."""

    reasons: dict[str, list[str]] = field(default_factory=dict)
    more: Counter[str] = field(default_factory=Counter)
    idle: set[str] = field(default_factory=set)  # checks that had nothing to check
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def red(self, check: str, reason: str) -> None:
        reason, found = plain(reason), self.reasons.setdefault(check, [])
        if reason in found:
            return
        if len(found) < MOST_REASONS:
            found.append(reason)
        else:
            self.more[check] += 1

    def add(self, other: Report) -> None:
        for check, reasons in other.reasons.items():
            for reason in reasons:
                self.red(check, reason)
        self.more += other.more

    def nothing(self, check: str) -> bool:
        """Whether there was nothing to check, which is no good news."""
        return check in self.idle and check not in self.reasons

    @property
    def green(self) -> bool:
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        return {
            "format": "jhalak/evidence-report/v1",
            "verdict": "green" if self.green else "red",
            "checks": [
                {
                    "check": check,
                    "says": says,
                    "holds": None if self.nothing(check) else check not in self.reasons,
                    "reasons": self.reasons.get(check, []),
                    "more_reasons": self.more[check],
                }
                for check, says in CHECKS.items()
            ],
            "notes": self.notes,
            "facts": self.facts,
            "never_claimed": list(NEVER_CLAIMED),
        }


# Signed notes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A verifier key, `name+hash+base64(algorithm || public key)`. Raises Broken for others."""

    name: str
    id: bytes
    algorithm: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Key:
        name, _, rest = text.strip().partition("+")
        given, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Broken(f"{text[:60]!r} is no verifier key") from error
        key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if not name or len(raw) != 33 or raw[0] not in (1, 4) or given != key_id.hex():
            raise Broken(f"{text[:60]!r} is no verifier key of kind Ed25519")
        return cls(name, key_id, raw[0], raw[1:])

    def verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Note:
    text: str  # with its last newline
    signatures: tuple[tuple[str, bytes], ...]  # name, key id + signature

    @classmethod
    def parse(cls, data: bytes) -> Note:
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Broken("it is no UTF-8") from error
        if any(ord(c) < 32 and c != "\n" for c in whole):
            raise Broken("it has control characters")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise Broken("it is no signed note")
        signatures = []
        for line in lines[:-1].split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            try:
                raw = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError) as error:
                raise Broken("a signature line is no Base64") from error
            if dash != "\u2014" or not name or len(raw) < 5:
                raise Broken("a signature line is malformed")
            signatures.append((name, raw))
        return cls(text + "\n", tuple(signatures))

    def signed_by(self, key: Key) -> bool:
        """Whether this key signed it: a log's key plainly, a witness's with the time."""
        return self.signed_at(key) is not None

    def signed_at(self, key: Key) -> int | None:
        """The time of a cosignature in seconds, 0 for a plain signature, None without one."""
        for name, raw in self.signatures:
            if (name, raw[:4]) != (key.name, key.id):
                continue
            if key.algorithm == 1 and key.verifies(self.text.encode(), raw[4:]):
                return 0
            if key.algorithm == 4 and len(raw) == 76:
                at = int.from_bytes(raw[4:12], "big")
                message = f"cosignature/v1\ntime {at}\n{self.text}".encode()
                if key.verifies(message, raw[12:]):
                    return at
        return None


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    note: Note

    @classmethod
    def parse(cls, data: bytes) -> Checkpoint:
        note = Note.parse(data)
        lines = note.text.split("\n")
        if len(lines) < 4 or not lines[0]:
            raise Broken("it is no checkpoint")
        size = lines[1]
        if not size.isascii() or not size.isdigit() or size != str(int(size[:20])):
            raise Broken("its size is no number")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Broken("its root is no Base64") from error
        if len(root) != 32 or int(size) >= 1 << 63:
            raise Broken("its root or size is out of range")
        return cls(lines[0], int(size), root, note)


# The tree ---------------------------------------------------------------------------------------


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree(hashes: bytes) -> bytes:
    """The root over 2^k hashes, one after the other in `hashes`."""
    sha256 = hashlib.sha256
    while len(hashes) > 32:
        hashes = b"".join(
            [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)]
        )
    return hashes


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """`tile/0/x001/234`, with `.p/W` for a partial one."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    path = f"tile/{level}/{'/'.join(reversed(parts))}"
    return path if width == WIDTH else f"{path}.p/{width}"


def widths(size: int, level: int) -> Iterator[tuple[int, int]]:
    """(number, width) of each tile of this level in a tree of `size` leaves."""
    full, rest = divmod(size >> (8 * level), WIDTH)
    for number in range(full):
        yield number, WIDTH
    if rest:
        yield full, rest


class Tiles:
    """Hash tiles in a folder, for a tree of one size."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size

    def width(self, level: int, number: int) -> int:
        return min(WIDTH, (self.size >> (8 * level)) - number * WIDTH)

    def read(self, level: int, number: int) -> bytes:
        """All hashes of this tile. Raises Broken when it is absent, cut off or too long."""
        width = self.width(level, number)
        name = tile_path(level, number, width)
        data = _read(self.folder / name, 32 * WIDTH, f"log/{name}")
        if len(data) != 32 * width:
            raise Broken(f"log/{name} has {len(data)} bytes and should have {32 * width}")
        return data

    def root(self, size: int) -> bytes:
        """The root that this tree had when it had `size` leaves. Raises Broken."""
        if size == 0:
            return hashlib.sha256(b"").digest()
        found, begin = [], 0
        for bit in reversed(range(size.bit_length())):
            if not size >> bit & 1:
                continue
            level, within = divmod(bit, 8)
            first = begin >> (8 * level)
            number, at = divmod(first, WIDTH)
            tile = self.read(level, number)
            found.append(subtree(tile[32 * at : 32 * (at + (1 << within))]))
            begin += 1 << bit
        root = found.pop()
        while found:
            root = node_hash(found.pop(), root)
        return root


def check_upper_tiles(tiles: Tiles, report: Report) -> dict[int, bytes]:
    """Checks each tile from level 1 on against the one above; returns those of level 1."""
    first: dict[int, bytes] = {}
    above: dict[int, bytes] = {}
    top = 0
    while tiles.size >> (8 * (top + 1)):
        top += 1
    for level in range(top, 0, -1):
        here: dict[int, bytes] = {}
        for number, width in widths(tiles.size, level):
            try:
                here[number] = tiles.read(level, number)
            except Broken as error:
                report.red("tree", str(error))
                continue
            if width == WIDTH and number // WIDTH in above:
                at = 32 * (number % WIDTH)
                if subtree(here[number]) != above[number // WIDTH][at : at + 32]:
                    name = tile_path(level, number)
                    report.red("tree", f"log/{name} was altered: the tile above it does not agree")
        above = first = here
    return first


# Entries ----------------------------------------------------------------------------------------


@dataclass
class Part:
    """What was found in a run of entries."""

    reasons: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[int, int, str, dict[str, Any]]] = field(default_factory=list)
    first_at: int | None = None
    high: int = 0  # the latest time in it
    low: tuple[int, int] = (0, 0)  # the earliest, and of which entry
    gaps: list[tuple[int, int, int]] = field(default_factory=list)  # from, to, entry after it
    ids: list[array[int]] = field(default_factory=list)
    flows: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    begun: dict[str, tuple[int, int, str]] = field(default_factory=dict)  # not over: entry, at, to
    ended: list[str] = field(default_factory=list)  # that did not begin in this part
    models: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    staff: Counter[str] = field(default_factory=Counter)
    bad_map: list[str] = field(default_factory=list)
    rotated: list[tuple[int, str]] = field(default_factory=list)  # entry, key that signs from then
    busy: dict[int, int] = field(default_factory=dict)  # span in which the site ran -> an entry
    sealed: int = 0


def _no_float(text: str) -> Any:
    raise ValueError(f"the number {text[:20]}")


_decode = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).raw_decode
_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def parse_leaf(leaf: bytes) -> dict[str, Any]:
    """The entry in a leaf. Raises ValueError, which says what is wrong with it."""
    text = leaf.decode("utf-8")
    entry, _ = _decode(text)
    if not isinstance(entry, dict) or entry.keys() != {"at", "body", "id", "kind", "v"}:
        raise ValueError("its fields are not at, body, id, kind, v")
    if _encode(entry) != text:
        raise ValueError("it is not canonical JSON")
    at, body, name, kind = entry["at"], entry["body"], entry["id"], entry["kind"]
    if type(at) is not int or type(body) is not dict or type(name) is not str or not name:
        raise ValueError("a field is of another type")
    if entry["v"] != 1 or type(kind) is not str or kind not in KINDS:
        raise ValueError(f"its kind is {str(kind)[:40]!r}, version {str(entry['v'])[:10]}")
    if not 0 < at < 1 << 53:
        raise ValueError("its time is out of range")
    return entry


def bundle_leaves(data: bytes) -> list[bytes]:
    """The leaves in a bundle: 16 bits of length, then the leaf. Raises Broken when cut off."""
    leaves, at, end = [], 0, len(data)
    while at < end:
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > end or at > end:
            raise Broken("is cut off")
        leaves.append(data[begin:at])
    return leaves


def scan(task: tuple[str, int, int, int, int, dict[int, bytes]]) -> Part:
    """Reads bundles first..last-1 and their tiles. Top-level, so that processes can be given it."""
    folder, size, period, first, last, parents = task
    tiles, part = Tiles(Path(folder), size), Part()
    part.ids = [array("Q") for _ in range(64)]
    for number in range(first, last):
        width = min(WIDTH, size - number * WIDTH)
        name = tile_path("entries", number, width)
        try:
            leaves = bundle_leaves(_read(tiles.folder / name, WIDTH * 65_538, f"log/{name}"))
        except Broken as error:
            text = str(error)
            part.reasons.append(("tree", text if "log/" in text else f"log/{name} {text}"))
            continue
        hashes = [leaf_hash(leaf) for leaf in leaves]
        parent = parents.get(number // WIDTH)
        at = 32 * (number % WIDTH)
        wanted = parent[at : at + 32] if parent is not None and width == WIDTH else None
        for reason in _check_bundle(tiles, number, width, hashes, wanted):
            part.reasons.append(("tree", reason))
        for offset, leaf in enumerate(leaves[:width]):
            _take(part, number * WIDTH + offset, leaf, period)
    return part


def _check_bundle(
    tiles: Tiles,
    number: int,
    width: int,
    hashes: list[bytes] | None,
    wanted: bytes | None,
) -> Iterator[str]:
    """`hashes`: of the bundle's leaves, when it is in the pack. `wanted`: the root over the tile,
    of which the tile above speaks.
    """
    name = tile_path("entries", number, width)
    try:
        tile = tiles.read(0, number)
    except Broken as error:
        yield str(error)
        return
    if wanted is not None and subtree(tile) != wanted:
        yield (
            f"log/{tile_path(0, number)} was altered: entries {number * WIDTH} to"
            f" {number * WIDTH + WIDTH - 1} are not those under the signed root"
        )
    if hashes is None or b"".join(hashes) == tile:
        return
    logged = [tile[at : at + 32] for at in range(0, len(tile), 32)]
    if len(hashes) != width:
        missing = [number * WIDTH + i for i, h in enumerate(logged) if h not in set(hashes)]
        yield (
            f"log/{name} has {len(hashes)} entries and should have {width}"
            + (f": entry {missing[0]} was dropped" if missing else "")
        )
    elif sorted(hashes) == sorted(logged):
        moved = [number * WIDTH + i for i in range(width) if hashes[i] != logged[i]]
        yield f"log/{name} has its entries in another order: from entry {moved[0]} on"
    else:
        for i in range(width):
            if hashes[i] != logged[i]:
                yield f"entry {number * WIDTH + i} was edited: it is not what was logged"


def _take(part: Part, index: int, leaf: bytes, period: int) -> None:
    try:
        entry = parse_leaf(leaf)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are one
        part.reasons.append(("entries", f"entry {index} is malformed: {str(error)[:120]}"))
        return
    at, kind, body = entry["at"], entry["kind"], entry["body"]
    digest = hashlib.blake2b(entry["id"].encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    part.ids[number & 63].append(number)
    part.count += 1
    part.kinds[kind] += 1
    if kind in BUSY:
        part.busy.setdefault(at // SPAN_MS, index)
    if part.first_at is None:
        part.first_at, part.high, part.low = at, at, (at, index)
    elif at > part.high:
        if at - part.high > SILENCE * period:
            part.gaps.append((part.high, at, index))
        part.high = at
    elif at < part.high - LATE_MS:
        part.reasons.append(("time", _went_back(index, at, part.high)))
    if at < part.low[0]:
        part.low = (at, index)
    if body.keys() == {"commitment"}:
        part.sealed += 1
        if kind in OPEN:
            part.reasons.append(("entries", f"entry {index} hides what a {kind} says"))
    else:
        _sort(part, index, at, kind, body)


def _sort(part: Part, index: int, at: int, kind: str, body: dict[str, Any]) -> None:
    if kind == "egress_flow":
        _take_flow(part, index, at, body)
    elif kind in KEPT:
        part.kept.append((index, at, kind, body))
    elif kind == "model" and body.get("digest"):  # none: what was taken back was the first
        part.models[str(body.get("digest"))] = (
            index,
            str(body.get("kind")),
            str(body.get("verdict")),
        )
    elif kind == "staff_session" and len(part.staff) < 10_000:
        part.staff[f"{str(body.get('role'))[:40]} from {str(body.get('place'))[:80]}"] += 1
    elif kind == "key" and body.get("event") == "log_rotated":
        part.rotated.append((index, str(body.get("new"))))
    elif kind == "map":
        given = body.get("differences")
        for difference in given if isinstance(given, list) else []:
            part.bad_map.append(f"entry {index}: {str(difference)[:200]}")


def _went_back(index: int, at: int, before: int) -> str:
    return (
        f"entry {index} is dated {when(at)} and stands after one of {when(before)}: a clock was"
        " moved back, or the entry was held back"
    )


def _take_flow(part: Part, index: int, at: int, body: dict[str, Any]) -> None:
    """A flow is an entry when it is opened and one when it is over; its bytes are in the second."""
    try:
        numbers = [body[name] for name in ("bytes_in", "bytes_out", "opened", "closed")]
        destination, flow = body["destination"], body.get("flow", "")
        good = all(type(n) is int and n >= 0 for n in numbers)
        good = good and type(destination) is str and type(flow) is str
    except KeyError:
        good = False
    opening = good and body.get("outcome") == "opening" and bool(flow)
    if not good or (not opening and numbers[3] < numbers[2]):
        part.reasons.append(("flows", f"entry {index} is a flow without proper bytes or times"))
        return
    slot = part.flows.setdefault((destination, at // HOUR_MS), [0, 0, 0, index, at, at])
    slot[4:] = min(slot[4], at), max(slot[5], at)
    if opening:
        part.begun[flow] = (index, numbers[2], destination)
        return
    if flow and part.begun.pop(flow, None) is None:
        part.ended.append(flow)
    slot[0] += 1
    slot[1] += numbers[0]
    slot[2] += numbers[1]


class Entries:
    """All parts put together, in order."""

    def __init__(self, period: int) -> None:
        self.report, self.period = Report(), period
        self.count = self.sealed = 0
        self.kinds: Counter[str] = Counter()
        self.staff: Counter[str] = Counter()
        self.kept: list[tuple[int, int, str, dict[str, Any]]] = []
        self.flows: dict[tuple[str, int], list[int]] = {}
        self.begun: dict[str, tuple[int, int, str]] = {}
        self.models: dict[str, tuple[int, str, str]] = {}
        self.gaps: list[tuple[int, int, int]] = []
        self.bad_map: list[str] = []
        self.rotated: list[tuple[int, str]] = []
        self.busy: dict[int, int] = {}
        self.first_at: int | None = None
        self.high = 0
        self.ids = [array("Q") for _ in range(64)]

    def add(self, part: Part) -> None:
        for check, reason in part.reasons:
            self.report.red(check, reason)
        self.count += part.count
        self.sealed += part.sealed
        self.kinds += part.kinds
        self.staff += part.staff
        self.kept += part.kept
        self.models |= part.models
        self.bad_map += part.bad_map
        self.rotated += part.rotated
        self.busy = part.busy | self.busy
        for mine, theirs in zip(self.ids, part.ids, strict=True):
            mine.extend(theirs)
        self._add_flows(part)
        if part.first_at is None:
            return
        if self.first_at is None:
            self.first_at = self.high = part.first_at
        low, index = part.low
        if low < self.high - LATE_MS:
            self.report.red("time", _went_back(index, low, self.high))
        for begin, end, entry in [(self.high, part.first_at, index), *part.gaps]:
            if end - max(begin, self.high) > SILENCE * self.period:
                self.gaps.append((max(begin, self.high), end, entry))
        self.high = max(self.high, part.high)

    def _add_flows(self, part: Part) -> None:
        for where, found in part.flows.items():
            slot = self.flows.setdefault(where, [0, 0, 0, *found[3:]])
            for place in range(3):
                slot[place] += found[place]
            slot[4:] = min(slot[4], found[4]), max(slot[5], found[5])
        for flow in part.ended:
            self.begun.pop(flow, None)  # begun before the pack's time, when it is not there
        self.begun |= part.begun

    def sums(self) -> dict[str, list[int]]:
        """Destination -> flows, bytes in, bytes out."""
        sums: dict[str, list[int]] = {}
        for (name, _), numbers in sorted(self.flows.items()):
            if not numbers[0]:
                continue  # opened, and over in another hour
            total = sums.setdefault(name, [0, 0, 0])
            for place in range(3):
                total[place] += numbers[place]
        return sums

    def twice(self) -> int:
        """How many ids stand more than once."""
        return sum(len(ids) - len(set(ids)) for ids in self.ids)


def read_log(
    tiles: Tiles,
    first: int,
    period: int,
    processes: int,
    tell: Callable[[int, int], None],
) -> Entries:
    """Checks the whole tree under its upper tiles, and reads every bundle from that of entry
    `first` on, in several processes when there are many. `report` of the answer says what is wrong.
    """
    entries = Entries(period)
    parents = check_upper_tiles(tiles, entries.report)
    first = min(first, tiles.size) // WIDTH
    for number in range(first):  # before the pack's time: hashes alone
        parent, at = parents.get(number // WIDTH, b""), 32 * (number % WIDTH)
        for reason in _check_bundle(tiles, number, WIDTH, None, parent[at : at + 32] or None):
            entries.report.red("tree", reason)
    last = -(-tiles.size // WIDTH)
    tasks = [
        (
            str(tiles.folder),
            tiles.size,
            entries.period,
            begin,
            min(last, begin + CHUNK),
            {n: parents[n] for n in {begin // WIDTH, (begin + CHUNK) // WIDTH} if n in parents},
        )
        for begin in range(first, last, CHUNK)
    ]
    if processes < 2 or len(tasks) < 4:
        for done, task in enumerate(tasks):
            entries.add(scan(task))
            tell(done + 1, len(tasks))
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for done, part in enumerate(pool.imap(scan, tasks)):
                entries.add(part)
                tell(done + 1, len(tasks))
            pool.close()
            pool.join()
    if (twice := entries.twice()) > 0:
        entries.report.red("entries", f"{twice} entries have an id that another entry has")
    return entries


# The rest of the pack ---------------------------------------------------------------------------


def _open(path: Path) -> io.BufferedReader:
    """A plain file and nothing else: a pipe in a pack would wait for ever. Raises OSError."""
    at_once = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_RDONLY | at_once)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file")
    return open(descriptor, "rb")  # noqa: PTH123


def _read(path: Path, most: int, name: str) -> bytes:
    try:
        with _open(path) as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Broken(f"{name} cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise Broken(f"{name} is too large")
    return data


def _json(folder: Path, name: str, shape: type) -> Any:
    """A JSON file of the pack. Raises Broken."""
    data = _read(folder / name, MOST_JSON, name)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Broken(f"{name} is no JSON: {str(error)[:80]}") from error
    if not isinstance(found, shape):
        raise Broken(f"{name} is not of its format")
    return found


def when(ms: int) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"
    return moment.isoformat(" ", "seconds").replace("+00:00", " UTC")


def end_of(day: object) -> int | None:
    """The last millisecond of a date `YYYY-MM-DD`, in UTC; None for what is no date."""
    try:
        found = datetime.date.fromisoformat(str(day)[:10])
    except ValueError:
        return None
    midnight = datetime.datetime.combine(found, datetime.time(), datetime.UTC)
    return int(midnight.timestamp() * 1000) + 86_400_000 - 1


def running(begin: int, end: int, stopped: Iterable[tuple[int, int]]) -> int:
    """Milliseconds between two times, less those in which the site was stopped."""
    return end - begin - sum(max(0, min(end, b) - max(begin, a)) for a, b in stopped)


def release_digest(told: dict[str, Any]) -> str:
    """Of the release manifest that is told in release.json, as an installation enters it."""
    made = {name: value for name, value in told.items() if name != "differences"}
    text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _span(times: tuple[int, int]) -> str:
    return f"{when(times[0])} to {when(times[1])}"


def _words(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value))[:300]


def _exception(item: dict[str, Any]) -> tuple[str, ...]:
    """What tells one exception from another."""
    return tuple(
        str(item.get(name)) for name in ("kind", "subject", "expires", "from_ms", "until_ms")
    )


def stops(
    kept: Iterable[tuple[int, int, str, dict[str, Any]]], until: int
) -> list[tuple[int, int]]:
    """From each stop to the next start; a stop that is the last lasts until `until`."""
    found: list[tuple[int, int]] = []
    begun: int | None = None
    for _, at, kind, _body in kept:
        if kind == "stop":
            begun = at if begun is None else begun
        elif kind == "start" and begun is not None:
            found.append((begun, at))
            begun = None
    if begun is not None:
        found.append((begun, max(begun, until)))
    return found


class Pack:
    """One folder of evidence, and the checks of it. `run` does all."""

    def __init__(
        self,
        folder: Path,
        *,
        log_keys: Iterable[str] = (),
        witness_keys: Iterable[str] = (),
        checkpoints: Iterable[Path] = (),
        code: Path | None = None,
        processes: int | None = None,
        tell: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        self.folder, self.log, self.report = folder, folder / "log", Report()
        self.log_keys = [Key.parse(text) for text in log_keys]
        self.witness_keys = [Key.parse(text) for text in witness_keys]
        self.retired: list[Key] = []  # trusted, and exchanged for another one
        self.exchanged: list[tuple[str, Checkpoint, int, bytes]] = []  # file, under what, entry
        self.cosigned: list[tuple[str, int]] = []  # witness, second
        self.checkpoints, self.code, self.tell = list(checkpoints), code, tell
        self.processes = processes or min(os.cpu_count() or 1, 8)
        self.manifest: dict[str, Any] = {}
        self.since = self.until = self.period = 0

    def run(self, read: Entries | None = None) -> Report:
        """`read`: what `read_log` said, when it was already asked about these very tiles. Raises
        Broken when there is no manifest to begin with.
        """
        self.manifest = _json(self.folder, "manifest.json", dict)
        if self.manifest.get("format") != FORMAT:
            raise Broken(f"manifest.json is not of format {FORMAT}")
        try:
            self.since, self.until = self.manifest["since_ms"], self.manifest["until_ms"]
            self.period, first = self.manifest["period_ms"], self.manifest["first_entry"]
            numbers = (self.since, self.until, self.period, first)
            if not all(type(n) is int and 0 <= n < 1 << 53 for n in numbers):
                raise TypeError
        except (KeyError, TypeError) as error:
            raise Broken("manifest.json lacks times, period or first entry") from error
        if not 0 < self.period <= LONGEST_PERIOD_MS:
            self.report.red("time", "the pack states no period, or one longer than 24 hours")
            self.period = LONGEST_PERIOD_MS
        self._look("pack", self._keys)
        self._look("checkpoint", self._rotations)
        self._look("pack", self._files)
        checkpoint = self._checkpoint()
        entries = Entries(self.period)
        of_log: dict[str, Callable[[Entries], None]] = {
            "checkpoint": self._newest_key,
            "time": lambda found: self._times(found, first),
            "control": self._control,
            "seal": self._seals,
            "flows": self._flows,
            "models": self._models,
        }
        if checkpoint is not None:
            entries = self._tree(checkpoint, first, read)
            for check, look in of_log.items():
                self._look(check, look, entries)
        else:
            self.report.idle |= {"tree", "history", "entries", *of_log}
        self._look("map", self._map, entries)
        self._look("exceptions", self._exceptions, entries)
        self._look("release", self._release, entries)
        self._look("capture", self._captures, entries)
        self._look("pack", self._facts, entries, checkpoint)
        return self.report

    def _look(self, check: str, look: Callable[..., None], *given: Any) -> None:
        """What a file of the pack is not shaped like is red, and stops no other check."""
        try:
            look(*given)
        except Broken as error:
            self.report.red(check, str(error))
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            said = f"a file of the pack is not of its format ({type(error).__name__}: {error})"
            self.report.red(check, said[:300])

    def _keys(self) -> None:
        try:
            found = _json(self.folder, "keys.json", dict)
        except Broken as error:
            self.report.red("pack", str(error))
            found = {}
        if not self.log_keys:
            self.report.notes.append(
                "The log's key was taken from the pack itself. Who made the pack could have made"
                " the key too: bring a copy that you got another way, with --log-key."
            )
            try:
                self.log_keys = [Key.parse(str(found.get("log", "")))]
            except Broken as error:
                self.report.red("checkpoint", f"keys.json: {error}")
        if not self.witness_keys:
            self.report.notes.append(
                "No witness's key was brought (--witness-key). That this history is the one that"
                " others were shown is then the operator's word."
            )
            for text in found.get("witnesses", []):
                try:
                    self.witness_keys.append(Key.parse(str(text)))
                except Broken as error:
                    self.report.red("witnesses", f"keys.json: {error}")

    def _rotations(self) -> None:
        """Keys that the trusted one leads to: each named by an entry under a checkpoint that the
        one before signed. `_history` holds that entry and checkpoint against the tree.
        """
        folder = self.log / "rotations"
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        chain: list[tuple[Key, Key]] = []
        for path in paths:
            try:
                old, new = self._rotation(path)
            except (Broken, ValueError) as error:
                self.report.red("checkpoint", f"log/rotations/{path.name}: {str(error)[:200]}")
                return
            if chain and chain[-1][1] != old:
                self.report.red("checkpoint", f"log/rotations/{path.name} goes on from another key")
                return
            chain.append((old, new))
        for old, new in chain:
            if old in self.log_keys and new not in self.log_keys:
                self.log_keys.append(new)
        for old, new in reversed(chain):  # what the newest signed speaks for those before it
            if new in self.log_keys and old not in self.log_keys:
                self.log_keys.append(old)
        self.retired = [old for old, _ in chain]

    def _rotation(self, path: Path) -> tuple[Key, Key]:
        data = _read(path, MOST_NOTE, path.name)
        leaf, _, rest = data.partition(b"\n")
        head, _, signed = rest.partition(b"\n\n")
        entry, under = parse_leaf(leaf), Checkpoint.parse(signed)
        lines = head.decode("ascii").split("\n")
        index = lines[1].removeprefix("index ") if len(lines) > 1 else ""
        if entry["kind"] != "key" or entry["body"].get("event") != "log_rotated":
            raise Broken("its entry exchanges no key")
        if not index.isdigit() or not int(index[:20]) < under.size:
            raise Broken("it does not say which entry it is")
        old, new = (Key.parse(str(entry["body"].get(name))) for name in ("old", "new"))
        for which, key in (("old", old), ("new", new)):
            if key.name != under.origin or key.algorithm != 1:
                raise Broken(f"its {which} key is of another log")
            if not under.note.signed_by(key):
                raise Broken(f"a forged exchange: the {which} key did not sign it")
        self.exchanged.append((path.name, under, int(index), leaf))
        return old, new

    def _signs(self, note: Note) -> bool:
        """Whether a key signed that is trusted and in force."""
        return any(note.signed_by(key) for key in self.log_keys if key not in self.retired)

    def _files(self) -> None:
        """manifest.json is signed, and names every file but the tiles, which the tree binds."""
        self._signature()
        named = self.manifest.get("files")
        if not isinstance(named, dict):
            self.report.red("pack", "manifest.json names no files")
            return
        for name, wanted in sorted(named.items()):
            path = self.folder / name
            if ".." in Path(name).parts or Path(name).is_absolute():
                self.report.red("pack", f"manifest.json names a file outside: {name[:80]!r}")
                continue
            try:
                with _open(path) as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                self.report.red("pack", f"{name} is missing: {error.strerror}")
                continue
            if found != wanted:
                self.report.red("pack", f"{name} was altered after the pack was made")
        self._unnamed(named)

    def _signature(self) -> None:
        try:
            data = _read(self.folder / "manifest.json", MOST_JSON, "manifest.json")
            note = Note.parse(_read(self.folder / "manifest.note", MOST_NOTE, "manifest.note"))
            wanted = (
                f"evidence of {self.manifest.get('origin')}\n{hashlib.sha256(data).hexdigest()}\n"
            )
            if note.text != wanted:
                self.report.red("pack", "manifest.json is not the one that was signed")
            elif self.log_keys and not self._signs(note):
                self.report.red("pack", "manifest.note is not signed by the log's key")
        except Broken as error:
            self.report.red("pack", f"manifest.note: {error}")

    def _unnamed(self, named: dict[str, Any]) -> None:
        free = {"manifest.json", "manifest.note", "report.html", "report.json"}
        for folder, folders, files in os.walk(self.folder):
            here = Path(folder).relative_to(self.folder)
            if here == Path("log"):
                folders[:] = [name for name in folders if name != "tile"]
            folders[:] = [name for name in folders if name != "__pycache__"]
            for file_name in files:
                name = (here / file_name).as_posix()
                if name not in named and name not in free:
                    self.report.red("pack", f"{name} is in the pack and not in its manifest")

    def _checkpoint(self) -> Checkpoint | None:
        try:
            found = Checkpoint.parse(_read(self.log / "checkpoint", MOST_NOTE, "log/checkpoint"))
        except Broken as error:
            self.report.red("checkpoint", f"log/checkpoint: {error}")
            return None
        origin = self.manifest.get("origin")
        if found.origin != origin:
            self.report.red(
                "checkpoint",
                f"the checkpoint is of another log: {found.origin[:80]!r}, not {origin!r:.80}",
            )
        if not any(key.name == found.origin for key in self.log_keys) or not self._signs(
            found.note
        ):
            self.report.red("checkpoint", "the checkpoint is not signed by the log's key")
        for key in self.witness_keys:
            at = found.note.signed_at(key) if key.algorithm == 4 else None
            if at is None:
                self.report.red("witnesses", f"witness {key.name} did not cosign the checkpoint")
            else:
                self.cosigned.append((key.name, at))
        self.report.facts["cosigned"] = [
            f"{name} at {when(at * 1000)}" for name, at in self.cosigned
        ]
        if not self.witness_keys:
            self.report.notes.append("This log has no witness.")
            self.report.idle.add("witnesses")
        return found

    def _tree(self, checkpoint: Checkpoint, first: int, entries: Entries | None) -> Entries:
        tiles = Tiles(self.log, checkpoint.size)
        try:
            if tiles.root(checkpoint.size) != checkpoint.root:
                self.report.red("tree", "the tiles do not give the root of the checkpoint")
        except Broken as error:
            self.report.red("tree", str(error))
        self._history(tiles, checkpoint)
        if entries is None:
            entries = read_log(tiles, first, self.period, self.processes, self.tell)
        self.report.add(entries.report)
        return entries

    def _newest_key(self, entries: Entries) -> None:
        trusted = [key for key in self.log_keys if key not in self.retired]
        for index, text in entries.rotated[-1:]:
            if Key.parse(text) not in trusted:
                raise Broken(f"entry {index} gave the log another key, and no record leads there")

    def _dated(self, tiles: Tiles, other: Checkpoint) -> None:
        """What came after a witness had signed cannot be dated long before that."""
        number, offset = divmod(other.size, WIDTH)
        path = self.log / tile_path("entries", number, tiles.width(0, number))
        if other.size >= tiles.size or not path.exists():
            return  # before the pack's time
        try:
            leaf = bundle_leaves(_read(path, WIDTH * 65_538, path.name))[offset]
            at = parse_leaf(leaf)["at"]
        except (ValueError, IndexError, RecursionError, Broken):
            return  # said where all entries are read
        for key in self.witness_keys:
            signed = other.note.signed_at(key) if key.algorithm == 4 else None
            if signed is not None and at < signed * 1000 - LATE_MS:
                self.report.red(
                    "time",
                    f"entry {other.size} is dated {when(at)}, and witness {key.name} had signed all"
                    f" before it, and not it, at {when(signed * 1000)}",
                )

    def _exchanges(self, tiles: Tiles, checkpoint: Checkpoint) -> None:
        """The entry that exchanged a key stands in this very tree, and so does what was signed."""
        for name, under, index, leaf in self.exchanged:
            try:
                if under.size > checkpoint.size or tiles.root(under.size) != under.root:
                    raise Broken("it is under another tree")
                at = 32 * (index % WIDTH)
                if tiles.read(0, index // WIDTH)[at : at + 32] != leaf_hash(leaf):
                    raise Broken(f"entry {index} is another one")
            except Broken as error:
                self.report.red("history", f"log/rotations/{name}: {error}")

    def _history(self, tiles: Tiles, checkpoint: Checkpoint) -> None:
        """Each other checkpoint must be what this tree was at that size."""
        self._exchanges(tiles, checkpoint)
        folder = self.log / "checkpoints"
        others = sorted(folder.iterdir()) if folder.is_dir() else []
        if not others and not self.checkpoints:
            self.report.idle.add("history")
        for path in [*others, *self.checkpoints]:
            try:
                other = Checkpoint.parse(_read(path, MOST_NOTE, path.name))
                if other.origin != checkpoint.origin:
                    raise Broken(f"it is of another log: {other.origin[:80]!r}")
                if not any(other.note.signed_by(key) for key in self.log_keys):
                    raise Broken("it is not signed by the log's key")
                if other.size > checkpoint.size:
                    reason = f"the log signed {other.size} entries, and this pack has fewer"
                elif tiles.root(other.size) == other.root:
                    self._dated(tiles, other)
                    continue
                elif other.size == checkpoint.size:
                    reason = f"a fork: the log's key signed two roots for {other.size} entries"
                else:
                    reason = (
                        f"a fork: what the log signed at {other.size} entries is no beginning of"
                        " this log; it was rewritten"
                    )
                self.report.red("history", f"{path.name}: {reason}")
            except Broken as error:
                self.report.red("history", f"{path.name}: {error}")

    def _times(self, entries: Entries, first: int) -> None:
        stopped = self._stopped(entries)
        self.report.facts["stopped"] = [[when(a), when(b)] for a, b in stopped]
        self._ran(entries)
        self._witnessed(entries)
        gaps = list(entries.gaps)
        if entries.first_at is None:
            self.report.red("time", "the log has no entry in this period")
        else:
            gaps.append((entries.high, self.until, -1))
            if first > 0 and entries.first_at > self.since:
                self.report.red("time", f"entries before {when(entries.first_at)} are missing")
            elif entries.first_at > self.since:
                self.report.notes.append(f"The log begins at {when(entries.first_at)}.")
            if entries.high > self.until + LATE_MS:
                self.report.red("time", f"an entry is dated {when(entries.high)}, after the pack")
        for begin, end, index in gaps:
            if running(begin, end, stopped) <= SILENCE * self.period:
                continue
            before = "the pack was made" if index < 0 else f"entry {index}"
            self.report.red(
                "time",
                f"a gap: no entry from {when(begin)} to {when(end)} (before {before}), and no stop"
                " and start, nor an exception, explain it",
            )

    def _ran(self, entries: Entries) -> None:
        """A stop excuses that nothing was measured, so nothing may have gone on after it."""
        spans = sorted(entries.busy)
        for begin, end in stops(entries.kept, self.until):
            at = bisect.bisect(spans, (begin + LATE_MS) // SPAN_MS)
            if at < len(spans) and spans[at] < (end - LATE_MS) // SPAN_MS:
                self.report.red(
                    "time",
                    f"the log says that the site was stopped from {when(begin)} to {when(end)},"
                    f" and entry {entries.busy[spans[at]]} shows that it ran",
                )

    def _witnessed(self, entries: Entries) -> None:
        """A witness's clock is not the operator's."""
        for name, at in self.cosigned:
            if at * 1000 < entries.high - LATE_MS:
                self.report.red(
                    "time",
                    f"an entry is dated {when(entries.high)}, and witness {name} had signed it by"
                    f" then, at {when(at * 1000)}",
                )

    def _stopped(self, entries: Entries) -> list[tuple[int, int]]:
        """Times that a stop and a start explain, or a declared exception; none overlaps another."""
        found = stops(entries.kept, self.until)
        merged: list[tuple[int, int]] = []
        for begin, end in sorted([*found, *((a, b) for _, a, b in self._excused("gap"))]):
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            elif end > begin:
                merged.append((begin, end))
        return merged

    def _excused(self, kind: str) -> list[tuple[str, int, int]]:
        """(subject, from, until) of the exceptions of a kind that are not over."""
        try:
            given = _json(self.folder, "exceptions.json", list)
        except Broken:
            return []  # said by _exceptions
        found = []
        for item in given:
            if isinstance(item, dict) and item.get("kind") == kind:
                last = end_of(item.get("expires"))
                if last is not None and last >= self.until:
                    begin, end = item.get("from_ms", 0), item.get("until_ms", 0)
                    if type(begin) is int and type(end) is int:
                        found.append((str(item.get("subject")), begin, end))
        return found

    def _control(self, entries: Entries) -> None:
        if entries.first_at is None:
            return
        stopped = self._stopped(entries)
        good = []
        for index, at, kind, body in entries.kept:
            if kind != "control":
                continue
            attempt = f"{str(body.get('attempt'))[:60]} from {str(body.get('process'))[:40]}"
            if body.get("blocked") is not True:
                self.report.red(
                    "control", f"entry {index}: an attempt to leave was not blocked: {attempt}"
                )
            elif body.get("seen") is not True:
                self.report.red(
                    "control",
                    f"entry {index}: the meter did not see an attempt to leave ({attempt}), so its"
                    " zeros say nothing",
                )
            else:
                good.append(at)
        self.report.facts["controls"] = len(good)
        begin = max(entries.first_at, self.since)
        for at in [*sorted(good), self.until]:
            if at > begin:
                if running(begin, at, stopped) > SILENCE * self.period:
                    self.report.red(
                        "control",
                        f"no positive control from {when(begin)} to {when(at)}: was the meter"
                        " alive?",
                    )
                begin = at

    def _seals(self, entries: Entries) -> None:
        outside = BY_DESIGN & {subject for subject, _, _ in self._excused("unsealed")}
        excused = self._unsealed(entries)
        try:
            now = _json(self.folder, "processes.json", list)
            if not now and entries.kinds["start"]:
                self.report.red("seal", "processes.json names no process")
        except Broken as error:
            self.report.red("seal", str(error))
            now = []
        told = [(self.until, "now", item) for item in now]
        told += [(at, when(at), body) for _, at, kind, body in entries.kept if kind == "seal"]
        for at, body in self._reports(entries):
            moment = f"residency report of {when(at)}"
            told += [(at, moment, {"name": name}) for name in body.get("unsealed", [])]
        for at, moment, item in told:
            name = str(item.get("name") if isinstance(item, dict) else None)[:80]
            if isinstance(item, dict) and item.get("sealed") is True:
                continue
            why = str(item.get("why", ""))[:200] if isinstance(item, dict) else ""
            times = excused.get(name, [])
            if name in outside or any(a - LATE_MS <= at <= b for a, b in times):
                self.report.notes.append(f"{name} is not sealed, by a declared exception.")
                continue
            said = f"process {name} was not sealed ({moment}): {why}"
            if times:
                said += f"; an exception was declared for {' and '.join(map(_span, times))}"
            self.report.red("seal", said)
        self.report.notes = list(dict.fromkeys(self.report.notes))

    def _unsealed(self, entries: Entries) -> dict[str, list[tuple[int, int]]]:
        """Process -> (from when, until when) it was declared that it runs unsealed."""
        found: dict[str, list[tuple[int, int]]] = {}
        for (kind, subject, expires, *_), times in self._in_force(entries).items():
            if kind == "unsealed":
                last = end_of(expires) or 0
                found.setdefault(subject, []).extend((a, min(b, last)) for a, b in times)
        return found

    def _reports(self, entries: Entries) -> Iterator[tuple[int, dict[str, Any]]]:
        """The reports of the pack's time: of what began before it they alone may tell."""
        for _, at, kind, body in entries.kept:
            if kind == "residency_report" and at >= self.since:
                yield at, body

    def _flows(self, entries: Entries) -> None:
        try:
            stated = _json(self.folder, "flows.json", dict)
        except Broken as error:
            self.report.red("flows", str(error))
            return
        self._undeclared(entries)
        self._destinations(entries)
        sums = entries.sums()
        for index, at, name in sorted(entries.begun.values()):
            if at < self.until - LATE_MS:  # else it may go on
                self.report.red(
                    "flows",
                    f"entry {index}: a flow to {name[:80]!r} began and its end is missing: how much"
                    " it carried is not known",
                )
        for name in sorted(sums.keys() | stated.keys()):
            if sums.get(name) != stated.get(name):
                self.report.red(
                    "flows",
                    f"flows to {name[:80]!r} sum up to {sums.get(name)}, and the pack states"
                    f" {stated.get(name)} (flows, bytes in, bytes out)",
                )
        self.report.facts["flows"] = sums
        if not sums:
            self.report.idle.add("flows")

    def _undeclared(self, entries: Entries) -> None:
        dates, told = self._dates(entries), set()
        for (name, _), (*_, index, first, last) in sorted(entries.flows.items()):
            if name not in dates:
                self.report.red(
                    "flows",
                    f"destination {name[:80]!r} was used and is not declared (entry {index})",
                )
                continue
            for at in (first, last):
                day = when(at)[:10]
                good = any(a - LATE_MS <= at <= b + LATE_MS for a, b in dates[name])
                if not good and (name, day) not in told:
                    told.add((name, day))
                    self.report.red(
                        "flows",
                        f"destination {name[:80]!r} was used on {day}, at {when(at)[11:]}, when it"
                        f" was not declared (entry {index} or soon after)",
                    )

    def _destinations(self, entries: Entries) -> None:
        """What the pack lists is what the log was told last, field by field."""
        known = {str(one.get("name")): one for one in self._before(entries)}
        for _, _, kind, body in entries.kept:
            if kind == "destination":
                known[str(body.get("name"))] = body
        known = {name: one for name, one in known.items() if one.get("withdrawn") is not True}
        listed = {str(one["name"]): one for one in _json(self.folder, "destinations.json", list)}
        for name in sorted(known.keys() | listed.keys()):
            said, logged = listed.get(name, {}), known.get(name, {})
            other = sorted(f for f in said.keys() | logged.keys() if said.get(f) != logged.get(f))
            if not said or not logged:
                where = "not in the log" if said else "in the log and not in destinations.json"
                self.report.red("flows", f"the declaration of destination {name[:80]!r} is {where}")
            elif other:
                self.report.red(
                    "flows",
                    f"destinations.json has another {', '.join(other)[:200]} of destination"
                    f" {name[:80]!r} than the log",
                )
        fields = ("name", "host", "purpose", "classes", "owner", "expires")
        self.report.facts["destinations"] = [
            {field: _words(one.get(field, "")) for field in fields} for one in known.values()
        ]

    def _dates(self, entries: Entries) -> dict[str, list[tuple[int, int]]]:
        """Destination -> (from when, until when) of each of its declarations."""
        changes: dict[str, list[tuple[int, int | None]]] = {}  # when, until when; None: withdrawn
        for _, at, kind, body in entries.kept:
            if kind == "destination":
                last = None if body.get("withdrawn") is True else end_of(body.get("expires")) or 0
                changes.setdefault(str(body.get("name")), []).append((at, last))
        dates: dict[str, list[tuple[int, int]]] = {}
        for name, said in changes.items():
            ends = [at for at, _ in said[1:]] + [EVER]
            dates[name] = [
                (at, min(last, end))
                for (at, last), end in zip(said, ends, strict=True)
                if last is not None
            ]
        for item in self._before(entries):
            name, last = str(item.get("name")), end_of(item.get("expires")) or 0
            end = min(last, changes[name][0][0]) if name in changes else last
            dates.setdefault(name, []).append((0, end))
        return dates

    def _before(self, entries: Entries) -> list[dict[str, Any]]:
        """Destinations that had been declared before a pack that begins within the log: as the
        first report in it says, less those whose declaration the pack itself has.
        """
        if not self.manifest.get("first_entry"):
            return []
        for index, _, kind, body in entries.kept:
            if kind == "residency_report":
                told = {
                    body.get("name")
                    for at, _, one, body in entries.kept
                    if one == "destination" and at < index
                }
                listed = body.get("destinations")
                found = [one for one in listed if isinstance(one, dict)]  # type: ignore[union-attr]
                return [one for one in found if one.get("name") not in told]
        return []

    def _exceptions(self, entries: Entries) -> None:
        self._runners(entries)
        unlisted = {one for one, times in self._in_force(entries).items() if times[-1][1] == EVER}
        in_force = frozenset(unlisted)
        for item in _json(self.folder, "exceptions.json", list):
            if not isinstance(item, dict):
                raise Broken("exceptions.json is not of its format")
            what = f"{str(item.get('kind'))[:40]} of {str(item.get('subject'))[:80]}"
            last = end_of(item.get("expires"))
            if last is None:
                self.report.red("exceptions", f"the exception {what} has no date")
            elif last < self.until:
                self.report.red(
                    "exceptions", f"the exception {what} expired on {str(item['expires'])[:10]}"
                )
            if item.get("kind") == "unsealed" and item.get("subject") in BY_DESIGN:
                continue
            if _exception(item) not in in_force:
                self.report.red("exceptions", f"the exception {what} is not in force by the log")
            unlisted.discard(_exception(item))
        for kind, subject, *_ in sorted(unlisted):
            self.report.red(
                "exceptions",
                f"the exception {kind[:40]} of {subject[:80]} is in force by the log, and"
                " exceptions.json does not have it",
            )

    def _runners(self, entries: Entries) -> None:
        """Other machines that are given originals: outside of every seal that is told of here."""
        for index, at, kind, body in entries.kept:
            if kind == "exception" and body.get("exception") == "runner":
                done = "let in" if body.get("event") == "declared" else "removed"
                self.report.notes.append(
                    f"Runner {str(body.get('name'))[:80]}, which makes videos on another machine,"
                    f" was {done} at {when(at)} (entry {index})."
                )

    def _in_force(self, entries: Entries) -> dict[tuple[str, ...], list[tuple[int, int]]]:
        """Exception -> (from when, until when) the log has it as declared; EVER: it still is."""
        found: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        begun = not self.manifest.get("first_entry")  # else the first report is where it begins
        for _, at, kind, body in entries.kept:
            if kind == "residency_report" and not begun:
                listed = body.get("exceptions")
                given = [_exception(one) for one in listed if isinstance(one, dict)]  # type: ignore[union-attr]
                found, begun = {one: [(0, EVER)] for one in given}, True
            elif kind == "exception" and body.get("exception") != "runner":
                times = found.setdefault(_exception(body), [])
                if body.get("event") == "withdrawn":
                    times[-1:] = [(begin, min(end, at)) for begin, end in times[-1:]]
                elif not times or times[-1][1] != EVER:
                    times.append((at, EVER))
        return {one: times for one, times in found.items() if times}

    def _map(self, entries: Entries) -> None:
        found = _json(self.folder, "map.json", dict)
        declared, live = found.get("declared"), found.get("live")
        if not isinstance(declared, dict) or not isinstance(live, list):
            raise Broken("map.json is not of its format")
        undeclared = sorted({str(name) for name in live} - declared.keys())  # "part:name"
        for name in undeclared:
            self.report.red("map", f"{name[:120]} is stored and not declared")
        for difference in found.get("differences", []):
            if not any(name.rpartition(":")[2] in str(difference) for name in undeclared):
                self.report.red("map", str(difference)[:300])
        for difference in entries.bad_map:
            self.report.red("map", difference)
        self._reported_map(entries)

    def _reported_map(self, entries: Entries) -> None:
        """What the daily reports say was not declared. A file that lay in the data folder is told
        and not held against the whole time: anything may leave one there.
        """
        seen: set[str] = set()
        for at, body in self._reports(entries):
            count, named = body.get("map_differences", 0), body.get("undeclared", [])
            if count and not named:
                self.report.red("map", f"the residency report of {when(at)} counts {count!s:.20}")
            for difference in map(str, named):
                said = f"the residency report of {when(at)}: {difference[:300]}"
                if difference in seen:
                    continue
                seen.add(difference)
                if difference.startswith("files: "):
                    self.report.notes.append(said)
                else:
                    self.report.red("map", said)

    def _release(self, entries: Entries) -> None:
        found = _json(self.folder, "release.json", dict)
        files = found.get("files")
        if not isinstance(files, dict) or not files:
            self.report.red("release", "there is no release manifest: nobody says what code ran")
            return
        for difference in found.get("differences", []):
            self.report.red("release", str(difference)[:300])
        for index, _at, kind, body in entries.kept:
            given = body.get("differences") if kind == "release" else None
            for difference in given if isinstance(given, list) else []:
                self.report.red("release", f"entry {index}: {str(difference)[:300]}")
        logged = [
            body["digest"]
            for _, _, kind, body in entries.kept
            if kind == "release" and body.get("digest")
        ]
        if logged and logged[-1] != release_digest(found):
            self.report.red("release", "release.json is not the manifest that the last start had")
        if self.code is not None:
            self._code(self.code, files)

    def _code(self, code: Path, files: dict[str, Any]) -> None:
        for name, wanted in sorted(files.items()):
            try:
                with _open(code / name) as file:
                    same = hashlib.file_digest(file, "sha256").hexdigest() == wanted
            except OSError:
                same = False
            if not same:
                self.report.red("release", f"{name} in {code} is not the released one")
        released = {name.split("/")[0] for name in files}  # what else lies there is not ours
        for top in sorted(released):
            for path in sorted((code / top).rglob("*")):
                name = path.relative_to(code).as_posix()
                cached = path.suffix == ".pyc" and path.parent.name == "__pycache__"
                if path.suffix in CODE and not cached and name not in files:
                    self.report.red("release", f"{name} in {code} is code of no release")

    def _models(self, entries: Entries) -> None:
        try:
            listed = _json(self.folder, "models.json", list)
        except Broken as error:
            self.report.red("models", str(error))
            return
        told = {str(item.get("digest")): item for item in listed if isinstance(item, dict)}
        for digest, item in sorted(told.items()):
            name = f"{str(item.get('kind'))[:40]} {digest[:12]}"
            if item.get("holds") is not True:
                self.report.red("models", f"model {name}: {str(item.get('why'))[:200]}")
        for digest, (index, kind, _verdict) in sorted(entries.models.items()):
            if digest not in told:
                self.report.red(
                    "models", f"model {kind[:40]} {digest[:12]} (entry {index}) has no manifest"
                )
        for digest in sorted(told):
            if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
                self.report.red("models", f"{digest[:80]!r} is no digest")
                continue
            try:
                data = _read(self.folder / "models" / f"{digest}.json", MOST_NOTE, "its manifest")
            except Broken as error:
                self.report.red("models", f"model {digest[:12]}: {error}")
                continue
            if hashlib.sha256(data).hexdigest() != digest:
                self.report.red("models", f"the manifest of model {digest[:12]} was altered")

    def _captures(self, _: Entries) -> None:
        captures = _json(self.folder, "captures.json", list)
        if not captures:
            self.report.idle.add("capture")
        for item in captures:
            name = str(item.get("capture"))[:80] if isinstance(item, dict) else ""
            given = item.get("differences") if isinstance(item, dict) else None
            if not isinstance(given, list):
                raise Broken("captures.json is not of its format")
            for difference in given:
                self.report.red("capture", f"{name}: {str(difference)[:300]}")

    def _facts(self, entries: Entries, checkpoint: Checkpoint | None) -> None:
        facts = self.report.facts
        facts["origin"] = str(self.manifest.get("origin"))
        facts["from"], facts["until"] = when(self.since), when(self.until)
        facts["period_hours"] = self.period / 3_600_000
        facts["entries"], facts["kinds"] = entries.count, dict(sorted(entries.kinds.items()))
        facts["sealed_entries"] = entries.sealed
        facts["staff_sessions"] = dict(entries.staff.most_common(50))
        facts["log_keys"] = [f"{key.name}+{key.id.hex()}" for key in self.log_keys]
        if checkpoint is not None:
            facts["size"], facts["root"] = checkpoint.size, checkpoint.root.hex()
        facts["jurisdiction"] = str(self.manifest.get("jurisdiction", ""))[:4000]
        fields = ("kind", "subject", "reason", "owner", "expires")
        facts["exceptions"] = [
            {name: str(item.get(name, ""))[:300] for name in fields}
            for item in _json(self.folder, "exceptions.json", list)[:1000]
        ]
        facts["people"] = [
            {"name": str(item["name"])[:300], "roles": [str(role)[:80] for role in item["roles"]]}
            for item in _json(self.folder, "people.json", list)[:1000]
        ]


# For a person -----------------------------------------------------------------------------------

STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--dim:#5d5d66;--line:#d9d9df;
--good:#0a7a3d;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#ececf1;--paper:#141417;--dim:#a2a2ad;--line:#37373f;
--good:#57d38c;--bad:#ff8a80}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:46rem;padding:2rem 1.25rem;overflow-wrap:anywhere}
h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2.5rem 0 .5rem;
border-top:1px solid var(--line);padding-top:1rem}
.good{color:var(--good)}.bad{color:var(--bad)}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;
padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
.mark{width:5.5rem}.n{text-align:right;font-variant-numeric:tabular-nums}ul{padding-left:1.2rem}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--dim:#444;--line:#bbb;--good:#060;
--bad:#900}body{max-width:none;padding:0;font-size:11pt}h2,tr,li{break-inside:avoid}
h2{break-after:avoid}.last{break-before:page}}
"""


def _rows(rows: Iterable[tuple[object, ...]], head: tuple[str, ...]) -> str:
    def cell(value: object) -> str:
        if isinstance(value, int):
            return f'<td class="n">{value:,}</td>'
        return f"<td>{html.escape(str(value))}</td>"

    rows = list(rows)
    first = rows[0] if rows else head
    body = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>" for row in rows)
    top = "".join(
        f"<th{' class=n' if isinstance(value, int) else ''}>{html.escape(name)}</th>"
        for name, value in zip(head, first, strict=True)
    )
    return f"<table><tr>{top}</tr>{body}</table>" if body else '<p class="dim">None.</p>'


def _list(items: Iterable[object]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(str(item))}</li>' for item in items)}</ul>"


def as_html(report: Report) -> str:
    """A page without script or anything from elsewhere; its last page is what is not proven."""
    facts, esc = report.facts, html.escape
    checks = []
    for check, says in CHECKS.items():
        reasons = report.reasons.get(check, [])
        mark = '<span class="bad">Red</span>' if reasons else '<span class="good">Green</span>'
        if report.nothing(check):
            mark = '<span class="dim">Nothing to check</span>'
        if more := report.more[check]:
            reasons = [*reasons, f"and {more:,} more"]
        checks.append(
            f'<tr><td class="mark">{mark}</td>'
            f"<td>{esc(says)}{_list(reasons) if reasons else ''}</td></tr>"
        )
    verdict = (
        '<h1 class="good">Green: the evidence holds</h1>'
        if report.green
        else '<h1 class="bad">Red: the evidence does not hold</h1>'
    )
    flows = [(name, *numbers) for name, numbers in sorted(facts.get("flows", {}).items())]
    people = [(item["name"], ", ".join(item["roles"])) for item in facts.get("people", [])]
    exceptions = [
        (item["kind"], item["subject"], item["reason"], item["owner"], item["expires"])
        for item in facts.get("exceptions", [])
    ]
    ways = [tuple(item.values()) for item in facts.get("destinations", [])]
    stopped = facts.get("stopped", [])
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>Evidence of {esc(facts.get('origin', ''))}</title><style>{STYLE}</style>",
            f"</head><body><main>{verdict}",
            f'<p class="dim">{esc(facts.get("origin", ""))}, {esc(facts.get("from", ""))} to',
            f" {esc(facts.get('until', ''))}, {facts.get('entries', 0):,} entries read,",
            f" {facts.get('size', 0):,} in the log</p>",
            _list(report.notes) if report.notes else "",
            f"<h2>What was checked</h2><table>{''.join(checks)}</table>",
            "<h2>Claim 1, residency: where the bytes are</h2><p>Declared in the log:</p>",
            _rows(ways, ("destination", "host", "for what", "data", "who answers", "until")),
            "<p>What left through the broker:</p>",
            _rows(flows, ("destination", "flows", "bytes in", "bytes out")),
            f"<p>Deliberate attempts to leave, blocked and seen: {facts.get('controls', 0):,},",
            f" one expected in each {facts.get('period_hours', 0):g} h.",
            f" Times at which the site was stopped: {len(stopped):,}.</p>",
            _rows(map(tuple, stopped[:50]), ("stopped", "started")) if stopped else "",
            "<h2>Claim 2, control: who holds keys and privileged access</h2>",
            _rows(people, ("person", "roles")),
            "<p>Staff sessions, by role and stated place:</p>",
            _rows(facts.get("staff_sessions", {}).items(), ("who and where", "sessions")),
            "<p>Keys of the log: ",
            esc(", ".join(facts.get("log_keys", []))),
            f". Cosigned by: {esc(', '.join(facts.get('cosigned', [])) or 'nobody')}.</p>",
            "<h2>Claim 3, jurisdiction: who can be compelled</h2>",
            "<p>The operator states (not computed, not checked):</p>",
            f"<p>{esc(facts.get('jurisdiction') or 'Nothing was stated.')}</p>",
            "<h2>Exceptions in force</h2>",
            _rows(exceptions, ("kind", "of", "why", "who answers", "until")),
            "<h2>What is in the log</h2>",
            _rows(facts.get("kinds", {}).items(), ("kind", "entries")),
            f'<p class="dim">Root {esc(facts.get("root", ""))}</p>',
            f'<h2 class="last">Never claimed</h2>{_list(NEVER_CLAIMED)}',
            "</main></body></html>\n",
        )
    )


def as_text(report: Report) -> str:
    lines = ["GREEN: the evidence holds" if report.green else "RED: the evidence does not hold"]
    for check, reasons in report.reasons.items():
        lines += [f"  {check}: {reason}" for reason in reasons]
        if report.more[check]:
            lines.append(f"  {check}: and {report.more[check]} more")
    lines += [f"  note: {plain(note)}" for note in report.notes]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an evidence pack: green (0) or red (1).")
    parser.add_argument("pack", type=Path, help="the folder")
    parser.add_argument("--log-key", action="append", default=[], help="the log's verifier key")
    parser.add_argument("--witness-key", action="append", default=[], help="a witness's")
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, help="an earlier one that you kept"
    )
    parser.add_argument("--code", type=Path, help="folder of the code that runs, to be hashed")
    parser.add_argument("--processes", type=int, help="how many read entries at once")
    parser.add_argument("--json", type=Path, help="write the report for a machine")
    parser.add_argument("--html", type=Path, help="write the report for a person")
    given = parser.parse_args(arguments)

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == of else ""
            print(f"\r{100 * done // of} % of the entries", end=end, file=sys.stderr, flush=True)

    try:
        report = Pack(
            given.pack,
            log_keys=given.log_key,
            witness_keys=given.witness_key,
            checkpoints=given.checkpoint,
            code=given.code,
            processes=given.processes,
            tell=tell,
        ).run()
    except Broken as error:
        print(f"RED: this is no evidence pack: {plain(str(error))}", file=sys.stderr)
        return 2
    if given.json:
        text = json.dumps(report.as_json(), indent=1, ensure_ascii=False)
        given.json.write_text(text + "\n", "utf-8", "backslashreplace")
    if given.html:
        given.html.write_text(as_html(report), "utf-8", "backslashreplace")
    print(as_text(report))
    return 0 if report.green else 1


if __name__ == "__main__":
    sys.exit(main())
