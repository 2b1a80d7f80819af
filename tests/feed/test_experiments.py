"""Experiments: who is in which arm, what is counted, and that looking every day deceives nobody."""

from __future__ import annotations

import contextlib
import itertools
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.feed import Engine, Scope
from jhalak.feed import events as ev
from jhalak.feed.experiments import assignment, ledger, sequences, units
from jhalak.feed.experiments.plans import (
    BUCKETS,
    MOST_LAYERS,
    MOST_RUNNING,
    SHORTEST_MS,
    Held,
    Unfit,
    Why,
    place,
)
from jhalak.feed.experiments.results import ALPHA, Moments, difference
from tests.feed.worlds import HOUR, NOW, World, started, video, watch, world

DAY = 24 * HOUR
COLD = (ev.Arm("cold", {"temperature": 0.05}),)


def viewers(count: int) -> list[str]:
    return [f"m{n}" for n in range(count)]


# ---- who is in it --------------------------------------------------------------------------------


def test_arms_are_balanced_and_layers_know_nothing_of_each_other():
    here = [
        Held(started("a", layer="draw", share=1000), 1, 0),
        Held(started("b", layer="weights", share=500), 2, 100),
    ]
    found = [assignment.assign(here, viewer, NOW) for viewer in viewers(20_000)]
    table = np.zeros((2, 3))
    for one in found:
        assert one[0].number == 1
        table[one[0].arm, one[1].arm if len(one) > 1 else 2] += 1
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    assert abs(rows[0] - 10_000) < 4 * 71  # four standard deviations of a fair coin
    assert abs(columns[2] - 10_000) < 4 * 71
    wanted = np.outer(rows, columns) / table.sum()
    assert ((table - wanted) ** 2 / wanted).sum() < 13.8  # chi-square, 2 degrees, 0.1 %


@pytest.mark.slow
def test_a_viewer_stays_and_a_new_experiment_deals_anew():
    here = world(30)
    here.tell(started("first", share=600))
    before = {viewer: here.arms(viewer) for viewer in viewers(400)}
    assert {text[:1] for text in before.values()} == {"", "1"}
    here.tell(started("beside", share=400, at=NOW + 1), watch("m1", here.videos[1]))
    for viewer, text in before.items():
        now = here.arms(viewer, now_ms=NOW + DAY)
        assert now == text if text else now[:1] == "2"  # in one or the other: the layer is full
    here.tell(ev.ExperimentStopped("first", "Seen enough.", NOW + 2))
    assert {here.arms(viewer) for viewer, text in before.items() if text} == {""}
    here.tell(started("again", share=600, at=NOW + 3))
    both = [(text[1:], here.arms(viewer)) for viewer, text in before.items() if text]
    assert {arm for _, arm in both} == {"3a", "3b"}
    assert {arm for old, arm in both if old == "a"} == {"3a", "3b"}


def test_what_an_arm_changes_is_what_its_viewers_are_served_by():
    here = world()
    here.tell(ev.Tuned({"weights.fresh": 3.0}, "x", NOW))
    here.tell(started(arms=(ev.Arm("none", {"weights.trending": 0.0, "weights.fresh": 0.0}),)))
    by_arm = {here.arms(viewer): viewer for viewer in viewers(50)}
    control, tried = by_arm["1a"], by_arm["1b"]
    assert here.term("fresh", 1, control) > 2.5
    assert here.term("fresh", 1, tried) == 0.0
    # Whatever is not For You, or not personal, or after the end, is by the weights in force.
    for more in ({"scope": Scope.TAG, "scope_value": "t1"}, {"personal": False}):
        assert here.arms(tried, **more) == ""
        assert here.term("fresh", 1, tried, **more) > 2.5
    assert here.arms(tried, now_ms=NOW + 14 * DAY - 1) == "1b"
    assert here.arms(tried, now_ms=NOW + 14 * DAY) == ""


def test_a_guest_who_joins_keeps_the_members_arm():
    here = world(30)
    here.tell(started())
    arms = {viewer: here.arms(viewer) for viewer in [*viewers(20), "gab", "gcd"]}
    here.tell(watch("gab", here.videos[1], arms=arms["gab"]))
    member = next(viewer for viewer in viewers(20) if arms[viewer] != arms["gab"])
    here.tell(ev.Joined("gab", member, NOW + 1))
    assert here.arms(member) == arms[member]


