"""Passwords: argon2id, sized for a small machine, and never more at once than it can bear.

19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet. Django's own
default takes 100 MiB and 8 threads for each log-in; sixteen at once would take 1.6 GB.
"""

from __future__ import annotations

import os
import threading
import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from jhalak.people.models import Person
from jhalak.problems import Invalid

LONGEST = 200  # characters; a hash of more is work for us and safety for nobody
_slots = threading.BoundedSemaphore(os.cpu_count() or 1)


class Argon2(Argon2PasswordHasher):
    """Django's argon2 hasher with our costs, and at most one at work on each core."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _slots:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _slots:
            return super().verify(password, encoded)


def _typed(password: str) -> str:
    """The same password from another keyboard is the same (NIST SP 800-63B 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check_strength(password: str, person: Person) -> None:
    """Raises Invalid with what to do better. `person` need not be saved."""
    if len(password) > LONGEST:
        message = _("At most %(most)d characters in a password.") % {"most": LONGEST}
        raise Invalid("password_too_long", message, field="password")
    try:
        validate_password(_typed(password), person)
    except ValidationError as error:
        raise Invalid("weak_password", " ".join(error.messages), field="password") from error


def hash_of(password: str) -> str:
    """What is kept of a password. Takes some 30 ms: call it outside transactions."""
    return make_password(_typed(password))


def holds(password: str, person: Person | None) -> bool:
    """Whether this is the person's password. As slow for nobody as for somebody, on purpose."""
    if len(password) > LONGEST:
        return False
    if person is None:
        make_password(_typed(password))
        return False
    return check_password(_typed(password), person.password)
