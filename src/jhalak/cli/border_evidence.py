"""`jhalak border evidence` and `reconcile`: the proof for who asks for it."""

from __future__ import annotations

import ipaddress
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from jhalak.options import options

Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds everything.")]
PERIOD_MS = 3_600_000  # the positive control is made each hour
SETTLED_S = 60.0  # until what was entered is in the log
_SINCE = re.compile(r"([1-9][0-9]{0,4})([dh])")
_INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")


def evidence(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; it must not exist.")],
    since: Annotated[str, typer.Option(help="How far back, as 180d or 48h.")] = "180d",
    capture: Annotated[
        list[Path] | None, typer.Option(help="A file that `reconcile --json` wrote; repeat it.")
    ] = None,
    lock: Annotated[
        Path | None, typer.Option(help="requirements.lock, for the hashes in the bill of materials")
    ] = None,
    data: Data = None,
) -> None:
    """Write the evidence pack of a period, and say whether it is green. Exit status 1: red."""
    from jhalak.cli import set_options, setup_django

    set_options(data=data)
    setup_django()
    from jhalak.border.egress.destinations import DestinationsError
    from jhalak.border.evidence import EvidenceError, gather
    from jhalak.border.exceptions import ExceptionsError
    from jhalak.border.log.entries import EntryError
    from jhalak.border.log.keys import key_file, load_signers, log_folder
    from jhalak.border.log.notes import Note, NoteError
    from jhalak.border.log.tiles import TileError
    from jhalak.border.log.writer import LogError
    from jhalak.records import ledger
    from jhalak.records.cosigning import cosign
    from jhalak.site import standing
    from jhalak.site.evidence import read_captures, say
    from jhalak.verify import verify

    now, folder = time.time_ns() // 1_000_000, options().folder
    try:
        begin = now - _milliseconds(since)
        standing.do_tell_changes(folder)
        standing.do_report_residency(folder, lambda _: None)
        if not ledger.settle(SETTLED_S):
            raise EvidenceError("the log is not written: is the site's worker alive?")
        signers = load_signers(key_file(folder))
        for line in cosign()[1]:  # the pack then has what was cosigned before
            typer.echo(f"not cosigned: {line}", err=True)
        report = gather(
            log_folder(folder),
            out.absolute(),
            say(folder, read_captures(capture or []), lock),
            since_ms=begin,
            until_ms=now,
            period_ms=PERIOD_MS,
            sign=lambda text: str(Note(text, tuple(s.sign(text) for s in signers))).encode(),
            tell=_progress,
        )
    except (
        EvidenceError,
        ExceptionsError,
        DestinationsError,
        NoteError,
        LogError,
        TileError,
        EntryError,
        OSError,
        ValueError,
    ) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(verify.as_text(report))
    typer.echo(f"{out}/report.html is for a person; {out}/verify.py checks it anywhere.")
    raise typer.Exit(0 if report.green else 1)


def _milliseconds(text: str) -> int:
    found = _SINCE.fullmatch(text)
    if not found:
        raise ValueError(f"--since is a number of days or hours, as 180d or 48h, not {text!r}")
    return int(found[1]) * (86_400_000 if found[2] == "d" else 3_600_000)


def _progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        percent = 100 * done // of if of else 100
        print(f"\r{what}: {percent} %", end=end, file=sys.stderr, flush=True)


def reconcile(
    capture: Annotated[Path, typer.Argument(help="pcap or pcapng, taken at the border.")],
    inside: Annotated[
        list[str] | None,
        typer.Option(help="The machine's own networks; without it, all private ones."),
    ] = None,
    serves: Annotated[
        list[int] | None, typer.Option(help="Our ports, where viewers call; repeat it.")
    ] = None,
    pack: Annotated[
        Path | None, typer.Option(help="Take the ledger from this evidence pack, not from --data.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--json", help="Write what was found.")] = None,
    data: Data = None,
) -> None:
    """Hold a capture of the wire against the ledger, flow by flow. Exit status 1: they differ."""
    import hashlib

    import msgspec

    from jhalak.border.capture import CaptureError, reconcile
    from jhalak.border.log.keys import log_folder
    from jhalak.verify.verify import Broken

    log = pack / "log" if pack else log_folder(data.absolute() if data else options().folder)
    try:
        networks = [ipaddress.ip_network(text) for text in inside or _INSIDE]
        with capture.open("rb") as file:
            found = reconcile(file, _flows(log), networks, serves or ())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (CaptureError, Broken, OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for difference in found.differences:
        typer.echo(difference)
    typer.echo(
        f"{found.packets} packets: {found.matched} flows agree with the ledger,"
        f" {found.answered} connections of viewers, {len(found.differences)} differences"
    )
    if to:
        told: dict[str, Any] = {"capture": capture.name, "sha256": digest}
        to.write_text(json.dumps({**told, **msgspec.to_builtins(found)}, indent=1) + "\n", "utf-8")
    raise typer.Exit(1 if found.differences else 0)


def _flows(log: Path) -> Iterator[Any]:
    """Every finished flow of a log folder, be it an installation's or a pack's."""
    from jhalak.border.capture import Flow
    from jhalak.verify import verify

    size = verify.Checkpoint.parse((log / "checkpoint").read_bytes()).size
    for number, width in verify.widths(size, 0):
        path = log / verify.tile_path("entries", number, width)
        if not path.exists():
            continue  # before the time of a pack
        for leaf in verify.bundle_leaves(path.read_bytes()):
            if b'"egress_flow"' not in leaf:
                continue
            body = verify.parse_leaf(leaf)["body"]
            if body.get("outcome") != "opening" and "destination" in body:
                names = Flow.__struct_fields__
                yield Flow(**{name: body[name] for name in names})