@given(st.text(max_size=30))
def test_arms_as_text_are_read_or_left_out(text):
    assert all(0 <= arm < 4 for _, arm in assignment.read(text))
    numbers = [(1, 0), (12, 1), (999, 3)]
    assert assignment.read(assignment.written(itertools.starmap(assignment.Assigned, numbers))) == (
        numbers
    )


# ---- what can run --------------------------------------------------------------------------------


def test_what_cannot_run_is_refused_and_said():
    free = ev.Arm("x", {"temperature": 2.0})
    bad = {
        Why.ARM_NAMES: {"arms": (ev.Arm("control", {"explore": 0.1}),)},
        Why.NOTHING_CHANGED: {"arms": (ev.Arm("x", {}),)},
        Why.BAD_VALUES: {"arms": (ev.Arm("x", {"seen": 3.0}),)},
        Why.WINDOW: {"window_ms": SHORTEST_MS - 1},
        Why.END: {"ends_ms": NOW + DAY},
    }
    for why, facts in bad.items():
        with pytest.raises(Unfit) as said:
            place(started(**facts), [])
        assert said.value.why is why
    held = [Held(started("a", share=700), 1, 0)]
    for why, facts in {
        Why.NAME_TAKEN: {"name": "a"},
        Why.NO_ROOM: {"name": "b", "share": 301},
        Why.OTHER_LAYER: {"name": "b", "layer": "other"},
    }.items():
        with pytest.raises(Unfit) as said:
            place(started(**facts), held)
        assert said.value.why is why
    assert place(started("b", share=300), held) == 700
    other = [
        Held(started(f"l{n}", layer=f"l{n}", arms=(free,)), n + 1, 0) for n in range(MOST_LAYERS)
    ]
    with pytest.raises(Unfit, match="too_many_layers"):
        place(started("b", arms=(ev.Arm("x", {"explore": 0.1}),)), other)
    many = [Held(started(f"n{n}", share=1), n + 1, n) for n in range(MOST_RUNNING)]
    with pytest.raises(Unfit, match="too_many"):
        place(started("b", share=1), many)


def test_the_engine_refuses_what_slipped_through_and_goes_on():
    """Two processes may start the same at once: the log decides, and all processes agree."""
    here = world(3)
    here.tell(started("a", share=800), started("a", share=100), started("b", share=800))
    seen = here.engine.report()
    assert [one["name"] for one in seen["experiments"]] == ["a"]
    assert seen["events"]["ExperimentStarted.refused"] == 2
    here.tell(ev.ExperimentStopped("b", "x", NOW), ev.ExperimentStopped("a", "x", NOW + 9))
    assert here.engine.report()["events"]["ExperimentStopped.unknown"] == 1
    (one,) = here.engine.report()["experiments"]
    assert (one["state"], one["stopped_ms"], one["stop_reason"]) == ("stopped", NOW + 9, "x")


shares = st.lists(st.integers(1, 600), max_size=12)


@given(shares, st.randoms(use_true_random=False))
def test_experiments_of_a_layer_never_overlap(wanted, chance):
    held: list[Held] = []
    for number, share in enumerate(wanted, 1):
        plan = started(f"e{number}", share=share)
        with contextlib.suppress(Unfit):
            held.append(Held(plan, number, place(plan, held)))
        if held and chance.random() < 0.3:
            gone = chance.randrange(len(held))
            held[gone] = msgspec.structs.replace(held[gone], stopped_ms=NOW)
        running = [one for one in held if one.runs(NOW)]
        taken = [b for one in running for b in range(one.first, one.first + one.plan.share)]
        assert len(taken) == len(set(taken))
        assert all(0 <= bucket < BUCKETS for bucket in taken)


# ---- what is counted -----------------------------------------------------------------------------


def test_each_viewer_counts_once_over_one_window():
    clip, other = video(1, duration_ms=10_000), video(2, duration_ms=10_000)
    here = World([clip, other])
    here.tell(started(window_ms=HOUR))
    here.tell(
        watch("m1", clip, 0.1, arms="1b", slate="s"),  # a skip ...
        watch("m1", clip, 1.0, at=NOW + 9, arms="1b", slate="s"),  # ... that went on to the end
        watch("m1", other, 0.1, at=NOW + 20, arms="1b"),
        watch("m1", other, 1.0, at=NOW + HOUR, arms="1b"),  # after the window
        watch("m2", other, 1.0, at=NOW + HOUR, arms="1b"),  # its window is not over
        watch("m3", clip, 1.0, arms="1a"),
        watch("m3", other, 1.0, arms="1b"),  # not the arm it entered by
        watch("m4", clip, 1.0, arms="1d"),  # no such arm
        watch("m5", clip, 1.0),  # served before
    )
    (seen,) = here.engine.report()["experiments"]
    control, tried = seen["arms"]
    assert (control["entered"], control["counted"]) == (1, 1)
    assert control["means"] == {"good": 1.0, "skips": 0.0, "seconds": 10.0}
    assert (tried["entered"], tried["counted"]) == (2, 1)
    assert tried["means"] == {"good": 0.5, "skips": 0.5, "seconds": 12.0}
    assert tried["verdict"] == "waiting"


