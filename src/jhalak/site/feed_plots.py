"""The plots of the operator's feed page: each of one part of `report()["figures"]`, None while
there is nothing in it to draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from jhalak.site import plots
from jhalak.site.plots import Mark, Plot, Point, Series, number, percent

TOGETHER = 6  # hours in one bar of a week
STABLE, CHANGED = 0.1, 0.25  # of drift, by convention
ENOUGH = 30  # watches behind a dot of the calibration
# The order of sources in stacks and legends, so that a colour stays with its source.
ORDER = (
    "taste", "interest", "channel", "following", "trending", "loved", "newest", "owed", "random",
    "tag", "author", "scope", "link",
)  # fmt: skip


def source(name: str) -> str:
    """A source as people call it; one that has no name here by its own."""
    return {
        "": _("Not told"),
        "author": _("Authors watched"),
        "channel": _("Channels watched"),
        "following": _("People followed"),
        "interest": _("Near an interest"),
        "last_slate": _("Last ranking"),
        "link": _("Opened by link"),
        "loved": _("Best liked"),
        "newest": _("Newest"),
        "other": _("Others"),
        "owed": _("Owed to new videos"),
        "random": _("Even random slice"),
        "scope": _("Asked for"),
        "seen_again": _("Seen before"),
        "served_again": _("Served before"),
        "tag": _("Tags watched"),
        "taste": _("Taste"),
        "trending": _("Trending"),
    }.get(name, name)


def ordered(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (_place(name), name))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def age(hours: float) -> str:
    if hours < 48:
        return _("%s h") % number(hours, 1 if hours < 10 else 0)
    return _("%s d") % number(hours / 24, 1 if hours < 240 else 0)


# ---- what is served from which source -----------------------------------------------------------


def _week(figures: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the bars of a week, and the days that stand under them, in UTC."""
    names, ticks = [], []
    for start in figures["hours"][::TOGETHER]:
        at = datetime.fromtimestamp(start / 1000, UTC)
        names.append(date_format(at, "j M H:i"))
        ticks.append(date_format(at, "j M") if at.hour < TOGETHER else "")
    return names, ticks


def _together(values: Sequence[float]) -> list[float]:
    return [sum(values[at : at + TOGETHER]) for at in range(0, len(values), TOGETHER)]


def by_source(figures: dict[str, Any]) -> Plot | None:
    watches = {name: _together(one["watches"]) for name, one in figures["sources"].items()}
    if not any(map(any, watches.values())):
        return None
    most = sorted(watches, key=lambda name: -sum(watches[name]))[: plots.COLOURS - 1]
    series = [Series(source(n), at, watches[n]) for at, n in enumerate(ordered(most))]
    rest = [values for name, values in watches.items() if name not in most]
    if rest:
        left_over = [sum(column) for column in zip(*rest, strict=True)]
        series.append(Series(_("Others"), plots.COLOURS - 1, left_over))
    names, ticks = _week(figures)
    return Plot(
        title=_("Watches by source"),
        about=_("Which source brought what was watched, in the last 7 days. One bar is 6 hours."),
        svg=plots.bars(names, series, unit=_("watches in 6 h"), ticks=ticks),
        legend=[(one.name, one.colour) for one in series],
        heads=[_("From (UTC)"), *(one.name for one in series)],
        rows=_rows(names, series, number),
    )


def _rows(
    names: Sequence[str], series: Sequence[Series], form: Callable[[float], str]
) -> list[list[str]]:
    return [
        [name, *("–" if (value := one.values[at]) is None else form(value) for one in series)]
        for at, name in enumerate(names)
    ]


def endings(figures: dict[str, Any]) -> Plot | None:
    held = figures["sources"].values()

    def sums(measure: str) -> list[float]:
        columns = [_together(one[measure]) for one in held]
        return [sum(column) for column in zip(*columns, strict=True)]

    watches = sums("watches")
    if not any(watches):
        return None
    series = [
        Series(name, colour, [_share(*pair) for pair in zip(sums(key), watches, strict=True)])
        for key, name, colour in (
            ("finished", _("Watched to the end"), 0),
            ("liked", _("Taken to"), 2),
            ("skipped", _("Swiped past"), 3),
        )
    ]
    names, ticks = _week(figures)
    return Plot(
        title=_("How watching ends"),
        about=_(
            "Watched to the end, swiped past within a fifth, and taken to: more than others of"
            " that length, or to the end."
        ),
        svg=plots.lines(ticks, series, unit=_("share of watches"), form=percent),
        legend=[(one.name, one.colour) for one in series],
        heads=[_("From (UTC)"), *(one.name for one in series)],
        rows=_rows(names, series, percent),
    )


