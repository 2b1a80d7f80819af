"""The words in which everything that is kept says what it holds, why, for how long, how it ends.

Each room has a `data_map.py` with a dict for each part of the map that it has something in:

    COLUMNS: dict[str, Column] = {
        "Person.handle": Column(DataClass.PROFILE, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT),
        ...
    }
    OBJECTS = {"people/": ...}       prefixes of the store of objects
    EVENTS = {"Watched.viewer": ...} fields of the structs in the log of events
    FILES = {"events.db": ...}       what lies in the data folder, by its first name there
    LOGS = {"front.address": ...}    fields of a line in a log
    BROWSER = {"cookie jhalak_session": ...}  what a page leaves in a browser

and SUBJECTS, which says how what is kept of a person is found from the person. The name of a column
is `Model.column`, with the column as the database has it (`author_id` for a foreign key `author`).
`live_map` compares the dicts with what is really there, at the start and in the tests: what is
missing here, or stands here and is gone, is named. The idea is fideslang's (ethyca/fideslang), with
one difference: there an unclassified field passes.

Residency reports, download, erasure and handover walk these dicts; so a value here is a promise,
not a comment.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class DataClass(StrEnum):
    """What a column holds."""

    PUBLIC_POST = "public_post"  # what somebody published: captions, tags, media
    PROFILE = "profile"  # how somebody appears to others
    CONTACT = "contact"  # ways to reach somebody: mail, phone
    BEHAVIOUR = "behaviour"  # what somebody watched, liked, followed
    MESSAGE = "message"  # what somebody wrote to some and not to all
    SAFETY_RECORD = "safety_record"  # reports, decisions, audit
    MONEY = "money"  # payments, payouts, tax
    SECRET = "secret"  # noqa: S105  passwords, sessions, keys: never shown, never handed over
    TECHNICAL = "technical"  # about the system, not about anybody


class Purpose(StrEnum):
    """What it is used for. One each: a second purpose wants a second column, or a new promise."""

    SERVICE = "service"  # do what the person asked for
    RECOMMEND = "recommend"  # choose what the person sees next
    SAFETY = "safety"  # keep people and the service safe
    LAW = "law"  # a duty by law
    PAY = "pay"
    OPERATE = "operate"  # run the machinery


class Basis(StrEnum):
    """Why it may be kept."""

    SERVICE = "service"  # needed for what the person asked for
    CONSENT = "consent"  # the person agreed, and can take it back
    LEGAL_DUTY = "legal_duty"  # the law demands it
    LEGITIMATE_USE = "legitimate_use"  # security and operation, in proportion
    NOT_PERSONAL = "not_personal"  # about nobody


class Until(StrEnum):
    """What a retention counts from."""

    ACCOUNT = "account"  # as long as the account that it belongs to
    ITEM = "item"  # as long as the thing that it describes
    DAYS = "days"  # a number of days from when it was written
    INSTALLATION = "installation"  # as long as the installation


class Retention(msgspec.Struct, frozen=True):
    """How long. `days`: with Until.DAYS the number of days; else days it stays after the end."""

    until: Until
    days: int = 0


WHILE_ACCOUNT = Retention(Until.ACCOUNT)
WHILE_ITEM = Retention(Until.ITEM)
WHILE_INSTALLATION = Retention(Until.INSTALLATION)


def days(number: int) -> Retention:
    """That many days from when the row was written."""
    return Retention(Until.DAYS, number)


class Erasure(StrEnum):
    """What happens to it when its person is erased, or its time is over."""

    DELETE = "delete"
    SHRED_KEY = "shred_key"  # the key that it is encrypted with is destroyed, in backups too
    ANONYMISE = "anonymise"  # the row stays and points to nobody
    KEEP_UNTIL = "keep_until"  # kept for its retention, out of the product's reach, then deleted


class Part(StrEnum):
    """What a map is about. The name in the room's `data_map.py` is this in capitals."""

    COLUMNS = "columns"
    OBJECTS = "objects"
    EVENTS = "events"
    FILES = "files"
    LOGS = "logs"
    BROWSER = "browser"


class Column(msgspec.Struct, frozen=True):
    """The promise about one column, prefix, field, file or cookie. `note` says what the other words
    cannot.
    """

    holds: DataClass
    purpose: Purpose
    basis: Basis
    retention: Retention
    erasure: Erasure = Erasure.DELETE
    note: str = ""

    def __post_init__(self) -> None:
        personal = self.basis is not Basis.NOT_PERSONAL
        if personal and self.holds is DataClass.TECHNICAL:
            raise ValueError("technical data is about nobody: its basis is not_personal")
        if not personal and self.holds in (DataClass.CONTACT, DataClass.MESSAGE, DataClass.MONEY):
            raise ValueError(f"{self.holds} is personal: it needs a basis")
        if self.retention.until is Until.DAYS and self.retention.days <= 0:
            raise ValueError("a retention in days needs a number of days")


class Subject(msgspec.Struct, frozen=True):
    """How rows or events are found from the person whose they are.

    `paths`: lookups from the row to the person ("video__author"), or names of fields that hold the
    person's name ("viewer", "author"); any of them makes it theirs to erase. `shown`: those of the
    paths by which it is theirs to download too; None for all. `why_not`: what is said of the rest.
    """

    paths: tuple[str, ...]
    shown: tuple[str, ...] | None = None
    why_not: str = ""

    @property
    def to_show(self) -> tuple[str, ...]:
        return self.paths if self.shown is None else self.shown


def technical(retention: Retention = WHILE_ITEM, note: str = "") -> Column:
    """Ids, states, counters of machinery: about nobody."""
    return Column(
        DataClass.TECHNICAL,
        Purpose.OPERATE,
        Basis.NOT_PERSONAL,
        retention,
        Erasure.DELETE,
        note,
    )
