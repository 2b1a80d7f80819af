"""What the columns of this app hold, why, for how long, and how they end: see
jhalak.border.data_map.
"""

from __future__ import annotations

from jhalak.border.data_map import (
    WHILE_INSTALLATION,
    Basis,
    Column,
    DataClass,
    Erasure,
    Purpose,
    Subject,
    days,
    technical,
)

_ASKED = Column(DataClass.PROFILE, Purpose.LAW, Basis.LEGAL_DUTY, days(60), note="what was asked")
_FILE = Column(
    DataClass.PROFILE, Purpose.LAW, Basis.LEGAL_DUTY, days(7), note="everything about one person"
)
_UNDER_WAY = Column(
    DataClass.PROFILE,
    Purpose.LAW,
    Basis.LEGAL_DUTY,
    days(60),
    note="emptied when the erasure is done",
)
_PROOF = technical(WHILE_INSTALLATION, "a keyed hash, and counts: about nobody")
_KEPT = Column(
    DataClass.SAFETY_RECORD,
    Purpose.LAW,
    Basis.LEGAL_DUTY,
    days(3 * 365),
    Erasure.KEEP_UNTIL,
    "encrypted; deleted at `until`",
)

COLUMNS: dict[str, Column] = {
    **{
        f"Download.{name}": _ASKED
        for name in ("id", "person_id", "state", "language", "created", "ends")
    },
    **{f"Download.{name}": _FILE for name in ("key", "size", "sha256")},
    **{f"Leaving.{name}": _UNDER_WAY for name in ("person_id", "work")},
    **{
        f"Leaving.{name}": _PROOF
        for name in (
            "id", "subject", "state", "asked", "due", "done", "token_hash", "steps", "plan_digest",
            "receipt",
        )
    },
    **{f"Kept.{name}": _KEPT for name in ("id", "subject", "source", "until", "sealed")},
}  # fmt: skip

SUBJECTS: dict[str, Subject] = {
    "Download": Subject(("person",)),
    "Leaving": Subject(("person_id",), (), "your wish to leave stands on this page"),
    "Kept": Subject(("subject",), (), "it exists only of people who are gone"),
}
OBJECTS: dict[str, Column] = {"downloads/": _FILE}
