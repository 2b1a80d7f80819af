"""The operator's command line for accounts: `jhalak person add|password|role|suspend|lift|of-age`.

Passwords are typed, or come through standard input, so that none stands in a shell's history or a
process list.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from jhalak.people import actions
from jhalak.people.access import written
from jhalak.people.models import Person
from jhalak.people.roles import Role
from jhalak.problems import Invalid, NotFound, Problem

people_cli = typer.Typer(no_args_is_help=True, help="Accounts: add, entrust, suspend.")


@contextmanager
def _told() -> Iterator[None]:
    """Problems become one line on standard error and exit status 1."""
    try:
        yield
    except Problem as problem:
        typer.echo(str(problem.message), err=True)
        raise typer.Exit(1) from problem


def _person(handle: str) -> Person:
    person = Person.objects.filter(handle=written(handle)).first()
    if person is None:
        raise NotFound("no_such_person", f"There is nobody called {handle}.")
    return person


def _typed_password(stdin: bool) -> str:
    if not stdin:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Invalid("no_password", "Write the password to standard input, on one line.")
    return password


Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
RoleOption = Annotated[Role, typer.Option(help="What the operator entrusts to them.")]
Reason = Annotated[str, typer.Option(help="Kept in the audit log.")]


@people_cli.command("add")
def add(
    handle: str,
    role: RoleOption = Role.VIEWER,
    name: Annotated[str, typer.Option(help="Shown name, in any script.")] = "",
    password_stdin: Stdin = False,
) -> None:
    """A new account. Handles that are kept for the house are allowed here."""
    with _told():
        person = actions.do_add_person(
            handle, _typed_password(password_stdin), name=name, role=role
        )
        typer.echo(f"{person} is here, as {Role(person.role).label}.")


@people_cli.command("password")
def password(handle: str, password_stdin: Stdin = False) -> None:
    """A new password. Every browser of this person is logged out."""
    with _told():
        person = _person(handle)
        actions.do_set_password(person, _typed_password(password_stdin))
        typer.echo(f"{person} has a new password and is logged out everywhere.")


@people_cli.command("role")
def role(handle: str, role: Role) -> None:
    """Entrust a role."""
    with _told():
        person = _person(handle)
        actions.do_set_role(None, person, role)
        typer.echo(f"{person} is now: {role.label}.")


@people_cli.command("suspend")
def suspend(handle: str, reason: Reason) -> None:
    """Close an account for now: logged out everywhere, hidden from everybody."""
    with _told():
        person = _person(handle)
        actions.do_suspend(None, person, reason)
        typer.echo(f"{person} is suspended. `jhalak person lift {handle}` opens the account again.")


@people_cli.command("lift")
def lift(handle: str, reason: Reason) -> None:
    """Open a suspended account again."""
    with _told():
        person = _person(handle)
        actions.do_lift(None, person, reason)
        typer.echo(f"{person} is open again.")


@people_cli.command("of-age")
def of_age(handle: str, reason: Reason) -> None:
    """Take back that somebody said to be under 18."""
    with _told():
        person = _person(handle)
        actions.do_declare_of_age(None, person, reason)
        typer.echo(f"{person} counts as 18 or older.")
