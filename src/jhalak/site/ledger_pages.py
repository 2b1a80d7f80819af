"""The auditor's pages of the border's log: the list, one entry, its proof, the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from jhalak.border.log.entries import Kind
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission
from jhalak.site import ledger
from jhalak.site.pages import page

GIST = 160  # characters of a body in the list


def gist(body: Mapping[str, Any]) -> str:
    """A body in a line: names and values, as far as there is room."""
    parts = (
        f"{name} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in body.items()
        if value not in ("", [], {})
    )
    text = " · ".join(parts)
    return text if len(text) <= GIST else f"{text[: GIST - 1]}…"


@require_safe
@page
def log(request: Request) -> HttpResponse:
    asked = {name: request.GET.get(name, "")[:40] for name in ("kind", "until", "before")}
    found = ledger.access_log(request.viewer, **asked)
    older = urlencode({**asked, "before": str(found.before)})
    shown = {
        "nav": "me",
        "found": found,
        "lines": [(one, gist(one.body)) for one in found.items],
        "kinds": [kind.value for kind in Kind],
        "asked": asked,
        "older": older if found.before else "",
        "newest": not asked["before"] and not asked["until"],
        "operates": request.viewer.can(Permission.READ_OPERATIONS),
    }
    return render(request, "operator/log.html", shown)


@require_safe
@page
def entry(request: Request, number: int) -> HttpResponse:
    found = ledger.access_entry(request.viewer, number)
    text = json.dumps(found.line.body, ensure_ascii=False, indent=2)
    last = found.size - 1
    shown = {
        "nav": "me",
        "found": found,
        "text": text,
        "newer": number + 1 if number < last else None,
        "older": number - 1 if number else None,
    }
    return render(request, "operator/log-entry.html", shown)


@require_safe
@page
def proof(request: Request, number: int) -> HttpResponse:
    return _file(ledger.access_proof(request.viewer, number), f"entry-{number}.tlog-proof")


@require_safe
@page
def checkpoint(request: Request) -> HttpResponse:
    return _file(ledger.access_checkpoint(request.viewer), "checkpoint.txt")


def _file(data: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type="text/plain; charset=utf-8", headers=headers)


ledger_urls: list[URLPattern] = [
    path("operator/log", log, name="border_log"),
    path("operator/log/checkpoint", checkpoint, name="border_checkpoint"),
    path("operator/log/<int:number>", entry, name="border_entry"),
    path("operator/log/<int:number>/proof", proof, name="border_proof"),
]
