"""A stand-in for OpenBao's transit engine, on a Unix socket: the requests and answers of its API,
with real AES-256-GCM and HMAC behind them. It is no OpenBao: no policies, no seal, no leases.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.let-me-in"


class Refused(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(*errors)
        self.status, self.errors = status, list(errors)


class Engine:
    """Keys and what they do. `answers` may be set to bytes that are sent instead of any answer."""

    def __init__(self) -> None:
        self.versions: dict[int, bytes] = {1: os.urandom(32)}
        self.oldest = 1
        self.hash_key = os.urandom(32)
        self.asked: list[str] = []
        self.broken: bytes | None = None

    def handle(self, method: str, path: str, body: dict[str, Any], token: str) -> dict[str, Any]:
        self.asked.append(path)
        if token != TOKEN:
            raise Refused(403, "permission denied")
        match [method, *path.removeprefix("/v1/transit/").split("/")]:
            case ["GET", "keys", "jhalak"]:
                return {"latest_version": max(self.versions), "type": "aes256-gcm96"}
            case ["POST", "keys", "jhalak", "rotate"]:
                self.versions[max(self.versions) + 1] = os.urandom(32)
                return {}
            case ["POST", "keys", "jhalak", "config"]:
                self.oldest = body["min_decryption_version"]
                return {}
            case ["POST", "encrypt", "jhalak"]:
                return self._batch(body, "ciphertext", self._encrypt)
            case ["POST", "decrypt", "jhalak"]:
                return self._batch(body, "plaintext", self._decrypt)
            case ["POST", "hmac", "jhalak-hash", "sha2-256"]:
                digest = hmac.digest(self.hash_key, base64.b64decode(body["input"]), "sha256")
                return {"hmac": f"vault:v1:{base64.b64encode(digest).decode()}"}
        raise Refused(404)

    def _batch(self, body: dict[str, Any], name: str, act: Any) -> dict[str, Any]:
        return {"batch_results": [{name: act(item)} for item in body["batch_input"]]}

    def _encrypt(self, item: dict[str, Any]) -> str:
        version, nonce = item.get("key_version") or max(self.versions), os.urandom(12)
        sealed = AESGCM(self.versions[version]).encrypt(
            nonce, base64.b64decode(item["plaintext"]), base64.b64decode(item["associated_data"])
        )
        return f"vault:v{version}:{base64.b64encode(nonce + sealed).decode()}"

    def _decrypt(self, item: dict[str, Any]) -> str:
        _, version, sealed = item["ciphertext"].split(":")
        if int(version[1:]) < self.oldest:
            raise Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        raw = base64.b64decode(sealed)
        about = base64.b64decode(item["associated_data"])
        try:
            bare = AESGCM(self.versions[int(version[1:])]).decrypt(raw[:12], raw[12:], about)
        except InvalidTag:
            raise Refused(400, "cipher: message authentication failed") from None
        return base64.b64encode(bare).decode()


class _Handler(BaseHTTPRequestHandler):
    server: TransitDouble

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        pass

    def _do(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        engine = self.server.engine
        if engine.broken is not None:
            self.wfile.write(engine.broken)
            return
        try:
            token = self.headers.get("X-Vault-Token", "")
            data = engine.handle(self.command, self.path, json.loads(raw or b"{}"), token)
            status, answer = (200, {"data": data}) if data else (204, None)
        except Refused as refused:
            status, answer = refused.status, {"errors": refused.errors}
        sent = json.dumps(answer).encode() if answer is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = _do  # noqa: N815


class TransitDouble(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """`with TransitDouble(path) as double:` listens; `double.engine` is behind it."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.engine = Engine()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> TransitDouble:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
