"""What the operator's feed page shows: the engine's report in words, plots and tables."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from jhalak import records
from jhalak.problems import Unavailable
from jhalak.site import feed_plots
from jhalak.site.plots import meter, number, percent
from jhalak.viewing.host import host


def feed_report() -> dict[str, Any]:
    """The engine's report and figures, where it is, and how far the event log has come. No figures
    while it is down.
    """
    log = records.events().last()
    engine = host().fresh()
    report = engine.report()
    figures = {}
    with contextlib.suppress(Unavailable):
        figures = engine.figures()
    return {**report, "figures": figures, "engine": host().where(), "log": log}


def feed_page(report: dict[str, Any]) -> dict[str, Any]:
    """The context of operator/feed.html. A process that never reached the engine has no more of a
    report than where the engine is.
    """
    figures = report["figures"]
    pages = report.get("pages", {})
    return {
        "report": report,
        "behind": max(0, report["log"] - report.get("offset", 0)),
        "stages": _stages(report.get("stages", {}), sum(pages.values())),
        "pages": {name: number(pages.get(name, 0)) for name in ("full", "short", "empty")},
        "events": _events(report.get("events", {})),
        "owed": feed_plots.owed(report["owed"]) if "owed" in report else None,
        "owed_now": _owed(report["owed"]) if "owed" in report else [],
        **(_plots(figures) if figures else {}),
    }


def _plots(figures: dict[str, Any]) -> dict[str, Any]:
    day = figures["day"]
    total = {name: sum(one[name] for one in day.values()) for name in ("watches", *_SHARES)}
    exposed = figures["exposure"]
    return {
        "figured": True,
        "until": datetime.fromtimestamp(figures["until_ms"] / 1000, UTC)
        if figures["sources"]
        else None,
        "tiles": _tiles(total, figures),
        "sources": feed_plots.by_source(figures),
        "endings": feed_plots.endings(figures),
        "table": [
            _source_row(name, day[name], total["watches"]) for name in feed_plots.ordered(day)
        ],
        "freshness": feed_plots.freshness(figures["freshness"]),
        "drift": feed_plots.drift(figures["drift"]),
        "calibration": feed_plots.calibration(figures["calibration"]),
        "exposure": feed_plots.exposure(exposed),
        "lorenz": feed_plots.lorenz(exposed),
    }


_SHARES = ("finished", "skipped", "liked")


def _of(part: float, whole: float) -> str:
    return percent(max(0.0, part) / whole) if whole > 0 else "–"


def _tiles(total: dict[str, float], figures: dict[str, Any]) -> list[tuple[str, str]]:
    watches = total["watches"]
    fresh, error = figures["freshness"]["median"], figures["calibration"]["error"]
    return [
        (_("Watches in 24 h"), number(watches)),
        (_("Watched to the end"), _of(total["finished"], watches)),
        (_("Swiped past"), _of(total["skipped"], watches)),
        (_("Taken to"), _of(total["liked"], watches)),
        (_("Median age"), "–" if fresh is None else feed_plots.age(fresh)),
        (_("Calibration error"), "–" if error is None else percent(error)),
    ]


def _owed(found: dict[str, Any]) -> list[tuple[str, str]]:
    """How the promise to new videos stands now."""
    capacity = found["capacity"]
    return [
        (_("Owed to each"), _("%(now)s of %(asked)s") % _numbers(found, "now", "asked")),
        (_("Open, overdue"), _("%(in_debt)s, %(overdue)s") % _numbers(found, "in_debt", "overdue")),
        (_("Reserved slots can pay"), "–" if capacity is None else number(capacity)),
        (_("Asked of them"), number(found["demand"])),
        (_("Oldest"), feed_plots.age(found["oldest_ms"] / 3_600_000) if found["in_debt"] else "–"),
    ]


def _numbers(found: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: number(found[name]) for name in names}


def _source_row(name: str, counts: dict[str, float], total: float) -> dict[str, Any]:
    watches = counts["watches"]
    return {
        "name": feed_plots.source(name),
        "watches": number(watches),
        "share": _of(watches, total),
        "bar": meter(watches / total if total else 0.0),
        **{key: _of(counts[key], watches) for key in _SHARES},
        "verdict": f"{counts['verdict'] / watches:+.2f}" if watches else "–",
        "seconds": number(counts["watched_ms"] / watches / 1000, 1) if watches else "–",
    }


def _stages(stages: dict[str, Any], served: int) -> list[dict[str, Any]]:
    """One row for each stage that had a turn, in the order of their first."""
    pages = max(1, served)
    longest = max((one["micros"] for one in stages.values()), default=0)
    found = []
    for name, one in stages.items():
        kind, _colon, own = name.partition(":")
        turns = sum(one[outcome] for outcome in ("ok", "empty", "late", "failed"))
        found.append(
            {
                "kind": kind,
                "name": own or kind,
                "turns": number(turns),
                "micros": number(one["micros"] / pages, 1),
                "bar": meter(one["micros"] / longest if longest else 0.0),
                "videos": number(one["videos"] / pages, 1),
                "late": _of(one["late"], turns),
                "failed": _of(one["failed"], turns),
                "wrong": one["late"] + one["failed"] > 0,
                "removed": ", ".join(
                    f"{reason} {number(count / pages, 1)}"
                    for reason, count in one["removed"].items()
                ),
            }
        )
    return found


def _events(counts: dict[str, int]) -> list[dict[str, str]]:
    """Events by kind since this process started: learnt, about something unknown, refused."""
    kinds = sorted({name.partition(".")[0] for name in counts} - {"repeated"})
    return [
        {
            "kind": kind,
            "known": number(counts.get(kind, 0)),
            "unknown": number(counts.get(f"{kind}.unknown", 0)),
            "refused": number(counts.get(f"{kind}.refused", 0)),
        }
        for kind in kinds
    ]
