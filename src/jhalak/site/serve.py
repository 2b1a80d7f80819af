"""`jhalak serve`: the whole site on one machine, as a few processes that are watched.

    supervisor   owns the listening sockets, the lock on the data folder and nothing else
      front      nginx: static files, media bytes, limits, slow clients
      web        pages, API, feed; as many as the option web_processes says
      feed       when they are several: the engine that they ask
      intake     uploads, which wait for slow phones
      worker     jobs: preparing videos, relaying events
      broker     when destinations are declared: the one door
      control    each hour for a moment: tries to leave from inside one of the others

All but the supervisor, the broker and the control are started in the seal (docs/parts/border.md).

The sockets are opened here and inherited, so a process that is restarted loses no connection that
waits.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from jhalak.border.egress import destinations
from jhalak.border.egress.client import broker_socket
from jhalak.border.egress.destinations import DestinationsError
from jhalak.options import Options, options
from jhalak.site import front
from jhalak.site.front import FrontError
from jhalak.site.instance import InstanceError, only_instance, run_folder, socket_folder
from jhalak.site.lifetime import lifetime
from jhalak.site.probe import Probe
from jhalak.site.sealing import Sealing
from jhalak.site.supervisor import Program, Supervisor, When, say

BACKLOG = 1024
# Pages are small and many: numpy's threads would wait for each other and for those of other pages
# (docs/decisions.md, "One thread for one page").
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
CONTROL_FIRST, CONTROL_EVERY = 60.0, 3600.0  # seconds after the site answers, and between
_IMPORTS = """
import os, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jhalak.site.settings")
django.setup()
import jhalak.records.worker, jhalak.site.web, jhalak.viewing.engine_server, jhalak.site.urls
import jhalak.feed.taste.kernel
"""
APPLICATION = "jhalak.site.wsgi:application"


class ServeError(Exception):
    """The site cannot be started; the message says why and what to do."""


def listen_tcp(host: str, port: int, *, patience: float = 0.0) -> socket.socket:
    """The public socket, bound and listening. Port 0 takes a free one. Tries again for `patience`
    seconds.

    Raises ServeError in words for the person who starts the site.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(0.1)
                continue
            raise ServeError(_why_not_listening(host, port, error)) from error


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)  # nginx takes an inherited socket as it is, and must not wait
    except OSError:
        listener.close()
        raise
    return listener


def _why_not_listening(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that one, or choose another"
            f" port: jhalak serve --port {port + 1 if port < 65535 else 8000}"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023: --port 8000."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host!r} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all."
        )
    return f"Cannot listen on {host} port {port}: {error.strerror or error}."


def listen_unix(path: Path) -> socket.socket:
    """A Unix socket for one of our processes; what an earlier instance left there is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o660)  # a front of the system may be let in by its group
    listener.listen(BACKLOG)
    return listener


def _listen_local(path: Path) -> socket.socket:
    """The option `socket`. Raises ServeError."""
    if not path.is_absolute() or (path.exists() and not path.is_socket()):
        raise ServeError(f"The option socket: {path} is not an absolute path of a socket.")
    try:
        listener = listen_unix(path)
    except OSError as error:
        raise ServeError(f"Cannot listen on the socket {path}: {error}.") from error
    listener.setblocking(False)  # as above
    return listener


def url_of(host: str, port: int) -> str:
    """What a person types: an address that means "all" is reached as localhost."""
    name = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104 - compared only
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def reach(host: str, port: int) -> tuple[str, int]:
    """Where this machine finds a front that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared only


def free_port(host: str, first: int) -> int:
    """`first`, or the next port that nobody listens on. Raises ServeError when twenty are taken."""
    for port in range(first, first + 20):
        try:
            _listen(host, port).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ServeError(_why_not_listening(host, port, error)) from error
        else:
            return port
    raise ServeError(f"Ports {first} to {first + 19} are all taken. Name a free one with --port.")


def run_before(command: str, sealing: Sealing) -> None:
    """Runs a command of ours to its end, in a process of its own. Raises ServeError."""
    code, _ = sealing.run(command, [sys.executable, "-m", "jhalak", command], quiet=False)
    if code:
        raise ServeError(f"Nothing was started: `jhalak {command}` failed, its reason is above.")


