"""Audit entries, events on their way out, and jobs, as rows."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Q

from jhalak.records.states import LIVE, JobState


class Priority(IntEnum):
    """Bands of jobs; a lower number goes first. At least one slot of a worker takes only URGENT
    ones.
    """

    URGENT = 10  # somebody waits in front of it: the first rendition
    SOON = 30
    NORMAL = 50
    LATER = 90  # when nothing else is to do


class AppendOnly(models.QuerySet["AuditEntry"]):
    """An audit entry is written once. What must be undone gets an entry of its own."""

    def update(self, **changes: Any) -> NoReturn:  # noqa: ARG002
        raise TypeError("audit entries are append-only: they are not changed")

    def delete(self) -> NoReturn:
        raise TypeError("audit entries are append-only: they are not deleted")


class AuditEntry(models.Model):
    """Who did what to which object, and when. No foreign keys: the entry outlives what it speaks
    of.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.BigIntegerField(null=True, blank=True)  # None: the system itself
    actor_role = models.CharField(max_length=12)  # as it was then; "system" without an actor
    action = models.CharField(max_length=60)  # "video.withdraw"
    object = models.CharField(max_length=80)  # "video:3kF9..."
    detail = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[AuditEntry]] = models.Manager.from_queryset(AppendOnly)()

    class Meta:
        indexes = [
            models.Index(fields=["object", "id"]),
            models.Index(fields=["actor_id", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object}"


class OutboxEvent(models.Model):
    """An event that has happened and is not yet known to be in the log."""

    key = models.CharField(max_length=36, unique=True)  # the idempotency key
    body = models.BinaryField()
    created = models.DateTimeField(auto_now_add=True)


class LedgerEntry(models.Model):
    """An entry of the border's log that has happened and is not yet known to be in the log."""

    key = models.CharField(max_length=64, unique=True)  # its id in the log
    leaf = models.BinaryField()  # its bytes there
    hidden = models.BinaryField(default=b"")  # what opens it, if it is sealed


class Job(models.Model):
    """Work to be done after the commit, by a worker. What its state may become stands in
    `states.FOLLOWS`.
    """

    kind = models.CharField(max_length=60)  # "videos.process": a task's name
    subject = models.CharField(max_length=80)  # what it works on
    payload = models.JSONField(default=dict)
    again = models.JSONField(null=True)  # wanted once more when this run ends: see `enqueue`
    owner = models.CharField(max_length=40, blank=True)  # for whose sake: shares are fair by owner
    priority = models.SmallIntegerField(default=Priority.NORMAL.value)
    turn = models.BigIntegerField(default=0)  # place within the band, see shares
    over_budget = models.BooleanField(default=False)  # waits behind everything, see shares

    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    waits = models.PositiveSmallIntegerField(default=0)  # times that the machine could not do it
    run_after = models.DateTimeField()
    claimed = models.DateTimeField(null=True, blank=True)  # when its last attempt began
    spent_s = models.FloatField(default=0.0)  # machine time of all attempts, in seconds
    lease_until = models.DateTimeField(null=True, blank=True)
    leased_by = models.CharField(max_length=120, blank=True)

    progress = models.FloatField(default=0.0)  # 0 to 1
    error_code = models.CharField(max_length=40, blank=True)  # of the last attempt
    error_text = models.CharField(max_length=500, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["state", "over_budget", "priority", "turn", "id"], name="job_claim_order"
            ),
            models.Index(fields=["owner", "updated"], name="job_of_owner"),
            models.Index(
                fields=["lease_until"], name="job_leases", condition=Q(state=JobState.RUNNING)
            ),
            models.Index(fields=["kind", "subject", "id"], name="job_of_subject"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(state__in=LIVE), name="one_live_job"
            ),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known"),
        ]

    @property
    def urgent(self) -> bool:
        return self.priority <= Priority.URGENT and not self.over_budget

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} ({self.state})"
