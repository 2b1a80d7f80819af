"""The figures of the operator's page: against a plain count of the log, within bounds, and with
measures that are known by hand.
"""

from __future__ import annotations

import math
import random
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import events as ev
from jhalak.feed import figures
from jhalak.feed.statistics import DAYS, HOURS, MEASURES, MOST, Hour, Statistics, totals
from tests.feed.worlds import HOUR, NOW, World, alike, video, watch

DAY = 24 * HOUR
SOURCES = ["channel", "newest", "random", "scope", "link"]


def told(here: World) -> dict:
    found = here.engine.figures()
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    return found


@given(
    st.lists(
        st.tuples(
            st.integers(0, 6 * HOUR),
            st.integers(1, 6),
            st.sampled_from(SOURCES),
            st.floats(0, 1.3),
            st.none() | st.integers(-900, 1500),
        ),
        max_size=40,
    )
)
@settings(max_examples=25, deadline=None)
def test_they_are_a_plain_count_of_the_log(history):
    """Each watch of another page: every one counts once."""
    here = World([video(n) for n in range(1, 7)])
    plain: Counter[tuple[str, str]] = Counter()
    scored: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    end = NOW + sum(one[0] for one in history) if history else NOW - HOUR
    at = NOW
    for turn, (after, number, source, share, score) in enumerate(history):
        clip = here.videos[number]
        at, slate = at + after, f"s{turn}"
        here.tell(watch("m1", clip, share, at=at, slate=slate, source=source, score=score))
        part = int(share * clip.duration_ms) / clip.duration_ms
        done = part >= (0.7 if share >= 1.0 else 0.95)
        hours[at // HOUR] += 1
        if score is not None:
            scored["watches"] += 1
        if at // HOUR > end // HOUR - 24:
            plain[source, "watches"] += 1
            plain[source, "finished"] += done
            plain[source, "skipped"] += part < 0.2 and share < 1.0
            plain[source, "watched_ms"] += int(share * clip.duration_ms)
    found = told(here)
    for source in SOURCES:
        for measure in ("watches", "finished", "skipped", "watched_ms"):
            told_of = found["day"].get(source, {}).get(measure, 0)
            assert told_of == plain[source, measure], (source, measure)
    for place, start in enumerate(found["hours"]):
        counts = [one["watches"][place] for one in found["sources"].values()]
        assert sum(counts) == hours[start // HOUR]
    assert found["calibration"]["watches"] == scored["watches"]
    assert sum(found["freshness"]["counts"]) == sum(one["watches"] for one in found["day"].values())
    first = {number: source for _, number, source, *_ in reversed(history)}
    chosen = sum(source not in ("scope", "link") for source in first.values())
    assert found["exposure"]["total"]["watches"] == chosen


def test_a_watch_that_goes_on_is_counted_once_as_what_it_became():
    here = World([video(n) for n in range(1, 3)])
    clip = here.videos[1]
    first = watch("m1", clip, 0.1, slate="a", source="newest", score=250)
    here.tell(first)
    (counts,) = told(here)["day"].values()
    assert (counts["watches"], counts["finished"], counts["skipped"]) == (1, 0, 1)
    here.tell(watch("m1", clip, 1.0, at=NOW + 2 * HOUR, slate="a", source="newest", score=250))
    (counts,) = told(here)["day"].values()
    assert (counts["watches"], counts["finished"], counts["skipped"]) == (1, 1, 0)
    assert counts["watched_ms"] == first.watched_ms + clip.duration_ms
    (bucket,) = told(here)["calibration"]["buckets"]
    assert (bucket["score"], bucket["watches"], bucket["happened"]) == (2.5, 1, 1)


def test_it_is_bounded_whatever_comes():
    here = World([video(n, author=n, channel=f"c{n}") for n in range(1, 100)])
    chance = random.Random(5)
    for turn in range(3000):
        clip = here.videos[chance.randrange(1, 100)]
        at = NOW + turn * chance.randrange(HOUR) - chance.choice([0, 400 * DAY])
        here.tell(watch(f"g{turn}", clip, at=max(0, at), source=f"s{turn % 50}", score=turn))
    statistics = here.engine._state.statistics
    assert len(statistics.hours) <= HOURS
    assert max(statistics.hours) - min(statistics.hours) < HOURS
    for hour in statistics.hours.values():
        assert len(hour.sources) <= MOST + 1
        assert len(hour.channels) <= MOST + 1
        assert all(len(counts) == len(MEASURES) for counts in hour.sources.values())
    assert statistics.impressions.shape[0] == DAYS
    told(here)


def test_nothing_yet_is_said_as_nothing():
    found = told(World())
    assert (found["day"], found["sources"], found["exposure"]["gini"]) == ({}, {}, None)
    assert found["freshness"]["median"] is None
    assert [one["index"] for one in found["drift"].values()] == [None] * 3
    assert found["calibration"]["slope"] is None


def test_freshness_is_the_age_at_watching():
    here = World([alike(1, published_ms=NOW - 4 * HOUR), alike(2, published_ms=NOW - 20 * DAY)])
    here.tell(*(watch(f"m{n}", here.videos[1], source="newest") for n in range(8)))
    here.tell(*(watch(f"m{n}", here.videos[2], source="newest") for n in range(2)))
    fresh = told(here)["freshness"]
    assert dict(zip(fresh["ends"], fresh["counts"], strict=False)) | {6: 8, 720: 2} == dict(
        zip(fresh["ends"], fresh["counts"], strict=False)
    )
    assert fresh["median"] == pytest.approx(3 + 3 * 5 / 8)
    assert 336 <= fresh["p90"] <= 720


def hour(sources: dict[str, int]) -> Hour:
    return Hour({name: [float(many), 0, 0, 0, 0, 0] for name, many in sources.items()})


def test_drift_is_the_stability_index_and_chance_is_told_beside_it():
    one, two = {"a": 500.0, "b": 500.0}, {"a": 900.0, "b": 100.0}
    found = figures.drift([hour(one)], [hour(two)], "source", [])
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    assert found["index"] == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=0.02)
    assert found["chance"] == pytest.approx(2 / 1000)
    assert figures.drift([hour(one)], [hour(one)], "source", [])["index"] == 0.0
    # Two draws of one mix are about as far apart as chance says.
    rng = np.random.default_rng(2)
    draws = [
        [hour(dict(zip("abcde", rng.multinomial(300, [0.2] * 5).tolist(), strict=True)))]
        for _ in range(400)
    ]
    pairs = zip(draws[::2], draws[1::2], strict=True)
    found = [figures.drift(left, right, "source", []) for left, right in pairs]
    mean = np.mean([one["index"] for one in found])
    assert mean == pytest.approx(found[0]["chance"], rel=0.25)


@pytest.mark.parametrize("slope", [0.3, 1.0, 2.0])
def test_calibration_finds_how_bold_a_score_is(slope):
    rng = np.random.default_rng(4)
    scores = rng.normal(0.5, 1.0, 20_000)
    liked = rng.random(20_000) < 1 / (1 + np.exp(-(slope * scores - 0.4)))
    held = Hour()
    for score, happened in zip(np.rint(scores * 100).astype(int).tolist(), liked, strict=True):
        counts = held.scores.setdefault(score // 50, [0, 0, 0])
        counts[0], counts[1], counts[2] = (
            counts[0] + 1,
            counts[1] + bool(happened),
            counts[2] + score,
        )
    found = figures.calibration([held])
    assert found["slope"] == pytest.approx(slope, rel=0.1)
    assert found["intercept"] == pytest.approx(-0.4, abs=0.1)
    assert (found["error"] < 0.02) == (slope == 1.0)
    covered = [one["low"] <= one["promised"] <= one["high"] for one in found["buckets"]]
    assert (np.mean(covered) > 0.8) == (slope == 1.0)
    for all_or_nothing in (0, 1):
        for counts in held.scores.values():
            counts[1] = all_or_nothing * counts[0]
        extreme = figures.calibration([held])
        assert all(math.isfinite(extreme[name]) for name in ("slope", "intercept", "error"))


def test_gini_and_lorenz_by_hand():
    assert figures.lorenz(np.array([0, 0, 0])) == ([], None)
    curve, gini = figures.lorenz(np.array([5, 5, 5, 5]))
    assert gini == pytest.approx(0.0)
    assert curve == pytest.approx(np.linspace(0, 1, len(curve)).tolist())
    _, gini = figures.lorenz(np.array([0, 0, 0, 8]))
    assert gini == pytest.approx(0.75)


def test_exposure_is_by_the_size_that_a_creator_had_before_the_week():
    old = NOW - 30 * DAY
    here = World(
        [
            alike(1, author=1, published_ms=old),  # middle
            alike(2, author=2, published_ms=old),  # small
            alike(3, author=3, published_ms=NOW - DAY),  # new
            alike(4, author=4, published_ms=old),  # small, not shown
        ]
    )
    here.tell(*(ev.Joined("g0", "m0", NOW - day * DAY) for day in range(29, 7, -1)))
    here.tell(*(watch(f"g{n}", here.videos[1], at=NOW - 8 * DAY, source="x") for n in range(150)))
    here.tell(*(ev.Joined("g0", "m0", NOW - day * DAY) for day in range(7, 0, -1)))  # time goes by
    here.tell(*(watch(f"m{10 + n}", here.videos[1], source="newest") for n in range(6)))
    here.tell(*(watch(f"m{10 + n}", here.videos[2], source="newest") for n in range(3)))
    here.tell(
        watch("m10", here.videos[3], source="newest"), watch("m10", here.videos[4], source="link")
    )
    # Whose it is, and who has seen it, expose nobody.
    here.tell(*(watch(viewer, here.videos[4 - n], source="newest", slate=f"{n}")
                for n, viewer in enumerate(("m4", "m10", "m10", "m10"))))  # fmt: skip
    rows = {row.pop("size"): row for row in told(here)["exposure"]["sizes"]}
    assert rows == {
        "new": {"creators": 1, "videos": 1, "watches": 1, "unseen": 0},
        "small": {"creators": 2, "videos": 2, "watches": 3, "unseen": 1},
        "middle": {"creators": 1, "videos": 1, "watches": 6, "unseen": 0},
        "large": {"creators": 0, "videos": 0, "watches": 0, "unseen": 0},
    }


def test_kept_and_read_again_is_the_same_and_hostile_bytes_are_refused():
    here = World([video(n) for n in range(1, 9)])
    here.tell(*(watch("m1", here.videos[n], source="newest", score=n) for n in range(1, 9)))
    kept = here.engine._state.statistics
    again = Statistics(0.2)
    again.loads(kept.dumps(), kept.copy_of_impressions().tobytes())
    assert again.dumps() == kept.dumps()
    assert totals(list(again.hours.values())) == totals(list(kept.hours.values()))
    for data, impressions in (
        (b"", b""),
        (kept.dumps()[:-1], kept.copy_of_impressions().tobytes()),
        (kept.dumps(), b"\x00" * 5),
        (kept.dumps(), kept.copy_of_impressions().tobytes()[:-4]),
    ):
        with pytest.raises((msgspec.DecodeError, ValueError)):
            Statistics(0.2).loads(data, impressions)
