"""The auditor's page `/operator/border`: the newest residency report, where data may go, what runs
and behind which walls, and the data map.

It shows what the installation says of itself; checked are the log and a pack of evidence. The map
is held against the database, the events and the log lines, which are cheap to look at; the
residency report and `jhalak border map` look at objects and files too.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from jhalak.border import exceptions, live_map
from jhalak.border.data_map import Column, Part
from jhalak.border.egress import destinations
from jhalak.border.log.entries import Kind
from jhalak.border.services import Process, Processes
from jhalak.options import options
from jhalak.people.access import Viewer
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission
from jhalak.problems import Unavailable
from jhalak.rights import declared
from jhalak.site import ledger
from jhalak.site.live import live_logs
from jhalak.site.pages import page

T = TypeVar("T")


class Standing(msgspec.Struct, frozen=True):
    """What the page shows. None: it cannot be read, which is never shown as empty. `report`: the
    newest in the log. `columns`: the data map by its parts, `differs` from what is here.
    """

    report: ledger.Line | None
    log_unreadable: bool
    ways: list[destinations.Destination] | None
    exemptions: list[exceptions.Exemption] | None
    processes: list[Process] | None
    columns: dict[Part, dict[str, Column]]
    digest: str
    differs: list[str]


def access_standing(viewer: Viewer, data: Path) -> Standing:
    """The look is noted as one at the log. Raises SignInNeeded, Forbidden."""
    try:
        items = ledger.access_log(viewer, kind=Kind.RESIDENCY_REPORT.value).items
        report, unreadable = items[0] if items else None, False
    except Unavailable:
        report, unreadable = None, True
    whole = declared.declared()
    live = {
        Part.COLUMNS: declared.live_columns(),
        Part.EVENTS: declared.live_events(),
        Part.LOGS: live_logs(),
    }
    return Standing(
        report=report,
        log_unreadable=unreadable,
        ways=_read(lambda: list(destinations.load(data).values())),
        exemptions=_read(lambda: exceptions.load(data)),
        processes=_read(Processes(data).all),
        columns=whole,
        digest=live_map.digest(whole),
        differs=live_map.differences(whole, live),
    )


def _read(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except (destinations.DestinationsError, exceptions.ExceptionsError):
        return None
    except (msgspec.MsgspecError, OSError):
        return None


def _when(ms: int) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC) if ms else None


def _running(one: Process) -> dict[str, Any]:
    refused = {wall: why for wall, why in one.walls.items() if why != "stands"}
    stands = [wall for wall in one.walls if wall not in refused]
    return {"one": one, "since": _when(one.started_ms), "stands": stands, "refused": refused}


@require_safe
@page
def border_audit(request: Request) -> HttpResponse:
    found = access_standing(request.viewer, options().folder)
    now_ms = time.time_ns() // 1_000_000
    body = found.report.body if found.report else {}
    shown = {
        "nav": "me",
        "found": found,
        "said": body,
        "begin": _when(body.get("from", 0)),
        "end": _when(body.get("until", 0)),
        "ways": [(one, one.expired(now_ms)) for one in found.ways or []],
        "running": [_running(one) for one in found.processes or []],
        "parts": [(part.value, columns) for part, columns in found.columns.items()],
        "operates": request.viewer.can(Permission.READ_OPERATIONS),
    }
    return render(request, "operator/border.html", shown)


audit_urls: list[URLPattern] = [path("operator/border", border_audit, name="border_audit")]
