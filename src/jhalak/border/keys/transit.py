"""A key service over a Unix socket that speaks the transit API of OpenBao (and of Vault).

The installation key never comes here: the service encrypts, decrypts and authenticates. Two of its
keys are used: NAME (aes256-gcm96, rotated) wraps, NAME-hash (hmac, never rotated) makes the keyed
hashes. The intended other side is OpenBao's proxy with a `listener "unix"` and
`use_auto_auth_token`, on this machine: then no token is needed here; else it comes from BAO_TOKEN.
API: https://openbao.org/api-docs/secret/transit/ (encrypt, decrypt, hmac, keys).
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import re
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

from jhalak.border.keys.errors import KeyMissing, KeyRefused, KeysAway
from jhalak.border.keys.roots import SIZE, Item

PATIENCE_S = 10.0
MOST_ANSWER = 16 << 20  # bytes
BATCH = 500  # items in one request
_VERSION = re.compile(rb"[a-z]+:v([0-9]{1,9}):")


class Service(NamedTuple):
    """Where the service listens, what its key is called, and how it is mounted."""

    socket: str
    name: str = "jhalak"
    token: str = ""
    mount: str = "transit"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self._path)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise KeysAway("the key service answered what is not base64") from error


def call(service: Service, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """One request; a connection each, since they are rare and local (0.1 ms). The answer's `data`.

    Raises KeysAway when it cannot be asked now, KeyRefused when it says no, KeyMissing for 404.
    """
    connection = _UnixConnection(service.socket)
    headers = {"Content-Type": "application/json", "X-Vault-Request": "true"}
    if service.token:
        headers["X-Vault-Token"] = service.token
    try:
        connection.request(
            method, f"/v1/{service.mount}/{path}", json.dumps(body) if body else None, headers
        )
        answer = connection.getresponse()
        raw = answer.read(MOST_ANSWER + 1)
    except (OSError, http.client.HTTPException) as error:
        raise KeysAway(f"the key service at {service.socket} does not answer: {error}") from error
    finally:
        connection.close()
    if len(raw) > MOST_ANSWER:
        raise KeysAway("the key service answered more than 16 MiB")
    try:
        found = json.loads(raw) if raw else {}
    except ValueError as error:
        raise KeysAway("the key service answered what is not JSON") from error
    if not isinstance(found, dict):
        raise KeysAway("the key service answered what is no object")
    if answer.status == 404:
        raise KeyMissing(f"the key service has no {path}")
    if answer.status in (400, 403):
        said = "; ".join(map(str, found.get("errors") or [])) or "no reason given"
        raise KeyRefused(f"the key service refused {path}: {said}")
    if answer.status >= 300:
        raise KeysAway(f"the key service answered {answer.status} to {path}")
    data = found.get("data")
    return data if isinstance(data, dict) else {}


def latest_version(service: Service) -> int:
    """Newest version of the wrapping key. Raises as `call`."""
    version = call(service, "GET", f"keys/{service.name}", None).get("latest_version")
    if not isinstance(version, int):
        raise KeysAway("the key service does not say its key's version")
    return version


class TransitRoot:
    """One version of the service's wrapping key."""

    def __init__(self, service: Service, version: int) -> None:
        self._service = service
        self._version = version
        self.key_id = f"transit/{service.name}/v{version}".encode()[:64]

    def wrap(self, items: Sequence[Item]) -> list[bytes]:
        given = [
            {
                "plaintext": _b64(item.data),
                "associated_data": _b64(item.about),
                "key_version": self._version,
            }
            for item in items
        ]
        return [text.encode() for text in self._batches("encrypt", given, "ciphertext")]

    def unwrap(self, items: Sequence[Item]) -> list[bytes]:
        for item in items:
            version = _VERSION.match(item.data)
            if version is None or int(version[1]) != self._version:
                raise KeyRefused("this was wrapped by another version of the service's key")
        given = [
            {
                "ciphertext": item.data.decode("ascii", "replace"),
                "associated_data": _b64(item.about),
            }
            for item in items
        ]
        return [_unb64(text) for text in self._batches("decrypt", given, "plaintext")]

    def _batches(self, what: str, given: list[dict[str, Any]], wanted: str) -> list[str]:
        out: list[str] = []
        for at in range(0, len(given), BATCH):
            part = given[at : at + BATCH]
            path = f"{what}/{self._service.name}"
            answers = call(self._service, "POST", path, {"batch_input": part}).get("batch_results")
            if not isinstance(answers, list) or len(answers) != len(part):
                raise KeysAway(f"the key service left out answers to {path}")
            for answer in answers:
                if answer.get("error"):
                    raise KeyRefused(f"the key service refused {path}: {answer['error']}")
                out.append(str(answer.get(wanted, "")))
        return out


def mac(service: Service, data: bytes) -> bytes:
    """HMAC-SHA-256 by the service's hash key: 32 bytes. Raises as `call`."""
    path = f"hmac/{service.name}-hash/sha2-256"
    # The version stands in the request: whoever rotates this key by mistake changes no hash.
    answer = call(service, "POST", path, {"input": _b64(data), "key_version": 1})
    digest = _unb64(str(answer.get("hmac", "")).rpartition(":")[2])
    if len(digest) != SIZE:
        raise KeysAway("the key service answered what is no HMAC-SHA-256")
    return digest


def rotate(service: Service) -> int:
    """A new version of the wrapping key; its number. Raises as `call`."""
    call(service, "POST", f"keys/{service.name}/rotate", None)
    return latest_version(service)


def end_versions_before(service: Service, version: int) -> None:
    """The service opens nothing any more that older versions wrapped. Raises as `call`."""
    body = {"min_decryption_version": version, "min_encryption_version": version}
    call(service, "POST", f"keys/{service.name}/config", body)
