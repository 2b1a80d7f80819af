"""A small application behind the real front and the real web process, so that tests of the house
need no rooms.

`/slow?SECONDS` waits, `/env` tells what arrived, `/media/...?PATH` hands PATH to the front, uploads
are counted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

Start = Callable[[str, list[tuple[str, str]]], Any]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    headers = [("Content-Type", "text/plain")]
    if path == "/slow":
        time.sleep(float(query))
        body = b"slow but sure"
    elif path == "/env":
        headers = [("Content-Type", "application/json")]
        told = {k: v for k, v in environ.items() if k.startswith("HTTP_") and isinstance(v, str)}
        body = json.dumps(told).encode()
    elif path == "/forge":
        headers += [("X-Accel-Redirect", "/_objects/../secret.key")]
        body = b""
    elif path.startswith("/media/"):
        headers = [
            ("Content-Type", "video/mp4"),
            ("Cache-Control", "private, max-age=60"),
            ("X-Accel-Redirect", f"/_objects/{query}"),
        ]
        body = b""
    elif path.startswith("/api/uploads"):
        count = 0
        while part := environ["wsgi.input"].read(65536):
            count += len(part)
        body = str(count).encode()
        headers.append(("Seen-Override", environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "")))
    else:
        while environ["wsgi.input"].read(65536):  # as the site does: unread, the line is reset
            pass
        body = b"x" * 3000
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]