def test_what_ended_keeps_its_numbers_and_not_its_viewers():
    clip = video(1)
    here = World([clip])
    here.tell(started("a", window_ms=HOUR))
    here.tell(*(watch(f"m{n}", clip, n % 3 / 2, arms=f"1{'ab'[n % 2]}") for n in range(400)))
    here.tell(watch("m1", clip, at=NOW + 2 * HOUR))
    (before,) = here.engine.report()["experiments"]
    assert before["arms"][1]["differences"].keys() == {"good", "skips", "seconds"}
    here.tell(ev.ExperimentStopped("a", "x", NOW + 2 * HOUR))
    (after,) = here.engine.report()["experiments"]
    assert after["arms"] == before["arms"]
    held = here.engine._state.experiments.entries[1]
    assert held.units.count == 0
    here.tell(watch("m999", clip, arms="1a"))
    assert here.engine.report()["experiments"] == [after]


def test_what_ends_by_itself_keeps_no_viewers_either():
    clip = video(1)
    here = World([clip])
    here.tell(started("a", window_ms=HOUR, ends_ms=NOW + 2 * HOUR))
    here.tell(*(watch(f"m{n}", clip, n % 3 / 2, arms=f"1{'ab'[n % 2]}") for n in range(400)))
    here.tell(watch("m1", clip, at=NOW + HOUR))
    (before,) = here.engine.report()["experiments"]
    here.tell(watch("m999", clip, at=NOW + 2 * HOUR, arms="1a"))
    assert here.engine._state.experiments.entries[1].units.count == 0
    (after,) = here.engine.report()["experiments"]
    assert (after["arms"], after["state"]) == (before["arms"], "ended")


def test_who_is_forgotten_or_declines_is_not_counted(tmp_path):
    here = World([video(1), video(2)])
    here.tell(started(window_ms=HOUR))
    one, two = here.videos[1], here.videos[2]
    here.tell(*(watch(f"m{n}", one, arms="1a") for n in range(4)))
    assert here.arms("m1") != ""
    here.tell(ev.Forgotten("m0", NOW), ev.PersonalDeclined("m1", NOW), ev.LearningPaused("m2", NOW))
    assert [here.arms(f"m{n}") != "" for n in range(4)] == [True, False, False, True]
    here.tell(*(watch(f"m{n}", two, arms="1a") for n in range(1, 3)))
    (seen,) = here.engine.report()["experiments"]
    assert seen["arms"][0]["entered"] == 2
    again = Engine.load(tmp_path, here.log)
    assert again.state_bytes() == here.engine.state_bytes()


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(units, "MOST", 50)
    here = World([video(1)])
    for n in range(ledger.KEPT + 5):
        at = NOW + n * 10
        here.tell(started(f"e{n}", at=at), ev.ExperimentStopped(f"e{n}", "x", at + 5))
    here.tell(started("last", at=NOW + 999))
    number = here.engine.report()["experiments"][0]["number"]
    here.tell(*(watch(f"g{n}", here.videos[1], arms=f"{number}a") for n in range(80)))
    seen = here.engine.report()["experiments"]
    assert len(seen) == ledger.KEPT
    assert seen[0]["arms"][0]["entered"] == 50
    assert (number, seen[-1]["name"]) == (ledger.KEPT + 6, "e6")


# ---- what may be concluded -----------------------------------------------------------------------


def walks(chance, trials: int, steps: int, lift: float):
    """Running counts, means and variances of two arms of `steps` viewers, `trials` times over: the
    part of watches that felt good of viewers who watch 1 to 40, each by a taste of their own.
    """
    for arm in range(2):
        watches = chance.integers(1, 41, (trials, steps))
        taste = chance.beta(0.8, 1.6, (trials, steps)) * (1.0 - lift) + arm * lift
        shares = chance.binomial(watches, taste) / watches
        count = np.arange(1, steps + 1)
        means = shares.cumsum(axis=1) / count
        squares = (shares**2).cumsum(axis=1) / count
        yield means, (squares - means**2) * count / np.maximum(count - 1, 1)


