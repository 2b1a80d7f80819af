"""A small closed-loop load generator: C connections on one thread, each asks, waits, asks again.

Small because it shares two cores with what it measures: requests are ready-made bytes on kept-alive
sockets, answers are read only as far as their length demands. What it counts is what a client sees:
from the first byte sent to the last byte received.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Result:
    """Latencies in milliseconds, in the order of completion; statuses by number."""

    seconds: float
    latencies_ms: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_ms) / self.seconds

    def quantile(self, q: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


@dataclass
class _Connection:
    sock: socket.socket
    index: int
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    needed: int = 0  # bytes of the whole answer, once its head is known
    closing: bool = False


def request(method: str, path: str, *, cookie: str = "", body: bytes = b"") -> bytes:
    """One HTTP/1.1 request as bytes."""
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if cookie:
        head.append(f"Cookie: {cookie}")
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def run(
    port: int,
    next_request: Callable[[int], bytes | None],
    *,
    connections: int,
    seconds: float,
    warm_up: float = 1.0,
) -> Result:
    """Ask for `seconds` after `warm_up`; `next_request(connection)` gives each request, None ends
    that connection's part.
    """
    selector = selectors.DefaultSelector()
    for index in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(sock, index)
        selector.register(sock, selectors.EVENT_READ, connection)
        _send(connection, next_request)
    start = time.perf_counter() + warm_up
    end = start + seconds
    result = Result(seconds)
    while (now := time.perf_counter()) < end and selector.get_map():
        for key, _events in selector.select(timeout=0.1):
            connection = key.data
            status = _receive(connection)
            if status is None:
                continue
            now = time.perf_counter()
            if now >= start:
                result.latencies_ms.append((now - connection.sent_at) * 1000)
                result.statuses[status] = result.statuses.get(status, 0) + 1
            if connection.closing:  # nginx ends a connection after a thousand requests
                selector.unregister(connection.sock)
                connection.sock.close()
                connection.sock = socket.create_connection(("127.0.0.1", port))
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection.sock, selectors.EVENT_READ, connection)
            if not _send(connection, next_request):
                selector.unregister(connection.sock)
    if now < end:  # the requests ran out
        result.seconds = max(now - start, 1e-9)
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    return result


def _send(connection: _Connection, next_request: Callable[[int], bytes | None]) -> bool:
    data = next_request(connection.index)
    if data is None:
        return False
    connection.received.clear()
    connection.needed = 0
    connection.sent_at = time.perf_counter()
    connection.sock.sendall(data)
    return True


def _receive(connection: _Connection) -> int | None:
    """The status once the whole answer is here."""
    chunk = connection.sock.recv(1 << 18)
    if not chunk:
        raise ConnectionError("the server closed a connection that was to be kept alive")
    connection.received += chunk
    if not connection.needed:
        head_end = connection.received.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = bytes(connection.received[:head_end]).lower()
        connection.closing = b"connection: close" in head
        _before, found, length = head.partition(b"content-length:")
        if not found:
            raise ValueError(f"an answer without a length: {head!r}")
        connection.needed = head_end + 4 + int(length.partition(b"\r\n")[0])
    if len(connection.received) < connection.needed:
        return None
    return int(connection.received[9:12])
