"""What the operator and the auditor read and do by API: the feed's health, the queue, roles, the
audit log.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _
from ninja import Field, Query, Router, Schema, Status

from jhalak.people.access import access_person, require
from jhalak.people.actions import do_set_role
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission, Role
from jhalak.problems import BadRequest
from jhalak.records.models import AuditEntry
from jhalak.records.queue import do_cancel_job, do_retry_job, overview
from jhalak.site import ledger, operator_feed
from jhalak.videos.runners import do_remove_runner, runners

router = Router(tags=["operator"])

PAGE = 50


class RoleIn(Schema):
    role: Role = Field(description="The role that the person shall have.", examples=["moderator"])


class CancelIn(Schema):
    reason: str = Field(
        min_length=1, max_length=300, description="Kept in the audit log.", examples=["Too heavy."]
    )


class JobOut(Schema):
    id: int = Field(description="The new job.", examples=[1201])


class LogPlace(Schema):
    before: str = Field("", description="`before` of the page before.", examples=["1200"])
    kind: str = Field("", description="One kind of entry alone.", examples=["egress_flow"])
    until: str = Field("", description="Up to this day, UTC.", examples=["2026-11-29"])


class AuditPlace(Schema):
    before: str = Field("", description="`next` of the page before.", examples=["1200"])


@router.get("/operator/feed", response=dict[str, Any], summary="What the feed engine does")
def feed_report(request: Request) -> dict[str, Any]:
    """Where the engine is, outcome of each stage, sizes, place in the event log. `figures`: series,
    freshness, drift, calibration and exposure over the last days; empty while the engine is down.
    """
    require(request.viewer, Permission.READ_OPERATIONS)
    return operator_feed.feed_report()


@router.get("/operator/jobs", response=dict[str, Any], summary="Work that waits, runs or failed")
def jobs(request: Request) -> dict[str, Any]:
    """Counts by kind and state, the oldest that waits, and up to 50 each that run, wait, failed."""
    require(request.viewer, Permission.READ_OPERATIONS)
    found: dict[str, Any] = msgspec.to_builtins(overview(), builtin_types=(datetime,))
    return found


@router.post("/operator/jobs/{job}/cancel", response={204: None}, summary="Take a job out")
def cancel_job(request: Request, job: int, body: CancelIn) -> Status[None]:
    """A video whose first rendition waits or is made fails with it; `retry` undoes that."""
    operator = require(request.viewer, Permission.MANAGE_JOBS)
    do_cancel_job(operator, job, body.reason)
    return Status(204, None)


@router.post("/operator/jobs/{job}/retry", response=JobOut, summary="Try a job again")
def retry_job(request: Request, job: int) -> dict[str, int]:
    """One that failed or was cancelled, as a new job."""
    operator = require(request.viewer, Permission.MANAGE_JOBS)
    return {"id": do_retry_job(operator, job).pk}


@router.get("/operator/runners", response=dict[str, Any], summary="Other machines that help")
def list_runners(request: Request) -> dict[str, Any]:
    """Each with when it was last heard of, what it does, and how many jobs it did today."""
    require(request.viewer, Permission.READ_OPERATIONS)
    return {"items": msgspec.to_builtins(runners())}


@router.delete("/operator/runners/{runner}", response={204: None}, summary="Let a runner go")
def remove_runner(request: Request, runner: str) -> Status[None]:
    """Its token opens nothing from now on; what it was doing is given to others."""
    do_remove_runner(require(request.viewer, Permission.MANAGE_JOBS), runner)
    return Status(204, None)


@router.put("/operator/people/{handle}/role", response={204: None}, summary="Entrust a role")
def set_role(request: Request, handle: str, body: RoleIn) -> Status[None]:
    operator = require(request.viewer, Permission.SET_ROLES)
    do_set_role(operator, access_person(request.viewer, handle), body.role)
    return Status(204, None)


@router.get("/border/log", response=dict[str, Any], summary="The border's log, newest first")
def border_log(request: Request, place: Query[LogPlace]) -> dict[str, Any]:
    """What the auditor's page shows. A rare kind may take several pages to find: `before` is not 0
    as long as there is more.
    """
    found = ledger.access_log(request.viewer, **place.model_dump())
    told: dict[str, Any] = msgspec.to_builtins(found, builtin_types=(datetime,))
    return told


@router.get("/border/log/{number}", response=dict[str, Any], summary="One entry, to be checked")
def border_entry(request: Request, number: int) -> dict[str, Any]:
    """Its leaf to the byte, the leaf's hash, and the proof (C2SP tlog-proof) under the checkpoint
    of now.
    """
    found = msgspec.to_builtins(
        ledger.access_entry(request.viewer, number), builtin_types=(datetime,)
    )
    return {**found, "proof": ledger.access_proof(request.viewer, number).decode()}


@router.get("/audit", response=dict[str, Any], summary="The audit log, newest first")
def audit_log(request: Request, place: Query[AuditPlace]) -> dict[str, Any]:
    before = place.before
    require(request.viewer, Permission.READ_AUDIT)
    entries = AuditEntry.objects.order_by("-pk")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise BadRequest("bad_cursor", _("That place in the list is not known. Start again."))
        entries = entries.filter(pk__lt=int(before))
    rows = list(
        entries.values("id", "at", "actor_id", "actor_role", "action", "object", "detail")[
            : PAGE + 1
        ]
    )
    page = rows[:PAGE]
    return {"items": page, "next": str(page[-1]["id"]) if len(rows) > PAGE else None}
