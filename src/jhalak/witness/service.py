"""The witness over HTTP: `POST /add-checkpoint`, on a TCP port or a Unix socket."""

from __future__ import annotations

import socketserver
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from jhalak.border.log.witness import MOST_BYTES, Refused, Witness

PATIENCE_S = 10  # for a request to arrive


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def serve(witness: Witness, at: str, ready: Callable[[socketserver.BaseServer], None]) -> None:
    """Answer until `shutdown()` of the server that `ready` is given. `at`: `host:port`, or the path
    of a Unix socket. Raises OSError if it cannot listen.
    """

    class Handler(_Handler):
        asked = witness

    with _server(at, Handler) as server:
        ready(server)
        server.serve_forever(poll_interval=0.1)


def _server(at: str, handler: type[BaseHTTPRequestHandler]) -> socketserver.TCPServer:
    host, _, port = at.rpartition(":")
    if "/" not in at and port.isdigit():
        return _Tcp((host, int(port)), handler)
    Path(at).unlink(missing_ok=True)
    return _Unix(at, handler)


class _Handler(BaseHTTPRequestHandler):
    asked: Witness
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def do_POST(self) -> None:
        try:
            if self.path != "/add-checkpoint":
                raise Refused(404, "there is only /add-checkpoint")
            self._answer(200, self.asked.add_checkpoint(self._body()), "text/plain; charset=utf-8")
        except Refused as refused:
            self._answer(refused.status, refused.body, refused.content_type)
        except OSError:
            self._answer(503, "it cannot be written down here\n", "text/plain; charset=utf-8")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or len(length) > 9:
            self.close_connection = True
            raise Refused(411, "say how long it is")
        if int(length) > MOST_BYTES:
            self.close_connection = True
            raise Refused(413, f"a request has at most {MOST_BYTES} bytes")
        return self.rfile.read(int(length))

    def _answer(self, status: int, body: str, content_type: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        """Unix sockets have no address."""
        return str(self.client_address or "unix")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: what is asked here is in the folder."""
