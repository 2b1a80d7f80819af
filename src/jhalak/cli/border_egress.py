"""`jhalak broker`: the one door, when destinations are declared."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from typing import Annotated

import typer

from jhalak.options import options


def broker(
    fd: Annotated[int, typer.Option(help="A listening Unix socket that is already open.")] = -1,
    socket_path: Annotated[
        Path | None, typer.Option("--socket", help="Or where to open one.")
    ] = None,
) -> None:
    """Send what sealed processes ask for, to the destinations that are declared."""
    from jhalak.border.egress.broker import Broker
    from jhalak.border.log.spool import Spool

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if (fd < 0) == (socket_path is None):
        raise typer.BadParameter("name either --fd or --socket")
    if socket_path is None:
        listener = socket.socket(fileno=fd)
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(socket_path))
        listener.listen(1024)
    folder = options().folder
    Broker(folder, Spool(folder / "border" / "spool", "broker").write).run(listener, stop.is_set)
