"""Evidence packs to break: a log of given entries with tiles, checkpoint and cosignatures.

The tree is written here a second time, plainly and after RFC 6962's own recursion, so that the
verifier is not held against itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jhalak.border.evidence import Said, gather
from jhalak.verify import verify

ORIGIN = "jhalak.example/test"
HOUR = 3_600_000
DAY = 24 * HOUR
START = 1_780_000_000_000 // HOUR * HOUR
HOURS = 32
UNTIL = START + HOURS * HOUR


class Signer:
    """An Ed25519 key for notes; `algorithm` 1 for a log, 4 for a witness."""

    def __init__(self, name: str, algorithm: int = 1, seed: bytes = b"\1" * 32) -> None:
        self.name, self.algorithm = name, algorithm
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = bytes([algorithm]) + raw
        self.id = hashlib.sha256(name.encode() + b"\n" + self.public).digest()[:4]
        self.verifier_key = f"{name}+{self.id.hex()}+{base64.b64encode(self.public).decode()}"

    def line(self, text: str, at: int = UNTIL // 1000) -> str:
        if self.algorithm == 1:
            signature = self.key.sign(text.encode())
        else:
            stamp = f"cosignature/v1\ntime {at}\n"
            signature = at.to_bytes(8, "big") + self.key.sign((stamp + text).encode())
        return f"\u2014 {self.name} {base64.b64encode(self.id + signature).decode()}\n"

    def note(self, text: str) -> bytes:
        return f"{text}\n{self.line(text)}".encode()


LOG = Signer(ORIGIN)
WITNESS = Signer("witness.example/w1", 4, b"\2" * 32)


def leaf(at: int, kind: str, body: dict[str, Any], name: str | None = None) -> bytes:
    name = name or hashlib.sha256(repr((at, kind, body)).encode()).hexdigest()[:24]
    entry = {"at": at, "body": body, "id": name, "kind": kind, "v": 1}
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def checkpoint(leaves: list[bytes], *witnesses: Signer, log: Signer = LOG) -> bytes:
    text = f"{log.name}\n{len(leaves)}\n{base64.b64encode(root(leaves)).decode()}\n"
    return log.note(text) + "".join(one.line(text) for one in witnesses).encode()


def write_log(folder: Path, leaves: list[bytes], signed: bytes | None = None) -> None:
    """The folder `log` of an installation with these leaves."""
    folder.mkdir(parents=True)
    (folder / "checkpoint").write_bytes(signed or checkpoint(leaves, WITNESS))
    hashes = [root([one]) for one in leaves]
    level = 0
    while hashes:
        for number, begin in enumerate(range(0, len(hashes), 256)):
            part = hashes[begin : begin + 256]
            _write(folder / verify.tile_path(level, number, len(part)), b"".join(part))
        full = range(0, len(hashes) - 255, 256)
        hashes = [verify.subtree(b"".join(hashes[at : at + 256])) for at in full]
        level += 1
    for number, begin in enumerate(range(0, len(leaves), 256)):
        bundle = leaves[begin : begin + 256]
        data = b"".join(len(one).to_bytes(2, "big") + one for one in bundle)
        _write(folder / verify.tile_path("entries", number, len(bundle)), data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


FLOW = {
    "bytes_in": 300,
    "bytes_out": 200,
    "destination": "mail",
    "purpose": "log-in codes",
    "address": "198.51.100.7",
    "port": 587,
    "outcome": "sent",
}


def flow(at: int, **other: Any) -> bytes:
    return leaf(at, "egress_flow", {**FLOW, "opened": at - 900, "closed": at - 100, **other})


def control(at: int, *, blocked: bool = True, seen: bool = True) -> bytes:
    body = {"attempt": "tcp 192.0.2.1:443", "blocked": blocked, "seen": seen}
    return leaf(at, "control", {**body, "process": "worker", "errno": "ENETUNREACH"})


def excused(item: dict[str, Any]) -> bytes:
    return leaf(UNTIL - 3, "exception", {**item, "event": "declared"})


def entries(skip: Iterable[int] = ()) -> list[bytes]:
    """Two days of a small installation, less the hours in `skip`."""
    found = [
        leaf(START, "start", {}),
        leaf(START + 1, "seal", {"name": "web", "pid": 7, "sealed": True}),
        leaf(START + 2, "destination", DESTINATION),
        leaf(START + 3, "model", {"kind": "places", "digest": MODEL, "verdict": "better"}),
    ]
    for hour in set(range(HOURS)) - set(skip):
        begin = START + hour * HOUR
        found.append(control(begin + 600_000))
        for minute in range(15, 60, 5):
            at = begin + minute * 60_000
            found += [flow(at), leaf(at + 1, "staff_session", STAFF, f"{hour}-{minute}-staff")]
    return sorted(found, key=lambda one: json.loads(one)["at"])


STAFF = {
    "subject": "a5" * 32,
    "role": "operator",
    "place": "Pune",
    "purpose": "support",
    "begun": 1,
}
DESTINATION = {
    "name": "mail",
    "host": "mail.example",
    "port": 587,
    "purpose": "log-in codes",
    "classes": ["contact"],
    "owner": "asha",
    "expires": "2030-01-01",
}
MANIFEST = b'{"kind":"places"}\n'
MODEL = hashlib.sha256(MANIFEST).hexdigest()
SAID = Said(
    map={"declared": {"people.handle": {"class": "profile"}}, "live": ["people.handle"]},
    processes=[{"name": "web", "pid": 7, "sealed": True, "walls": {}, "why": ""}],
    destinations=[DESTINATION],
    exceptions=[],
    release={"files": {"jhalak/__init__.py": "0" * 64}, "differences": []},
    models={MODEL: ({"digest": MODEL, "kind": "places", "holds": True, "why": ""}, MANIFEST)},
    people=[{"name": "asha", "roles": ["operator"]}],
    materials={"bomFormat": "CycloneDX"},
    captures=[],
    keys={"log": LOG.verifier_key, "witnesses": [WITNESS.verifier_key]},
    jurisdiction="A company under the law of one country.",
)


def make_pack(
    folder: Path,
    leaves: list[bytes],
    said: Said = SAID,
    *,
    since_ms: int = START,
    until_ms: int = UNTIL,
    signed: bytes | None = None,
) -> Path:
    """A pack made as an installation makes it."""
    write_log(folder / "data/log", leaves, signed)
    gather(
        folder / "data/log",
        folder / "evidence",
        said,
        since_ms=since_ms,
        until_ms=until_ms,
        period_ms=HOUR,
        sign=LOG.note,
    )
    return folder / "evidence"


def look(pack: Path, **given: Any) -> verify.Report:
    keys = {"log_keys": [LOG.verifier_key], "witness_keys": [WITNESS.verifier_key]}
    return verify.Pack(pack, **{**keys, **given}).run()
