"""How a runner talks to its site: one request and its answer, by HTTPS, HTTP or a Unix socket.

What may go through in a moment, a site that restarts or whose store is away, is asked again for as
long as a job can wait; the rest is told apart by exceptions.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from jhalak.stores.objects import is_full

PATIENCE_S = 12.0  # less than a lease: after that the job is somebody else's anyhow
TIMEOUT_S = 60.0
CHUNK = 1 << 20
JSON = "application/json"
BYTES = "application/octet-stream"
CANNOT = (429, 502, 503, 504, 507)  # not now; perhaps in a moment

encoded = msgspec.json.Encoder(enc_hook=str).encode


class RunnerError(Exception):
    """The runner cannot work; the message says why and what to do."""


class Lost(Exception):
    """The job is somebody else's now, or the runner stops."""


class Away(Exception):
    """The site could not be reached, or could not take it, for as long as a job can wait."""


class Refused(Exception):
    """The site answered with an error that trying again does not change."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body[:300].decode(errors='replace')}")
        self.status = status


class _UnixLine(http.client.HTTPConnection):
    """A connection through a Unix socket, to a site that calls itself localhost."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Site:
    """The site, by `https://host`, `http://host:port` or `unix:/path`. One connection a request:
    threads share nothing.

    `ca`: PEM file of the authority that its certificate is checked against, instead of the
    system's.
    """

    def __init__(self, url: str, ca: Path | None = None) -> None:
        self.url = url
        parts = urlsplit(url)
        socket_path = parts.path if parts.scheme == "unix" and not parts.netloc else ""
        named = parts.scheme in ("http", "https") and parts.hostname
        if not named and not socket_path.startswith("/"):
            raise RunnerError(
                f"{url!r} is no site; give one like https://example.org or unix:/path/to/socket"
            )
        if ca is not None and parts.scheme != "https":
            raise RunnerError("--ca is for a site by https://")
        self.parts = parts
        try:
            self._tls = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        except OSError as error:  # ssl.SSLError is one of these
            raise RunnerError(f"{ca}: no certificates can be read from it: {error}") from error

    def _line(self) -> http.client.HTTPConnection:
        parts = self.parts
        if parts.scheme == "unix":
            return _UnixLine(parts.path)
        host = parts.hostname or ""
        if self._tls is None:
            return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=self._tls)

    def _once(
        self, method: str, path: str, token: str, body: Any, kind: str, into: Path | None
    ) -> tuple[int, bytes]:
        headers: Mapping[str, str] = {
            "Authorization": f"Bearer {token}",
            "Accept": JSON,
            "User-Agent": "jhalak-runner",
            "Content-Type": kind,
        }
        with closing(self._line()) as line:
            if isinstance(body, Path):
                size = {"Content-Length": str(body.stat().st_size)}
                # A site that refuses half of it has answered, and reads no more.
                with body.open("rb") as file, suppress(BrokenPipeError, ConnectionResetError):
                    line.request(method, path, file, {**headers, **size})
            else:
                line.request(method, path, body, headers)
            answer = line.getresponse()
            if into is None or answer.status != 200:
                return answer.status, answer.read()
            with into.open("wb") as file:
                shutil.copyfileobj(answer, file, CHUNK)
            if str(into.stat().st_size) != answer.headers.get("Content-Length"):
                raise http.client.IncompleteRead(b"")
            return answer.status, b""

    def ask(
        self, method: str, path: str, token: str, body: Any = None, into: Path | None = None
    ) -> bytes:
        """The body of a good answer. Waits for a site that restarts. Raises Lost, Refused, Away;
        RunnerError for a certificate that is not to be trusted.
        """
        kind = BYTES if isinstance(body, Path) else JSON
        sent = body if body is None or isinstance(body, Path) else encoded(body)
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                status, content = self._once(method, f"/api/runner/{path}", token, sent, kind, into)
            except ssl.SSLCertVerificationError as error:
                raise RunnerError(
                    f"{self.url}: its certificate is not to be trusted ({error.verify_message})."
                    " Name the authority that signed it with --ca."
                ) from error
            except (OSError, http.client.HTTPException) as error:
                if is_full(error):
                    raise
                trouble = f"{type(error).__name__}: {error}"
            else:
                if status < 300:
                    return content
                trouble = str(_judged(status, content))
            if time.monotonic() > end:
                raise Away(f"{self.url}: {trouble}")
            time.sleep(0.5)


def _judged(status: int, content: bytes) -> Refused:
    """What may be different in a moment is returned; what is final raises Lost or Refused."""
    refused = Refused(status, content)
    if status in (404, 410):
        raise Lost(content[:200].decode(errors="replace"))
    if status not in CANNOT:
        raise refused
    return refused