def _share(part: float, whole: float) -> float | None:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else None


# ---- freshness, drift, calibration --------------------------------------------------------------


def freshness(found: dict[str, Any]) -> Plot | None:
    counts, ends = found["counts"], found["ends"]
    total = sum(counts)
    if not total:
        return None
    ticks = [_hours(end) for end in ends] + ["+"]
    names = [_("under %s") % tick for tick in ticks[:-1]] + [_("over %s") % ticks[-2]]
    series = [Series(_("Share of watches"), 0, [count / total for count in counts])]
    about = _(
        "Half of what was watched in 24 h was younger than %(half)s, nine in ten than %(p90)s."
    )
    return Plot(
        title=_("Freshness"),
        about=about % {"half": age(found["median"]), "p90": age(found["p90"])},
        svg=plots.bars(names, series, unit=_("share of watches"), ticks=ticks, form=percent),
        legend=[],
        heads=[_("Age"), _("Watches"), _("Share of watches")],
        rows=[
            [name, number(count), percent(count / total)]
            for name, count in zip(names, counts, strict=True)
        ],
    )


def _hours(hours: float) -> str:
    return _("%dh") % hours if hours < 24 else _("%dd") % (hours / 24)


def drift(found: dict[str, Any]) -> Plot | None:
    kinds = {"source": _("Source"), "channel": _("Channel"), "length": _("Length")}
    held = {kind: one for kind, one in found.items() if one["index"] is not None}
    if not held:
        return None
    index = Series(_("Index"), 0, [one["index"] for one in held.values()])
    chance = Series(_("Chance alone"), 7, [one["chance"] for one in held.values()])
    marks = [Mark(STABLE, _("a little")), Mark(CHANGED, _("much"))]
    names = [kinds[kind] for kind in held]
    rows = []
    for kind, one in held.items():
        moved = sorted(one["shares"], key=lambda share: -abs(share["day"] - share["week"]))
        rows += [
            [
                kinds[kind],
                _named(kind, share["name"]),
                percent(share["day"]),
                percent(share["week"]),
            ]
            for share in moved[:6]
        ]
    return Plot(
        title=_("Drift"),
        about=_(
            "How far the mix of the last 24 h is from the 7 days before (population stability"
            " index). The table names what moved most."
        ),
        svg=plots.bars(
            names, [index, chance], unit=_("index"), stacked=False, marks=marks, top=CHANGED
        ),
        legend=[(one.name, one.colour) for one in (index, chance)],
        heads=[_("Mix"), _("What"), _("Last 24 h"), _("7 days before")],
        rows=rows,
    )


def _named(kind: str, name: str) -> str:
    if kind == "source":
        return source(name)
    if kind == "channel":
        return name or _("none")
    return _("from %s s") % number(int(name))


def calibration(found: dict[str, Any]) -> Plot | None:
    if not found["buckets"]:
        return None
    points = [
        Point(one["promised"], one["happened"], one["low"], one["high"], one["watches"])
        for one in found["buckets"]
        if one["watches"] >= ENOUGH
    ]
    slope = found["slope"]
    told = (
        _("scores are too bold")
        if slope < 0.8
        else _("scores are too timid")
        if slope > 1.25
        else _("scores mean what they say")
    )
    about = _("Dots on the line: the score keeps what it promises. Slope %(slope)s: %(told)s.")
    return Plot(
        title=_("Calibration"),
        about=about % {"slope": number(slope, 2), "told": told},
        svg=plots.reliability(points, unit=_("taken to"), foot=_("promised"), form=percent),
        legend=[],
        heads=[_("Score"), _("Watches"), _("Promised"), _("Happened"), _("95 % interval")],
        rows=[
            [
                number(one["score"], 1),
                number(one["watches"]),
                percent(one["promised"]),
                percent(one["happened"]),
                f"{percent(one['low'])} – {percent(one['high'])}",
            ]
            for one in found["buckets"]
        ],
    )


