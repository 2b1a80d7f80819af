"""`jhalak feed ...`: what an operator does with the feed from a shell."""

from __future__ import annotations

import typer

from jhalak.viewing.weights_commands import weights_cli

feed_cli = typer.Typer(help="The feed: its weights.", no_args_is_help=True)
feed_cli.add_typer(weights_cli, name="weights")


@feed_cli.callback()
def feed() -> None:
    """The feed: its weights."""
