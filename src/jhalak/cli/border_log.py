"""`jhalak border log`: see, verify and prove the border's log; `jhalak witness`: cosign others'."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jhalak.options import options

if TYPE_CHECKING:
    from socketserver import BaseServer

    from jhalak.border.log.checkpoints import Checkpoint
    from jhalak.border.log.notes import Verifier
    from jhalak.border.log.tiles import Tiles

log_cli = typer.Typer(no_args_is_help=True, help="The log: verify, prove, reveal, have cosigned.")
Key = Annotated[str, typer.Option(help="The log's key, if another than this installation's.")]
Folder = Annotated[Path | None, typer.Option("--log", help="The log's folder, if another.")]


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong becomes one line on standard error and exit status 1."""
    from jhalak.border.log.entries import EntryError
    from jhalak.border.log.notes import NoteError
    from jhalak.border.log.tiles import TileError

    try:
        yield
    except (EntryError, NoteError, TileError, OSError, IndexError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _opened(folder: Path | None, key: str) -> tuple[Tiles, Checkpoint, Verifier]:
    from jhalak.border.log.checkpoints import read_signed
    from jhalak.border.log.keys import key_file, load_signer, log_folder
    from jhalak.border.log.notes import Verifier
    from jhalak.border.log.tiles import Tiles

    data = options().folder
    log = Verifier.parse(key) if key else load_signer(key_file(data)).verifier
    tiles = Tiles(folder or log_folder(data))
    head, _ = read_signed(tiles.checkpoint(), log)
    return tiles, head, log


@log_cli.command()
def checkpoint() -> None:
    """Print the log's key and its signed checkpoint, cosigned as far as it is."""
    with _told():
        from jhalak.border.log import witnesses

        tiles, _, log = _opened(None, "")
        typer.echo(f"key: {log}", err=True)
        typer.echo(witnesses.last(tiles.folder) or tiles.checkpoint(), nl=False)


@log_cli.command()
def verify(folder: Folder = None, key: Key = "") -> None:
    """Hash all of the log anew and name each file that is not what was signed. Exit status 1 then.

    About 30,000 entries a second.
    """
    with _told():
        from jhalak.border.log.audit import audit

        tiles, head, _ = _opened(folder, key)
        found = audit(tiles, head)
    for fault in found.faults:
        typer.echo(fault, err=True)
    if found.faults:
        raise typer.Exit(1)
    typer.echo(f"{head.origin}: {head.size:,} entries, all as signed")


@log_cli.command()
def prove(
    entry: Annotated[str, typer.Argument(help="An entry's number, or its id.")],
    folder: Folder = None,
    key: Key = "",
) -> None:
    """Print the proof that an entry is in the log (C2SP tlog-proof)."""
    with _told():
        from jhalak.border.log.finding import index_of
        from jhalak.border.log.proofs import proof

        tiles, head, _ = _opened(folder, key)
        index = index_of(tiles, head.size, entry)
        typer.echo(proof(tiles, index, head.size), nl=False)


@log_cli.command()
def reveal(
    entry: Annotated[str, typer.Argument(help="A sealed entry's number, or its id.")],
) -> None:
    """Print what a sealed entry stands for, with the salt that proves it, as JSON."""
    with _told():
        from jhalak.border.log import sealed
        from jhalak.border.log.entries import EntryError, opens, read_entry
        from jhalak.border.log.finding import index_of

        tiles, head, _ = _opened(None, "")
        found = read_entry(tiles.entry(index_of(tiles, head.size, entry), head.size))
        opener = sealed.find(tiles.folder, found.id)
        if not opens(found, opener):
            raise EntryError("what is kept here does not open this entry: one of them is altered")
        told = {"id": opener.id, "salt": opener.salt, "body": opener.body}
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


@log_cli.command()
def cosign() -> None:
    """Ask the witnesses of border/witnesses.txt now. Exit status 1 if one did not sign."""
    from jhalak.cli import setup_django

    setup_django()
    with _told():
        from jhalak.records import cosigning

        note, wrong = cosigning.cosign()
    for line in wrong:
        typer.echo(line, err=True)
    if wrong:
        raise typer.Exit(1)
    typer.echo(note or "border/witnesses.txt names nobody to ask.", nl=note is None)


def witness(
    folder: Annotated[Path, typer.Argument(help="A folder of its own: its key, what it saw.")],
    log: Annotated[list[str], typer.Option(help="The key of a log that it cosigns.")],
    at: Annotated[str, typer.Option(help="A Unix socket's path, or address:port.")],
    name: Annotated[str, typer.Option(help="Its name, for a new key.")] = "witness.example",
    rotation: Annotated[
        list[Path] | None,
        typer.Option(help="A record of the log's exchanged key, from log/rotations; in order."),
    ] = None,
) -> None:
    """Cosign the checkpoints of logs, each if it continues the last one. Until SIGTERM."""
    from jhalak.border.log.keys import load_signer
    from jhalak.border.log.notes import Type, Verifier
    from jhalak.border.log.witness import Witness
    from jhalak.witness import serve

    def ready(server: BaseServer) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        typer.echo(f"key: {one.signer.verifier}")

    with _told():
        signer = load_signer(folder / "witness.key", name, Type.COSIGNATURE)
        one = Witness(
            folder,
            signer,
            [Verifier.parse(key) for key in log],
            lambda: int(time.time()),
            [path.read_bytes() for path in rotation or ()],
        )
        try:
            serve(one, at, ready)
        finally:
            one.close()
