"""Sessions of signed-in people: Django's session interface over rows that name their person.

The cookie holds a random key; the row holds only that key's hash, so that a copy of the database
opens no session (the reasoning of NIST SP 800-63B 7.1, and of how passwords are kept). Only people
who signed in have one: guests carry a signed name instead (`guests.py`). One prepared query finds
session and person together. A deleted row, an ended date or a suspended person closes it on the
next request.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection
from django.utils import timezone

from jhalak.people.models import Person, Session
from jhalak.people.prepared import Rows, prepared

__all__ = ["SessionMiddleware", "SessionStore", "hashed"]

SEEN_EVERY = timedelta(
    minutes=10
)  # how exact "last seen" is, for at most one small write in that time
RENEW_EVERY = timedelta(days=1)  # how often the end of a session in use moves on


def hashed(key: str) -> str:
    """What the database keeps of a cookie: 160 bits of SHA-256 in hex. The key itself is random."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


_SESSION = [field.attname for field in Session._meta.concrete_fields]
_PERSON = [field.attname for field in Person._meta.concrete_fields]
_KEY = "stand-in"  # no hash: those are hex


def _find(key: str) -> Session | None:
    """The session row of a key with its person. Prepared: every request of a member begins so."""

    def write() -> tuple[Rows, list[object]]:
        columns = [*_SESSION, *(f"person__{name}" for name in _PERSON)]
        return Session.objects.filter(pk=_KEY).values_list(*columns), [_KEY]

    for values in prepared("session", write).run([hashed(key)]):
        row = Session.from_db(DEFAULT_DB_ALIAS, _SESSION, values[: len(_SESSION)])
        row.person = Person.from_db(DEFAULT_DB_ALIAS, _PERSON, values[len(_SESSION) :])
        return row
    return None


def _seen_at_once(key: str, now: datetime) -> bool:
    """Write when a session was used, unless somebody else writes: a read waits for no writer."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("PRAGMA busy_timeout = 0")
        try:
            Session.objects.filter(pk=key).update(seen=now)
        except OperationalError:  # locked: the next request will say it
            return False
        finally:
            if sqlite:
                patience_s = connection.settings_dict["OPTIONS"]["timeout"]
                cursor.execute(f"PRAGMA busy_timeout = {patience_s * 1000}")
    return True


class SessionStore(SessionBase):
    """`request.session`. Reads lazily; `person` is None while nobody is signed in."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Session | None = None

    @property
    def person(self) -> Person | None:
        self.keys()  # reads the row, once
        return self._row.person if self._row else None

    @property
    def row_key(self) -> str:
        """Primary key of this session's row, empty when there is none."""
        return hashed(self.session_key) if self.session_key else ""

    def load(self) -> dict[str, Any]:
        if not self.session_key:
            return {}
        now = timezone.now()
        row = _find(self.session_key)
        if row is None or row.expire_date <= now or not row.person.is_active:
            self._session_key = None
            return {}
        self._row = row
        self._mark_seen(row, now)
        return self.decode(row.session_data) if row.session_data else {}

    def _mark_seen(self, row: Session, now: datetime) -> None:
        if now - row.seen < SEEN_EVERY:
            return
        if not _seen_at_once(row.pk, now):
            return
        if row.expire_date - now < timedelta(seconds=settings.SESSION_COOKIE_AGE) - RENEW_EVERY:
            self.modified = True  # the middleware then moves the end on and sends the cookie again

    def begin(self, person: Person, device: str) -> None:
        """Signs a person in under a new key; whatever session this browser had before ends."""
        self.flush()
        key = secrets.token_urlsafe(24)
        now = timezone.now()
        self._row = Session.objects.create(
            session_key=hashed(key),
            session_data="",
            expire_date=self.get_expiry_date(),
            person=person,
            device=device,
            seen=now,
        )
        self._session_key = key
        self._session_cache: dict[str, Any] = {}
        self.modified = True

    def save(self, must_create: bool = False) -> None:  # noqa: ARG002
        """Writes data and a new end. Never makes a row: what was ended meanwhile stays ended."""
        data = dict(self.items())
        if self._row is None:
            return  # nobody is signed in: there is nothing to keep
        Session.objects.filter(pk=self.row_key).update(
            session_data=self.encode(data) if data else "", expire_date=self.get_expiry_date()
        )

    def create(self) -> None:
        raise NotImplementedError("A session begins with a person: use begin().")

    def cycle_key(self) -> None:
        """A new key for the same session. For changes of what the person may do."""
        if self._row is None:
            return
        key = secrets.token_urlsafe(24)
        Session.objects.filter(pk=self.row_key).update(session_key=hashed(key))
        self._session_key = key
        self.modified = True

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        self._row = None
        if key:
            Session.objects.filter(pk=hashed(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=timezone.now()).delete()
