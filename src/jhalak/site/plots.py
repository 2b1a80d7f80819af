"""Plots as inline SVG, made on the server: bars in stacks or groups, lines over an area, what was
promised against what happened. Colours are classes of operator.css, so that light and dark are the
style sheet's. No script, no library of charts.

A plot is WIDTH units wide and is put into a card about as many pixels wide, so its text keeps its
size on a phone. Each comes with the table that it was drawn from, for whoever cannot see it or
wants the numbers; `operator/plot.html` shows both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.utils.formats import get_format
from django.utils.html import conditional_escape
from django.utils.numberformat import format as grouped
from django.utils.safestring import SafeString
from django.utils.translation import get_language

WIDTH, HEIGHT, FOOT = 360, 190, 16  # FOOT: more height, for the unit of the axis below
LEFT, RIGHT, TOP, BOTTOM = 42, 352, 24, 172  # of the field inside
COLOURS = 8  # classes s0 ... s7; the last for what is left over

Format = Callable[[float], str]


class Series(NamedTuple):
    """`colour`: number of its class. A value of None is a gap."""

    name: str
    colour: int
    values: Sequence[float | None]


class Mark(NamedTuple):
    """A line across the field at `at`, in the units of the axis that it stands on."""

    at: float
    name: str


class Plot(NamedTuple):
    """`svg`, the names in its legend, and the same as a table. `title` says what it shows and
    `about` how it is read.
    """

    title: str
    about: str
    svg: SafeString
    legend: Sequence[tuple[str, int]]
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def number(value: float, decimals: int = 0) -> str:
    """A number as the language of the request writes it; in Hindi in lakhs and crores."""
    hindi = (get_language() or "").startswith("hi")
    return grouped(
        round(value, decimals),
        get_format("DECIMAL_SEPARATOR"),
        decimals,
        grouping=(3, 2, 0) if hindi else 3,
        thousand_sep=",",
        force_grouping=True,
    )


def percent(share: float) -> str:
    return f"{number(100 * share, 0 if share >= 0.1 or share == 0 else 1)} %"


def short(value: float) -> str:
    """A number on an axis: at most five characters."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= unit:
            scale = 1e3 if name == "k" else unit
            return f"{number(value / scale, 0 if value % scale == 0 else 1)}{name}"
    value = round(value, 9)
    return number(value, 0 if value == int(value) else 1 if value * 10 == int(value * 10) else 2)


