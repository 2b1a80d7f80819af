"""An evidence pack over 180 days of a busy installation, and its verification, on two cores.

The log has 10,000,000 entries, appended through the real path in commits of 10,000: flows of the
broker (each two entries), staff sessions, takedowns, a positive control each hour. The baseline of
both times is what it takes to read the pack's entries once and hash them, on one core. The memory
is that of the largest of all processes. `JHALAK_BENCH_ENTRIES` makes it smaller.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import figure

from jhalak.border.evidence import Said, gather
from jhalak.border.log.entries import Kind, entry
from jhalak.border.log.notes import Note, Signer, generate
from jhalak.border.log.writer import Log

ENTRIES = int(os.environ.get("JHALAK_BENCH_ENTRIES", "10000000"))
DISK = 800  # bytes an entry, with room: 290 in the log, as many in the pack
GIB = 1 << 20  # of KiB
BATCH = 10_000
DAYS = 180
PROCESSES = 2
HOUR = 3_600_000
UNTIL = 1_790_000_000_000
START = UNTIL - DAYS * 24 * HOUR
DESTINATION: dict[str, Any] = {
    "name": "mail",
    "host": "mail.example",
    "port": 587,
    "purpose": "log-in codes",
    "classes": ["contact"],
    "owner": "operations@example.in",
    "expires": "2030-01-01",
}


def leaves(count: int) -> Iterator[tuple[int, bytes]]:
    """(time, leaf) of each entry, in order, evenly over the days."""
    yield START, entry(Kind.START, {"version": "0.1.0"}, at_ms=START, id="0")
    yield START, entry(Kind.DESTINATION, DESTINATION, at_ms=START, id="1")
    step, next_control = (UNTIL - START) / count, START + HOUR // 2
    flow: dict[str, Any] = {}
    for number in range(2, count):
        at, name = START + int(number * step), f"{number:x}"
        if at >= next_control:
            next_control += HOUR
            control = {"attempt": "tcp", "blocked": True, "seen": True, "process": "worker"}
            yield at, entry(Kind.CONTROL, {**control, "errno": "ENETUNREACH"}, at_ms=at, id=name)
        elif flow:
            body = {**flow, "bytes_in": 812, "bytes_out": 1490 + number % 99, "closed": at}
            flow = {}
            yield at, entry(Kind.EGRESS_FLOW, {**body, "outcome": "sent"}, at_ms=at, id=name)
        elif number % 16 == 7:
            staff = {"person": f"{number % 997:x}", "role": "moderator", "place": "Pune"}
            body = {**staff, "purpose": "queue", "begun": at}
            yield at, entry(Kind.STAFF_SESSION, body, at_ms=at, id=name)
        elif number % 16 == 15:
            body = {"video": f"{number:x}", "reason": "rule 3", "by": f"{number % 997:x}"}
            yield at, entry(Kind.TAKEDOWN, body, at_ms=at, id=name)
        else:
            flow = {"flow": name, "destination": "mail", "purpose": "log-in codes"}
            flow |= {"address": "198.51.100.7", "port": 587, "opened": at}
            body = {**flow, "bytes_in": 0, "bytes_out": 0, "closed": 0, "outcome": "opening"}
            yield at, entry(Kind.EGRESS_FLOW, body, at_ms=at, id=name)


def fill(folder: Path, signer: Signer, count: int) -> float:
    """The log; entries a second that it took."""
    begun, clock, done = time.perf_counter(), [START], 0
    with Log(folder, signer, clock=lambda: clock[0]) as log:
        batch: list[bytes] = []
        for at, leaf in leaves(count):
            batch.append(leaf)
            clock[0] = at
            if len(batch) == BATCH:
                log.append(batch)
                done, batch = done + len(batch), []
                print(f"\revidence: {done:,} entries", end="", file=sys.stderr, flush=True)
        if batch:
            log.append(batch)
    print(file=sys.stderr)
    return count / (time.perf_counter() - begun)


def said(signer: Signer) -> Said:
    return Said(
        map={"declared": {"Person.handle": {}}, "live": ["Person.handle"], "differences": []},
        processes=[{"name": "web", "pid": 7, "sealed": True}],
        destinations=[DESTINATION],
        exceptions=[],
        release={"files": {"jhalak/__init__.py": "0" * 64}, "differences": []},
        models={},
        people=[],
        materials={},
        captures=[],
        keys={"log": str(signer.verifier), "witnesses": []},
        jurisdiction="",
    )


def read_once(pack: Path) -> float:
    begun = time.perf_counter()
    for path in sorted((pack / "log/tile/entries").rglob("*")):
        if path.is_file():
            hashlib.sha256(path.read_bytes()).digest()
    return time.perf_counter() - begun


def _room(folder: Path, count: int) -> None:
    """Raises RuntimeError when the disk cannot hold what is made."""
    free, needed = shutil.disk_usage(folder).free / 1e9, count * DISK / 1e9
    if free < needed:
        raise RuntimeError(
            f"{folder} has {free:.1f} GB free, and {count:,} entries need {needed:.1f} GB: "
            "set TMPDIR to another disk, or JHALAK_BENCH_ENTRIES to less"
        )


def _peak(who: int) -> float:
    """GiB of the largest process: this one, or of its children that have ended."""
    return resource.getrusage(who).ru_maxrss / GIB


def run(count: int = ENTRIES) -> list[dict[str, Any]]:
    _room(Path(tempfile.gettempdir()), count)
    with tempfile.TemporaryDirectory(prefix="jhalak-evidence-") as name:
        folder, signer = Path(name), generate("jhalak.example/bench")
        rate = fill(folder / "log", signer, count)
        before = _peak(resource.RUSAGE_SELF)
        print("evidence: a pack is made ...", file=sys.stderr, flush=True)
        begun = time.perf_counter()
        report = gather(
            folder / "log",
            folder / "evidence",
            said(signer),
            since_ms=START,
            until_ms=UNTIL,
            period_ms=HOUR,
            sign=lambda text: str(Note(text, (signer.sign(text),))).encode(),
            processes=PROCESSES,
        )
        gathered = time.perf_counter() - begun
        making = max(_peak(resource.RUSAGE_SELF), _peak(resource.RUSAGE_CHILDREN))
        if not report.green:
            raise RuntimeError(f"the pack is red: {report.reasons}")
        plain = read_once(folder / "evidence")
        print("evidence: it is verified ...", file=sys.stderr, flush=True)
        begun = time.perf_counter()
        done = subprocess.run(
            [
                *(sys.executable, "verify.py", ".", "--log-key", str(signer.verifier)),
                *("--processes", str(PROCESSES), "--json", str(folder / "report.json")),
            ],
            cwd=folder / "evidence",
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        verified = time.perf_counter() - begun
        facts = json.loads((folder / "report.json").read_text())["facts"]
        if done.returncode or facts["entries"] != count:
            raise RuntimeError(f"{facts['entries']} entries were verified, not {count}")
        size = sum(p.stat().st_size for p in (folder / "evidence").rglob("*") if p.is_file())
    millions = f"{count / 1e6:g} M entries"
    return [
        figure("entries appended through the real path", rate, "a second"),
        figure("size of the pack", size / 1e9, "GB"),
        figure(f"evidence of {millions}", gathered, "s", baseline=plain, at_most=600),
        figure("memory of the largest process that makes it", making, "GiB", baseline=before),
        figure(f"verification of {millions}", verified, "s", baseline=plain, at_most=300),
        figure("memory of the largest of all processes", _peak(resource.RUSAGE_CHILDREN), "GiB"),
    ]
