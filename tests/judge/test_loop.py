"""The closed loop counts right, tells the truth and no more, and catches who cheats."""

from __future__ import annotations

import numpy as np
import pytest
from bench.judge import loop
from bench.judge.counting import LikeRate, Popularity, Random
from bench.judge.intervals import difference, interval
from bench.judge.recommender import best

from tests.judge.worlds import Fixed, tiny

#          video:  2  3  4  5  6  7
LIKED = [[1, 0, 0, 1, 0, 1], [0, 1, 0, 0, 0, 0]]


def play(recommender, world, **more):
    return loop.play(lambda: recommender, world, world.logged, n=2, **more)


def test_likes_oracle_and_regret_are_what_fingers_count():
    told = Fixed([2, 3], [5, 4], [6, 7])
    played = play(told, tiny(LIKED), pages=3)
    assert played.likes.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert played.oracle.tolist() == [[2, 1, 0], [1, 0, 0]]
    assert played.per_100.tolist() == [50.0, 100 / 6]
    assert played.curve.tolist() == [1.0, 1.5, 2.0]
    assert played.regret.tolist() == [0.5, 0.5, 0.0]


def test_the_recommender_is_told_its_own_pages_and_nothing_else():
    world = tiny(LIKED, logged=([0, 2], [1, 1]))
    told = Fixed([2, 3], [5, 4])
    play(told, world, pages=2)
    assert told.began is world.logged
    rounds = told.seen[:2], told.seen[2:]
    for answers, videos in zip(rounds, ([2, 3], [5, 4]), strict=True):
        assert sorted(answers) == [
            (1, videos, [bool(LIKED[0][v - 2]) for v in videos]),
            (3, videos, [bool(LIKED[1][v - 2]) for v in videos]),
        ]


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([[2, 2]], "twice on a page"),
        ([[2, 3], [3, 4]], "has seen"),
        ([[2, 8]], "not in the catalogue"),
        ([[0, 2]], "not in the catalogue"),
        ([[2, 99]], "a video that there is not"),
        ([[-1, 2]], "a video that there is not"),
        ([[2]], "a page of 2"),
        ([[2, 3, 4]], "a page of 2"),
        ([[2.0, 3.0]], "a page of 2"),
    ],
)
def test_who_cheats_is_caught(pages, why):
    with pytest.raises(loop.Unfair, match=why):
        play(Fixed(*pages), tiny(LIKED), pages=len(pages))


def test_opening_what_is_closed_does_not_help():
    class Opens(Fixed):
        def page(self, viewer, n, closed):
            closed[:] = False
            return super().page(viewer, n, closed)

    with pytest.raises(loop.Unfair, match="has seen"):
        play(Opens([2, 3], [2, 3]), tiny(LIKED), pages=2)


def test_every_round_serves_everybody_once_in_an_order_of_its_own():
    world = tiny(np.zeros((30, 10)), n_viewers=70, n_videos=12)
    told = Random()
    order = []
    told.observe = lambda viewer, videos, liked: order.append(viewer)
    play(told, world, pages=4)
    rounds = [order[start : start + 30] for start in range(0, 120, 30)]
    assert all(sorted(one) == world.viewers.tolist() for one in rounds)
    assert len({tuple(one) for one in rounds}) == 4


def test_one_seed_one_result():
    world = tiny(np.random.default_rng(3).random((20, 10)) < 0.3, n_viewers=50)
    likes = [
        play(LikeRate(thompson=True), world, pages=3, seed=seed).likes.tolist() for seed in (1, 1)
    ]
    assert likes[0] == likes[1]


def test_popularity_counts_the_log_and_a_learnt_rate_unlearns_it():
    # The log says 3 before 2; everybody who is asked likes 2 only.
    liked = np.zeros((40, 6), bool)
    liked[:, 0] = True
    world = tiny(liked, logged=([0, 0, 2, 2], [3, 3, 3, 2]), n_viewers=90)
    popular = loop.play(Popularity, world, world.logged, pages=1, n=1)
    learnt = loop.play(lambda: LikeRate(weight=2.0), world, world.logged, pages=1, n=1)
    assert popular.likes.sum() == 0
    assert learnt.likes.sum() > 25


def test_best_is_a_full_sort():
    rng = np.random.default_rng(5)
    for _ in range(200):
        scores = rng.integers(0, 5, 12).astype(np.float32)
        closed = rng.random(12) < 0.4
        closed[:3] = False
        order = [v for v in np.lexsort((np.arange(12), -scores)) if not closed[v]]
        assert best(scores, 3, closed).tolist() == order[:3]


@pytest.mark.slow
def test_an_interval_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(200):
        found = interval(rng.exponential(2.0, 60), times=400)
        covered += found.low <= 2.0 <= found.high
    assert 170 <= covered <= 199


def test_a_paired_difference_is_tighter_than_two_intervals():
    rng = np.random.default_rng(9)
    theirs = rng.normal(20, 10, 100)
    ours = theirs + 1 + rng.normal(0, 1, 100)
    found = difference(ours, theirs)
    assert 0.5 < found.low < found.mean < found.high < 1.5
    with pytest.raises(ValueError, match="no values"):
        interval([])