def bars(
    names: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str,
    form: Format = short,
    ticks: Sequence[str] = (),
    stacked: bool = True,
    marks: Sequence[Mark] = (),
    top: float = 0.0,
) -> SafeString:
    """Bars over `names`, in stacks or side by side. `ticks`: what stands under them, "" for
    nothing; `names` when absent. `top`: the axis reaches at least so far.
    """
    columns = [[one.values[at] or 0.0 for one in series] for at in range(len(names))]
    height = sum if stacked else max
    highest = max((height(column) for column in columns if column), default=0.0)
    steps = _steps(max(highest, top, *(mark.at for mark in marks), 0.0))
    svg = [*_frame(steps, unit, form), *_under(ticks or names)]
    step = (RIGHT - LEFT) / max(1, len(names))
    for at, column in enumerate(columns):
        x, gap, base = LEFT + at * step, min(3.0, step * 0.16), 0.0
        each = step - 2 * gap if stacked else (step - 4 * gap) / max(1, len(series))
        for place, (one, value) in enumerate(zip(series, column, strict=True)):
            left = x + gap if stacked else x + 2 * gap + place * each
            bottom, end = _y(base, steps), _y(base + value, steps)
            if value > 0.0:
                told = conditional_escape(f"{names[at]}, {one.name}: {form(value)}")
                svg.append(
                    f'<rect class="s{one.colour}" x="{left:.1f}" y="{end:.1f}" '
                    f'width="{max(0.5, each - (0 if stacked else 1)):.1f}" '
                    f'height="{max(0.5, bottom - end):.1f}"><title>{told}</title></rect>'
                )
            base += value if stacked else 0.0
    for mark in marks:
        y = _y(mark.at, steps)
        svg.append(f'<path class="mark" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        svg.append(_text(RIGHT, y - 4, mark.name, "end"))
    return _whole(svg)


def lines(
    ticks: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str,
    form: Format = short,
    top: float = 0.0,
    diagonal: bool = False,
    foot: str = "",
) -> SafeString:
    """Lines from the left edge to the right, the first over its area. A value between two gaps is
    a dot. `foot`: the unit of the axis below.
    """
    highest = max((value for one in series for value in one.values if value is not None), default=0)
    steps = _steps(max(highest, top))
    svg = [*_frame(steps, unit, form), *_under(ticks, edges=diagonal), *_foot(foot)]
    if diagonal:
        svg.append(f'<path class="even" d="M{LEFT} {BOTTOM}L{RIGHT} {TOP}"/>')
    for first, one in enumerate(series):
        last = max(1, len(one.values) - 1)
        step = (RIGHT - LEFT) / last if diagonal else (RIGHT - LEFT) / max(1, len(one.values))
        start = LEFT if diagonal else LEFT + step / 2
        for run in _runs(one.values):
            points = [(start + at * step, _y(value, steps)) for at, value in run]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            if len(points) == 1:
                x, y = points[0]
                svg.append(f'<circle class="s{one.colour}" cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
                continue
            if not first:
                ends = f"M{points[0][0]:.1f} {BOTTOM}L{path}L{points[-1][0]:.1f} {BOTTOM}Z"
                svg.append(f'<path class="area s{one.colour}" d="{ends}"/>')
            svg.append(f'<path class="line l{one.colour}" d="M{path}"/>')
    return _whole(svg, foot)


class Point(NamedTuple):
    """`x` promised, `y` happened, with the interval of y; `weight`: how many stand behind it."""

    x: float
    y: float
    low: float
    high: float
    weight: float


def reliability(points: Sequence[Point], *, unit: str, foot: str, form: Format) -> SafeString:
    """A reliability diagram: shares from 0 to 1 both ways, the diagonal is what is promised."""
    steps = [0.0, 0.25, 0.5, 0.75, 1.0]
    svg = [*_frame(steps, unit, form), *_foot(foot)]
    svg += _under([form(step) for step in steps], edges=True)
    svg.append(f'<path class="even" d="M{LEFT} {BOTTOM}L{RIGHT} {TOP}"/>')
    most = max((point.weight for point in points), default=1.0)
    for point in points:
        x = LEFT + point.x * (RIGHT - LEFT)
        radius = 2.0 + 4.0 * math.sqrt(point.weight / most)
        low, high = _y(point.low, steps), _y(point.high, steps)
        told = f"{form(point.x)} → {form(point.y)} ({number(point.weight)})"
        svg.append(f'<path class="line l0" d="M{x:.1f} {low:.1f}V{high:.1f}"/>')
        svg.append(
            f'<circle class="s0" cx="{x:.1f}" cy="{_y(point.y, steps):.1f}" r="{radius:.1f}">'
            f"<title>{conditional_escape(told)}</title></circle>"
        )
    return _whole(svg, foot)


def meter(share: float, colour: int = 0) -> SafeString:
    """A bar for a cell of a table, beside its number."""
    width = 100 * min(1.0, max(0.0, share))
    return SafeString(
        '<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="s{colour}" width="{width:.1f}" height="8"/></svg>'
    )


def _steps(highest: float) -> list[float]:
    """Round numbers from 0 to at least `highest`, three to five of them."""
    if not highest > 0.0 or not math.isfinite(highest):
        return [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(highest / 3))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times * 4 >= highest)
    return [step * at for at in range(math.ceil(round(highest / step, 9)) + 1)]


def _y(value: float, steps: Sequence[float]) -> float:
    return BOTTOM - (BOTTOM - TOP) * min(1.0, max(0.0, value / steps[-1]))


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}>{conditional_escape(text)}</text>"


def _frame(steps: Sequence[float], unit: str, form: Format) -> list[str]:
    svg = [_text(0, 10, unit, "start")]
    for step in steps:
        y = _y(step, steps)
        svg.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        svg.append(_text(LEFT - 6, y + 4, form(step), "end"))
    return svg


def _under(names: Sequence[str], edges: bool = False) -> list[str]:
    """Names under the field: each under the middle of its part, or from edge to edge."""
    parts = max(1, len(names) - 1) if edges else max(1, len(names))
    step = (RIGHT - LEFT) / parts
    start = LEFT if edges else LEFT + step / 2
    places = [(start + at * step, name) for at, name in enumerate(names) if name]
    last = len(places) - 1
    return [
        _text(x, BOTTOM + 14, name, "end" if edges and at == last else "middle")
        for at, (x, name) in enumerate(places)
    ]


def _foot(unit: str) -> list[str]:
    return [_text(RIGHT, HEIGHT + FOOT - 4, unit, "end")] if unit else []


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The stretches between gaps, as (place, value)."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _whole(svg: Sequence[str], foot: str = "") -> SafeString:
    height = HEIGHT + (FOOT if foot else 0)
    body = "".join(svg)  # texts were escaped in `_text` and where titles are made
    return SafeString(
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" aria-hidden="true">{body}</svg>'
    )
