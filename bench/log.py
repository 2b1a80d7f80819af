"""The border's log: entries appended a second, and proofs from a log of ten million.

Every entry goes through the real append: read and checked, hashed, in tiles, signed, fsynced, in
batches of 1,000 and 10,000. The baseline is the same bytes in the same batches in a plain file with
one fsync for each batch, by turns with the log's. Proofs are read from cold Python objects and a
warm page cache, at random places; the baseline of a proof is reading one bundle of entries.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figures import figure

from jhalak.border.log.hashing import leaf_hash, verify_consistency, verify_inclusion
from jhalak.border.log.notes import generate
from jhalak.border.log.tiles import Tiles
from jhalak.border.log.writer import Log

SIZE = 10_000_000
SMALL, GREAT = 1_000, 10_000
SMALL_BATCHES = 200
PROOFS = 300
_FLOW = (
    '{"at":%d,"body":{"address":"10.2.3.4","bytes_in":%d,"bytes_out":3321,"closed":1764500000999,'
    '"destination":"mail","opened":1764500000000,"outcome":"done","port":587,"purpose":"codes"},'
    '"id":"%032x","kind":"egress_flow","v":1}'
)


def _leaves(start: int, count: int) -> list[bytes]:
    return [
        (_FLOW % (1_764_500_000_000 + number, number % 100_000, number)).encode()
        for number in range(start, start + count)
    ]


def _appended(log: Log, plain: int, count: int, batch: int) -> tuple[float, float]:
    """Entries a second of the log and of the plain file."""
    took, took_plain, end = 0.0, 0.0, log.head.size + count
    while log.head.size < end:
        leaves = _leaves(log.head.size, batch)
        begun = time.perf_counter()
        log.append(leaves)
        middle = time.perf_counter()
        os.write(plain, b"\n".join(leaves))
        os.fsync(plain)
        took += middle - begun
        took_plain += time.perf_counter() - middle
    return count / took, count / took_plain


def _proofs(folder: Path, log: Log) -> list[dict[str, Any]]:
    head, draw = log.head, random.Random(1)
    inclusion, consistency, bundle, reads = [], [], [], []
    for _ in range(PROOFS):
        index, tiles = draw.randrange(head.size), Tiles(folder)
        begun = time.perf_counter()
        leaf = tiles.entry(index, head.size)
        bundle.append(time.perf_counter() - begun)
        tiles.reads = 0
        begun = time.perf_counter()
        proof = tiles.inclusion(index, head.size)
        inclusion.append(time.perf_counter() - begun)
        reads.append(tiles.reads)
        verify_inclusion(leaf_hash(leaf), index, head.size, proof, head.root)
        old = draw.randrange(1, head.size)
        begun = time.perf_counter()
        steps = tiles.consistency(old, head.size)
        consistency.append(time.perf_counter() - begun)
        verify_consistency(old, head.size, steps, tiles.root(old, head.size), head.root)
    read = statistics.median(bundle) * 1e3
    million = head.size / 1e6
    return [
        figure(
            f"inclusion proof, log of {million:g} million, median",
            statistics.median(inclusion) * 1e3, "ms", baseline=read, at_most=50,
        ),
        figure("inclusion proof, slowest", max(inclusion) * 1e3, "ms", at_most=50),
        figure("files read for an inclusion proof, most", max(reads), "files"),
        figure(
            "consistency proof, median",
            statistics.median(consistency) * 1e3, "ms", baseline=read, at_most=50,
        ),
        figure("consistency proof, slowest", max(consistency) * 1e3, "ms", at_most=50),
    ]  # fmt: skip


def run() -> list[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="jhalak-log-"))
    plain = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        signer = generate("jhalak.example/bench")
        with Log(folder / "log", signer, clock=lambda: 1_800_000_000_000) as log:
            small, small_plain = _appended(log, plain, SMALL * SMALL_BATCHES, SMALL)
            great, great_plain = _appended(log, plain, SIZE - log.head.size, GREAT)
            begun = time.perf_counter()
        with Log(folder / "log", signer) as log:
            opening = time.perf_counter() - begun
            figures = _proofs(folder / "log", log)
        written = sum(file.stat().st_size for file in (folder / "log").rglob("*"))
        return [
            figure(
                "appended, batches of 1,000", small, "entries/s",
                baseline=small_plain, at_least=10_000,
            ),
            figure(
                "appended, batches of 10,000", great, "entries/s",
                baseline=great_plain, at_least=10_000,
            ),
            *figures,
            figure("opening it again", opening * 1e3, "ms"),
            figure(
                "size on disk", written / 1e9, "GB",
                baseline=(folder / "plain").stat().st_size / 1e9,
            ),
        ]  # fmt: skip
    finally:
        os.close(plain)
        shutil.rmtree(folder)
