"""Several interests of one viewer: each is found, stands for what is like it, brings its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config
from jhalak.feed import events as ev
from jhalak.feed.config import Quotas
from jhalak.feed.interests import ALIKE, MOST, recency, several
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.taste import SIZE
from tests.feed.test_pipeline import changed
from tests.feed.worlds import HOUR, NOW, World, alike, patient, watch

CRICKET, COOKING = range(1, 301), range(301, 601)
QUOTA = 40


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 64))
def test_each_stands_for_what_is_like_it_and_no_two_are_alike(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.standard_normal((count, SIZE)).astype(np.float32)
    places[rng.random(count) < 0.1] = 0.0
    weights = rng.random(count) * (rng.random(count) < 0.8)
    found = several(places, weights)
    assert len(found) <= MOST
    assert all(weight > 0.0 for _, weight in found)
    units = places / np.maximum(np.linalg.norm(places, axis=1), 1e-9)[:, None]
    medoids = [medoid for medoid, _ in found]
    assert all(weights[one] > 0.0 for one in medoids)  # really liked, and counts for now
    for at, one in enumerate(medoids):
        assert (units[medoids[:at]] @ units[one] < ALIKE).all()
    assert sum(weight for _, weight in found) <= weights.sum() + 1e-6
    assert several(places, weights) == found


def test_what_the_session_shows_counts_most_and_what_stays_counts_on() -> None:
    made = recency(np.array([0, HOUR // 2, 24 * HOUR, 72 * HOUR, -5]))
    assert made.tolist() == pytest.approx([4.0, 2.495, 0.794, 0.5, 4.0], abs=0.01)
    assert several(np.eye(2, SIZE, dtype=np.float32), recency(np.array([HOUR, 0])))[0][0] == 1


def of(kind: str, number: int) -> ev.Published:
    return alike(number, channel=kind, tags=(kind,), author=number)


def brought(name: str) -> set[str]:
    """The channels of what one source, alone, brings for g1, who likes cricket far more."""

    def alone(config: Config) -> Pipeline:
        return changed(config, sources=lambda old: [one for one in old if one.name == name])

    clips = [of("cricket", n) for n in CRICKET] + [of("cooking", n) for n in COOKING]
    quotas = Quotas(interest=QUOTA, taste=QUOTA)
    config = patient(Config(quotas=quotas, explore=0.0, most_of_one=1.0))
    here = World(clips, config, pipeline=alone)
    for number in (*range(1, 25), 301, 302):
        here.tell(watch("g1", here.videos[number], 1.0, at=NOW - number))
    picks = [pick for pick in here.page(n=QUOTA).picks if pick.source == name]
    assert len(picks) == QUOTA
    return {clip.channel for clip in here.of(picks)}


def test_the_smaller_interest_is_not_drowned_by_the_larger() -> None:
    assert brought("interest") == {"cricket", "cooking"}
    assert brought("taste") == {"cricket"}
