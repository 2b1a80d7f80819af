"""`jhalak border model`: declares where a model that the operator brings comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jhalak.options import options

Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds everything.")]


def model(
    folder: Annotated[Path, typer.Argument(help="The model's folder.")],
    origin: Annotated[str, typer.Option(help="Who made it, and where it was taken from.")],
    licence: Annotated[str, typer.Option(help="Under which it is used, as SPDX names it.")],
    kind: Annotated[str, typer.Option(help="What it does here.")] = "speech",
    data: Data = None,
) -> None:
    """Write down each file of a model by its hash, and where it comes from; an entry in the log.
    Without that, or when a byte is another one later, it is not loaded.
    """
    from jhalak.border.log.entries import Kind
    from jhalak.border.log.keys import spool_folder
    from jhalak.border.log.spool import Spool
    from jhalak.border.provenance import ProvenanceError, declare

    place = data.absolute() if data else options().folder
    try:
        digest = declare(folder.absolute(), place, kind, origin, licence)
        body = {"kind": kind, "digest": digest, "verdict": "brought", "origin": origin}
        Spool(spool_folder(place), "model").write(Kind.MODEL, body)
    except (ProvenanceError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"declared as {digest}")
