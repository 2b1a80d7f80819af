"""Before the site starts: the map holds, and whoever was erased is gone, whatever was restored."""

from __future__ import annotations

import logging
import secrets

from django.utils import timezone

from jhalak import records
from jhalak.feed.erasing import MARKER
from jhalak.people.models import Person
from jhalak.records.keyring import person_keys
from jhalak.rights import declared, erasing, keyring, tombstones
from jhalak.rights.models import Leaving
from jhalak.rights.states import LeavingState
from jhalak.rights.walking import offsets

log = logging.getLogger(__name__)


def begin() -> None:
    """Raises MapError for what is not declared, ValueError for a damaged tombstone, Retry while
    something old cannot be overwritten.
    """
    declared.check()
    again = replay_tombstones()
    if again:
        log.warning("%d people who had been erased came back with a backup: gone again", again)


def replay_tombstones() -> int:
    """Erases again who is here and has a tombstone. Returns how many were found."""
    stones = {stone.subject: stone for stone in tombstones.every()}
    person_keys().replay(bytes.fromhex(subject) for subject in stones)
    done = set(
        Leaving.objects.filter(
            subject__in=stones, state__in=(LeavingState.ERASED, LeavingState.ERASING)
        ).values_list("subject", flat=True)
    )
    found = 0
    if set(stones) - done:
        for person in Person.objects.only("pk", "created").iterator(1000):
            subject = keyring.subject_of(person)
            if subject in stones and subject not in done:
                _erase_again(Person.objects.get(pk=person.pk), subject)
                found += 1
    known = records.events().erased()
    for subject in sorted(set(stones) - known):
        if Leaving.objects.filter(subject=subject, state=LeavingState.ERASING).exists():
            continue  # under way: its job comes to the events
        hashes = set(stones[subject].names)
        records.relay()
        gone = offsets(lambda name, hashes=hashes: tombstones.hashed(name) in hashes)  # type: ignore[misc]
        records.events().erase(subject, gone, MARKER)
        found += bool(gone)
    return found


def _erase_again(person: Person, subject: str) -> None:
    Leaving.objects.filter(subject=subject).exclude(state=LeavingState.ERASED).delete()
    leaving = Leaving.objects.create(
        subject=subject,
        person_id=person.pk,
        due=timezone.now(),
        token_hash=secrets.token_hex(32),  # nobody asks for this receipt: the first one stands
    )
    Person.objects.filter(pk=person.pk).update(
        leaving_at=timezone.now()
    )  # not of the backup's time
    erasing.do_begin(leaving, person)
    leaving.refresh_from_db()
    erasing.erase(leaving)
