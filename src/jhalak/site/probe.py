"""Asks GET /healthz without ever waiting: one request is on its way at a time, and is looked after
now and then.

The supervisor's loop must stay free for signals, and a site that is starting should not be asked
again while it has not answered: what was asked before would only wait in its queue too.
"""

from __future__ import annotations

import selectors
import socket
import time

PATIENCE = 30.0  # seconds after which a request is given up and made anew
HEALTHY = b"HTTP/1.1 200 "


class Probe:
    """`address`: (host, port), or the path of a Unix socket. `host`: a name that is answered."""

    def __init__(self, address: tuple[str, int] | str, host: str = "localhost") -> None:
        self._address = address
        name = host.lstrip("*.") or "localhost"
        self._request = f"GET /healthz HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
        self._socket: socket.socket | None = None
        self._answer = b""
        self._asked = 0.0

    def look(self) -> bool:
        """Whether the site has answered 200 by now."""
        if self._socket is None:
            self._ask()
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            if not selector.select(0):
                if time.monotonic() - self._asked > PATIENCE:
                    self.close()
                return False
        try:
            part = self._socket.recv(4096)
        except OSError:
            self.close()
            return False
        self._answer += part
        if part and len(self._answer) < len(HEALTHY):
            return False
        healthy = self._answer.startswith(HEALTHY)
        self.close()
        return healthy

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._answer = b""
        family = socket.AF_UNIX
        if not isinstance(self._address, str):
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        client = socket.socket(family, socket.SOCK_STREAM)
        client.settimeout(1.0)  # the listening sockets are on this machine: they take it at once
        try:
            client.connect(self._address)
            client.sendall(self._request.encode())
        except OSError:
            client.close()
            return
        self._socket = client

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
