"""The baselines are what their papers say: against the formulas, written out slowly."""

from __future__ import annotations

import numpy as np
import pytest
from bench.judge import closed, loop, standin
from bench.judge.entries import BASELINES, EFFORT, Entry
from bench.judge.factors import Als, Bpr
from bench.judge.linear import Ease, ItemKNN, ease, item_knn
from bench.judge.recommender import Log

pytestmark = pytest.mark.slow

SMALL = {"n_viewers": 30, "n_videos": 8}


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(1)
    viewer, video = np.nonzero(rng.random((30, 8)) < 0.4)
    return Log(viewer, video)


def test_ease_is_the_best_row_of_weights_without_itself(log):
    """Each column is a ridge regression of one video on all others: solved one by one here."""
    likes = log.matrix(30, 8)
    x = likes.toarray().astype(np.float64)
    for column, weights in enumerate(ease(likes, 3.0).T):
        others = [v for v in range(8) if v != column]
        left = x[:, others].T @ x[:, others] + 3.0 * np.eye(7)
        slow = np.linalg.solve(left, x[:, others].T @ x[:, column])
        assert weights[column] == 0.0
        np.testing.assert_allclose(weights[others], slow, atol=1e-4)


def test_ease_knows_nothing_of_what_nobody_liked(log):
    weights = ease(log.without_videos(np.array([2, 7])).matrix(30, 8), 3.0)
    assert not weights[[2, 7]].any()
    assert not weights[:, [2, 7]].any()
    kept = [0, 1, 3, 4, 5, 6]
    alone = ease(log.matrix(30, 8)[:, kept], 3.0)
    np.testing.assert_allclose(weights[np.ix_(kept, kept)], alone, atol=1e-6)


def test_item_knn_is_the_cosine_of_the_nearest(log):
    likes = log.matrix(30, 8)
    x = likes.toarray().astype(np.float64)
    found = item_knn(likes, 3, 2.0).toarray()
    for column in range(8):
        alike = np.array([x[:, v] @ x[:, column] for v in range(8)])
        sizes = np.sqrt(x.sum(0))
        alike /= sizes * sizes[column] + 2.0
        alike[column] = 0.0
        alike[alike < np.sort(alike)[-3]] = 0.0
        np.testing.assert_allclose(found[:, column], alike, atol=1e-6)


@pytest.mark.parametrize("make", [Ease, ItemKNN])
def test_folding_adds_the_rows_of_what_was_liked(make, log):
    folding, once = make(fold=True, dislike=0.5), make()
    for one in (folding, once):
        one.begin(log, **SMALL)
    before = folding.scores(3).copy()
    np.testing.assert_array_equal(before, once.scores(3))
    for one in (folding, once):
        one.observe(3, np.array([1, 4, 6]), np.array([True, False, True]))
    np.testing.assert_array_equal(once.scores(3), before)
    rows = [np.asarray(folding._rows(np.array([v]))) for v in (1, 4, 6)]
    np.testing.assert_allclose(
        folding.scores(3), before + rows[0] - 0.5 * rows[1] + rows[2], atol=1e-5
    )
    np.testing.assert_array_equal(folding.scores(4), once.scores(4))


def test_folded_als_solves_the_viewer_on_all_likes(log):
    als = Als(factors=3, regularization=0.1, alpha=5.0, fold=True)
    als.begin(log, **SMALL)
    own = log.video[log.viewer == 3]
    new = np.setdiff1d(np.arange(8), own)[:2]
    als.observe(3, new, np.array([True, True]))
    y = als._model.item_factors.astype(np.float64)
    preference = np.zeros(8)
    preference[own] = preference[new] = 1.0
    weight = np.where(preference > 0, 5.0, 1.0)
    slow = np.linalg.solve(
        y.T @ (weight[:, None] * y) + 0.1 * np.eye(3), y.T @ (weight * preference)
    )
    np.testing.assert_allclose(als.scores(3), y @ slow, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("make", [Als, Bpr])
def test_who_has_no_history_gets_the_mean_viewer(make, log):
    one = make()
    one.begin(log.without(np.array([5])), **SMALL)
    active = np.unique(log.viewer[log.viewer != 5])
    mean = one._model.user_factors[active].mean(0)
    np.testing.assert_allclose(one.scores(5), one._model.item_factors @ mean, atol=1e-5)


def test_everybody_tries_as_many_settings():
    assert {len(entry.settings) for entry in BASELINES} == {0, EFFORT}


def test_the_standin_has_the_shape_and_is_the_same_each_time():
    world, again = standin.kuairec(0.05), standin.kuairec(0.05)
    np.testing.assert_array_equal(world.liked, again.liked)
    np.testing.assert_array_equal(world.logged.video, again.logged.video)
    assert world.synthetic
    assert world.liked.shape == (35, 166)
    assert 0.02 < world.liked.mean() < 0.1
    judged = np.isin(world.logged.viewer, world.viewers)
    assert judged.any()
    assert not np.isin(world.logged.video[judged], world.catalogue).any()


def test_the_whole_report_on_a_generated_world():
    world = standin.kuairec(0.08)
    few = [
        Entry("random", BASELINES[0].make, learns=False, needs_log=False),
        Entry("EASE, folded", lambda: Ease(l2=30.0, fold=True)),
    ]
    results = closed.run(world, entries=few)
    tuning, report = world.halves()
    assert not set(tuning.viewers) & set(report.viewers)
    assert set(results) == {"with history", "without history", "no log", "limit"}
    assert set(results["no log"]) == {"random"}
    for played in results.values():
        for one in played.values():
            assert one.likes.shape == (len(report.viewers), loop.PAGES)
            assert (one.likes.cumsum(1) <= one.oracle.cumsum(1)).all()
    warm = results["with history"]
    assert warm["EASE, folded"].per_100.mean() > 1.5 * warm["random"].per_100.mean()
    assert closed.strongest(warm, few) == "EASE, folded"
    assert closed.table(world, results, few)[0].startswith("SYNTHETIC: ")
    rows = closed.figures(world, results, few)
    assert all(row["figure"].startswith("synthetic loop") for row in rows)
