"""Who asks the broker: any sealed process of the site, by the Unix socket `<run>/broker.sock`."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path

import msgspec

from jhalak.border.egress import messages
from jhalak.border.egress.messages import Answer, Asked, BadFrame, Mail, Post, Refusal, Reply

PATIENCE = 60.0  # seconds; the broker's own limit for a flow is below it


class NotSent(Exception):
    """It was not delivered; the message says why. `left`: some of it may have left all the same."""

    def __init__(self, reason: str, *, left: bool = False) -> None:
        super().__init__(reason)
        self.left = left


def broker_socket(data: Path) -> Path:
    """Where the broker of the installation in this data folder is asked."""
    return data / "run" / "broker.sock"


def _connect(line: socket.socket, path: Path) -> None:
    """By the folder's descriptor: an address of a Unix socket has room for 108 bytes."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        line.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def send(broker: Path, destination: str, request: Mail | Post) -> Answer:
    """Have the broker send it to a declared destination. Raises NotSent. Not for inside a
    transaction: it waits for the network.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            _connect(line, broker)
            with contextlib.suppress(
                BrokenPipeError
            ):  # refused before it was read: the reply says so
                messages.write(line, Asked(destination, request))
            body = messages.read(line, messages.MOST_ANSWERED, time.monotonic() + PATIENCE)
        reply: Reply = msgspec.json.decode(body, type=Answer | Refusal)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotSent("nothing is declared that anything may be sent to") from error
    except (OSError, BadFrame, msgspec.DecodeError) as error:
        raise NotSent(f"the broker did not answer: {error}", left=True) from error
    if isinstance(reply, Refusal):
        raise NotSent(reply.reason, left=reply.left)
    return reply
