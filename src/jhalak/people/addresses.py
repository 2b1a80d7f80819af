"""Mail addresses and phone numbers: how they are typed, kept, and found again.

A mail address may be in any script (RFC 6531); its domain is one that IDNA 2008 allows (RFC 5891,
checked by the library idna). A phone number is E.164 (ITU-T): "+", country code, at most 15 digits
in all; without "+" it is one of the country that the option `calling_code` names. Digits count in
any script. Each has one form by which it is found: two ways to write the same give the same.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import idna
from django.utils.translation import gettext_lazy as _

from jhalak.options import options
from jhalak.people.models import ContactKind
from jhalak.people.text import JOINERS
from jhalak.problems import Invalid

MOST = 320  # characters: more is looked at by nobody
_ATOMS = set("!#$%&'*+-/=?^_`{|}~.")  # RFC 5322 atext, and the dot between
_PHONE_NOISE = re.compile(r"[\s().\-\u2010-\u2015/]+")
_PHONE = re.compile(r"[1-9][0-9]{7,14}")


class Address(NamedTuple):
    """`shown` as it is kept and sent to, `known_by` its one form."""

    kind: ContactKind
    shown: str
    known_by: str


def address(typed: str) -> Address:
    """What somebody typed. Raises Invalid, on the field "contact"."""
    text = unicodedata.normalize("NFC", typed[: MOST + 1]).strip()
    if not text or len(text) > MOST:
        raise _neither()
    return _mail(text) if "@" in text else _phone(text)


def ascii_mail(shown: str) -> str:
    """A mail address as it goes over the wire: its domain in ASCII."""
    local, _at, domain = shown.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"


def _mail(text: str) -> Address:
    local, _at, domain = text.rpartition("@")
    if not _is_local(local):
        raise _neither()
    try:
        wire = idna.encode(domain, uts46=True).decode().lower()
        shown = idna.decode(wire)
    except (idna.IDNAError, UnicodeError) as error:
        raise _neither() from error
    if "." not in wire or len(wire) > 253 or wire.rpartition(".")[2].isdecimal():
        raise _neither()
    # Capitals and joiners make no other mailbox anywhere that is known.
    bare = "".join(c for c in unicodedata.normalize("NFKC", local) if c not in JOINERS)
    return Address(ContactKind.MAIL, f"{local}@{shown}", f"{bare.casefold()}@{wire}")


def _is_local(local: str) -> bool:
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return (
        0 < len(local.encode()) <= 64
        and not dots
        and any(c not in JOINERS for c in local)
        and all(_may_stand(c) for c in local)
    )


def _may_stand(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _ATOMS
    return character in JOINERS or unicodedata.category(character)[0] in "LMN"


def _phone(text: str) -> Address:
    bare = _PHONE_NOISE.sub("", text)
    national = not bare.startswith("+")
    try:
        digits = "".join(str(unicodedata.decimal(c)) for c in bare.removeprefix("+"))
    except ValueError as error:
        raise _neither() from error
    if national and digits.startswith("00"):
        national, digits = False, digits[2:]
    if national:
        digits = options().calling_code + digits.lstrip("0")
    if not _PHONE.fullmatch(digits):
        raise _neither()
    return Address(ContactKind.PHONE, f"+{digits}", f"+{digits}")


def _neither() -> Invalid:
    return Invalid(
        "no_contact",
        _("Type a mail address, or a phone number like +91 98765 43210."),
        field="contact",
    )
