"""One line of a bench's result: a figure beside its baseline and its limit."""

from __future__ import annotations

import datetime
from typing import Any, Literal


def figure(
    name: str,
    value: float | None,
    unit: str,
    *,
    baseline: float | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
) -> dict[str, Any]:
    """As written to bench/results/NAME.json. `baseline` is from the same run; `holds` is None
    without limit. `value` is None for what could not be run here; the name says why.
    """
    limit = at_most if at_most is not None else at_least
    holds: bool | None = None
    sign: Literal["<=", ">=", ""] = ""
    if value is None:
        pass
    elif at_most is not None:
        holds, sign = value <= at_most, "<="
    elif at_least is not None:
        holds, sign = value >= at_least, ">="
    return {
        "figure": name,
        "value": None if value is None else round(value, 4),
        "unit": unit,
        "baseline": None if baseline is None else round(baseline, 4),
        "limit": None if limit is None else f"{sign} {limit:g}",
        "holds": holds,
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
