"""Codes of six digits by mail or SMS: to confirm a contact, to log in, to choose a new password.

Who asks gets a ticket, whether the address belongs to somebody or not: the same rows are written,
the same job is queued, the same is answered. The job makes the code, keeps its keyed hash, and
sends it; neither code nor address is ever written anywhere. A code is good for ten minutes and five
tries, once, and only in the browser that holds the ticket (the limits of NIST SP 800-63B 5.1.3.2).
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jhalak import records
from jhalak.border.egress.client import NotSent
from jhalak.border.keys import Shredded
from jhalak.people import actions, passwords, senders
from jhalak.people.actions import Browser
from jhalak.people.addresses import address
from jhalak.people.contacts import lookup_of, opened
from jhalak.people.disclosures import do_note_disclosure
from jhalak.people.log_names import name_in_log
from jhalak.people.models import Code, Contact, ContactKind, Person
from jhalak.people.sessions import SessionStore, hashed
from jhalak.people.throttle import Throttle
from jhalak.problems import Conflict, Forbidden, Invalid
from jhalak.records.jobs import GiveUp, Priority, Progress, Retry, task
from jhalak.records.keyring import installation
from jhalak.records.models import Job

SEND = "people.send_code"
GOOD_FOR = timedelta(minutes=10)
MOST_TRIES = 5
DIGITS = 6

# Six digits guessed 96 times a day are found once in 28 years; asking is dearer than guessing.
asked_of_contact = Throttle(burst=4, every_s=900)
asked_of_address = Throttle(burst=30, every_s=20)
asked_of_person = Throttle(burst=5, every_s=300)
guesses_of_contact = Throttle(burst=20, every_s=900)
guesses_of_address = Throttle(burst=60, every_s=5)


def _check_kind(kind: ContactKind) -> None:
    """The same for every address of a kind, so it says nothing about one."""
    if not senders.destination_for(kind):
        message = (
            gettext_lazy("This site sends no codes by mail.")
            if kind is ContactKind.MAIL
            else gettext_lazy("This site sends no codes to phones.")
        )
        raise Conflict("no_codes", message, field="contact")


def _new(contact: Contact | None, lookup: str, *, opens: bool) -> str:
    ticket = secrets.token_urlsafe(24)
    with transaction.atomic():
        row = Code.objects.create(
            ticket=hashed(ticket),
            contact=contact,
            opens=opens,
            lookup=lookup,
            expires=timezone.now() + GOOD_FOR,
        )
        records.enqueue(SEND, str(row.pk), priority=Priority.URGENT)
    return ticket


def do_ask_code(browser: Browser, typed: str) -> str:
    """Has a code to log in sent to a confirmed contact. The ticket that its answer needs. Raises
    Invalid for what is no address, Conflict where no codes are sent, TooMany; never whether the
    address is known.
    """
    asked_of_address.spend(browser.address)
    given = address(typed)
    _check_kind(given.kind)
    lookup = lookup_of(given)
    asked_of_contact.spend(lookup)
    known = Contact.objects.filter(kind=given.kind, lookup=lookup, confirmed_at__isnull=False)
    return _new(known.first(), lookup, opens=True)


def do_ask_confirmation(person: Person, contact: Contact) -> str:
    """Has a code sent to a contact of one's own. The ticket. Raises Conflict, TooMany."""
    _check_kind(ContactKind(contact.kind))
    if contact.confirmed_at is not None:
        raise Conflict("confirmed", gettext_lazy("This is confirmed already."))
    asked_of_person.spend(person.viewer_key)
    asked_of_contact.spend(contact.lookup)
    return _new(contact, contact.lookup, opens=False)


def _hash(ticket: str, code: str) -> str:
    return installation().lookup_hash("code", f"{ticket} {code}").hex()


def _wrong() -> Invalid:
    message = gettext_lazy("This code is wrong or too old. Check it, or ask for a new one.")
    return Invalid("wrong_code", message, field="code")


