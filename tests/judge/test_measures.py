"""AUC, hit rate and NDCG against definitions spelled out, and what must not pay does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench.judge import exposure, next_item, standin
from bench.judge.auc import auc, by_viewer
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_counts_pairs(pairs):
    scores = np.array([score for score, _ in pairs], float)
    positive = np.array([yes for _, yes in pairs])
    ups, downs = scores[positive], scores[~positive]
    if not len(ups) or not len(downs):
        assert math.isnan(auc(scores, positive))
        return
    won = sum((u > d) + 0.5 * (u == d) for u in ups for d in downs)
    assert math.isclose(auc(scores, positive), won / (len(ups) * len(downs)))


def test_auc_within_viewers_is_blind_to_who_clicks_much():
    viewer = np.array([7, 7, 3, 3, 3, 9, 9])
    clicked = np.array([1, 1, 0, 1, 0, 0, 1], bool)
    scores = np.array([9.0, 9.0, 1.0, 2.0, 1.0, 5.0, 5.0])
    values, weights = by_viewer(scores, clicked, viewer)
    assert values.tolist() == [1.0, 0.5]  # viewers 3 and 9; 7 clicked everything
    assert weights.tolist() == [3.0, 2.0]


def test_ranks_by_hand():
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.5, 0.5, 0.5, 0.5]], np.float32)
    had, wanted = [[0], [3]], np.array([2, 0])
    # 0 is had, 1 is above; the second viewer's item is tied with two others.
    assert next_item.ranks(scores, had, wanted).tolist() == [2, 2]
    assert next_item.hit_rate(np.array([1, 10, 11])).tolist() == [1.0, 1.0, 0.0]
    assert next_item.ndcg(np.array([1, 3, 11])).tolist() == [1.0, 0.5, 0.0]


def test_one_score_for_everything_earns_what_chance_does():
    n = 1000
    rank = next_item.ranks(np.zeros((1, n), np.float32), [[5]], np.array([7]))
    assert rank[0] == 1 + (n - 2 + 1) // 2


def test_the_last_item_is_asked_for_and_known_to_nobody():
    lines = [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1]]
    told = []

    class Listens(next_item.Popularity):
        def fit(self, lines, n_items):
            told.append([list(line) for line in lines])
            super().fit(lines, n_items)

        def more(self, items):
            told.append(list(items))
            super().more(items)

    next_item.run(lines, entries=[next_item.Entry("listens", Listens)])
    assert told == [[[0, 1], [1, 2], [2, 3]], [2, 3, 0]]


def test_who_knows_what_goes_together_hits():
    """Forty sets of six items; everybody has five of one set, in an order of their own."""
    rng = np.random.default_rng(2)
    lines = [(40 * rng.permutation(6)[:5] + n % 40).tolist() for n in range(800)]
    few = [
        next_item.Entry("popularity", next_item.Popularity),
        next_item.Entry("EASE", next_item.Ease, [{"l2": 1.0}]),
        next_item.Entry("ItemKNN", next_item.ItemKNN, [{"k": 5, "shrink": 0.0}]),
    ]
    found = next_item.run(lines, entries=few)
    assert found["popularity"].hit_rate < 0.15
    assert found["EASE"].hit_rate > 0.95
    assert found["ItemKNN"].hit_rate > 0.95
    assert 0.5 < found["EASE"].ndcg < 1.0  # two of the six are left: which is a toss
    rows = next_item.figures("synthetic", found, ["popularity", "EASE"])
    assert len(rows) == 6


def test_random_exposure_on_a_generated_world():
    world = standin.kuairand(0.05)
    few = [one for one in exposure.BASELINES if one.name in {"popularity", "EASE"}]
    found = exposure.run(world, entries=few)
    assert 0.5 < found["popularity"].auc < 1.0
    assert 0.5 < found["popularity"].within < 1.0
    value = found["popularity"].value
    assert value.low > float(world.clicked.mean()), (
        "the best tenth is clicked more than what chance shows"
    )
    rows = exposure.figures(world, found, [one.name for one in few])
    assert all(row["figure"].startswith("synthetic random exposure") for row in rows)
