"""Cold videos: nothing is known of them before, what they got is counted, cheating is caught."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench.judge import cold_videos, standin
from bench.judge.cold_videos import Cold, WithOwed, finding, owing, promoted
from bench.judge.counting import Popularity
from bench.judge.loop import Unfair
from bench.judge.pickers import EpsilonGreedy, InTurn, Thompson


@pytest.fixture(scope="module")
def cold():
    return Cold.of(standin.kuairec(0.1), seed=2)


class Knows(InTurn):
    """Was told who is best."""

    def __init__(self, best):
        super().__init__()
        self._best = best

    def guess(self, k):
        return self._best[:k]


def best_of(cold):
    return np.argsort(-cold.liked.mean(0), kind="stable")


def test_the_log_knows_nothing_of_them(cold):
    assert len(cold.videos) == len(cold.world.catalogue) // 10
    assert not np.isin(cold.world.logged.video, cold.videos).any()
    assert np.isin(cold.videos, cold.world.catalogue).all()
    other = Cold.of(standin.kuairec(0.1), seed=3)
    assert set(other.videos) != set(cold.videos)


def test_popularity_shows_none_and_owed_slots_pay_everybody(cold):
    without = owing(Popularity, cold)
    assert without.paid == 0.0
    paid = owing(lambda: WithOwed(Popularity(), InTurn(), cold.videos), cold)
    assert paid.paid == 1.0
    assert paid.fewest >= cold_videos.OWED
    assert paid.likes_per_100 != without.likes_per_100


def test_finding_counts_the_impressions_until_the_best_are_named(cold):
    best = best_of(cold)
    assert finding(lambda: Knows(best), cold) == 50.0
    assert math.isinf(finding(lambda: Knows(best[::-1]), cold))
    for make in (InTurn, EpsilonGreedy, Thompson):
        assert 50.0 <= finding(make, cold, enough=0.5) < cold.liked.size


def test_who_knows_the_best_promotes_nothing_else(cold):
    best = best_of(cold)
    assert promoted(lambda: Knows(best), cold, after=50) == 1.0
    assert promoted(lambda: Knows(best[::-1]), cold, after=50) == 0.0
    early, late = (promoted(InTurn, cold, after=after) for after in (50, cold.liked.size))
    assert early < late


def test_a_cold_video_twice_is_caught(cold):
    class Again(InTurn):
        def pick(self, viewer, seen):
            return 0

    with pytest.raises(Unfair):
        finding(Again, cold)
    with pytest.raises(Unfair):
        owing(lambda: WithOwed(Popularity(), Again(), cold.videos), cold)
