"""`jhalak border release`, `materials` and `nftables`: files about the code and the machine."""

from __future__ import annotations

import datetime
import json
import socket
from pathlib import Path
from typing import Annotated

import typer

from jhalak.border.egress.destinations import Destination
from jhalak.border.nftables import Pinned
from jhalak.options import options

Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds everything.")]


def release(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; compare, each file of libraries too.")
    ] = False,
    data: Data = None,
) -> None:
    """Write the release manifest of the code that stands here: after each installation. With
    --check, exit status 1: something is not as it was then.
    """
    from jhalak.border import release as releases

    folder = data.absolute() if data else options().folder
    path = folder / "border" / releases.FILE
    try:
        if not check:
            made = releases.make()
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}")
            draft.write_bytes(made.encode())
            draft.replace(path)
            typer.echo(f"{len(made.files)} files, {len(made.dependencies)} libraries")
            typer.echo(f"release {made.digest()}")
            return
        differences = releases.compare(releases.read(path), deep=True)
    except (releases.ReleaseError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for difference in differences:
        typer.echo(difference)
    raise typer.Exit(1 if differences else 0)


def materials(
    lock: Annotated[
        Path | None, typer.Option(help="requirements.lock, for the hashes of files")
    ] = None,
) -> None:
    """Print the bill of materials, as CycloneDX 1.6 JSON."""
    from jhalak.border.materials import materials as bill

    try:
        typer.echo(json.dumps(bill(lock), indent=1, ensure_ascii=False))
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def nftables(
    user: Annotated[str, typer.Option(help="Who the service runs as: a name or a number.")] = "",
    cgroup: Annotated[str, typer.Option(help="Or its cgroup, as system.slice/x.service.")] = "",
    data: Data = None,
) -> None:
    """Print rules for `nft -f`: the service's user sends nothing but answers and what is declared.
    Names of hosts are looked up now.
    """
    from jhalak.border.egress.destinations import DestinationsError, load
    from jhalak.border.nftables import rules

    folder = data.absolute() if data else options().folder
    try:
        pinned = [_pinned(one) for one in load(folder).values()]
        today = datetime.datetime.now(datetime.UTC).date()
        typer.echo(rules(pinned, user=user, cgroup=cgroup, today=today), nl=False)
    except (DestinationsError, OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _pinned(one: Destination) -> Pinned:
    found = socket.getaddrinfo(one.address or one.host, None, type=socket.SOCK_STREAM)
    addresses = tuple(sorted({str(item[4][0]) for item in found}))
    return Pinned(one.name, one.purpose, one.expires, addresses, one.port)
