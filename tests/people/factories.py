"""People for tests: made straight as rows, logged in straight as sessions, so that tests are quick.

What logging in itself does is tested through HTTP, in test_people_sign_in.py.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

from django.test import Client

from jhalak.feed.events import Event, decode
from jhalak.people import passwords
from jhalak.people.models import Person
from jhalak.people.sessions import SessionStore
from jhalak.records.models import OutboxEvent

PASSWORD = "twelve green parrots"
_numbers = itertools.count(1)


@functools.cache
def _hash() -> str:
    return passwords.hash_of(PASSWORD)


def make_person(handle: str = "", **columns: Any) -> Person:
    """A person with PASSWORD; a creator unless told otherwise."""
    columns.setdefault("role", "creator")
    return Person.objects.create(
        handle=handle or f"person{next(_numbers)}", password=_hash(), **columns
    )


def client_of(person: Person | None = None) -> Api:
    """A browser, logged in as this person, or a guest's."""
    api = Api()
    if person is not None:
        session = SessionStore()
        session.begin(person, "")
        api.cookies["jhalak_session"] = session.session_key or ""
    return api


class Api(Client):
    """Django's test client, with JSON in and out."""

    def send(self, method: str, path: str, body: Any = None, **extra: Any) -> Answer:
        kwargs: dict[str, Any] = dict(extra)
        if body is not None:
            kwargs.update(data=body, content_type="application/json")
        return Answer(getattr(self, method)(f"/api{path}", **kwargs))


class Answer:
    """A response: `status`, `json`, `code` of an error ("" without one), `field` of it."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status: int = response.status_code
        said_json = response.headers.get("Content-Type", "").startswith("application/json")
        self.json: Any = response.json() if said_json and response.content else None
        error = self.json.get("error", {}) if isinstance(self.json, dict) else {}
        self.code: str = error.get("code", "")
        self.field: str | None = error.get("field")
        self.message: str = error.get("message", "")

    def __repr__(self) -> str:
        return f"<{self.status} {self.json}>"


def emitted() -> list[Event]:
    """What waits for the log, in order. Tests that roll back never hand it over."""
    return [decode(bytes(row.body)) for row in OutboxEvent.objects.order_by("pk")]
