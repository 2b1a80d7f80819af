"""Asks the feed process: a kept connection for each thread, and an answer within a time or none.

The socket belongs to the supervisor, so while the feed process is started again a question waits in
its queue, and is given up after its time. A kept connection that turns out to be dead is replaced
once; the questions change nothing that the log holds, so asking twice does no harm.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import msgspec

from jhalak.viewing import wire

CHUNK = 1 << 16


class NoAnswer(Exception):
    """The engine gave no answer to this question; the message says why."""


class EngineAway(NoAnswer):
    """Nobody answers at all, or not in time."""


class _Kept(socket.socket):
    """A thread's connection, which ends with the thread."""

    def __init__(self) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)

    def __del__(self) -> None:
        self.close()


class EngineClient:
    """Safe to use from several threads. Not across a fork."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._own = threading.local()
        self._guard = threading.Lock()  # of the two below
        self._open: weakref.WeakSet[_Kept] = weakref.WeakSet()
        self._closed = False

    def ask(self, name: str, offset: int, *arguments: Any, within_s: float) -> Any:
        """What the engine's method `name` returns for these arguments, when it knows the log up to
        `offset` at least. Raises EngineAway, NoAnswer, and ValueError as the method would.
        """
        until = time.monotonic() + within_s
        reply = self._exchange(wire.question(name, offset, arguments), until)
        if isinstance(reply, wire.Refusal):
            if reply.kind is wire.Kind.VALUE:
                raise ValueError(reply.words)
            raise NoAnswer(reply.words)
        try:
            return wire.CALLS[name].result(reply.result)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NoAnswer(f"an answer that cannot be read: {error}") from error

    def close(self) -> None:
        """Ends every question that is under way, too. None can be asked from then on: who was
        waiting would else connect once more, as for a feed process that ended. Each thread closes
        its own connection: the number of one closed here could be another's by the next read.
        """
        with self._guard:
            self._closed = True
            for sock in list(self._open):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)  # wakes who waits on it

    def _exchange(self, question: bytes, until: float) -> wire.Answer | wire.Refusal:
        kept: _Kept | None = getattr(self._own, "sock", None)
        if kept is not None:
            try:
                return self._on(kept, question, until)
            except ConnectionError:
                pass  # the process that it led to has ended
            except (OSError, wire.BadFrame) as error:
                raise self._away(error) from error
        try:
            return self._on(self._connect(until), question, until)
        except (OSError, wire.BadFrame) as error:
            raise self._away(error) from error

    def _connect(self, until: float) -> socket.socket:
        with self._guard:
            if self._closed:
                raise ConnectionAbortedError("the way to the feed process is closed")
            sock = _Kept()
            self._open.add(sock)
        try:
            sock.settimeout(_left(until))
            sock.connect(self._path)
        except OSError:
            sock.close()
            raise
        self._own.sock = sock
        return sock

    def _on(self, sock: socket.socket, question: bytes, until: float) -> wire.Answer | wire.Refusal:
        """One exchange. After any failure the connection is closed: an answer may still come on it,
        and would be taken for that of the next question.
        """
        try:
            sock.settimeout(_left(until))
            sock.sendall(question)
            received = bytearray()
            while (body := wire.take(received, wire.MOST_ANSWERED)) is None:
                sock.settimeout(_left(until))
                chunk = sock.recv(CHUNK)
                if not chunk:
                    raise ConnectionResetError("the feed process ended")
                received += chunk
            return wire.read_reply(body)
        except BaseException:
            sock.close()
            self._own.sock = None
            raise

    def _away(self, error: Exception) -> EngineAway:
        late = isinstance(error, TimeoutError)
        return EngineAway("no answer in time" if late else str(error) or type(error).__name__)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