def compile_once() -> None:
    """Has Python keep what it compiles of us and ours: sealed processes cannot, since they may
    write no code. Done again when this version is another.
    """
    urls = Path(__file__).with_name("urls.py")
    kept = Path(importlib.util.cache_from_source(str(urls)))
    if sys.dont_write_bytecode or not os.access(urls.parent, os.W_OK):
        return
    if kept.exists() and kept.stat().st_mtime > urls.stat().st_mtime:
        return
    subprocess.run([sys.executable, "-c", _IMPORTS], check=False, stderr=subprocess.DEVNULL)


def serve(
    *,
    with_front: bool = True,
    application: str = APPLICATION,
    before: Sequence[str] = ("migrate",),
    more: Callable[[str], Sequence[Program]] = lambda _url: (),
    on_ready: Callable[[str], None] = lambda _url: None,
) -> int:
    """Runs the site until it is told to stop. Returns the exit code.

    `before`: our commands that must succeed first, in this order. `more(url)`: further programs to
    keep running beside it. Raises ServeError, InstanceError, FrontError before anything is started.
    """
    given = options()
    run = run_folder(given.folder)
    with ExitStack() as stack:
        crashed = stack.enter_context(only_instance(run))
        sockets = socket_folder(run)
        places = front.Sockets(web=sockets / "web.sock", intake=sockets / "intake.sock")
        web = stack.enter_context(listen_unix(places.web))
        intake = stack.enter_context(listen_unix(places.intake))
        stack.callback(places.web.unlink, missing_ok=True)
        stack.callback(places.intake.unlink, missing_ok=True)
        files = front.raise_file_limit()
        stack.enter_context(lifetime(given.folder))
        sealing = Sealing(given, sockets)
        programs = [
            *_webs(given, application, web, sockets, stack),
            _web("intake", application, intake, given.intake_threads, given.drain),
            _worker(given.drain),
        ]
        where: tuple[str, int] | str = str(places.web)
        public, url = web, f"unix:{places.web}"
        if with_front:
            # After a crash the last instance's front may need a moment to see that it is an orphan.
            public = listen_tcp(given.host, given.port, patience=3.0 if crashed else 0.3)
            stack.callback(public.close)
            host, port = public.getsockname()[:2]
            listening = [public]
            if given.socket:
                local = stack.enter_context(_listen_local(Path(given.socket)))
                stack.callback(Path(given.socket).unlink, missing_ok=True)
                listening.append(local)
            programs.insert(0, _front(given, run, listening, places, files, sealing))
            where, url = reach(host, port), url_of(host, port)
        programs += _broker(given, sockets, stack)
        programs = [sealing.around(program) for program in programs]
        programs.append(_control())
        programs.extend(replace(one, exception="client") for one in more(url))
        compile_once()
        for command in before:
            run_before(command, sealing)
        probe = Probe(where, given.hosts.split()[0] if given.hosts.split() else "localhost")
        stack.callback(probe.close)
        supervisor = Supervisor(
            programs,
            ready=probe.look,
            on_ready=lambda: _announce(url, on_ready),
            on_stop=public.close,
            on_start=sealing.note,
        )
        return supervisor.run()


def _announce(url: str, on_ready: Callable[[str], None]) -> None:
    say(f"Jhalak is ready: {url}")
    on_ready(url)


def _webs(
    given: Options, application: str, listener: socket.socket, sockets: Path, stack: ExitStack
) -> list[Program]:
    """One web process with the engine in it; or several on one socket, and the feed process."""
    threads, drain = given.web_threads, given.drain
    if given.web_processes == 1:
        return [_web("web", application, listener, threads, drain, "--turns")]
    place = sockets / "feed.sock"
    feed = stack.enter_context(listen_unix(place))
    stack.callback(place.unlink, missing_ok=True)
    more = ("--turns", "--feed", str(place))
    return [
        _feed(feed.fileno(), drain),
        *(
            _web(f"web-{number}", application, listener, threads, drain, *more)
            for number in range(1, given.web_processes + 1)
        ),
    ]


