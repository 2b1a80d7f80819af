"""What another policy would have earned: exact on hand-made logs, honest about how sure it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench.judge.coverage import Simulated, covered
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed.off_policy import LEAST, Estimate, Method, TooFew, estimate

pytestmark = pytest.mark.slow

IPS, SNIPS, DR = Method


def zeros(n):
    return {"guesses": np.zeros(n), "guessed_means": np.zeros(n)}


def test_by_hand():
    """40 impressions of two videos, even odds; the other policy shows the first 3 times in 4."""
    reward = [1.0, 0.0] * 20
    shown = [0.5] * 40
    target = [0.75, 0.25] * 20
    assert estimate(reward, shown, target, method=IPS).value == 0.75
    assert estimate(reward, shown, target, method=SNIPS).value == 0.75
    found = estimate(
        reward, shown, target, method=DR, guesses=[0.8, 0.4] * 20, guessed_means=[0.7] * 40
    )
    # 0.7 + mean of 1.5 x (1 - 0.8) and 0.5 x (0 - 0.4)
    assert math.isclose(found.value, 0.7 + (0.3 - 0.2) / 2)
    assert found.impressions == 40
    assert math.isclose(found.effective, 40**2 / (20 * 1.5**2 + 20 * 0.5**2))


logs = st.integers(100, 300).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-2, 2), min_size=n, max_size=n),
        st.lists(st.floats(0.3, 1.0), min_size=n, max_size=n),
        st.lists(st.floats(0.3, 1.0), min_size=n, max_size=n),
    )
)


@settings(max_examples=60, deadline=None)
@given(logs)
def test_the_policy_that_served_earned_the_mean(log):
    reward, shown, _ = log
    for method in (IPS, SNIPS):
        assert math.isclose(
            estimate(reward, shown, shown, method=method).value, np.mean(reward), abs_tol=1e-9
        )


@settings(max_examples=60, deadline=None)
@given(logs, st.floats(-3, 3), st.floats(0.1, 3))
def test_what_must_hold_for_every_log(log, shift, scale):
    reward, shown, target = (np.array(one) for one in log)
    for method in (IPS, SNIPS):
        found = estimate(reward, shown, target, method=method)
        assert found.low <= found.value <= found.high
        assert 0 < found.effective <= len(reward) + 1e-6
        scaled = estimate(scale * reward, shown, target, method=method)
        assert math.isclose(scaled.value, scale * found.value, rel_tol=1e-9, abs_tol=1e-9)
        assert math.isclose(scaled.error, scale * found.error, rel_tol=1e-9, abs_tol=1e-9)
        order = np.random.default_rng(1).permutation(len(reward))
        again = estimate(reward[order], shown[order], target[order], method=method)
        assert math.isclose(again.value, found.value, rel_tol=1e-9, abs_tol=1e-9)
    # SNIPS moves with the rewards, and stays within them; IPS does neither.
    found = estimate(reward, shown, target)
    moved = estimate(reward + shift, shown, target)
    assert math.isclose(moved.value, found.value + shift, rel_tol=1e-9, abs_tol=1e-9)
    assert reward.min() - 1e-9 <= found.value <= reward.max() + 1e-9


@settings(max_examples=40, deadline=None)
@given(logs)
def test_doubly_robust_with_no_model_is_ips_and_with_a_true_model_is_exact(log):
    reward, shown, target = log
    n = len(reward)
    plain = estimate(reward, shown, target, method=IPS)
    without = estimate(reward, shown, target, method=DR, **zeros(n))
    assert math.isclose(plain.value, without.value, rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(plain.error, without.error, rel_tol=1e-9, abs_tol=1e-12)
    true = estimate(
        reward, shown, target, method=DR, guesses=reward, guessed_means=np.full(n, 0.25)
    )
    assert math.isclose(true.value, 0.25)
    assert true.error < 1e-9


def test_impressions_of_one_viewer_are_one_piece_of_evidence():
    """The same 60 answers, each 10 times: as sure as 60, not as 600."""
    rng = np.random.default_rng(4)
    reward, shown, target = rng.random(60), rng.uniform(0.2, 1, 60), rng.uniform(0.2, 1, 60)
    once = estimate(reward, shown, target)
    ten = [np.repeat(one, 10) for one in (reward, shown, target)]
    grouped = estimate(*ten, groups=np.repeat([f"m{n}" for n in range(60)], 10))
    assert math.isclose(grouped.value, once.value)
    assert math.isclose(grouped.error, once.error)
    assert math.isclose(grouped.effective, once.effective)
    assert estimate(*ten).error < once.error / 3


@pytest.mark.parametrize(
    ("reward", "shown", "target", "why"),
    [
        ([], [], [], "no impressions"),
        ([1.0] * 29, [0.5] * 29, [0.5] * 29, "29 impressions are worth 29.0 of 30"),
        ([1.0] * 100, [0.5] * 100, [0.0] * 100, "would have shown nothing"),
        ([1.0] * 1000, [0.5] * 1000, [0.5] * 10 + [0.0] * 990, "worth 10.0 of 30"),
        ([1.0] * 9000, [0.5] * 9000, [0.5] * 50 + [0.0] * 8950, "worth 50.0 of 90"),
        ([1.0] * 1000, [0.01] + [0.5] * 999, [1.0] + [0.5] * 999, "9% of the estimate would hang"),
        ([1.0] * 100, [5e-324] * 100, [1.0] * 100, "too large to add"),
    ],
)
def test_too_little_is_refused(reward, shown, target, why):
    for method in (IPS, SNIPS):
        with pytest.raises(TooFew, match=why), np.errstate(over="ignore"):
            estimate(reward, shown, target, method=method)
    with pytest.raises(TooFew, match=why), np.errstate(over="ignore"):
        estimate(reward, shown, target, method=DR, **zeros(len(reward)))


def fine():
    return {"rewards": [1.0] * 50, "propensities": [0.5] * 50, "targets": [0.5] * 50}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rewards": [1.0] * 49}, "one for each"),
        ({"rewards": [[1.0] * 50]}, "one for each"),
        ({"rewards": [math.nan] + [1.0] * 49}, "a reward is not"),
        ({"rewards": [math.inf] + [1.0] * 49}, "a reward is not"),
        ({"propensities": [0.0] + [0.5] * 49}, "logged propensity"),
        ({"propensities": [1.1] + [0.5] * 49}, "logged propensity"),
        ({"propensities": [math.nan] + [0.5] * 49}, "logged propensity"),
        ({"targets": [-0.1] + [0.5] * 49}, "target propensity"),
        ({"targets": [math.nan] + [0.5] * 49}, "target propensity"),
        ({"groups": [1] * 49}, "groups are not"),
        ({"method": DR}, "needs guesses"),
        ({"method": DR, "guesses": [0.5] * 50}, "needs guesses"),
        ({"method": DR, "guesses": [0.5], "guessed_means": [0.5]}, "guesses are not"),
        ({"method": DR, "guesses": [math.nan] * 50, "guessed_means": [0.5] * 50}, "a guess"),
        ({"guesses": [0.5] * 50}, "only doubly robust"),
        ({"sure": 1.0}, "more than 0 and less than 1"),
    ],
)
def test_what_cannot_be_is_an_error(change, why):
    assert isinstance(estimate(**fine()), Estimate)
    with pytest.raises(ValueError, match=why) as caught:
        estimate(**fine() | change)
    assert caught.type is ValueError


@pytest.mark.parametrize("method", Method)
def test_the_interval_covers_the_truth_and_a_narrower_one_would_not(method):
    """Of 200 logs of a simulated feed. Both seeds and counts are fixed: nothing is left to luck."""
    assert covered(method, runs=200) >= 0.93
    assert covered(method, runs=200, sure=0.5) < 0.7


def test_the_mean_of_what_was_served_is_not_the_truth_so_the_test_has_power():
    world = Simulated(seed=1)
    log = world.log(seed=1)
    naive = np.mean(log.reward)
    found = estimate(log.reward, log.propensity, log.target, method=SNIPS)
    assert not found.low <= naive <= found.high
    assert len(log.reward) >= LEAST
