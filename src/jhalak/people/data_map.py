"""What every column of people holds, why, for how long, and how it ends."""

from __future__ import annotations

import msgspec

from jhalak.border.data_map import (
    WHILE_ACCOUNT,
    Basis,
    Column,
    DataClass,
    Erasure,
    Purpose,
    Subject,
    days,
    technical,
)

_PROFILE = Column(DataClass.PROFILE, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT)
_SETTING = Column(
    DataClass.PROFILE, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT, note="a choice of theirs"
)
_SECRET = Column(DataClass.SECRET, Purpose.SAFETY, Basis.SERVICE, WHILE_ACCOUNT)
_SESSION = Column(
    DataClass.SECRET,
    Purpose.SAFETY,
    Basis.SERVICE,
    days(90),
    note="gone at log out; 90 days after the last day of use at the latest",
)
_CONTACT = Column(
    DataClass.CONTACT,
    Purpose.SAFETY,
    Basis.CONSENT,
    WHILE_ACCOUNT,
    Erasure.SHRED_KEY,
    note="to log in and to get back in; nothing is sent that was not asked for",
)
_CODE = Column(
    DataClass.SECRET,
    Purpose.SAFETY,
    Basis.SERVICE,
    days(1),
    note="good for ten minutes, gone when used or a day later",
)
_DISCLOSURE = Column(
    DataClass.PROFILE,
    Purpose.LAW,
    Basis.LEGAL_DUTY,
    WHILE_ACCOUNT,
    note="who outside got their address: no address, and told with everything about them",
)
_TIE = Column(DataClass.BEHAVIOUR, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT)
_BLOCK = Column(DataClass.BEHAVIOUR, Purpose.SAFETY, Basis.SERVICE, WHILE_ACCOUNT)
_SUSPENSION = Column(
    DataClass.SAFETY_RECORD,
    Purpose.SAFETY,
    Basis.LEGITIMATE_USE,
    WHILE_ACCOUNT,
    note="why and by whom stands in the audit log",
)

COLUMNS: dict[str, Column] = {
    "Person.id": technical(WHILE_ACCOUNT),
    "Person.password": _SECRET,
    "Person.handle": _PROFILE,
    "Person.name": _PROFILE,
    "Person.bio": _PROFILE,
    "Person.picture": _PROFILE,
    "Person.role": technical(WHILE_ACCOUNT, "what the operator entrusted to the account"),
    "Person.private": _SETTING,
    "Person.language": _SETTING,
    "Person.personal": _SETTING,
    "Person.under_age": Column(
        DataClass.PROFILE,
        Purpose.SERVICE,
        Basis.LEGITIMATE_USE,
        WHILE_ACCOUNT,
        note="declared by themselves, no date of birth: the feed then learns nothing about them",
    ),
    "Person.suspended_at": _SUSPENSION,
    "Person.leaving_at": _SETTING,
    "Person.created": _PROFILE,
    "Session.session_key": _SESSION,
    "Session.session_data": _SESSION,
    "Session.expire_date": _SESSION,
    "Session.person_id": _SESSION,
    "Session.device": _SESSION,
    "Session.created": _SESSION,
    "Session.seen": _SESSION,
    "Contact.id": technical(WHILE_ACCOUNT),
    "Contact.person_id": _CONTACT,
    "Contact.kind": _CONTACT,
    "Contact.ciphertext": _CONTACT,
    "Contact.lookup": msgspec.structs.replace(
        _CONTACT,
        erasure=Erasure.DELETE,
        note="keyed hash: in an old backup it tells who has the installation key and a guess",
    ),
    "Contact.confirmed_at": _CONTACT,
    "Contact.created": _CONTACT,
    "Disclosure.id": technical(WHILE_ACCOUNT),
    "Disclosure.person_id": _DISCLOSURE,
    "Disclosure.kind": _DISCLOSURE,
    "Disclosure.destination": _DISCLOSURE,
    "Disclosure.purpose": _DISCLOSURE,
    "Disclosure.owner": _DISCLOSURE,
    "Disclosure.times": _DISCLOSURE,
    "Disclosure.first": _DISCLOSURE,
    "Disclosure.last": _DISCLOSURE,
    "Code.id": technical(days(1)),
    "Code.ticket": _CODE,
    "Code.contact_id": _CODE,
    "Code.opens": _CODE,
    "Code.lookup": _CODE,
    "Code.code_hash": _CODE,
    "Code.tries": _CODE,
    "Code.expires": _CODE,
    "Follow.id": technical(),
    "Follow.follower_id": _TIE,
    "Follow.followed_id": _TIE,
    "Follow.pending": _TIE,
    "Follow.created": _TIE,
    "Block.id": technical(),
    "Block.blocker_id": _BLOCK,
    "Block.blocked_id": _BLOCK,
    "Block.created": _BLOCK,
}

SUBJECTS: dict[str, Subject] = {
    "Person": Subject(("pk",)),
    "Session": Subject(("person",)),
    "Contact": Subject(("person",), (), "given in plain words, as data/contacts.json"),
    "Disclosure": Subject(("person",)),
    "Code": Subject(("contact__person",), (), "a secret, for ten minutes"),
    "Follow": Subject(("follower", "followed")),
    "Block": Subject(
        ("blocker", "blocked"), ("blocker",), "who blocked you is told to nobody: it is theirs"
    ),
}
OBJECTS: dict[str, Column] = {"people/": _PROFILE}
