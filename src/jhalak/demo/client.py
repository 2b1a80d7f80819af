"""A small HTTP client of the platform's own API: one kept connection, cookies, JSON, patience.

The demo world and its crowd speak to the platform only through this, as any stranger's program
would. A server that restarts is waited for; a 429 is obeyed. What the server refuses comes back
as `Refused` with the server's own words.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit


class Refused(Exception):
    """The server answered with an error: `status`, `code` and its message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class Unreachable(Exception):
    """No answer within the client's patience."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """`url` like http://127.0.0.1:8000. `patience`: seconds to keep trying while nobody
    answers.
    """

    url: str
    patience: float = 60.0
    agent: str = "jhalak-demo"
    cookies: dict[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    _line: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{self.url!r} is no http address; give one like http://127.0.0.1:8000"
            )

    def _connect(self) -> http.client.HTTPConnection:
        if self._line is None:
            parts = urlsplit(self.url)
            kind = (
                http.client.HTTPSConnection
                if parts.scheme == "https"
                else http.client.HTTPConnection
            )
            self._line = kind(parts.hostname or "", parts.port, timeout=30)
        return self._line

    def close(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()
            self._line = None

    def once(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Reply:
        """One request, no second try except on a kept connection that the server had closed
        meanwhile.

        Raises OSError or http.client.HTTPException when the line fails.
        """
        sent = {"User-Agent": self.agent, "Accept": "application/json", **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        fresh = self._line is None
        while True:
            line = self._connect()
            try:
                line.request(method, path, body=body, headers=sent)
                answer = line.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                stale = isinstance(error, http.client.RemoteDisconnected | BrokenPipeError)
                if not fresh and stale:
                    fresh = True
                    continue
                raise
            for value in answer.headers.get_all("Set-Cookie") or ():
                self._keep(value)
            if answer.will_close:
                self.close()
            return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, content)

    def _keep(self, value: str) -> None:
        try:
            jar = SimpleCookie(value)
        except CookieError:
            return
        for name, morsel in jar.items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value

    def call(
        self,
        method: str,
        path: str,
        data: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
    ) -> Reply:
        """A request until there is an answer. Raises Refused (4xx, 5xx) or Unreachable."""
        more = dict(headers)
        if data is not None:
            body = json.dumps(data, ensure_ascii=False).encode()
            more.setdefault("Content-Type", "application/json")
        end = time.monotonic() + self.patience
        pause = 0.2
        while True:
            wait = pause
            try:
                reply = self.once(method, path, body, more)
            except (OSError, http.client.HTTPException) as error:
                trouble: Exception = Unreachable(f"{self.url}{path}: {error}")
            else:
                if reply.status < 400:
                    return reply
                trouble = _refusal(reply)
                if reply.status not in (429, 502, 503, 504):
                    raise trouble
                with contextlib.suppress(ValueError):
                    wait = max(wait, float(reply.headers.get("retry-after", "")))
            if time.monotonic() + wait > end:
                raise trouble
            self.sleep(wait)
            pause = min(pause * 1.7, 3.0)


def _refusal(reply: Reply) -> Refused:
    code, message = "", ""
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        error = reply.json()["error"]
        code, message = str(error.get("code", "")), str(error.get("message", ""))
    return Refused(
        reply.status, code or "unknown", message or reply.body[:200].decode(errors="replace")
    )


def sign_in(client: Client, handle: str, password: str, *, name: str = "", new: bool) -> bool:
    """Sign up when the account should be `new`, else log in; the other one when that is refused.
    True when the account was made now.
    """
    account = {"handle": handle, "password": password}
    ways = [
        ("/api/people", {**account, "name": name, "language": ""}),
        ("/api/session", account),
    ]
    (first, body), (second, other) = ways if new else ways[::-1]
    try:
        client.call("POST", first, body)
    except Refused as refused:
        if refused.status not in (401, 409, 422):
            raise
        client.call("POST", second, other)
        return not new
    return new
