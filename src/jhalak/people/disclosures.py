"""Who outside was told an address or a number of somebody: kept for the person, who may ask for it.

The border's log counts flows and has no name of a person in it; this is the other half, beside the
account and erased with it. An accounting of disclosures, as health law has long known it.
"""

from __future__ import annotations

import contextlib
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jhalak.border.egress.destinations import Destination
from jhalak.people.models import ContactKind, Disclosure, Person


def do_note_disclosure(person: Person, kind: ContactKind, to: Destination) -> None:
    """One message to an address of this person has left by this way."""
    # An account that is erased at this moment has nobody left who could ask.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        row, _ = Disclosure.objects.get_or_create(
            person=person, kind=kind, destination=to.name, purpose=to.purpose, owner=to.owner
        )
        Disclosure.objects.filter(pk=row.pk).update(times=F("times") + 1, last=timezone.now())


def access_disclosures(person: Person) -> list[dict[str, Any]]:
    """{kind, destination, purpose, owner, times, first, last} of what left, the newest last."""
    fields = ("kind", "destination", "purpose", "owner", "times", "first", "last")
    return list(person.disclosures.order_by("last", "pk").values(*fields))
