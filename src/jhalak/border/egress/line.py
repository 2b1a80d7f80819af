"""One TCP connection to one address: every byte on it is counted, and it ends at its limits.

TLS is done over memory (ssl.MemoryBIO), so that what is counted is what the wire carries: the
payload of TCP, handshakes and all. smtplib and http.client take it for a socket.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from typing import Any

import msgspec

_PART = 16 << 10


class LineError(Exception):
    """It broke, or came to a limit; the message says which."""


class Limits(msgspec.Struct, frozen=True):
    """Of one flow. Bytes are those on the wire."""

    seconds: float = 30.0
    bytes_out: int = 2 << 20
    bytes_in: int = 1 << 20


class Line:
    """Not open before `open`. `bytes_in`, `bytes_out`: received, and handed to the kernel."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._until = time.monotonic() + limits.seconds
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLObject | None = None
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.bytes_in = self.bytes_out = 0

    def open(self, address: str, port: int) -> None:
        """Raises LineError, as all here do."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._timed().connect((address, port))
        except OSError as error:
            raise LineError(f"no connection: {error.strerror or 'it took too long'}") from error

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if not self._receive():
                    raise LineError("TLS: it hung up") from None
            except ssl.SSLError as error:
                self._flush()  # the alert
                raise LineError(f"TLS: {_plain(error)}") from error
        self._flush()
        self._tls = tls

    def sendall(self, data: Any) -> None:
        if self._tls is None:
            self._send(bytes(data))
            return
        for at in range(0, len(data), _PART):
            self._tls.write(data[at : at + _PART])
            self._flush()

    def read(self, most: int) -> bytes:
        """b"" at the end."""
        if self._tls is None:
            return self._received(most)
        while True:
            try:
                return self._tls.read(most)
            except ssl.SSLWantReadError:
                self._flush()
                if not self._receive():
                    return b""  # without close_notify: whoever reads knows how much was to come
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise LineError(f"TLS: {_plain(error)}") from error

    def makefile(self, mode: str = "rb", buffering: int = -1) -> io.BufferedReader:  # noqa: ARG002
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _timed(self) -> socket.socket:
        left = self._until - time.monotonic()
        if self._socket is None or left <= 0:
            raise LineError(f"not done in {self._limits.seconds:g} s")
        self._socket.settimeout(left)
        return self._socket

    def _flush(self) -> None:
        if self._out.pending:
            self._send(self._out.read())

    def _send(self, data: bytes) -> None:
        if self.bytes_out + len(data) > self._limits.bytes_out:
            raise LineError(f"more than {self._limits.bytes_out} bytes out")
        left = memoryview(data)
        while left:
            try:
                sent = self._timed().send(left)
            except OSError as error:
                raise LineError(f"it broke: {error.strerror or 'it took too long'}") from error
            self.bytes_out += sent
            left = left[sent:]

    def _receive(self) -> bool:
        data = self._received(_PART)
        self._in.write(data)
        if not data:
            self._in.write_eof()
        return bool(data)

    def _received(self, most: int) -> bytes:
        try:
            data = self._timed().recv(most)
        except OSError as error:
            raise LineError(f"it broke: {error.strerror or 'it took too long'}") from error
        self.bytes_in += len(data)
        if self.bytes_in > self._limits.bytes_in:
            raise LineError(f"more than {self._limits.bytes_in} bytes in")
        return data


class _Reader(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._line.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _plain(error: ssl.SSLError) -> str:
    verified = getattr(error, "verify_message", "")
    return str(verified or error.reason or error)
