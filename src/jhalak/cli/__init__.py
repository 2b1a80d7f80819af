"""The `jhalak` command.

A room's own commands stand in its module `commands`, as a typer group that GROUPS names here.
Nothing of Django is imported before a command that needs it runs, so `jhalak --help` and `jhalak
serve` are quick.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from jhalak import __version__
from jhalak import options as options_module
from jhalak.cli.border import border, log_seal
from jhalak.cli.border_egress import broker
from jhalak.cli.border_log import witness
from jhalak.cli.runner import runner_cli
from jhalak.options import Options, OptionsError, options

# name: module, the group in it, help
GROUPS = {
    "person": ("jhalak.people.commands", "people_cli", "Accounts: add, entrust, suspend."),
    "objects": ("jhalak.records.commands", "objects_cli", "The store of objects: copy it."),
    "feed": ("jhalak.viewing.commands", "feed_cli", "The feed: its weights, its training."),
    "channels": ("jhalak.videos.commands", "channels_cli", "The channels that videos are under."),
}
app = typer.Typer(
    help="Jhalak: short videos, one operator, inside one border.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(runner_cli, name="runner")
app.command()(broker)
app.command()(witness)

Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds everything.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")]


def set_options(**given: object) -> Options:
    """What the command line says goes into the environment, where this process and its children
    read it.
    """
    for name, value in given.items():
        if value is not None:
            os.environ[f"JHALAK_{name.upper()}"] = str(value)
    try:
        return options()
    except OptionsError as error:
        raise fail(str(error)) from error


def reread() -> Options:
    """The options again, after the environment was changed."""
    options_module.forget()
    return options()


def fail(message: str) -> typer.Exit:
    """Says on stderr what is wrong and what to do; raise what this returns."""
    typer.echo(message, err=True)
    return typer.Exit(1)


def setup_django() -> None:
    """Makes models and settings usable. Commands that touch rows call it first."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jhalak.site.settings")
    set_options()
    django.setup()


@app.command()
def serve(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    front: Annotated[bool, typer.Option(help="Run the bundled nginx before it.")] = True,
) -> None:
    """Run the whole site until Ctrl-C."""
    from jhalak.site import serve as site

    set_options(data=data, host=host, port=port)
    try:
        code = site.serve(with_front=front)
    except (site.ServeError, site.InstanceError, site.FrontError) as error:
        raise fail(str(error)) from error
    raise typer.Exit(code)


