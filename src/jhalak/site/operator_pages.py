"""The operator's pages: what the house does, in plots and tables. Nothing here for anybody else."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from jhalak.people.access import require
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission
from jhalak.records.queue import overview
from jhalak.records.states import JobState
from jhalak.site.operator_feed import feed_page, feed_report
from jhalak.site.pages import page
from jhalak.videos.runners import runners


@require_safe
@page
def queue(request: Request) -> HttpResponse:
    require(request.viewer, Permission.READ_OPERATIONS)
    seen = overview()
    by_kind: dict[str, dict[str, int]] = {}
    for one in seen.counts:
        by_kind.setdefault(one["kind"], {})[one["state"]] = one["count"]
    shown = {
        "nav": "me",
        "seen": seen,
        "runners": runners(),
        "states": [state.label for state in JobState],
        "kinds": [
            (kind, [states.get(state, 0) for state in JobState]) for kind, states in by_kind.items()
        ],
    }
    return render(request, "operator/queue.html", shown)


@require_safe
@page
def feed(request: Request) -> HttpResponse:
    require(request.viewer, Permission.READ_OPERATIONS)
    return render(request, "operator/feed.html", {"nav": "me", **feed_page(feed_report())})


operator_urls: list[URLPattern] = [
    path("operator/queue", queue, name="operator_queue"),
    path("operator/feed", feed, name="operator_feed"),
]
