"""The operator's page of experiments and weights: what runs, what came of it, what was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jhalak.feed.experiments.results import MEASURES, Verdict
from jhalak.feed.experiments.sequences import LEAST
from jhalak.people.access import require
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission
from jhalak.site.pages import page
from jhalak.viewing.experiments import experiments
from jhalak.viewing.tuning import weights

WIDE = 160  # of the line that an interval is drawn on, in px
HALF = WIDE // 2
HOURS = 3_600_000
CHANGES = 10  # shown


class Cell(NamedTuple):
    """One measure of one arm; the interval is drawn around nought in the middle."""

    mean: str
    difference: str = ""  # "" while nothing can be said
    interval: str = ""
    left: int = 0
    width: int = 0
    at: int = 0


def cell(measure: str, arm: Mapping[str, Any]) -> Cell:
    if measure not in arm["means"]:
        return Cell("–")
    percent = measure != "seconds"
    scale = 100.0 if percent else 1.0
    mean = f"{arm['means'][measure] * scale:.1f}" + (" %" if percent else " s")
    found = arm["differences"].get(measure)
    if found is None:
        return Cell(mean)
    value, low, high = (found[name] * scale for name in ("value", "low", "high"))
    reach = 1.1 * max(abs(low), abs(high))
    left, right, at = (HALF + round(one / reach * HALF) for one in (low, high, value))
    return Cell(mean, f"{value:+.1f}", f"{low:+.1f} … {high:+.1f}", left, right - left, at)


def verdict(arm: Mapping[str, Any], interleaved: bool) -> str:
    """The one word of the results, as a sentence."""
    few = (
        _("Wait: nothing is said before %d viewers.")
        if interleaved
        else _("Wait: nothing is said before %d viewers in each arm.")
    )
    sentences = {
        Verdict.WAITING: few % LEAST,
        Verdict.OPEN: _("Not told apart as yet."),
        Verdict.BETTER: _("Better: more of what was watched felt good."),
        Verdict.WORSE: _("Worse: less of what was watched felt good."),
        Verdict.UNEVEN: _("The arms did not fill evenly: conclude nothing, look for the fault."),
    }
    return sentences[Verdict(arm["verdict"])] if arm["verdict"] else ""


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    states = {"running": _("running"), "ended": _("ended"), "stopped": _("stopped")}
    return {
        **one,
        "state_word": states[one["state"]],
        "percent": one["share"] / 10,
        "window_hours": one["window_ms"] / HOURS,
        "started": _moment(one["started_ms"]),
        "ends": _moment(one["stopped_ms"] or one["ends_ms"]),
        "arms": [
            {
                **arm,
                "values": _values(arm["values"]),
                "cells": [cell(measure, arm) for measure in MEASURES],
                "sentence": verdict(arm, one["interleaved"]),
            }
            for arm in one["arms"]
        ],
    }


def _values(values: Mapping[str, float]) -> list[str]:
    return [f"{name} = {value:g}" for name, value in values.items()]


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


@require_safe
@page
def experiments_page(request: Request) -> HttpResponse:
    require(request.viewer, Permission.READ_OPERATIONS)
    changes = [
        {
            **change,
            "at": _moment(change["at_ms"]),
            "lines": _values(change["values"]),
            "values_json": json.dumps(change["values"]),
        }
        for change in weights()["changes"][:CHANGES]
    ]
    shown = {
        "nav": "me",
        "experiments": [_shown(one) for one in experiments()],
        "changes": changes,
        "wide": WIDE,
        "half": HALF,
    }
    return render(request, "operator/experiments.html", shown)


experiment_urls: list[URLPattern] = [
    path("operator/experiments", experiments_page, name="operator_experiments"),
]