# ---- exposure by size of creator ----------------------------------------------------------------


def exposure(found: dict[str, Any]) -> Plot | None:
    total = found["total"]
    if not total["watches"]:
        return None
    names = {"new": _("New"), "small": _("Small"), "middle": _("Middle"), "large": _("Large")}
    rows = found["sizes"]
    kinds = {"creators": _("Creators"), "videos": _("Videos"), "watches": _("Watches")}
    series = [
        Series(name, colour, [row[key] / total[key] for row in rows])
        for (key, name), colour in zip(kinds.items(), (7, 2, 1), strict=True)
    ]
    return Plot(
        title=_("Exposure by size of creator"),
        about=_(
            "Share of creators, of public videos, and of the week's watches of what the feed"
            " chose. New: first video this week. Before it, small had under 100 watches, middle"
            " under 10,000."
        ),
        svg=plots.bars(
            [names[row["size"]] for row in rows],
            series,
            unit=_("share"),
            form=percent,
            stacked=False,
        ),
        legend=[(one.name, one.colour) for one in series],
        heads=[_("Size"), *kinds.values(), _("Not shown all week")],
        rows=[
            [
                names[row["size"]],
                *(f"{number(row[key])} ({percent(row[key] / total[key])})" for key in kinds),
                number(row["unseen"]),
            ]
            for row in rows
        ],
    )


def owed(found: dict[str, Any]) -> Plot | None:
    """What became of the impressions that new videos are owed, by the size of their creators."""
    sizes = {"one": _("1 video"), "few": _("2 to 9"), "many": _("10 and more")}
    ends = {"in_time": _("Paid in time"), "late": _("Paid late"), "missed": _("Missed")}
    rows = {size: found["by_size"][size] for size in sizes}
    sums = {size: sum(row[end] for end in ends) for size, row in rows.items()}
    if not any(sums.values()):
        return None
    series = [
        Series(
            name,
            colour,
            [row[end] / sums[size] if sums[size] else 0.0 for size, row in rows.items()],
        )
        for (end, name), colour in zip(ends.items(), (0, 1, 3), strict=True)
    ]
    about = _(
        "Each new video is owed %(asked)s watches in %(within)s. What became of it, by how many"
        " videos the creator has."
    )
    over = _("More is asked than the reserved slots can pay: each gets %(now)s, all alike.")
    told = about % {"asked": number(found["asked"]), "within": age(found["within_ms"] / 3_600_000)}
    if found["over_capacity"]:
        told = f"{told} {over % {'now': number(found['now'])}}"
    names = list(sizes.values())
    return Plot(
        title=_("Owed and paid"),
        about=told,
        svg=plots.bars(names, series, unit=_("share of videos"), form=percent, top=1.0),
        legend=[(one.name, one.colour) for one in series],
        heads=[_("Creator has"), *ends.values(), _("Paid with fewer"), _("Withdrawn")],
        rows=[
            [sizes[size], *(number(row[key]) for key in (*ends, "short", "withdrawn"))]
            for size, row in rows.items()
        ],
    )


def lorenz(found: dict[str, Any]) -> Plot | None:
    curve = found["lorenz"]
    if not curve:
        return None
    series = [Series(_("Share of watches"), 1, curve)]
    last = len(curve) - 1
    about = _("The straight line would be equal shares for all. Gini index %(gini)s.")
    return Plot(
        title=_("How evenly creators are shown"),
        about=about % {"gini": number(found["gini"], 2)},
        svg=plots.lines(
            [percent(at / 4) for at in range(5)],
            series,
            unit=_("share of watches"),
            form=percent,
            top=1.0,
            diagonal=True,
            foot=_("creators, the least shown first"),
        ),
        legend=[],
        heads=[_("Creators, the least shown first"), _("Share of watches")],
        rows=[[percent(at / last), percent(share)] for at, share in enumerate(curve)],
    )
