"""`jhalak border map` and `jhalak border erase`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(border: typer.Typer) -> None:
    border.command("map")(show_map)
    border.command("erase")(erase)


def show_map(
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Print the data map, held against what is really here. Exit status 1: they differ."""
    from jhalak.cli import setup_django

    setup_django()
    from jhalak.site.live import report

    found = report()
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for name, one in found["declared"].items():
            until = one["retention"]
            days = f" {until['days']} d" if until["days"] else ""
            typer.echo(
                f"{name:<44} {one['holds']:<14} {one['purpose']:<10} {one['basis']:<15}"
                f" {until['until']}{days:<8} {one['erasure']}"
            )
        typer.echo(f"\nLooked at: {', '.join(found['looked_at'])}.")
        for line in found["differences"] or ["Nothing differs."]:
            typer.echo(line)
    raise typer.Exit(1 if found["differences"] else 0)


def erase(
    handle: str,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Print what would go and what stays; change nothing.")
    ] = False,
) -> None:
    """Erase an account after the days of grace, as its owner can on /settings."""
    from jhalak.cli import fail, setup_django

    setup_django()
    from jhalak.people.access import written
    from jhalak.people.models import Person
    from jhalak.rights.actions import do_leave_for
    from jhalak.rights.walking import names_of, plan

    person = Person.objects.filter(handle=written(handle)).first()
    if person is None:
        raise fail(f"There is nobody called {handle}.")
    if plan_only:
        for one in plan(names_of(person)):
            kept = f" for {one.keep_days} days" if one.keep_days else ""
            typer.echo(f"{one.where:<8} {one.what:<14} {one.count:>8}  {one.erasure}{kept}")
        return
    leaving, token = do_leave_for(person)
    typer.echo(f"{person} is hidden now and is erased on {leaving.due:%Y-%m-%d %H:%M} UTC.")
    typer.echo(f"The receipt will be at /receipt/{token} (shown here once).")
