"""Asking a witness for its cosignature, from the log's side."""

from __future__ import annotations

import http.client
import ipaddress
import socket

from jhalak.border.log.checkpoints import read_signed
from jhalak.border.log.notes import (
    Note,
    NoteError,
    Signature,
    Type,
    Verifier,
    parse_signatures,
)
from jhalak.border.log.tiles import TileError, Tiles
from jhalak.border.log.witness import SIZE_TYPE, Request

MOST_ANSWER = 16 << 10
PATIENCE_S = 10


class WitnessError(Exception):
    """No cosignature; the message says why. `status`: the answer's, 0 without one."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("witness", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self._path)


def ask(at: str, witness: Verifier, tiles: Tiles, log: Verifier, old: int = 0) -> Note:
    """The log's checkpoint with the witness's cosignature. `at`: the path of a Unix socket, or
    `address:port` on this machine; nothing else is connected to. `old`: the size that the witness
    is thought to have seen; it says another one itself.

    Raises WitnessError, TileError, NoteError.
    """
    if witness.type is not Type.COSIGNATURE:
        raise WitnessError("a witness's key is of type 4")
    data = tiles.checkpoint()
    head, note = read_signed(data, log)
    for _ in range(2):
        if old > head.size:
            raise WitnessError(f"the witness has seen {old} entries, this log has {head.size}")
        try:
            proof = tiles.consistency(old, head.size)
        except (TileError, ValueError) as error:
            raise WitnessError(f"no proof from {old} to {head.size}: {error}") from error
        status, kind, body = _post(at, Request(old, tuple(proof), data).to_bytes())
        if status != 409 or kind != SIZE_TYPE:
            break
        seen = body.decode("ascii", "replace").strip()
        if not seen.isdigit() or len(seen) > 19 or int(seen) == old:
            break
        old = int(seen)
    if status != 200:
        raise WitnessError(f"{status}: {body.decode('utf-8', 'replace')[:200].strip()}", status)
    return Note(note.text, (*note.signatures, _cosignature(body, witness, note.text)))


def _cosignature(body: bytes, witness: Verifier, text: str) -> Signature:
    try:
        for signature in parse_signatures(body.decode("utf-8")):
            if witness.made(signature):
                witness.verify(text, signature)
                return signature
    except (NoteError, UnicodeDecodeError) as error:
        raise WitnessError(f"the witness's answer: {error}") from error
    raise WitnessError("the witness answered with no signature of its key")


def _post(at: str, body: bytes) -> tuple[int, str, bytes]:
    connection = _connection(at)
    try:
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        kind = answer.getheader("Content-Type", "").partition(";")[0]
        return answer.status, kind, answer.read(MOST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise WitnessError(f"the witness at {at} does not answer: {error}") from error
    finally:
        connection.close()


def _connection(at: str) -> http.client.HTTPConnection:
    if at.startswith("/"):
        return _UnixConnection(at)
    host, _, port = at.rpartition(":")
    try:
        local = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        local = False
    if not local or not port.isdigit():
        raise WitnessError(f"{at} is neither a Unix socket nor an address of this machine")
    return http.client.HTTPConnection(host.strip("[]"), int(port), timeout=PATIENCE_S)
