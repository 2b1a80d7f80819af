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

# An audit entry is evidence: Rule 8(3) of the DPDP Rules 2025 wants logs for at least a year,
# appeals and orders reach further back. Three years, then it goes whole.
_AUDIT = Column(
    DataClass.SAFETY_RECORD,
    Purpose.SAFETY,
    Basis.LEGAL_DUTY,
    days(3 * 365),
    Erasure.KEEP_UNTIL,
)
_PASSING = technical(days(1), "gone as soon as the log has it, which takes a moment")
_TO_THE_LOG = Column(
    DataClass.SAFETY_RECORD,
    Purpose.LAW,
    Basis.LEGAL_DUTY,
    days(1),
    note="on its way to the border's log, normally for a second",
)
_JOB = technical(days(30), "finished jobs are swept, see leases.KEEP_DAYS")

COLUMNS: dict[str, Column] = {
    "AuditEntry.id": _AUDIT,
    "AuditEntry.at": _AUDIT,
    "AuditEntry.actor_id": _AUDIT,
    "AuditEntry.actor_role": _AUDIT,
    "AuditEntry.action": _AUDIT,
    "AuditEntry.object": _AUDIT,
    "AuditEntry.detail": _AUDIT,
    "OutboxEvent.id": _PASSING,
    "OutboxEvent.key": _PASSING,
    "OutboxEvent.body": Column(
        DataClass.BEHAVIOUR,
        Purpose.RECOMMEND,
        Basis.SERVICE,
        days(1),
        note="on its way to the log of events, normally for milliseconds",
    ),
    "OutboxEvent.created": _PASSING,
    "LedgerEntry.id": _TO_THE_LOG,
    "LedgerEntry.key": _TO_THE_LOG,
    "LedgerEntry.leaf": _TO_THE_LOG,
    "LedgerEntry.hidden": _TO_THE_LOG,
    "Job.id": _JOB,
    "Job.kind": _JOB,
    "Job.subject": _JOB,
    "Job.payload": _JOB,
    "Job.again": _JOB,
    "Job.owner": Column(
        DataClass.BEHAVIOUR,
        Purpose.OPERATE,
        Basis.LEGITIMATE_USE,
        days(30),
        note="a viewer key, so that machine time is shared fairly",
    ),
    "Job.priority": _JOB,
    "Job.turn": _JOB,
    "Job.over_budget": _JOB,
    "Job.state": _JOB,
    "Job.attempts": _JOB,
    "Job.max_attempts": _JOB,
    "Job.waits": _JOB,
    "Job.run_after": _JOB,
    "Job.claimed": _JOB,
    "Job.spent_s": Column(
        DataClass.BEHAVIOUR,
        Purpose.OPERATE,
        Basis.LEGITIMATE_USE,
        days(30),
        note="seconds of machine time, added up by owner over a day for the budget",
    ),
    "Job.lease_until": _JOB,
    "Job.leased_by": _JOB,
    "Job.progress": _JOB,
    "Job.error_code": _JOB,
    "Job.error_text": _JOB,
    "Job.created": _JOB,
    "Job.updated": _JOB,
}

# None of these has a foreign key: how they name a person is said in rights.naming.
SUBJECTS: dict[str, Subject] = {
    "AuditEntry": Subject(("actor_id", "object")),
    "OutboxEvent": Subject(("body",), (), "the event log has it a moment later, and that is given"),
    "LedgerEntry": Subject(("leaf",), (), "it names you by a keyed hash alone, see the border log"),
    "Job": Subject(("owner",)),
}
OBJECTS: dict[str, Column] = {
    "owner/": technical(WHILE_INSTALLATION, "whose bucket it is"),
}
