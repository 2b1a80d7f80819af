"""`jhalak border status` and `control`: what stands now, and an attempt to leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from jhalak.options import options

Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds everything.")]


Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what is red, and exit with 0.")]


def control(data: Data = None, quiet: Quiet = False) -> None:
    """Try to leave from inside one sealed process, by chance. Exit status 1: it was not blocked,
    or nothing counted it.
    """
    from jhalak.border.control import make
    from jhalak.border.log.entries import Kind
    from jhalak.border.log.spool import Spool

    folder = data.absolute() if data else options().folder
    made = make(folder)
    bodies = [
        {
            "attempt": one.attempt,
            "blocked": one.blocked,
            "seen": one.seen,
            "process": one.process,
            "errno": one.errno,
        }
        for one in made.findings
    ]
    if made.error:
        failed = {"attempt": "none", "blocked": False, "seen": False, "errno": made.error[:300]}
        bodies.append({**failed, "process": made.process})
    Spool(folder / "border" / "spool", "control").write_all([(Kind.CONTROL, b) for b in bodies])
    if made.error:
        typer.echo(f"The control could not be made: {made.error}", err=True)
    for one in (one for one in made.findings if not (quiet and one.green)):
        blocked = f"blocked ({one.errno})" if one.blocked else "IT GOT OUT"
        seen = "counted" if one.seen else "NOT COUNTED: the meter is dead"
        typer.echo(f"{one.process:<10} {one.attempt:<5} {blocked:<24} {seen}")
    raise typer.Exit(0 if made.green or quiet else 1)


def status(data: Data = None) -> None:
    """All processes and their walls, the declared destinations, the last control. Exit status 1:
    something of it is not as it should be.
    """
    folder = data.absolute() if data else options().folder
    good = [_processes(folder), _destinations(folder), _control(folder)]
    raise typer.Exit(0 if all(good) else 1)


def _processes(folder: Path) -> bool:
    from jhalak.border.services import Processes, attempts, is_there

    good = True
    rows = [("process", "pid", "seal", "tried to leave", "")]
    for one in Processes(folder).all():
        there = is_there(one)
        state = "sealed" if one.sealed else "UNSEALED"
        if not one.sealed and one.as_declared:
            state = "exception"
        count = attempts(one.pid) if one.sealed and there else None
        notes = [] if there else ["not running"]
        notes += [f"exception: {one.exception}"] if one.exception else []
        notes += [one.why] if one.why else []
        rows.append(
            (
                one.name,
                str(one.pid),
                state,
                "-" if count is None else str(count),
                "; ".join(notes),
            )
        )
        good = good and one.as_declared
    _table(rows)
    return good


def _destinations(folder: Path) -> bool:
    from jhalak.border.egress.destinations import DestinationsError, load
    from jhalak.border.log.entries import now_ms

    try:
        declared = load(folder)
    except DestinationsError as error:
        typer.echo(f"\n{error}")
        return False
    typer.echo(
        "\nNothing may be sent to anybody: no destination is declared." if not declared else ""
    )
    rows = [("destination", "where", "purpose", "classes", "owner", "until")]
    expired = False
    for one in declared.values():
        gone = one.expired(now_ms())
        expired = expired or gone
        where = f"{one.kind} {one.host}:{one.port}"
        until = f"{one.expires}{' EXPIRED' if gone else ''}"
        rows.append((one.name, where, one.purpose, ", ".join(one.classes), one.owner, until))
    if declared:
        _table(rows)
    return not expired


def _control(folder: Path) -> bool:
    from jhalak.border.control import last

    found = last(folder)
    if found is None:
        typer.echo("\nNo control was made as yet; one is made each hour that the site runs.")
        return True
    when = datetime.fromtimestamp(found.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if found.green:
        ways = ", ".join(one.attempt for one in found.findings)
        typer.echo(
            f"\nLast control: {when}, from {found.process}: {ways}: all blocked and counted."
        )
    else:
        red = [one.attempt for one in found.findings if not one.green]
        typer.echo(f"\nLast control: {when}: RED: {found.error or ', '.join(red)}")
    return found.green


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip())