@app.command()
def demo(
    data: Data = Path("demo-data"),
    host: Host = None,
    port: Port = None,
    clips: Annotated[
        Path | None,
        typer.Option(help="Also upload the videos of this folder.", exists=True, file_okay=False),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser when the site answers.")] = True,
) -> None:
    """Run the site with a world in it: channels, creators, clips, a crowd. Kept in --data."""
    from jhalak.cli.demo import demo_programs, open_browser
    from jhalak.site import serve as site

    os.environ.setdefault("JHALAK_LOG_LEVEL", "WARNING")  # the screen is for the world's progress
    given = set_options(data=data, host=host, port=port)
    try:
        if port is None and "JHALAK_PORT" not in os.environ:
            os.environ["JHALAK_PORT"] = str(site.free_port(given.host, given.port))
            given = reread()
        code = site.serve(
            before=("migrate", "demo-prepare"),
            more=lambda url: demo_programs(url, given.folder, clips),
            on_ready=open_browser if browser else lambda _url: None,
        )
    except (site.ServeError, site.InstanceError, site.FrontError) as error:
        raise fail(str(error)) from error
    raise typer.Exit(code)


@app.command(name="demo-prepare", hidden=True)
def demo_prepare() -> None:
    """What the demo world needs and HTTP cannot give: channels, and people with roles."""
    setup_django()
    from jhalak.cli.demo_staff import prepare

    prepare(options().folder)


@app.command()
def worker(
    data: Data = None,
    kept: Annotated[bool, typer.Option("--kept", hidden=True)] = False,
) -> None:
    """Run background jobs until SIGTERM. `serve` starts one; more may run beside it."""
    set_options(data=data)
    if not kept:
        from jhalak.site import serve as site

        try:
            raise typer.Exit(site.keep_worker())
        except site.InstanceError as error:
            raise fail(str(error)) from error
    setup_django()
    from jhalak.records.worker import run_worker

    log_seal()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(stop)


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database to this version, hold the data map against it, and erase again whoever
    came back with a backup. `serve` does it before it starts.
    """
    set_options(data=data)
    setup_django()
    from jhalak.border.keys import KeyMissing, KeyRefused, KeysAway
    from jhalak.border.live_map import MapError
    from jhalak.border.log.keys import move_key
    from jhalak.records.jobs import Retry
    from jhalak.records.keyring import installation
    from jhalak.rights.starting import begin
    from jhalak.site.migrating import migrate_once

    migrate_once()
    move_key(options().folder)
    try:
        installation()  # made at the first start, and looked for at every one
        begin()
    except (KeyMissing, KeyRefused, MapError, Retry, ValueError) as error:
        raise fail(str(error)) from error
    except KeysAway as error:  # only contacts wait for it
        typer.echo(f"Contacts cannot be read yet: {error}", err=True)


@app.command(name="options")
def list_options(data: Data = None) -> None:
    """List every option: its value here, its default, its meaning."""
    given = set_options(data=data)
    for field in msgspec.inspect.type_info(Options).fields:  # type: ignore[attr-defined]
        value = _shown(field.encode_name, getattr(given, field.name))
        note = (
            "" if getattr(given, field.name) == field.default else f"  (default {field.default!r})"
        )
        typer.echo(f"{field.encode_name} = {value}{note}")
        typer.echo(f"    {_meaning(field.type)}")
    typer.echo(
        "\nSet one as JHALAK_<NAME> in the environment, or in jhalak.toml in the data folder."
    )


def _meaning(kind: Any) -> str:
    return str((kind.extra_json_schema or {}).get("description", ""))


def _shown(name: str, value: object) -> str:
    """A database's address may hold a password: that is not printed."""
    text = repr(value)
    if name == "database_url" and "@" in text:
        scheme, _, rest = text.partition("://")
        who, _, where = rest.rpartition("@")
        text = f"{scheme}://{who.partition(':')[0]}:***@{where}" if ":" in who else text
    return text


@app.command(name="front-config")
def front_config(
    domain: Annotated[str, typer.Option(help="Host names of the site, with spaces between.")],
    tls_certificate: Annotated[Path, typer.Option(help="Certificate chain, PEM.")],
    tls_key: Annotated[Path, typer.Option(help="Its key, PEM.")],
    data: Data = None,
) -> None:
    """Print a configuration for a system's own nginx, before `jhalak serve --no-front`."""
    from jhalak.site import front
    from jhalak.site.instance import InstanceError, socket_folder

    given = set_options(data=data)
    try:
        folder = socket_folder(given.folder / "run")
        sockets = front.Sockets(web=folder / "web.sock", intake=folder / "intake.sock")
        tls = front.Tls(domain, tls_certificate, tls_key)
        typer.echo(front.production_config(given, sockets, tls))
    except (front.FrontError, InstanceError) as error:
        raise fail(str(error)) from error


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def manage(context: typer.Context) -> None:
    """Django's own commands (makemigrations, shell, dbshell, ...)."""
    set_options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jhalak.site.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["jhalak manage", *context.args])


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jhalak {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Jhalak: short videos, one operator, inside one border."""


app.add_typer(border)


def _add_group(name: str, module: str, group: str, text: str) -> None:
    @app.command(
        name=name,
        help=text,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        add_help_option=False,
    )
    def run(context: typer.Context) -> None:
        setup_django()
        getattr(importlib.import_module(module), group)(context.args, prog_name=f"jhalak {name}")


for _name, _where in GROUPS.items():
    _add_group(_name, *_where)


def main() -> None:
    try:
        app(prog_name="jhalak")
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C before anything was started


if __name__ == "__main__":
    sys.exit("Run it as `jhalak`, or `python -m jhalak`.")
