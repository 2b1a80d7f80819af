"""`jhalak border`: what this machine lets the border do."""

from __future__ import annotations

import logging

import typer

from jhalak.cli import border_evidence, border_model, border_release, border_seal
from jhalak.cli.border_keys import keys_cli
from jhalak.cli.border_log import log_cli
from jhalak.cli.border_rights import register as register_rights

border = typer.Typer(name="border", no_args_is_help=True)
border.command()(border_seal.control)
border.command()(border_seal.status)
border.command()(border_evidence.evidence)
border.command()(border_evidence.reconcile)
border.command()(border_release.release)
border.command()(border_release.materials)
border.command()(border_release.nftables)
border.command()(border_model.model)
border.add_typer(keys_cli, name="keys")
border.add_typer(log_cli, name="log")
logger = logging.getLogger(__name__)


@border.callback()
def top() -> None:
    """The border: what is shut on this machine."""


@border.command()
def seal() -> None:
    """Try the seal in which media work runs, and list its walls. Exit status 1: not all stand."""
    from jhalak.border import PROGRAM_WALLS, SealError, Wall, survey

    try:
        found = survey()
    except SealError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for wall in (wall for wall in Wall if wall in PROGRAM_WALLS):
        stands = wall in found.standing
        typer.echo(f"{wall:<11} {'stands' if stands else f'refused: {found.refused[wall]}'}")
    raise typer.Exit(1 if found.refused else 0)


register_rights(border)


def log_seal() -> None:
    """Say once which walls stand around what this process will start."""
    from jhalak.border import SealError, survey

    try:
        found = survey()
    except SealError as error:  # each media job will say so too, and be tried again
        logger.error("media work cannot be sealed, so it cannot be done: %s", error)
        return
    logger.log(logging.WARNING if found.refused else logging.INFO, "media work: %s", found)
