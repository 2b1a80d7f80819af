"""What somebody with an office is called in the border's log: by a keyed hash, as whoever is erased
is called there. The log is never cut, so a handle in it would outlive its owner's account.
"""

from __future__ import annotations

import logging

from django.utils.translation import gettext_lazy as _

from jhalak.border.keys import KeysError
from jhalak.people.models import Person
from jhalak.people.roles import STAFF
from jhalak.problems import Unavailable
from jhalak.records.keyring import subject_of

log = logging.getLogger(__name__)


def name_in_log(person: Person) -> str:
    """64 hex digits; "" for who has no office. Not for inside a transaction: it may ask a key
    service. Raises Unavailable while that is away: what cannot be entered does not happen.
    """
    if person.role not in STAFF:
        return ""
    try:
        return subject_of(person.key_name)
    except KeysError as error:
        log.warning("somebody with an office cannot be named in the border's log: %s", error)
        words = _("The site is busy. Nothing is lost: try again in a moment.")
        raise Unavailable("unavailable", words, headers={"Retry-After": "2"}) from error
