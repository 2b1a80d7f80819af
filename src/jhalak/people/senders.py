"""What carries codes: the destination of kind "mail" or "sms" that the operator has declared.

With none declared, which is the default, no code is sent and nothing offers one. A mail goes to its
destination as a mail; an SMS as a POST of `{"to": "+91...", "text": "..."}` to the path /sms, which
the operator's gateway understands or an adapter before it.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import msgspec

from jhalak.border.egress import client, destinations
from jhalak.border.egress.messages import Mail, Post
from jhalak.options import options
from jhalak.people.addresses import ascii_mail
from jhalak.people.models import ContactKind

SMS_PATH = "/sms"
_CARRIES = {
    ContactKind.MAIL: destinations.Kind.MAIL,
    ContactKind.PHONE: destinations.Kind.SMS,
}

log = logging.getLogger(__name__)
_read: dict[Path, tuple[int, dict[str, destinations.Destination]]] = {}  # by file: mtime, content


def _declared() -> dict[str, destinations.Destination]:
    """What is declared now; the file is read when it has changed."""
    file = destinations.path_of(options().folder)
    try:
        changed = file.stat().st_mtime_ns
    except FileNotFoundError:
        return {}
    known = _read.get(file)
    if known is None or known[0] != changed:
        try:
            found = destinations.load(options().folder)
        except destinations.DestinationsError as error:
            log.error("no code is sent: %s", error)
            found = {}
        known = _read[file] = (changed, found)
    return known[1]


def destination_for(kind: ContactKind) -> destinations.Destination | None:
    """What carries to such contacts, None when nothing is declared that does."""
    now = time.time_ns() // 1_000_000
    for _, one in sorted(_declared().items()):
        if one.kind is _CARRIES[kind] and not one.expired(now):
            return one
    return None


def kinds() -> list[ContactKind]:
    """The kinds of contacts that codes can be sent to."""
    return [kind for kind in ContactKind if destination_for(kind)]


def deliver(kind: ContactKind, to: str, subject: str, text: str) -> destinations.Destination:
    """Sends one message, and returns who got it. Raises client.NotSent. Not for inside a
    transaction.
    """
    way = destination_for(kind)
    if way is None:
        raise client.NotSent("no destination is declared that carries it")
    request: Mail | Post
    if kind is ContactKind.MAIL:
        request = Mail(to=ascii_mail(to), subject=subject, text=text)
    else:
        request = Post(SMS_PATH, msgspec.Raw(msgspec.json.encode({"to": to, "text": text})))
    client.send(client.broker_socket(options().folder), way.name, request)
    return way
