"""The web process: granian runs `jhalak.site.wsgi:application` on a Unix socket that the supervisor
opened.

The listening socket is inherited (`--fd`), so requests that come while the process is being
restarted wait in its queue instead of failing. The same program runs twice: as `web`, with few
threads, because the work there is Python and more threads only make it wait for itself; and as
`intake`, with many, because an upload's thread does nothing but wait for a slow phone
(docs/decisions.md, "Slow uploads have a process of their own").
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from jhalak.site.supervisor_child import die_with_parent
from jhalak.site.turns import one_at_a_time

BACKLOG = 1024


class Server(MPServer):
    """granian's process server on a socket that is already open.

    Its public interface binds by path only; the one method here is the seam where it would bind.
    Held to one version by requirements.lock, and to its behaviour by
    tests/house/test_supervisor.py.
    """

    inherited: int

    def _init_shared_socket(self) -> None:
        own: Any = self  # granian's stubs leave these attributes out
        holder: Any = SocketHolder
        own._ssp = None
        own._sfd = self.inherited
        own._shd = holder(self.inherited, True, BACKLOG)
        own._sso = socket.socket(fileno=self.inherited)
        own._sso.set_inheritable(True)


def _load(main: int, target: str, turns: bool, feed: Path | None) -> Callable[..., Any]:
    """Runs in granian's worker, before anything else of ours."""
    from granian._internal import load_target

    die_with_parent(signal.SIGKILL, main)
    application: Callable[..., Any] = load_target(target)
    if feed is not None:
        from jhalak.viewing.host import ask_at

        ask_at(feed)
    return one_at_a_time(application) if turns else application


def serve(
    fd: int, threads: int, drain: int, target: str, *, turns: bool, feed: Path | None
) -> None:
    """Serves until SIGTERM; then open requests have `drain` seconds. `feed`: where the feed process
    listens; None when the engine is in this one.
    """
    server = Server(
        target,
        uds=None,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        # Counts connections, of which the front keeps idle ones: a low number would shut the front
        # out. How many requests run at once is the number of threads; the others wait in order.
        backpressure=BACKLOG,
        backlog=BACKLOG,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=60_000),
        log_level=LogLevels.error,  # it warns of the many threads of the intake
        workers_kill_timeout=drain,
    )
    server.inherited = fd
    main = os.getpid()

    def load(given: str) -> Callable[..., Any]:
        return _load(main, given, turns, feed)

    server.serve(target_loader=load)


def main() -> None:
    parser = argparse.ArgumentParser(prog="jhalak.site.web")
    parser.add_argument("--name", default="web")  # shown by ps
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--drain", type=int, required=True)
    parser.add_argument("--app", required=True)
    parser.add_argument("--turns", action="store_true", help="answer reads one after the other")
    parser.add_argument("--feed", type=Path, help="the socket of the feed process")
    given = parser.parse_args()
    serve(given.fd, given.threads, given.drain, given.app, turns=given.turns, feed=given.feed)


if __name__ == "__main__":
    main()
