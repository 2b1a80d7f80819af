"""Download everything about oneself, and leave, over HTTP."""

from __future__ import annotations

from datetime import datetime

from ninja import Field, Router, Schema, Status

from jhalak import records
from jhalak.options import options
from jhalak.people.access import sign_in_needed
from jhalak.people.actions import do_log_out
from jhalak.people.api import Body
from jhalak.people.middleware import Request
from jhalak.records.models import Job
from jhalak.rights import actions
from jhalak.rights.models import Download
from jhalak.rights.states import DownloadState
from jhalak.rights.walking import names_of, plan
from jhalak.rights.words import erasure_words, thing_words

router = Router(tags=["rights"])
COUNTED = 50_000  # events in the log up to which a plan on the screen counts them


class Password(Body):
    password: str = Field(max_length=1000, description="Yours, now: an open browser is not you.")


class DownloadOut(Schema):
    id: int
    state: DownloadState
    progress: float = Field(description="0 to 1, while it is made.")
    size: int = Field(description="Bytes; 0 while it is made.")
    created: datetime
    ends: datetime | None = Field(description="Until when it is kept.")


class Downloads(Schema):
    items: list[DownloadOut]
    next: None = None


class Opened(Schema):
    url: str = Field(description="Of the ZIP, good for six hours, and for you alone.")


class PlanLine(Schema):
    what: str = Field(examples=["clips"])
    where: str = Field(description="rows, objects or events.")
    count: int = Field(description="-1: counted when it is done.")
    erasure: str = Field(description="delete, anonymise, shred_key or keep_until.")
    words: str
    keep_days: int


class Plan(Schema):
    items: list[PlanLine]
    grace_days: int
    next: None = None


class Left(Schema):
    due: datetime = Field(description="Until then a log-in undoes it.")
    receipt: str = Field(description="Address of the receipt. Told once: keep it.")


def _out(row: Download) -> DownloadOut:
    job = Job.objects.filter(kind=actions.MAKE, subject=str(row.pk)).order_by("-id").first()
    return DownloadOut(
        id=row.pk,
        state=DownloadState(row.state),
        progress=1.0 if row.size else (job.progress if job else 0.0),
        size=row.size,
        created=row.created,
        ends=row.ends,
    )


@router.get("/me/downloads", response=Downloads, summary="Your downloads")
def downloads(request: Request) -> Downloads:
    person = sign_in_needed(request.viewer)
    return Downloads(items=[_out(row) for row in person.downloads.order_by("-id")[:5]])


@router.post(
    "/me/downloads", response={202: DownloadOut}, summary="Ask for everything kept about you"
)
def ask_download(request: Request, body: Password) -> Status[DownloadOut]:
    return Status(202, _out(actions.do_ask_download(request.viewer, body.password)))


@router.post("/me/downloads/{download}/open", response=Opened, summary="Fetch a download")
def open_download(request: Request, download: int, body: Password) -> Opened:
    return Opened(url=actions.do_open_download(request.viewer, download, body.password))


@router.get("/me/leaving", response=Plan, summary="What would be erased if you left")
def leaving_plan(request: Request) -> Plan:
    return shown_plan(request)


def shown_plan(request: Request) -> Plan:
    person = sign_in_needed(request.viewer)
    found = plan(names_of(person), count_events=records.events().last() <= COUNTED)
    return Plan(
        grace_days=options().erasure_grace,
        items=[
            PlanLine(
                what=thing_words(one.what),
                where=one.where,
                count=one.count,
                erasure=one.erasure,
                words=erasure_words(one),
                keep_days=one.keep_days,
            )
            for one in found
        ],
    )


@router.post(
    "/me/leaving", response={202: Left}, summary="Leave: be erased after the days of grace"
)
def leave(request: Request, body: Password) -> Status[Left]:
    leaving, token = actions.do_ask_leaving(request.viewer, body.password)
    do_log_out(request.session)
    request.guest.forget()
    return Status(202, Left(due=leaving.due, receipt=f"/receipt/{token}"))
