"""The feed process: one engine that answers web processes over a Unix socket.

One thread and one loop. The engine is one lock and Python, so answering in turns is as fast as
threads can be and spares the interpreter's handing over; a client that sends half a question, or
does not read its answer, keeps nobody waiting. Whatever arrives, the loop goes on: bytes that are
no question get a refusal and the end of their connection.
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable

import msgspec

from jhalak.feed.clock import WatchClock
from jhalak.viewing import wire
from jhalak.viewing.host import LocalHost
from jhalak.viewing.wire import Answer, Ask, BadFrame, Kind, Refusal

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 256  # each web process keeps one for each of its threads
TICK = 0.5  # seconds between two looks at the log, and at whether to stop, when nobody asks
CHUNK = 1 << 16


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = bytearray()
        self.unsent = bytearray()
        self.last = False  # to be closed when all is sent


def answer(host: LocalHost, ask: Ask) -> Answer | Refusal:
    """What the engine says, level with the log at least as far as who asks saw it."""
    call = wire.CALLS.get(ask.name)
    if call is None:
        return Refusal(Kind.VALUE, f"the feed engine cannot be asked for {ask.name[:40]!r}")
    try:
        arguments = call.arguments(ask.arguments)
        owner = host.clock if call.owner is WatchClock else host.level_with(ask.offset)
        if host.level < ask.offset:
            return Refusal(Kind.FAILED, f"the log ends at {host.level} here, not at {ask.offset}")
        result = getattr(owner, ask.name)(*arguments)
        return Answer(host.level, msgspec.Raw(wire.encode(result)))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        return Refusal(Kind.VALUE, str(error))
    except Exception as error:
        log.exception("the feed engine failed at %s", ask.name)
        return Refusal(Kind.FAILED, f"{type(error).__name__}: {error}"[:300])


class EngineServer:
    """Answers on a listening socket until `stopped()`."""

    def __init__(self, listener: socket.socket, host: LocalHost) -> None:
        self._listener = listener
        self._host = host
        self._selector = selectors.DefaultSelector()

    def run(self, stopped: Callable[[], bool]) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        try:
            while not stopped():
                ready = self._selector.select(TICK)
                for key, events in ready:
                    if key.data is None:
                        self._accept()
                    else:
                        self._serve(key.data, events)
                if not ready:
                    self._look()
        finally:
            for key in list(self._selector.get_map().values()):
                if key.data is not None:
                    self._close(key.data)
            self._selector.close()

    def _look(self) -> None:
        """The engine stays level with the log, and makes its snapshots, when nobody asks too."""
        try:
            self._host.fresh()
        except Exception:
            log.exception("the feed engine could not read the log; it tries again")

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                log.warning("a connection to the feed engine could not be taken: %s", error)
            return
        if len(self._selector.get_map()) > MOST_CONNECTIONS:
            log.warning("more than %d connections to the feed engine", MOST_CONNECTIONS)
            sock.close()
            return
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, _Connection(sock))

    def _serve(self, connection: _Connection, events: int) -> None:
        try:
            if events & selectors.EVENT_READ:
                chunk = connection.sock.recv(CHUNK)
                if not chunk:
                    self._close(connection)
                    return
                connection.received += chunk
                self._answer_all(connection)
            self._send(connection)
        except BlockingIOError:
            return
        except OSError:
            self._close(connection)  # who asked is gone

    def _answer_all(self, connection: _Connection) -> None:
        """Answers every whole question that has arrived."""
        try:
            while (body := wire.take(connection.received, wire.MOST_ASKED)) is not None:
                connection.unsent += wire.frame(answer(self._host, wire.read_ask(body)))
                if len(connection.unsent) > wire.MOST_ANSWERED:
                    raise BadFrame("more is asked than is read")
        except BadFrame as error:
            log.warning("a connection to the feed engine is closed: %s", error)
            connection.unsent += wire.frame(Refusal(Kind.FRAME, str(error)))
            connection.last = True

    def _send(self, connection: _Connection) -> None:
        if connection.unsent:
            del connection.unsent[: connection.sock.send(connection.unsent)]
        if connection.unsent:
            wanted = selectors.EVENT_WRITE  # nothing more is read before this is taken
        elif connection.last:
            self._close(connection)
            return
        else:
            wanted = selectors.EVENT_READ
        if self._selector.get_key(connection.sock).events != wanted:
            self._selector.modify(connection.sock, wanted, connection)

    def _close(self, connection: _Connection) -> None:
        self._selector.unregister(connection.sock)
        connection.sock.close()
