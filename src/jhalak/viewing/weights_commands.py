"""`jhalak feed weights ...`: the numbers that pages are drawn by, as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

weights_cli = typer.Typer(help="The numbers that pages are drawn by.", no_args_is_help=True)


@weights_cli.command("show")
def show() -> None:
    """Print the weights in force as a file: each with its meaning, bounds and default."""
    from jhalak.feed import weights_file
    from jhalak.viewing.tuning import weights

    now = weights()
    head = ["The weights of the feed."]
    for change in now["changes"][:1]:
        since = datetime.fromtimestamp(change["at_ms"] / 1000, UTC)
        head += [f"In force since {since:%Y-%m-%d %H:%M} UTC: {change['reason']}"]
    head += [
        "",
        'Change a number, then: jhalak feed weights set FILE --reason "why"',
        "What is left out has its default. Set an old file again to undo a change.",
    ]
    typer.echo(weights_file.dumps(now["changed"], "\n".join(head)), nl=False)


@weights_cli.command("set")
def set_weights(
    file: Annotated[Path, typer.Argument(help="As `show` prints it.", exists=True, dir_okay=False)],
    reason: Annotated[str, typer.Option(help="Kept in the log and in the audit log.")],
) -> None:
    """Change the weights to those of a file, from the next page on."""
    from jhalak.feed import weights_file
    from jhalak.problems import Problem
    from jhalak.viewing.tuning import do_change_weights

    try:
        values = weights_file.loads(file.read_text(encoding="utf-8"))
        do_change_weights(None, values, reason)
    except Problem as problem:
        raise _fail(str(problem.message)) from problem
    except (weights_file.BadFile, OSError, UnicodeDecodeError) as error:
        raise _fail(f"{file}: {error}") from error
    typer.echo("In force from the next page on.")


def _fail(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)
