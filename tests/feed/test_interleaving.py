"""Two settings fill a page in turn: fairly, with exact chances, and what is found is there."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Engine, Scope
from jhalak.feed import events as ev
from jhalak.feed.config import Owed, Quotas, Weights
from jhalak.feed.draws import Draws, seed_of
from jhalak.feed.experiments import sequences
from jhalak.feed.experiments.plans import Held, Unfit, Why, place
from jhalak.feed.experiments.results import ALPHA
from jhalak.feed.interleaving import alternate
from jhalak.feed.protocols import Drawn
from jhalak.feed.sampler import Draft, Places, _Reserved
from jhalak.feed.stages import standard
from tests.feed.worlds import HOUR, NOW, World, alike, started, video, watch, world

FRESH = (ev.Arm("old", {"weights.fresh": -3.0}),)


def turns(**facts) -> ev.ExperimentStarted:
    return started(**({"interleaved": True, "arms": FRESH, "window_ms": HOUR} | facts))


class Fixed:
    """A draft that draws by these weights."""

    def __init__(self, weights, draws):
        self.weights, self.draws, self.other = np.array(weights, float), draws, None

    def chance(self, place, at):
        return self.weights[place] / self.weights.sum()

    def draw(self, at):
        sums = self.weights.cumsum()
        place = int(sums.searchsorted(self.draws.uniform() * sums[-1], side="right"))
        return Drawn(place, self.chance(place, at), False)

    def take(self, place):
        self.weights[place] = 0.0

    def reserve_as(self, other):
        self.other = other


def drawn(seed, one, two, count, gone=frozenset()):
    """Rows are numbers; each side holds some of them, with a weight each."""
    draws = Draws(seed_of("turns", seed))
    sides = [{row: at for at, row in enumerate(side)} for side in (one, two)]
    drafts = [
        Fixed([0.0 if row in gone else weight for row, weight in side.items()], draws)
        for side in (one, two)
    ]
    return alternate(drafts, sides, set(gone), count, draws)


weights = st.dictionaries(st.integers(0, 12), st.floats(0.01, 10.0), max_size=9)


@pytest.mark.slow
@given(weights, weights, st.integers(0, 10), st.integers(0, 2**32), st.sets(st.integers(0, 12)))
def test_each_row_once_one_of_each_pair_and_nothing_is_credited_where_only_one_could_pick(
    one, two, count, seed, gone
):
    found = drawn(seed, one, two, count, gone)
    rows = [turn.row for turn in found]
    left = (one.keys() | two.keys()) - gone
    assert len(rows) == len(set(rows)) == min(count, len(left))
    assert set(rows) <= left
    assert all(turn.row in (one, two)[turn.side] for turn in found)
    assert all(0.0 < turn.drawn.propensity <= 1.0 for turn in found)
    for first, second in itertools.pairwise(found):
        if found.index(first) % 2 == 0 and first.credited and second.credited:
            assert first.side != second.side
    for number, turn in enumerate(found):
        mine, other = ((one, two)[side].keys() - gone - set(rows[:number]) for side in (0, 1))
        assert turn.credited == bool(mine and other)


@pytest.mark.slow
def test_frequencies_match_the_declared_chances_in_both_slots_of_a_pair():
    one, two = {1: 6.0, 2: 3.0, 3: 1.0}, {2: 1.0, 3: 5.0, 4: 4.0}
    firsts: Counter = Counter()
    seconds: dict = {}
    chances: dict = {}
    rounds = 8_000
    for seed in range(rounds):
        first, second = drawn(seed, one, two, 2)
        firsts[first.row] += 1
        chances[first.row] = first.drawn.propensity
        given = first.row, first.side
        seconds.setdefault(given, Counter())[second.row, second.drawn.propensity] += 1
    assert sum(chances.values()) == pytest.approx(1.0)
    assert chances[2] == pytest.approx((0.3 + 0.1) / 2)
    for row, chance in chances.items():
        assert abs(firsts[row] / rounds - chance) < 5 * math.sqrt(chance * (1 - chance) / rounds)
    for counts in seconds.values():
        total = sum(counts.values())
        assert sum(chance for _, chance in counts) == pytest.approx(1.0)
        for (_, chance), times in counts.items():
            assert abs(times / total - chance) < 5 * math.sqrt(chance * (1 - chance) / total) + 1e-9


@pytest.mark.slow
def test_the_engine_declares_what_it_draws_and_weighing_by_it_gives_each_video_its_due():
    """1 / propensity of what was shown, summed where a video was shown, is 1 on average in each
    slot in which it could stand: what every estimator of feed.off_policy lives by.
    """
    config = Config(weights=Weights(fresh=3.0), served=1, served_for_ms=0, owed=Owed(share=0.0))
    here = World([alike(n, author=n, published_ms=NOW - n * 10**7) for n in range(1, 6)], config)
    here.tell(turns())
    rounds = 600
    sums = np.zeros((2, 6))
    shown = Counter()
    for seed in range(rounds):
        picks = here.page(f"m{100 + seed}", n=2, seed=seed_of(seed)).picks
        assert {pick.arms for pick in picks} == {"1a", "1b"}
        shown[picks[0].video, picks[0].propensity] += 1
        for pick in picks:
            sums[pick.slot, pick.video] += 1.0 / pick.propensity / rounds
    assert len(shown) == 5
    for (_, chance), times in shown.items():
        assert abs(times / rounds - chance) < 5 * math.sqrt(chance * (1 - chance) / rounds)
    assert np.allclose(sums[0, 1:], 1.0, atol=0.5)
    assert sums[1, 1:].mean() == pytest.approx(0.8, abs=0.15)  # of five, one is gone


@pytest.mark.slow
def test_each_arm_has_each_slot_as_often_and_one_of_each_pair():
    here = world(60)
    here.tell(turns())
    pages = [here.page(f"m{n}", n=7) for n in range(250)]
    by_slot = np.array([[pick.arms == "1b" for pick in page.picks] for page in pages])
    assert {pick.arms for page in pages for pick in page.picks} == {"1a", "1b"}
    assert (by_slot[:, 0:6:2] != by_slot[:, 1:6:2]).all()
    assert (np.abs(by_slot.mean(0) - 0.5) < 5 * 0.5 / math.sqrt(len(pages))).all()


def test_each_side_picks_by_its_own_numbers():
    config = Config(temperature=0.05, explore=0.0, owed=Owed(share=0.0), weights=Weights(fresh=5.0))
    here = World([alike(n, author=n, published_ms=NOW - n * HOUR) for n in range(1, 40)], config)
    here.tell(turns(arms=(ev.Arm("old", {"weights.fresh": -20.0}),)))
    picks = [pick for n in range(20) for pick in here.page(f"m{n}", n=4).picks]
    ages = {arm: [pick.video for pick in picks if pick.arms == arm] for arm in ("1a", "1b")}
    assert max(ages["1a"]) < min(ages["1b"])
    assert all(pick.score < 0 for pick in picks if pick.arms == "1b")  # by the side's own scores


def test_where_only_one_side_has_what_is_owed_the_page_keeps_its_slots():
    """To the other, it may lie too far below the rest to be shown for a debt."""
    none = np.full(3, -math.inf)
    one = none.copy()
    one[0] = 1.0
    for boosts in ((none, one), (one, none)):
        drafts = [
            Draft(Draws(1), 0.0, np.zeros(3), np.zeros(3, bool), [],
                  _Reserved(boost, np.ones(3, bool), Places(float(boost is one), 8)))
            for boost in boosts
        ]  # fmt: skip
        drafts[1].reserve_as(drafts[0])
        chances = [draft.chance(0, 7) for draft in drafts]
        assert chances == pytest.approx([1.0 if boost is one else 1 / 3 for boost in boosts])


def test_who_is_not_in_it_has_a_plain_page():
    here = world(40)
    here.tell(turns(share=500), started("other", layer="b", arms=(ev.Arm("x", {"explore": 0.1}),)))
    by_length = Counter(len({pick.arms for pick in here.page(f"m{n}").picks}) for n in range(40))
    assert set(by_length) == {1, 2}
    member = next(f"m{n}" for n in range(40) if here.page(f"m{n}").picks[0].arms[:1] == "1")
    texts = {pick.arms for pick in here.page(member).picks}
    assert {text[:2] for text in texts} == {"1a", "1b"}
    assert len({text[2:] for text in texts}) == 1  # the other layer's arm is one
    for more in ({"scope": Scope.TAG, "scope_value": "t1"}, {"personal": False}):
        assert {pick.arms for pick in here.page(member, **more).picks} == {""}


def test_a_side_without_scores_leaves_the_page_to_the_other_and_is_credited_nothing():
    def broken(config):
        made = standard(config)
        if config.weights.fresh < 0.0:

            class Breaks:
                name, needs, provides, deadline_ms = "breaks", frozenset(), frozenset(), 1e9

                def score(self, page, batch, earlier):
                    raise RuntimeError("no")

            made.scorers = (Breaks(),)
        return made

    here = world(40, pipeline=broken)
    here.tell(turns())
    picks = here.page("m1", n=8).picks
    assert len(picks) == 8
    assert {pick.arms for pick in picks} == {""}
    assert all(pick.propensity < 1.0 for pick in picks)


def test_what_a_rung_brings_is_credited_to_neither():
    config = Config(quotas=Quotas(newest=1, trending=1, channel=1, tag=1, author=1, taste=1,
                                  loved=1, owed=1, random=1, following=1))  # fmt: skip
    here = world(40, config)
    here.tell(turns())
    picks = here.page("m1", n=20).picks
    assert len(picks) == 20
    by_rung = [pick for pick in picks if pick.propensity == 1.0]
    assert by_rung
    assert {pick.arms for pick in by_rung} == {""}


def test_what_cannot_be_interleaved_is_refused():
    both = (*FRESH, ev.Arm("x", {"explore": 0.1}))
    with pytest.raises(Unfit) as said:
        place(turns(arms=both), [])
    assert said.value.why is Why.ONE_ARM
    held = [Held(turns(name="a", share=10), 1, 0)]
    other = turns(name="b", layer="other", arms=(ev.Arm("x", {"explore": 0.1}),))
    with pytest.raises(Unfit) as said:
        place(other, held)
    assert said.value.why is Why.IN_TURN
    assert place(turns(name="b"), [Held(turns(name="a", share=0), 1, 0)]) == 0


# ---- what is counted -----------------------------------------------------------------------------


def test_what_is_watched_counts_to_whose_pick_it_was():
    clip, other = video(1, duration_ms=10_000), video(2, duration_ms=10_000)
    here = World([clip, other])
    here.tell(turns())
    here.tell(
        watch("m1", clip, 0.1, arms="1b", slate="s"),  # a skip ...
        watch("m1", clip, 1.0, at=NOW + 9, arms="1b", slate="s"),  # ... that went on to the end
        watch("m1", other, 0.1, at=NOW + 20, arms="1a"),
        watch("m1", other, 1.0, at=NOW + HOUR, arms="1a"),  # after the window
        watch("m2", other, 1.0, at=NOW + HOUR, arms="1b"),  # its window is not over
        watch("m3", clip, 1.0, arms=""),  # nobody's
    )
    (seen,) = here.engine.report()["experiments"]
    assert seen["interleaved"]
    control, tried = seen["arms"]
    assert (control["entered"], control["counted"]) == (2, 1)
    assert control["means"] == {"good": 0.0, "skips": 0.5, "seconds": 1.0}
    assert tried["means"] == {"good": 0.5, "skips": 0.0, "seconds": 11.0}
    assert (tried["verdict"], seen["uneven"]) == ("waiting", False)


@pytest.mark.slow
@pytest.mark.parametrize(("better", "verdict"), [(0.3, "better"), (-0.3, "worse")])
def test_the_verdict_is_of_the_log_and_a_replay_gives_it_again(better, verdict, tmp_path):
    """From served pages through watches to the one word; cut anywhere, and byte for byte."""
    here = world(60)
    here.tell(turns())
    chance = np.random.default_rng(5)
    for number in range(160):
        viewer = f"m{number}"
        log = []
        for pick in here.page(viewer, n=6, now_ms=NOW + number).picks:
            likes = 0.4 + better * (1 if pick.arms == "1b" else 0)
            share = 1.0 if chance.random() < likes else 0.05
            log.append(watch(viewer, here.videos[pick.video], share, at=NOW + number,
                             slate=str(number), arms=pick.arms))  # fmt: skip
        here.tell(*log)
        if number == 80:
            here.engine.snapshot(tmp_path)
    here.tell(ev.Forgotten("m3", NOW), watch("m1", here.videos[1], at=NOW + 3 * HOUR))
    (seen,) = here.engine.report()["experiments"]
    assert (seen["arms"][1]["counted"], seen["arms"][1]["verdict"]) == (159, verdict)
    for folder in (tmp_path, tmp_path / "none"):
        again = Engine.load(folder, here.log)
        assert again.state_bytes() == here.engine.state_bytes()
        assert again.report()["experiments"] == [seen]
    here.tell(ev.ExperimentStopped("calmer", "x", NOW + 3 * HOUR))
    (after,) = here.engine.report()["experiments"]
    assert after["arms"] == seen["arms"]


def credits_by_viewer(chance, trials: int, viewers: int, lift: float):
    """float[trial, viewer]: credit of arm less control. Viewers watch 1 to 40 slots, by a taste of
    their own that tires, and leave where they like; `lift` is added to what the arm picks.
    """
    slots = 40
    shape = trials, viewers, slots
    coin = chance.random((trials, viewers, slots // 2)) < 0.5
    arm = np.stack([coin, ~coin], axis=-1).reshape(shape)
    watched = np.arange(slots) < chance.integers(1, slots + 1, (trials, viewers, 1))
    taste = chance.beta(0.8, 1.6, (trials, viewers, 1)) * 0.98 ** np.arange(slots) * (1.0 - lift)
    good = watched & (chance.random(shape) < taste + lift * arm)
    signed = np.where(arm, 1, -1)
    return (good * signed).sum(2) / watched.sum(2)


def told(values) -> float:
    """In how many trials the interval ever leaves out nought, looked at after each viewer."""
    number = np.arange(1, values.shape[1] + 1)
    means = values.cumsum(1) / number
    spread = ((values**2).cumsum(1) / number - means**2) * number / np.maximum(number - 1, 1)
    scale = np.array([sequences.radius(1.0, int(n), ALPHA) for n in number])
    outside = np.abs(means) > np.sqrt(spread / number) * scale
    return float(outside[:, sequences.LEAST - 1 :].any(1).mean())


@pytest.mark.slow
def test_arms_that_are_alike_are_seldom_told_apart_and_others_are():
    chance = np.random.default_rng(4)
    alike_arms = [credits_by_viewer(chance, 100, 600, 0.0) for _ in range(4)]
    assert told(np.concatenate(alike_arms)) <= 0.05
    assert told(credits_by_viewer(chance, 50, 600, 0.1)) > 0.95


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_an_interleaved_page_keeps_every_rule_of_a_plain_one(seed, n):
    here = world(30)
    here.tell(turns(), ev.Blocked("m1", here.videos[1].author, NOW),
              ev.NotInterested("m1", 2, NOW), ev.Withdrawn(3, ev.Removal.DELETED))  # fmt: skip
    picks = here.page("m1", n=n, seed=seed, exclude=(4, 5)).picks
    videos = [pick.video for pick in picks]
    assert len(videos) == len(set(videos)) == n
    assert not {2, 3, 4, 5} & set(videos)
    assert all(here.videos[number].author != here.videos[1].author for number in videos)