def _feed(fd: int, drain: int) -> Program:
    return Program(
        "feed",
        (sys.executable, "-m", "jhalak.site.feed_process", "--fd", str(fd)),
        env=ONE_THREAD,
        pass_fds=(fd,),
        stage=2,  # after the web processes, which ask it
        drain=float(drain),
        gives_up=False,  # pages come without it
    )


def _web(
    name: str, application: str, listener: socket.socket, threads: int, drain: int, *more: str
) -> Program:
    fd = listener.fileno()
    argv = (sys.executable, "-m", "jhalak.site.web", "--name", name)
    return Program(
        name,
        (
            *argv,
            "--fd",
            str(fd),
            "--app",
            application,
            "--threads",
            str(threads),
            "--drain",
            str(drain),
            *more,
        ),
        env=ONE_THREAD,
        pass_fds=(fd,),
        stage=1,  # after the front, which brings the requests that are still to be answered
        drain=drain + 2.0,
    )


def _worker(drain: int) -> Program:
    argv = (sys.executable, "-m", "jhalak", "worker", "--kept")
    return Program("worker", argv, drain=float(drain))


def keep_worker() -> int:
    """`jhalak worker`: one more, sealed as the site's own, until a signal says stop."""
    given = options()
    number = os.getpid()
    sockets = socket_folder(run_folder(given.folder))
    sealing = Sealing(given, sockets, name="keeper")
    program = replace(sealing.around(_worker(given.drain)), name=f"worker-{number}")
    supervisor = Supervisor(
        [program], ready=lambda: True, on_ready=lambda: None, on_start=sealing.note
    )
    return supervisor.run()


def _broker(given: Options, sockets: Path, stack: ExitStack) -> list[Program]:
    """The one door, when there is somebody to open it to. Raises ServeError."""
    try:
        if not destinations.load(given.folder):
            return []
    except DestinationsError as error:
        raise ServeError(f"{error}. Nothing was started.") from error
    place = sockets / "broker.sock"
    listener = stack.enter_context(listen_unix(place))
    stack.callback(place.unlink, missing_ok=True)
    # Where it is asked for, however long the folder's name.
    known = broker_socket(given.folder)
    if known != place:
        known.unlink(missing_ok=True)
        known.symlink_to(place)
        stack.callback(known.unlink, missing_ok=True)
    fd = listener.fileno()
    argv = (sys.executable, "-m", "jhalak", "broker", "--fd", str(fd))
    return [Program("broker", argv, pass_fds=(fd,), stage=3, drain=35.0, gives_up=False)]


def _control() -> Program:
    """Outside the seal, for it enters one. Whether it is red is said by it and not by its exit."""
    argv = (sys.executable, "-m", "jhalak", "border", "control", "--quiet")
    return Program(
        "control",
        argv,
        exception="control",
        vital=False,
        when=When.WHEN_READY,
        first=CONTROL_FIRST,
        every=CONTROL_EVERY,
    )


def _front(
    given: Options,
    run: Path,
    listening: list[socket.socket],
    places: front.Sockets,
    files: int,
    sealing: Sealing,
) -> Program:
    """`listening`: the public socket, then the local one if there is one."""
    config = run / "front.conf"
    address = listening[0].getsockname()[:2]
    fds = tuple(one.fileno() for one in listening)
    own_user = sealing.front_keeps_user()
    text = front.embedded_config(given, address, places, files, own_user=own_user)
    config.write_text(text, "utf-8")
    argv = (str(front.nginx_binary()), "-p", f"{run}/", "-c", str(config), "-e", "front-start.log")
    code, said = sealing.run("front", [*argv, "-t", "-q"], quiet=True)
    if code:
        raise ServeError(f"The front does not take its settings: {said.strip()}")
    return Program(
        "front",
        argv,
        # nginx's own way to inherit listening sockets
        env={"NGINX": "".join(f"{fd};" for fd in fds)},
        pass_fds=fds,
        stop_signal=signal.SIGQUIT,  # no new connections, finish the open ones
        orphan_signal=signal.SIGTERM,  # its own workers are ended by it alone
        drain=float(given.drain),
    )


__all__ = [
    "FrontError",
    "InstanceError",
    "ServeError",
    "free_port",
    "listen_tcp",
    "serve",
    "url_of",
]
