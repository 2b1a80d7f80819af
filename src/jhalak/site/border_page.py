"""The public page `/border`: what this installation says of its border, in a viewer's words.

It repeats what the processes, the control, the declaration and the log's checkpoint say. It checks
no signature and proves nothing: that is the verifier's work, on a pack of evidence. The kernel's
words, an operator's advice and who owns a destination stay out of it: anybody may read the page.
"""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jhalak.border import control
from jhalak.border.egress import destinations
from jhalak.border.log import checkpoints, notes
from jhalak.border.log.keys import log_folder
from jhalak.border.log.tiles import TileError, Tiles
from jhalak.border.services import EXCUSED, Process, Processes
from jhalak.options import options
from jhalak.people.middleware import Request
from jhalak.site.evidence import JURISDICTION
from jhalak.site.pages import page


class Way(msgspec.Struct, frozen=True):
    """A declared destination."""

    host: str
    purpose: str
    expires: datetime.date
    expired: bool


class Border(msgspec.Struct, frozen=True):
    """What the page shows. None: it cannot be read, or there is none yet."""

    jurisdiction: str
    processes: list[Process] | None
    control: control.Last | None
    control_unreadable: bool
    ways: list[Way] | None
    size: int | None
    root: str


def access_border(data: Path) -> Border:
    """For anybody. A file that cannot be read is never shown as an empty one."""
    try:
        processes = Processes(data).all()
    except (msgspec.MsgspecError, OSError):
        processes = None
    try:
        last, unreadable = control.last(data), False
    except (msgspec.MsgspecError, OSError):
        last, unreadable = None, True
    now_ms = time.time_ns() // 1_000_000
    try:
        declared = destinations.load(data).values()
        ways = [Way(one.host, one.purpose, one.expires, one.expired(now_ms)) for one in declared]
    except destinations.DestinationsError:
        ways = None
    try:
        stated = (data / "border" / JURISDICTION).read_text("utf-8").strip()[:4000]
    except (OSError, UnicodeDecodeError):
        stated = ""
    try:
        head = checkpoints.read_text(notes.parse(Tiles(log_folder(data)).checkpoint()).text)
    except (TileError, notes.NoteError, OSError):
        return Border(stated, processes, last, unreadable, ways, None, "")
    return Border(stated, processes, last, unreadable, ways, head.size, head.root.hex())


def _why(process: Process) -> str:
    return {
        "supervisor": _("It opens the door and starts the others."),
        "broker": _("It connects to the declared destinations."),
        "client": _("It visits the site, as people do."),
        "control": _("It tries to leave, as a test."),
    }.get(process.exception if process.exception in EXCUSED else "", _("It should be sealed."))


@require_safe
@page
def border(request: Request) -> HttpResponse:
    said = access_border(options().folder)
    when = said.control and datetime.datetime.fromtimestamp(said.control.at / 1000, datetime.UTC)
    lines = [(one.name, one.sealed, _why(one)) for one in said.processes or []]
    return render(request, "border.html", {"nav": "", "said": said, "when": when, "lines": lines})


border_urls: list[URLPattern] = [path("border", border, name="border")]
