"""Ways to reach somebody over HTTP: one's own, codes that go to them, and what an officer asks."""

from __future__ import annotations

from datetime import datetime

from ninja import Field, Router, Schema, Status

from jhalak.people import codes, contacts, senders
from jhalak.people.access import require, sign_in_needed
from jhalak.people.addresses import MOST
from jhalak.people.api import Body
from jhalak.people.browsers import browser
from jhalak.people.middleware import Request
from jhalak.people.models import ContactKind
from jhalak.people.profiles import Me, me
from jhalak.people.roles import Permission

router = Router(tags=["people"])

GOOD_FOR_S = int(codes.GOOD_FOR.total_seconds())


class ContactIn(Body):
    contact: str = Field(
        max_length=MOST,
        description="A mail address in any script, or a phone number; with + and country code, or"
        " without as one of this country.",
        examples=["asha@example.in", "+91 98765 43210"],
    )


class NewContact(ContactIn):
    password: str = Field(max_length=1000, description="Yours now.")


class ContactOut(Schema):
    id: int
    kind: ContactKind
    contact: str = Field(examples=["asha@example.in", "+919876543210"])
    confirmed: bool = Field(description="Whether a code that was sent there came back.")
    can_confirm: bool = Field(description="Whether this site sends codes to such contacts.")
    created: datetime


class Contacts(Schema):
    items: list[ContactOut]
    next: None = None


class Ticket(Schema):
    ticket: str = Field(description="Goes back with the code.")
    good_for_s: int = Field(description="How long the code is good, in seconds.", examples=[600])


class CodeIn(Body):
    ticket: str = Field(max_length=64)
    code: str = Field(max_length=32, description="Six digits.", examples=["042917"])


class LogInByCode(CodeIn):
    password: str = Field(
        "", max_length=1000, description="A new one, if you forgot yours; else leave it out."
    )


class WhyIn(Body):
    reason: str = Field(
        max_length=contacts.MOST_REASON * 4,
        description="Kept in the audit log. At most 300 characters.",
        examples=["Grievance 2026/114: the complainant must be heard."],
    )


def _out(shown: list[contacts.Shown]) -> Contacts:
    reached = set(senders.kinds())
    return Contacts(
        items=[
            ContactOut(
                id=one.id,
                kind=one.kind,
                contact=one.value,
                confirmed=one.confirmed,
                can_confirm=not one.confirmed and one.kind in reached,
                created=one.created,
            )
            for one in shown
        ]
    )


@router.get("/me/contacts", response=Contacts, summary="Your mail addresses and phone numbers")
def list_contacts(request: Request) -> Contacts:
    return _out(contacts.access_contacts(sign_in_needed(request.viewer)))


@router.post("/me/contacts", response={201: Contacts}, summary="Add an address or a number")
def add_contact(request: Request, body: NewContact) -> Status[Contacts]:
    """Answers with all of them."""
    person = sign_in_needed(request.viewer)
    contacts.do_add_contact(person, body.contact, body.password)
    return Status(201, _out(contacts.access_contacts(person)))


@router.delete(
    "/me/contacts/{contact}", response={204: None}, summary="Remove an address or a number"
)
def remove_contact(request: Request, contact: int) -> Status[None]:
    person = sign_in_needed(request.viewer)
    contacts.do_remove_contact(person, contacts.access_contact(person, contact))
    return Status(204, None)


@router.post("/me/contacts/{contact}/code", response={202: Ticket}, summary="Send a code there")
def ask_confirmation(request: Request, contact: int) -> Status[Ticket]:
    person = sign_in_needed(request.viewer)
    ticket = codes.do_ask_confirmation(person, contacts.access_contact(person, contact))
    return Status(202, Ticket(ticket=ticket, good_for_s=GOOD_FOR_S))


@router.post(
    "/me/contacts/{contact}/confirm", response={204: None}, summary="Confirm it by the code"
)
def confirm_contact(request: Request, contact: int, body: CodeIn) -> Status[None]:
    person = sign_in_needed(request.viewer)
    found = contacts.access_contact(person, contact)
    codes.do_confirm_contact(browser(request), found, body.ticket, body.code)
    return Status(204, None)


@router.post("/codes", response={202: Ticket}, summary="Have a code to log in sent")
def ask_code(request: Request, body: ContactIn) -> Status[Ticket]:
    """The same answer whether the address belongs to somebody here or not."""
    ticket = codes.do_ask_code(browser(request), body.contact)
    return Status(202, Ticket(ticket=ticket, good_for_s=GOOD_FOR_S))


@router.post("/session/code", response=Me, summary="Log in by a code")
def log_in_by_code(request: Request, body: LogInByCode) -> Me:
    """With `password`, that is your new one, and every other browser is logged out."""
    person = codes.do_log_in_with_code(
        request.session,
        browser(request),
        ticket=body.ticket,
        code=body.code,
        password=body.password,
    )
    return me(person)


@router.post("/people/{handle}/contacts", response=Contacts, summary="Learn how to reach somebody")
def reveal_contacts(request: Request, handle: str, body: WhyIn) -> Contacts:
    """For the grievance officer. Each time is in the audit log, with the reason."""
    officer = require(request.viewer, Permission.REVEAL_CONTACT)
    person = contacts.access_anybody(handle)
    return _out(contacts.do_reveal_contacts(officer, person, body.reason))
