"""A broker that delivers to nobody: it listens where the site looks for one, speaks its frames, and
keeps what it was given.
"""

from __future__ import annotations

import json
import socketserver
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from jhalak.border.egress import messages
from jhalak.border.egress.messages import Answer, Asked, Mail, Refusal

DECLARED = """
[[destination]]
name = "post"
kind = "mail"
host = "smtp.example.in"
port = 465
purpose = "codes to log in"
classes = ["contact"]
owner = "operations@example.in"
expires = 2099-01-01
sender = "codes@example.in"

[[destination]]
name = "gateway"
kind = "sms"
host = "sms.example.in"
port = 443
purpose = "codes to log in"
classes = ["contact"]
owner = "operations@example.in"
expires = 2099-01-01
"""


class _Handler(socketserver.BaseRequestHandler):
    server: BrokerDouble

    def handle(self) -> None:
        body = messages.read(self.request, messages.MOST_ASKED, time.monotonic() + 60)
        asked = msgspec.json.decode(body, type=Asked)
        if self.server.refusing:
            messages.write(self.request, Refusal(self.server.refusing))
            return
        self.server.asked.append(asked)
        messages.write(self.request, Answer(250))


class BrokerDouble(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Over a data folder, with a mail and an SMS destination declared there."""

    daemon_threads = True

    def __init__(self, data: Path) -> None:
        (data / "run").mkdir(parents=True, exist_ok=True)
        (data / "border").mkdir(parents=True, exist_ok=True)
        (data / "border" / "destinations.toml").write_text(DECLARED)
        super().__init__(str(data / "run" / "broker.sock"), _Handler)
        self.asked: list[Asked] = []
        self.refusing = ""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> BrokerDouble:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def last(self) -> tuple[str, str, str]:
        """Destination, whom to, and the code of what was sent last."""
        asked = self.asked[-1]
        if isinstance(asked.request, Mail):
            return asked.destination, asked.request.to, asked.request.text[:6]
        body: Any = json.loads(bytes(asked.request.body))
        return asked.destination, body["to"], body["text"][:6]