def outside(lift: float, trials: int, steps: int, seed: int):
    """In how many trials the interval ever left out the truth, and in how many it ever left out 0,
    when looked at after each pair of viewers.
    """
    (a, va), (b, vb) = walks(np.random.default_rng(seed), trials, steps, lift)
    least = sequences.LEAST - 1
    at = np.arange(1, steps + 1)
    scale = np.array([sequences.radius(1.0, 2 * int(n), ALPHA) for n in at])
    reach = np.sqrt((va + vb) / at) * scale
    wrong, told = ((np.abs(b - a - value) > reach)[:, least:] for value in (lift, 0.0))
    return wrong.any(axis=1).mean(), told.any(axis=1).mean()


@pytest.mark.slow
def test_an_interval_that_is_looked_at_after_every_viewer_holds_the_truth():
    wrong, told = outside(0.0, trials=1000, steps=3000, seed=1)
    assert wrong == told <= 0.05  # A/A: nothing is found where nothing is
    wrong, told = outside(0.1, trials=500, steps=3000, seed=2)
    assert wrong <= 0.05
    assert told > 0.95  # and what is there is found


def test_an_ordinary_interval_would_not():
    """What the price is paid for: 1.96 standard errors, looked at as often."""
    (a, va), (b, vb) = walks(np.random.default_rng(1), 300, 2000, 0.0)
    reach = 1.96 * np.sqrt((va + vb) / np.arange(1, 2001))
    assert (np.abs(b - a) > reach)[:, sequences.LEAST :].any(axis=1).mean() > 0.25


def test_arms_that_are_not_filled_as_dealt_are_told():
    chance = np.random.default_rng(3)
    false = 0
    for _ in range(200):
        ones = (chance.random(2000) < 0.5).cumsum().tolist()
        false += any(
            sequences.split_evidence([n - ones[n - 1], ones[n - 1]], [0.5, 0.5]) >= 100
            for n in range(20, 2001, 20)
        )
    assert false / 200 <= 0.02
    assert sequences.split_evidence([4000, 4700], [0.5, 0.5]) > 100
    assert sequences.split_evidence([0, 0], [0.5, 0.5]) == pytest.approx(1.0)


def test_nothing_is_said_of_few_or_of_viewers_who_are_all_alike():
    def arm(count: int, mean: float, variance: float) -> Moments:
        return Moments(count, count, (mean,) * 3, (variance,) * 3)

    assert difference(arm(49, 0.1, 0.1), arm(500, 0.9, 0.1), "good", 0.05) is None
    assert difference(arm(500, 1.0, 0.0), arm(500, 0.0, 0.0), "good", 0.05) is None
    found = difference(arm(500, 0.4, 0.1), arm(500, 0.6, 0.1), "good", 0.05)
    assert found is not None
    assert 0 < found.low < found.value < found.high


@pytest.mark.parametrize(("better", "verdict"), [(0.3, "better"), (0.0, "open"), (-0.3, "worse")])
@pytest.mark.slow
def test_the_verdict_is_of_the_log(better, verdict):
    """From served arms through watches to the one word, with two arms tried at once."""
    clip = video(1, duration_ms=10_000)
    here = World([clip, *(video(n) for n in range(2, 30))])
    here.tell(started(window_ms=HOUR, arms=(*COLD, ev.Arm("warm", {"temperature": 5.0}))))
    chance = random.Random(5)
    log: list[ev.Event] = []
    for viewer in viewers(1500):
        arms = here.arms(viewer)
        likes = 0.5 + better * (arms == "1b")
        log += [
            watch(viewer, clip, 1.0 if chance.random() < likes else 0.1, at=NOW + n, arms=arms)
            for n in range(4)
        ]
    here.tell(*log, watch("m1", clip, at=NOW + 2 * HOUR))
    (seen,) = here.engine.report()["experiments"]
    assert not seen["uneven"]
    assert [arm["verdict"] for arm in seen["arms"]] == ["", verdict, "open"]
    here.tell(*(watch(f"g{n}", clip, at=NOW + 2 * HOUR, arms="1c") for n in range(400)))
    (seen,) = here.engine.report()["experiments"]
    assert seen["uneven"]
    assert [arm["verdict"] for arm in seen["arms"]] == ["", "uneven", "uneven"]
