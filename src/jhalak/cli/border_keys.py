"""`jhalak border keys`: see, exchange, save and put back what encrypts people's contacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

SETTLED_S = 60.0  # until the log's writer has taken the key
keys_cli = typer.Typer(no_args_is_help=True, help="Keys: see, rotate, back up, restore.")


@contextmanager
def _told() -> Iterator[None]:
    """Problems become one line on standard error and exit status 1."""
    from jhalak.border.keys import KeysError

    try:
        yield
    except (KeysError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _folder() -> Path:
    from jhalak.cli import setup_django

    setup_django()
    from jhalak.records.keyring import keys_folder

    return keys_folder()


@keys_cli.command()
def show() -> None:
    """The generation of the installation key, and how many people have keys."""
    folder = _folder()
    with _told():
        from jhalak.records.keyring import installation, person_keys

        keys, shredded = person_keys().counts()
        size = sum(file.stat().st_size for file in folder.glob("keys.db*"))
        living = [one.number for one in installation().store.living()]
        typer.echo(f"installation key: generation {living[0]}")
        if len(living) > 1:
            typer.echo("a rotation was begun: `jhalak border keys rotate` goes on with it")
        typer.echo(f"people's keys: {keys:,}, destroyed: {shredded:,}, {size / 1e6:.1f} MB")


@keys_cli.command()
def rotate() -> None:
    """A new installation key: every key is wrapped by it, the old one is destroyed. The site may
    run meanwhile; killed, it goes on when it is called again.
    """
    _folder()
    with _told():
        from jhalak.border.log.entries import Kind
        from jhalak.records.keyring import person_keys
        from jhalak.records.ledger import enter

        def tell(done: int, every: int) -> None:
            typer.echo(f"\r{done:,} of {every:,} keys", nl=False, err=True)

        done = person_keys().rewrap(tell)
        enter(Kind.KEY, {"event": "rotated", "old": done.old, "new": done.new, "keys": done.keys})
    typer.echo("", err=True)
    typer.echo(f"generation {done.new}, {done.keys:,} keys wrapped anew")
    if done.left_to_do:
        typer.echo(done.left_to_do)


@keys_cli.command()
def rotate_log(
    alone: Annotated[
        bool, typer.Option("--alone", help="End the overlap: the old key is destroyed.")
    ] = False,
) -> None:
    """A new key that signs the log, beside the old one until `--alone`. The site may run meanwhile;
    killed, it goes on when it is called again.
    """
    import time

    _folder()
    from jhalak.border.log.keys import key_file, load_signers
    from jhalak.border.log.notes import NoteError
    from jhalak.border.log.rotation import wish, wish_file
    from jhalak.border.log.writer import LogError
    from jhalak.options import options
    from jhalak.records.ledger import drain

    path = key_file(options().folder)
    try:
        with _told():
            wish(path, alone=alone)
            deadline = time.monotonic() + SETTLED_S
            while wish_file(path).exists():
                drain()
                if time.monotonic() > deadline:
                    raise NoteError("the log is not written: is the site's worker alive?")
                time.sleep(0.1)
    except (LogError, NoteError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for signer in load_signers(path):
        typer.echo(f"signs: {signer.verifier}")
    typer.echo("Give the new key to auditors and witnesses; log/rotations leads to it.")


@keys_cli.command()
def backup(to: Annotated[Path, typer.Argument(help="A file that does not exist yet.")]) -> None:
    """A copy of people's wrapped keys with the marks of destroyed ones; without what wraps them."""
    folder = _folder()
    with _told():
        from jhalak.border.keys import backup as save

        typer.echo(f"{to}: {save(folder, to):,} bytes. Keep it apart from the installation key.")


@keys_cli.command()
def restore(
    saved: Annotated[Path, typer.Argument(help="What `backup` wrote.")],
    erased: Annotated[
        Path | None,
        typer.Option(help="File with the subjects of the log's erasure entries, one in a line."),
    ] = None,
) -> None:
    """Take back what is missing here. A destroyed key stays destroyed."""
    folder = _folder()
    with _told():
        from jhalak.border.keys import restore as take
        from jhalak.records.keyring import person_keys

        done = take(folder, saved)
        typer.echo(f"{done.back:,} keys back, {done.shredded:,} destroyed by the backup's marks")
        if done.ended:
            typer.echo(f"{done.ended:,} keys were wrapped by an installation key that has ended")
        if erased is not None:
            lines = erased.read_text("ascii").split()
            again = person_keys().replay(bytes.fromhex(line) for line in lines)
            typer.echo(f"{again:,} destroyed again by {len(lines):,} erasures")
