"""A tiny stand-in for the platform: accounts, tus uploads, a feed and events, and faults on
request.

Real sockets and real HTTP, so that the demo's own client is what is tried.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Upload:
    owner: str
    size: int
    meta: dict[str, str]
    data: bytes = b""
    video: str = ""


@dataclass
class Platform:
    """What the server knows, and which faults it plays next."""

    url: str = ""
    people: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    deeds: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    feed: list[dict[str, Any]] = field(default_factory=list)
    state: str = "complete"
    drop_patches: int = 0  # read half of the body, keep it, and cut the line
    damage_patches: int = 0  # answer as if the chunk had arrived damaged
    busy: int = 0  # answer 429
    broken: int = 0  # answer 503


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    platform: Platform

    def log_message(self, *args: object) -> None:
        pass

    # -- answers

    def _answer(self, status: int, body: Any = None, **headers: str) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _refuse(self, status: int, code: str, **headers: str) -> None:
        self._answer(status, {"error": {"code": code, "message": f"words of {code}"}}, **headers)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    @property
    def who(self) -> str:
        cookies = dict(
            part.strip().split("=", 1)
            for part in (self.headers.get("Cookie") or "").split(";")
            if "=" in part
        )
        return cookies.get("session", "")

    # -- requests

    def _handle(self) -> None:
        p = self.platform
        p.requests.append((self.command, self.path))
        path = self.path.split("?")[0]
        if p.busy:
            p.busy -= 1
            self._body()
            return self._refuse(429, "too_many", Retry_After="7")
        if p.broken:
            p.broken -= 1
            self._body()
            return self._refuse(503, "restarting")
        if path.startswith("/api/uploads"):
            return self._tus(path)
        body = self._body()
        if (self.command, path) == ("POST", "/api/people"):
            return self._sign_up(json.loads(body))
        if (self.command, path) == ("POST", "/api/session"):
            return self._log_in(json.loads(body))
        if (self.command, path) == ("GET", "/healthz"):
            return self._answer(200, {})
        if (self.command, path) == ("GET", "/api/feed"):
            return self._answer(200, {"items": p.feed, "model": "x"}, Set_Cookie="guest=g1; Path=/")
        if not self.who and path != "/api/events":
            return self._refuse(401, "sign_in")
        return self._member(path, body)

    def _member(self, path: str, body: bytes) -> None:
        p = self.platform
        if path == "/api/events":
            p.events += json.loads(body)["events"]
            return self._answer(200, {"accepted": 1})
        if path == "/api/me":
            p.profiles[self.who] = json.loads(body)
            return self._answer(200, {})
        if path == "/api/me/picture":
            p.pictures[self.who] = body
            return self._answer(200, {})
        if path == "/api/me/videos":
            items = [
                {"id": u.video, "caption": u.meta["caption"], "state": p.state}
                for u in p.uploads.values()
                if u.owner == self.who and u.video
            ]
            return self._answer(200, {"items": items, "next": None})
        p.deeds.append(path)
        return self._answer(200, {})

    def _sign_up(self, body: dict[str, Any]) -> None:
        p = self.platform
        if body["handle"] in p.people:
            return self._refuse(422, "handle_taken")
        p.people[body["handle"]] = body["password"]
        return self._answer(201, {}, Set_Cookie=f"session={body['handle']}; Path=/; HttpOnly")

    def _log_in(self, body: dict[str, Any]) -> None:
        if self.platform.people.get(body["handle"]) != body["password"]:
            return self._refuse(401, "wrong_password")
        return self._answer(200, {}, Set_Cookie=f"session={body['handle']}; Path=/")

    def _tus(self, path: str) -> None:
        p = self.platform
        if self.headers.get("Tus-Resumable") != "1.0.0":
            return self._refuse(412, "tus_version")
        if self.command == "POST":
            self._body()
            pairs = (pair.split(" ") for pair in self.headers["Upload-Metadata"].split(","))
            meta = {key: base64.b64decode(value).decode() for key, value in pairs}
            name = f"u{len(p.uploads) + 1}"
            p.uploads[name] = Upload(self.who, int(self.headers["Upload-Length"]), meta)
            return self._answer(201, None, Location=f"{p.url}/api/uploads/{name}")
        upload = p.uploads.get(path.rsplit("/", 1)[1])
        if upload is None:
            self._body()
            return self._refuse(404, "no_upload")
        if self.command == "HEAD":
            return self._answer(200, None, Upload_Offset=str(len(upload.data)))
        return self._patch(upload)

    def _patch(self, upload: Upload) -> None:
        p = self.platform
        length = int(self.headers["Content-Length"])
        if p.drop_patches:
            p.drop_patches -= 1
            upload.data += self.rfile.read(length // 2)
            self.close_connection = True
            self.connection.close()
            return None
        piece = self._body()
        if int(self.headers["Upload-Offset"]) != len(upload.data):
            return self._refuse(409, "wrong_offset")
        algorithm, value = self.headers["Upload-Checksum"].split(" ")
        assert algorithm == "sha1"
        good = base64.b64decode(value) == hashlib.sha1(piece).digest()
        if p.damage_patches or not good:
            p.damage_patches -= 1
            return self._refuse(460, "checksum")
        upload.data += piece
        headers = {"Upload_Offset": str(len(upload.data))}
        if len(upload.data) == upload.size:
            upload.video = f"video{len(p.uploads):07d}"
            headers["Jhalak_Video"] = upload.video
        return self._answer(204, None, **headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = do_DELETE = _handle  # noqa: N815


@contextlib.contextmanager
def running() -> Iterator[Platform]:
    """A stand-in that answers on a free port of loopback until the block ends."""
    platform = Platform()
    handler = type("Handler", (_Handler,), {"platform": platform})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
