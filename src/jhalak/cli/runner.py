"""`jhalak runner`: a machine that prepares videos for a site, and who may be one."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from jhalak.problems import Problem

TOKEN = "JHALAK_RUNNER_TOKEN"  # noqa: S105 - the name of it
runner_cli = typer.Typer(help="Prepare videos for a site on this machine.", add_completion=False)


@runner_cli.callback(invoke_without_command=True)
def work(
    context: typer.Context,
    site: Annotated[
        str, typer.Option(help="Address of the site: https://example.org, or unix:/path/to/socket")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(help=f"File with the token; else {TOKEN} is read.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--work", help="Folder of this runner alone, for the job that it does."),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(help="PEM file of the authority that signed the site's certificate."),
    ] = None,
) -> None:
    """Prepare videos for --site until SIGTERM. Nothing of them stays here."""
    if context.invoked_subcommand is not None:
        return
    from jhalak.cli import fail
    from jhalak.runner import RunnerError, run

    token = token_file.read_text().strip() if token_file else os.environ.get(TOKEN, "")
    if not site or not token:
        raise fail(f"Give --site, and the runner's token in --token-file or {TOKEN}.")
    logging.basicConfig(level=logging.INFO, format="{asctime} {message}", style="{")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(
            site,
            token,
            folder or Path(tempfile.gettempdir()) / f"jhalak-runner-{os.getuid()}",
            stop,
            ca,
        )
    except (RunnerError, OSError) as error:
        raise fail(str(error)) from error


@runner_cli.command()
def add(name: str) -> None:
    """On the site's machine: let a runner in. Prints its token, once."""
    from jhalak.cli import fail, setup_django

    setup_django()
    from jhalak.videos.runners import do_add_runner

    try:
        typer.echo(do_add_runner(name))
    except Problem as problem:
        raise fail(str(problem.message)) from problem


@runner_cli.command()
def remove(name: str) -> None:
    """On the site's machine: let a runner in no more, not even with the job that it has."""
    from jhalak.cli import fail, setup_django

    setup_django()
    from jhalak.videos.runners import do_remove_runner

    try:
        do_remove_runner(None, name)
    except Problem as problem:
        raise fail(str(problem.message)) from problem
    typer.echo(f"{name} is no runner any more.")
