"""`jhalak objects ...`: what an operator does with the store of objects from a shell."""

from __future__ import annotations

import enum
import sys
import time
import zlib
from typing import Annotated

import typer

objects_cli = typer.Typer(help="The store of objects.", no_args_is_help=True)


class Kind(enum.StrEnum):
    S3 = "s3"
    FOLDER = "folder"


@objects_cli.callback()
def objects() -> None:
    """The store of objects."""


@objects_cli.command("copy")
def copy(to: Annotated[Kind, typer.Option(help="Where to; the other one is where from.")]) -> None:
    """Copy every object between the folder and the bucket of the option objects_url.

    Each is read back and compared. Nothing is deleted. Copy while the site runs, stop it, copy once
    more for what came in between, start it on the other store. Broken off, it goes on where it was.
    """
    from jhalak.options import options
    from jhalak.records.opened import folder_url
    from jhalak.stores.objects import ObjectsError, open_objects
    from jhalak.stores.objects.copying import Copied, copy_objects

    if not options().objects_url:
        raise _fail("Say which bucket: set JHALAK_OBJECTS_URL, for this command if for no other.")
    said_at = 0.0

    def say(state: Copied, *, last: bool = False) -> None:
        nonlocal said_at
        if last or time.monotonic() - said_at >= 1:
            said_at = time.monotonic()
            typer.echo(
                f"{state.copied} copied ({state.bytes / 1e6:.1f} MB), {state.skipped} were there,"
                f" {state.gone} deleted meanwhile, {len(state.failed)} failed",
                err=not last,
            )

    try:
        pair = [open_objects(folder_url()), open_objects(options().objects_url)]
        source, target = pair if to == Kind.S3 else reversed(pair)
        bucket = zlib.crc32(options().objects_url.encode())
        journal = options().folder / f"objects-copied-to-{to.value}-{bucket:08x}"
        state = copy_objects(source, target, journal, say)
    except (ObjectsError, OSError) as error:
        raise _fail(f"{error}\nNot finished. Run it again: it goes on where it was.") from error
    for key, reason in state.failed:
        typer.echo(f"{key}: {reason}", err=True)
    say(state, last=True)
    if state.failed:
        raise typer.Exit(1)
    typer.echo(f"All objects are in the {'bucket' if to == Kind.S3 else 'folder'}, each compared.")


def _fail(message: str) -> typer.Exit:
    sys.stdout.flush()
    typer.echo(message, err=True)
    return typer.Exit(1)
