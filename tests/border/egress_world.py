"""Who answers outside, on this machine: an HTTPS and an SMTP server with a certificate of their own
authority, and a broker to reach them by.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jhalak.border.egress.broker import Broker
from jhalak.border.egress.client import send
from jhalak.border.egress.line import Limits
from jhalak.border.egress.messages import Answer, Mail, Post
from jhalak.border.log.entries import Kind, canonical

HOST = "gateway.example.in"
LONG = datetime.timedelta(days=365)


def certificate(folder: Path, host: str = HOST) -> tuple[Path, Path]:
    """One that is its own authority: the file with certificate and key, and the one to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LONG)
        .not_valid_after(now + LONG)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both, trusted = folder / f"{host}.pem", folder / f"{host}.ca.pem"
    both.write_bytes(pem + private)
    trusted.write_bytes(pem)
    return both, trusted


class Server:
    """TCP on 127.0.0.1; `answer(line, tls)` says what it says. Counts every byte of TCP."""

    def __init__(self, both: Path, answer: Callable[[Any, Server], None]) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(both)
        self.heard: list[bytes] = []
        self.bytes_in = self.bytes_out = 0
        self.connections = 0
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            line, _ = self._listener.accept()
            with line:
                if self.port == 0:
                    return
                self.connections += 1
                line.settimeout(20)
                try:
                    self._answer(Counted(line, self), self)
                except (OSError, ssl.SSLError):
                    continue

    def close(self) -> None:
        if not self.port:
            return
        where = self._listener.getsockname()
        self.port = 0
        socket.create_connection(where).close()
        self._thread.join()
        self._listener.close()


class Counted:
    """A server's end of TLS over memory, so that its bytes are counted by somebody else's code."""

    def __init__(self, line: socket.socket, server: Server) -> None:
        self.line, self.server = line, server
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls: ssl.SSLObject | None = None
        self._plain = b""

    def start_tls(self) -> None:
        tls = self.server.context.wrap_bio(self._in, self._out, server_side=True)
        self._do(tls.do_handshake)
        self.tls = tls

    def _do(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush()
                part = self._recv()
                if not part:
                    raise OSError("it hung up") from None
                self._in.write(part)
                continue
            self._flush()
            return done

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self.line.sendall(data)
            self.server.bytes_out += len(data)

    def _recv(self) -> bytes:
        part = self.line.recv(1 << 16)
        self.server.bytes_in += len(part)
        return part

    def read_line(self) -> bytes:
        while b"\n" not in self._plain:
            self._plain += self.read()
        line, _, self._plain = self._plain.partition(b"\n")
        return line.strip()

    def read_exactly(self, size: int) -> bytes:
        while len(self._plain) < size:
            self._plain += self.read()
        data, self._plain = self._plain[:size], self._plain[size:]
        return data

    def read(self) -> bytes:
        if self.tls is None:
            part = self._recv()
            if not part:
                raise OSError("it hung up")
            return part
        part = self._do(lambda: self.tls.read(1 << 16))  # type: ignore[union-attr]
        if not part:
            raise OSError("it hung up")
        return bytes(part)

    def write(self, data: bytes) -> None:
        if self.tls is None:
            self.line.sendall(data)
            self.server.bytes_out += len(data)
        else:
            self._do(lambda: self.tls.write(data))  # type: ignore[union-attr]


def https(status: str = "200 OK", headers: str = "", body: bytes = b'{"ok":true}') -> Any:
    """Answers each POST like that."""

    def answer(line: Counted, server: Server) -> None:
        line.start_tls()
        head = [line.read_line()]
        while head[-1]:
            head.append(line.read_line())
        length = int(next(h for h in head if h.lower().startswith(b"content-length"))[15:])
        server.heard += [*head, line.read_exactly(length)]
        start = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        line.write(start.encode() + body)
        _until_closed(line)

    return answer


def _until_closed(line: Counted) -> None:
    """Whatever still comes is counted."""
    while line._recv():
        pass


def smtp(*, starttls: bool) -> Any:
    """Takes a mail by submission."""

    def answer(line: Counted, server: Server) -> None:
        if not starttls:
            line.start_tls()
        line.write(b"220 here\r\n")
        while True:
            said = line.read_line()
            server.heard.append(said)
            word = said[:4].upper()
            if word == b"EHLO":
                more = b"" if line.tls else b"250-STARTTLS\r\n"
                line.write(b"250-here\r\n" + more + b"250 AUTH PLAIN\r\n")
            elif word == b"STAR":
                line.write(b"220 go\r\n")
                line.start_tls()
            elif word == b"AUTH":
                line.write(b"235 good\r\n")
            elif word == b"DATA":
                line.write(b"354 go\r\n")
                while (text := line.read_line()) != b".":
                    server.heard.append(text)
                line.write(b"250 taken\r\n")
            elif word == b"QUIT":
                line.write(b"221 bye\r\n")
                _until_closed(line)
                return
            else:
                line.write(b"250 good\r\n")

    return answer


class World:
    """A broker on a data folder. `entries`: what it wrote, checked to be what a log takes."""

    def __init__(self, data: Path, **more: Any) -> None:
        self.data = data
        (data / "border").mkdir(parents=True, exist_ok=True)
        self.place = data / "broker.sock"
        self.entries: list[tuple[Kind, dict[str, Any]]] = []
        self.full = False
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.place))
        listener.listen(1024)
        more.setdefault("limits", Limits(seconds=20))
        self.broker = Broker(data, self._ledger, **more)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.broker.run, args=(listener, self._stop.is_set))

    def __enter__(self) -> World:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ledger(self, kind: Kind, body: dict[str, Any]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        canonical(body)
        self.entries.append((kind, body))

    def declare(self, **fields: object) -> None:
        given = {
            "name": "gateway",
            "kind": "https",
            "host": HOST,
            "purpose": "codes to log in",
            "classes": ["contact"],
            "owner": "operations@example.in",
            "expires": datetime.date(2126, 1, 1),
        } | fields
        lines = ["[[destination]]", *(f"{key} = {_toml(value)}" for key, value in given.items())]
        with (self.data / "border" / "destinations.toml").open("a") as file:
            file.write("\n".join([*lines, "", ""]))

    def internal(self, server: Server, trusted: Path, **fields: object) -> None:
        here = {"internal": True, "address": "127.0.0.1", "port": server.port, "ca": str(trusted)}
        self.declare(**(here | fields))

    def send(self, request: Mail | Post, name: str = "gateway") -> Answer:
        return send(self.place, name, request)

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        return [body for found, body in self.entries if found is kind]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | datetime.date):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"'


def mapped(address: str) -> str:
    return str(ipaddress.ip_address(f"::ffff:{address}"))