def _guess(browser: Browser, ticket: str, typed: str, *, opens: bool) -> Code:
    """The row whose code was typed; one try less. Raises Invalid, TooMany."""
    guesses_of_address.spend(browser.address)
    now, kept = timezone.now(), hashed(ticket)
    rows = Code.objects.filter(ticket=kept, opens=opens, expires__gt=now)
    row = rows.select_related("contact__person").first()
    given = _hash(kept, "".join(c for c in typed if c.isdecimal())[: DIGITS + 1])
    if row is None:
        raise _wrong()
    guesses_of_contact.spend(row.lookup)
    # The database counts: guesses that arrive at once do not share a try.
    counted = rows.filter(pk=row.pk, tries__lt=MOST_TRIES).update(tries=F("tries") + 1)
    right = hmac.compare_digest(given, row.code_hash or "-" * len(given))
    if not counted or not right or row.contact is None:
        raise _wrong()
    guesses_of_contact.give_back(row.lookup)
    guesses_of_address.give_back(browser.address)
    return row


def do_confirm_contact(browser: Browser, contact: Contact, ticket: str, typed: str) -> None:
    """A contact is its person's from now on. Raises Invalid, TooMany; Conflict when another account
    has it: who has the code can log in to that one and remove it there.
    """
    row = _guess(browser, ticket, typed, opens=False)
    if row.contact_id != contact.pk:
        raise _wrong()
    try:
        with transaction.atomic():
            if not Code.objects.filter(pk=row.pk).delete()[0]:
                raise _wrong()  # used a moment ago
            Contact.objects.filter(pk=contact.pk).update(confirmed_at=timezone.now())
            person = contact.person
            records.audit(person, "person.confirm_contact", str(person), kind=contact.kind)
    except IntegrityError as error:
        message = gettext_lazy(
            "Another account has this as its own. Log in there with a code and remove it first."
        )
        raise Conflict("of_another", message) from error


def do_log_in_with_code(
    session: SessionStore, browser: Browser, *, ticket: str, code: str, password: str = ""
) -> Person:
    """Signs a browser in by the code that was sent. With a `password`, that is the new one and
    every other browser is logged out. Raises Invalid, Forbidden for a suspended account, TooMany.
    """
    row = _guess(browser, ticket, code, opens=True)
    assert row.contact is not None
    person = row.contact.person
    if not person.is_active:
        raise Forbidden(
            "suspended", gettext_lazy("This account is suspended. Write to the operator.")
        )
    encoded = ""
    if password:
        try:
            passwords.check_strength(password, person)
        except Invalid:
            Code.objects.filter(pk=row.pk).update(tries=F("tries") - 1)  # the code was right
            raise
        encoded = passwords.hash_of(password)
    named = name_in_log(person)
    with transaction.atomic():
        if not Code.objects.filter(pk=row.pk).delete()[0]:
            raise _wrong()  # used a moment ago
        actions.begin_by_code(session, browser, person, encoded, named)
    return person


@task(SEND)
def send_code(job: Job, _progress: Progress) -> None:
    """Makes a code and sends it. Run again it makes another, and only the last one counts."""
    row = (
        Code.objects.select_related("contact__person")
        .filter(pk=int(job.subject), expires__gt=timezone.now())
        .first()
    )
    if row is None or row.contact is None:
        return
    contact, person = row.contact, row.contact.person
    try:
        to = opened(contact, person)
    except Shredded:
        return
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    Code.objects.filter(pk=row.pk).update(code_hash=_hash(row.ticket, code))
    with translation.override(person.language or "en"):
        subject = _("%(code)s is your code for Jhalak") % {"code": code}
        text = _(
            "%(code)s is your code for Jhalak. It is good for ten minutes. Give it to nobody: we"
            " never ask for it. If you asked for none, there is nothing to do."
        ) % {"code": code}
    try:
        way = senders.deliver(ContactKind(contact.kind), to, subject, text)
    except NotSent:
        # Why is in the broker's ledger. A mail server's words may name the address, and would
        # stand with the job: so neither they nor their exception go on from here.
        if not senders.destination_for(ContactKind(contact.kind)):
            raise GiveUp("not_declared", "Nothing that carries codes is declared.") from None
        raise Retry("not_sent", "The broker did not deliver it.", after_s=5) from None
    do_note_disclosure(person, ContactKind(contact.kind), way)


def sweep() -> None:
    """Removes codes that are over for a day."""
    Code.objects.filter(expires__lt=timezone.now() - timedelta(days=1)).delete()
