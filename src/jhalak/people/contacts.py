"""Ways to reach somebody: added, seen and removed by themselves alone.

What is kept opens only with the person's key (`jhalak.border.keys`). Nobody else reads it, staff
included, but for `do_reveal_contacts`: somebody with that permission, with a reason, in the audit
log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.border.keys import Shredded
from jhalak.people import passwords
from jhalak.people.access import nobody, written
from jhalak.people.actions import password_changes
from jhalak.people.addresses import Address, address
from jhalak.people.models import Contact, ContactKind, Person
from jhalak.people.text import clean
from jhalak.people.throttle import Throttle
from jhalak.problems import Conflict, Invalid, NotFound
from jhalak.records.keyring import installation, person_keys

PURPOSE = "contact"
MOST = 5  # of one person
MOST_REASON = 300
additions = Throttle(burst=10, every_s=300)


@dataclass(frozen=True)
class Shown:
    """A contact that may be read: by its person, or revealed."""

    id: int
    kind: ContactKind
    value: str
    confirmed: bool
    created: datetime


def lookup_of(one: Address) -> str:
    """By what an address is found in the rows. Raises KeysError."""
    return installation().lookup_hash(one.kind, one.known_by).hex()


def opened(contact: Contact, person: Person) -> str:
    """The address itself. Raises KeysError, Shredded once the person was erased."""
    plain = person_keys().decrypt(person.key_name, PURPOSE, bytes(contact.ciphertext))
    return plain.decode()


def access_contacts(person: Person) -> list[Shown]:
    """A person's own contacts, oldest first. Raises KeysError."""
    shown = []
    for row in person.contacts.order_by("pk"):
        try:
            value = opened(row, person)
        except Shredded:
            continue
        kind = ContactKind(row.kind)
        shown.append(Shown(row.pk, kind, value, row.confirmed_at is not None, row.created))
    return shown


def access_contact(person: Person, number: int) -> Contact:
    """A contact of one's own. Raises NotFound."""
    found = person.contacts.filter(pk=number).first() if number < 1 << 63 else None
    if found is None:
        raise NotFound("no_such_contact", _("This is not among your addresses and numbers."))
    return found


def do_add_contact(person: Person, typed: str, password: str) -> Contact:
    """A mail address or phone number more. The password, because who holds an open phone for a
    minute must not get a way in of their own. Raises Invalid, Conflict, TooMany, KeysError.
    """
    additions.spend(person.viewer_key)
    password_changes.spend(str(person.pk))
    if not passwords.holds(password, person):
        raise Invalid("wrong_password", _("That is not your password now."), field="password")
    password_changes.give_back(str(person.pk))
    given = address(typed)
    lookup = lookup_of(given)
    sealed = person_keys().encrypt(person.key_name, PURPOSE, given.shown.encode())
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)  # so that two at once are counted
        if person.contacts.count() >= MOST:
            full = _("At most %(most)d. Remove one first.") % {"most": MOST}
            raise Conflict("too_many_contacts", full, field="contact")
        try:
            with transaction.atomic():
                made = Contact.objects.create(
                    person=person, kind=given.kind, ciphertext=sealed, lookup=lookup
                )
        except IntegrityError as error:
            there = _("This is among your addresses and numbers already.")
            raise Conflict("contact_there", there, field="contact") from error
        records.audit(person, "person.add_contact", str(person), kind=given.kind.value)
    return made


def do_remove_contact(person: Person, contact: Contact) -> None:
    """Idempotent."""
    with transaction.atomic():
        if person.contacts.filter(pk=contact.pk).delete()[0]:
            records.audit(person, "person.remove_contact", str(person), kind=contact.kind)


def access_anybody(handle: str) -> Person:
    """A person for whoever answers for people: suspended and blocked ones too. Raises NotFound."""
    found = Person.objects.filter(handle=written(handle)).first()
    if found is None:
        raise nobody()
    return found


def do_reveal_contacts(actor: Person, person: Person, reason: str) -> list[Shown]:
    """A person's contacts, for an officer who must reach them. Written down before it is told.
    Raises Invalid without a reason, KeysError.
    """
    reason = clean(reason, most=MOST_REASON, field="reason")
    if not reason:
        raise Invalid("reason_needed", _("Say why: it is kept in the audit log."), field="reason")
    shown = access_contacts(person)
    records.audit(actor, "person.reveal_contacts", str(person), reason=reason, contacts=len(shown))
    return shown
