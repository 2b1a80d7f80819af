"""`jhalak channels ...`: what an operator does with channels from a shell."""

from __future__ import annotations

from pathlib import Path

import typer

channels_cli = typer.Typer(help="The channels that videos are filed under.", no_args_is_help=True)


@channels_cli.callback()
def channels() -> None:
    """The channels that videos are filed under."""


@channels_cli.command("load")
def load(file: Path) -> None:
    """Make or change the channels of a JSON file; channels that are not in it stay."""
    from jhalak.videos.channels import BadChannels, load_channels

    try:
        count = load_channels(file)
    except (BadChannels, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{count} channels loaded.")
