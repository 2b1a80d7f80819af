"""Tables for the operator's page out of what `statistics` counted: series by source, freshness,
drift, calibration, exposure by size of creator. Made when somebody asks, never for a page.

Drift is the population stability index (Siddiqi, "Credit Risk Scorecards", 2006): the symmetrised
Kullback-Leibler divergence of two shares. Under 0.1 is called stable, over 0.25 a change. Chance
alone makes (k - 1)(1/n + 1/m) of it, which is given beside it.

Calibration is Cox's ("Two further applications of a model for binary regression", 1958): a logistic
line through what happened over what the score, as log-odds, had promised. Slope 1 is a score that
means what it says; under 1 it is too bold. Buckets with Wilson's intervals show where.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jhalak.feed.catalogue import Catalogue
from jhalak.feed.statistics import (
    AGES,
    DAY_MS,
    DAYS,
    HOUR_MS,
    MEASURES,
    Hour,
    Statistics,
    spread,
    totals,
)

SHOWN = 168  # hours of a series
DAY = 24
TOP_AGE = 8760.0  # hours: where the open bucket is said to end
SMALL, MIDDLE = 100, 10_000  # watches before the week that make a creator small, middle, large
SIZES = ("new", "small", "middle", "large")
LORENZ = 20  # points of the curve
Z95 = 1.959964


class Seen(NamedTuple):
    """What `figures` reads, taken under the engine's lock. The catalogue's columns are its own,
    not copies: a watch that is learnt meanwhile may be counted or not.
    """

    now_ms: int
    hours: dict[int, Hour]
    week: list[npt.NDArray[np.uint32]]
    authors: int
    author: npt.NDArray[np.int32]
    published: npt.NDArray[np.int64]
    watches: npt.NDArray[np.float64]
    removed: npt.NDArray[np.uint8]
    inner: npt.NDArray[np.bool_]
    channels: list[str]


def seen(statistics: Statistics, catalogue: Catalogue, now_ms: int) -> Seen:
    count, columns = catalogue.count, catalogue.columns
    return Seen(
        now_ms,
        statistics.copy_of_hours(),
        statistics.week(now_ms),
        len(catalogue.authors),
        catalogue.author[:count],
        catalogue.published[:count],
        columns["fair_count"][:count],
        columns["removed"][:count],
        columns["followers_only"][:count],
        catalogue.channels.names.copy(),
    )


def figures(of: Seen) -> dict[str, Any]:
    """Plain numbers, texts, lists and dicts with text keys. Times in ms since 1970; `until_ms` is
    the engine's time, the end of the hour in which the latest event happened.
    """
    newest = of.now_ms // HOUR_MS
    numbers = range(newest - SHOWN + 1, newest + 1)
    day = [of.hours[one] for one in range(newest - DAY + 1, newest + 1) if one in of.hours]
    week = [hour for one, hour in of.hours.items() if newest - DAY - SHOWN < one <= newest - DAY]
    held = [of.hours[one] for one in numbers if one in of.hours]
    return {
        "until_ms": (newest + 1) * HOUR_MS,
        "hours": [one * HOUR_MS for one in numbers],
        "sources": _series(of.hours, numbers),
        "day": {name: _measures(counts) for name, counts in sorted(totals(day).items())},
        "freshness": freshness(day),
        "drift": {kind: drift(day, week, kind, of.channels) for kind in KINDS},
        "calibration": calibration(held),
        "exposure": exposure(of),
    }


KINDS = ("source", "channel", "length")


def _measures(counts: list[float]) -> dict[str, float]:
    return dict(zip(MEASURES, counts, strict=True))


def _series(hours: dict[int, Hour], numbers: range) -> dict[str, dict[str, list[float]]]:
    """By source and measure, one number for each hour."""
    found: dict[str, npt.NDArray[np.float64]] = {}
    for place, number in enumerate(numbers):
        for name, counts in hours[number].sources.items() if number in hours else ():
            table = found.setdefault(name, np.zeros((len(MEASURES), len(numbers))))
            table[:, place] = counts
    return {
        name: dict(zip(MEASURES, table.tolist(), strict=True))
        for name, table in sorted(found.items())
    }


def freshness(hours: list[Hour]) -> dict[str, Any]:
    """Ages of what was watched: counts between the ends (hours), median and 90th percentile, in
    hours, straight lines inside the buckets. None while there is nothing.
    """
    counts = [sum(hour.ages[place] for hour in hours) for place in range(len(AGES) + 1)]
    return {
        "ends": list(AGES),
        "counts": counts,
        "median": _quantile(counts, 0.5),
        "p90": _quantile(counts, 0.9),
    }


def _quantile(counts: list[int], part: float) -> float | None:
    total = sum(counts)
    if not total:
        return None
    left, low = part * total, 0.0
    for count, high in zip(counts, (*AGES, TOP_AGE), strict=True):
        if count and left <= count:
            return low + (high - low) * left / count
        left, low = left - count, high
    return TOP_AGE


def drift(day: list[Hour], week: list[Hour], kind: str, channels: list[str]) -> dict[str, Any]:
    """The mix of the last day against the seven before it: index, what chance alone makes of it,
    and both shares by name. The index is None while either is empty.
    """
    now, before = spread(day, kind), spread(week, kind)
    keys = sorted({*now, *before}, key=lambda key: (-now.get(key, 0.0), key))
    one = np.array([now.get(key, 0.0) for key in keys])
    two = np.array([before.get(key, 0.0) for key in keys])
    found: dict[str, Any] = {"index": None, "chance": None, "watches": one.sum().item()}
    shares = np.zeros(len(keys)), np.zeros(len(keys))
    if one.sum() > 0.0 and two.sum() > 0.0:
        # Half a watch more everywhere: what one side has never seen is no infinite surprise.
        p, q = ((counts + 0.5) / (counts + 0.5).sum() for counts in (one, two))
        found["index"] = ((p - q) * np.log(p / q)).sum().item()
        found["chance"] = ((len(keys) - 1) * (1.0 / one.sum() + 1.0 / two.sum())).item()
    shares = tuple(counts / max(1.0, counts.sum()) for counts in (one, two))
    found["shares"] = [
        {"name": _name(kind, key, channels), "day": share, "week": earlier}
        for key, share, earlier in zip(keys, shares[0].tolist(), shares[1].tolist(), strict=True)
    ]
    return found


def _name(kind: str, key: Any, channels: list[str]) -> str:
    """A source's name, a channel's slug ("" for none), the shortest length in seconds."""
    if kind == "source":
        return str(key)
    if kind == "length":
        return str(0 if key == 0 else 2 ** (key - 1))
    return channels[key - 1] if 0 < key <= len(channels) else ""


def calibration(hours: list[Hour]) -> dict[str, Any]:
    """What the score promised against what happened: whether a watch said that the viewer took to
    the video. `buckets` by score, each with the mean of what the fitted line promises, the share
    that happened and its 95 % interval. `error`: the mean distance of the two (ECE).
    """
    sums: dict[int, list[int]] = {}
    for hour in hours:
        for bucket, counts in hour.scores.items():
            held = sums.setdefault(bucket, [0, 0, 0])
            for place, count_of in enumerate(counts):
                held[place] += count_of
    rows = [sums[bucket] for bucket in sorted(sums) if sums[bucket][0] > 0]
    if not rows:
        return {"watches": 0, "buckets": [], "slope": None, "intercept": None, "error": None}
    count, liked, total = (column.astype(np.float64) for column in np.array(rows).T)
    liked = np.clip(liked, 0.0, count)
    score = total / count / 100
    intercept, slope = _line(score, liked, count)
    shift = _line(score, liked, count, fixed=True)[0]
    promised = _logistic(score + shift)
    share = liked / count
    buckets = []
    for place, many in enumerate(count.tolist()):
        low, high = wilson(share.item(place), many)
        buckets.append(
            {
                "score": score.item(place),
                "watches": many,
                "promised": promised.item(place),
                "happened": share.item(place),
                "low": low,
                "high": high,
            }
        )
    return {
        "watches": count.sum().item(),
        "buckets": buckets,
        "slope": slope,
        "intercept": intercept,
        "error": (np.abs(promised - share) @ count / count.sum()).item(),
    }


def _logistic(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))))


def _line(
    score: npt.NDArray[np.float64],
    liked: npt.NDArray[np.float64],
    count: npt.NDArray[np.float64],
    fixed: bool = False,
) -> tuple[float, float]:
    """Intercept and slope of the logistic line, by Newton's method; slope 1 when `fixed`. A weak
    prior on both keeps it finite where all or nothing was liked.
    """
    anchor = np.array([0.0, 1.0])
    prior = np.array([0.01, 1e9 if fixed else 0.01])
    design = np.stack([np.ones_like(score), score])

    def loss(at: npt.NDArray[np.float64]) -> float:
        logits = at @ design
        told = count * np.logaddexp(0.0, logits) - liked * logits
        return float(told.sum() + (prior * (at - anchor) ** 2).sum() / 2)

    where = anchor
    for _ in range(100):
        mean = _logistic(where @ design)
        slope = design @ (liked - count * mean) - prior * (where - anchor)
        bend = (design * (count * mean * (1.0 - mean))) @ design.T + np.diag(prior)
        step = np.linalg.solve(bend, slope)
        while np.abs(step).max() > 1e-9 and loss(where + step) > loss(where):
            step = step / 2  # far from the end a whole step goes too far
        where = where + step
        if np.abs(step).max() <= 1e-9:
            break
    return where.item(0), where.item(1)


def wilson(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, "Probable inference", 1927)."""
    z2 = Z95 * Z95 / count
    middle = (share + z2 / 2) / (1 + z2)
    half = Z95 / (1 + z2) * math.sqrt(share * (1 - share) / count + z2 / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def exposure(of: Seen) -> dict[str, Any]:
    """Who is shown, by size of creator: those with public videos, by the watches that they had
    before the week ("new": the first video came in it). Share of creators, of videos, of the
    week's watches of what the feed chose; Gini's index of those, and Lorenz' curve: the share of
    them that falls to the least shown.
    """
    many = of.authors
    known = (of.author >= 0) & (of.author < many)
    author = of.author[known]
    videos = np.bincount(of.author[known & (of.removed == 0) & ~of.inner], minlength=many)
    shown = np.zeros(many, np.int64)
    for day in of.week:
        shown[: len(day)] += day[:many]
    ever = np.bincount(author, weights=of.watches[known], minlength=many)
    first = np.full(many, np.iinfo(np.int64).max)
    np.minimum.at(first, author, of.published[known])
    here = np.flatnonzero(videos)
    week, before = shown[here], ever[here] - shown[here]
    size = np.digitize(before, [SMALL, MIDDLE]) + 1
    size[first[here] > of.now_ms - DAYS * DAY_MS] = 0
    totals_of = (len(here), videos[here].sum().item(), week.sum().item())
    rows = []
    for number, name in enumerate(SIZES):
        mine = size == number
        counts = (mine.sum().item(), videos[here][mine].sum().item(), week[mine].sum().item())
        row = dict(zip(("creators", "videos", "watches"), counts, strict=True))
        rows.append({"size": name, **row, "unseen": (mine & (week == 0)).sum().item()})
    curve, gini = lorenz(week)
    total = dict(zip(("creators", "videos", "watches"), totals_of, strict=True))
    return {"sizes": rows, "total": total, "gini": gini, "lorenz": curve}


def lorenz(counts: npt.NDArray[np.int64]) -> tuple[list[float], float | None]:
    """Lorenz' curve at LORENZ + 1 even places, and Gini's index; None without anything."""
    total = counts.sum().item()
    if not total:
        return [], None
    sums = np.concatenate(([0.0], np.sort(counts).cumsum() / total))
    places = np.linspace(0.0, len(counts), LORENZ + 1)
    curve = np.interp(places, np.arange(len(counts) + 1), sums)
    area = ((sums[1:] + sums[:-1]) / 2).sum().item() / len(counts)
    return curve.tolist(), 1.0 - 2.0 * area
