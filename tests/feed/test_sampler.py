"""The draw: its propensities are the chances it really has, and it spreads."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Owed, Weights
from jhalak.feed.columns import Batch
from jhalak.feed.config import Quotas
from jhalak.feed.draws import Draws, seed_of
from jhalak.feed.protocols import Scores
from jhalak.feed.query import Query, Scope
from jhalak.feed.sampler import SlateSampler
from tests.feed.worlds import NOW, World, alike, video, watch

RANDOM, IN_DEBT = 4, 8  # bits of the random slice and of what is owed in these tests


class Debts:
    """The ledger as the sampler reads it: place 7 is behind with its impressions by half."""

    def urgency(self, rows: list[int], now_ms: int) -> np.ndarray:
        assert now_ms == NOW
        return np.array([0.5 if row == 7 else 0.0 for row in rows])


class Page:
    """What of a page the sampler reads."""

    def __init__(self, seed: int, n: int = 8, scope: Scope = Scope.FOR_YOU, liked: float = 1.0):
        self.draws = Draws(seed)
        self.query = Query(viewer="g1", now_ms=NOW, n=n, scope=scope)
        self._liked = liked
        self.owed = Debts()

    def interest(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array([0], np.int32), np.array([self._liked])


def batch(authors, channels, even=(), owed=(), only_owed=()):
    made = Batch(np.arange(len(authors), dtype=np.int32))
    bits = np.zeros(len(authors), np.int32)
    bits += 1
    bits[list(only_owed)] = 0
    bits[list(even)] |= RANDOM
    bits[[*owed, *only_owed]] |= IN_DEBT
    made.put("sources", bits, "test")
    made.put("author", np.array(authors, np.int32), "test")
    made.put("channel", np.array(channels, np.int32), "test")
    return made


def draw(
    seed,
    scores,
    authors=None,
    channels=None,
    even=(),
    count=8,
    config=None,
    owed=(),
    only_owed=(),
    **page,
):
    size = len(scores)
    sampler = SlateSampler(config or Config(), RANDOM, IN_DEBT)
    authors, channels = authors or list(range(size)), channels or [-1] * size
    candidates = batch(authors, channels, even, owed, only_owed)
    total = np.array(scores, np.float64)
    return sampler.select(
        Page(seed, **page), candidates, Scores(total, total[None, :], ("x",)), [], [], count
    )


@pytest.mark.parametrize("temperature", [1e-6, 0.002, 0.02])
def test_a_draw_that_is_nearly_greedy_is_so_on_the_whole_page(temperature):
    """One score far above the others leaves these in their order, not all alike."""
    scores = [50.0, *(4.0 - n for n in range(20)), 40.0]
    config = Config(explore=0.0, temperature=temperature)
    slots = draw(3, scores, config=config)
    assert [slot.place for slot in slots] == [0, 21, *range(1, 7)]
    assert all(slot.propensity > 0.999 for slot in slots)


@pytest.mark.slow
def test_first_slot_comes_as_often_as_declared():
    scores, rounds = [0.0, 0.5, 1.0, 2.0, -1.0], 20_000
    config = Config(explore=0.2)
    picks = Counter(
        draw(seed, scores, even=(0, 4), count=1, config=config)[0] for seed in range(rounds)
    )
    chances = {}
    for slot, times in picks.items():
        chances.setdefault(slot.place, (slot.propensity, 0))
        assert chances[slot.place][0] == slot.propensity  # explored or not, the chance is one
        chances[slot.place] = (slot.propensity, chances[slot.place][1] + times)
    assert sum(propensity for propensity, _ in chances.values()) == pytest.approx(1.0)
    softmax = np.exp(scores) / np.exp(scores).sum()
    for place, (propensity, times) in chances.items():
        expected = 0.8 * softmax[place] + (0.1 if place in (0, 4) else 0.0)
        assert propensity == pytest.approx(expected)
        spread = math.sqrt(expected * (1 - expected) / rounds)
        assert abs(times / rounds - expected) < 5 * spread
    explored = sum(times for slot, times in picks.items() if slot.explore)
    assert abs(explored / rounds - 0.2) < 0.015


@pytest.mark.slow
def test_second_slot_comes_as_often_as_declared_given_the_first():
    """Spread and all: what stands in the pick is the chance in the draw that was made."""
    scores, authors, rounds = [1.0, 1.0, 1.0, 0.0], [7, 7, 8, 9], 12_000
    seen: dict[int, Counter] = {}
    declared: dict[tuple[int, int], float] = {}
    for seed in range(rounds):
        first, second = draw(seed, scores, authors, count=2, config=Config(explore=0.0))
        seen.setdefault(first.place, Counter())[second.place] += 1
        declared[first.place, second.place] = second.propensity
    for first, counts in seen.items():
        total = sum(counts.values())
        for second, times in counts.items():
            chance = declared[first, second]
            assert abs(times / total - chance) < 5 * math.sqrt(chance * (1 - chance) / total)
    assert declared[0, 1] < declared[0, 2]  # the same author again is less likely


@pytest.mark.slow
def test_reserved_slots_come_as_often_as_declared():
    """Places 0 and 1 come first, as nothing owed may; then one slot of four is a reserved one."""
    scores, rounds = [25.0, 13.0, 0.0, 0.5, 1.0, 0.2, 0.7, 0.0], 5_000
    config = Config(explore=0.1, owed=Owed(share=1 / 6, urgency=2.0))
    thirds: Counter = Counter()
    fourths: dict[tuple[int, bool], Counter] = {}
    for seed in range(rounds):
        first, second, third, fourth, *rest = draw(
            seed, scores, even=(2, 3), owed=(5,), only_owed=(6, 7), count=6, n=6, config=config
        )
        assert not first.owed
        assert not second.owed
        assert sum(slot.owed for slot in (third, fourth, *rest)) == 1
        if {first.place, second.place} != {0, 1}:
            continue  # explored
        thirds[third] += 1
        fourths.setdefault((third.place, third.owed), Counter())[fourth] += 1
    # Of the third slot, what is declared is also what it comes to by hand.
    owed = {5: math.exp(0.2), 6: math.exp(0.7), 7: math.exp(0.0 + 2.0 * 0.5)}
    general = {place: math.exp(scores[place]) for place in (2, 3, 4, 5)}
    chances = {
        place: 0.75 * 0.9 * weight / sum(general.values()) for place, weight in general.items()
    }
    for place in (2, 3):
        chances[place] += 0.75 * 0.1 / 2
    for place, weight in owed.items():
        chances[place] = chances.get(place, 0.0) + 0.25 * weight / sum(owed.values())
    assert sum(chances.values()) == pytest.approx(1.0)
    assert {slot.place for slot in thirds} == chances.keys()
    for slot in thirds:
        assert slot.propensity == pytest.approx(chances[slot.place])
        assert not slot.owed or slot.place in owed
    assert {slot.place for slot in thirds if slot.owed} == owed.keys()
    assert not [slot for slot in thirds if slot.place in (6, 7) and not slot.owed]
    # How often: what was declared, for the third slot and for the fourth after any third.
    for counts in (thirds, *fourths.values()):
        total = sum(counts.values())
        places: Counter = Counter()
        for slot, times in counts.items():
            places[slot.place, slot.propensity] += times
        assert len(places) == len({slot.place for slot in counts})
        for (_, chance), times in places.items():
            assert abs(times / total - chance) < 5 * math.sqrt(chance * (1 - chance) / total) + 1e-9
    told = {third.owed: sum(t for slot, t in counts.items() if slot.owed)
            for third in thirds for key, counts in fourths.items()
            if key == (third.place, third.owed)}  # fmt: skip
    assert told[True] == 0
    assert told[False] > 0


@pytest.mark.slow
def test_frequencies_of_the_engine_match_what_it_declares():
    weights = Weights(fresh=3.0)
    here = World([alike(n, author=n, published_ms=NOW - n * 10**7) for n in range(1, 7)],
                 Config(weights=weights, served=1, served_for_ms=0))  # fmt: skip
    counts: Counter[int] = Counter()
    declared: dict[int, float] = {}
    rounds = 2_000
    for seed in range(rounds):
        pick = here.page(f"g{seed}", seed=seed_of(seed)).picks[0]
        counts[pick.video] += 1
        declared[pick.video] = pick.propensity
    assert sum(declared.values()) == pytest.approx(1.0)
    for number, chance in declared.items():
        error = math.sqrt(chance * (1 - chance) / rounds)
        assert abs(counts[number] / rounds - chance) < 5 * error


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6),
            st.integers(0, 4),
            st.integers(-1, 4),
            st.booleans(),
            st.sampled_from(["", "owed", "only"]),
        ),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 20),
    st.integers(0, 2**64 - 1),
    st.floats(0, 1),
    st.floats(0, 100),
    st.floats(0, 1),
)
def test_draws_each_once_with_a_chance_above_nothing(
    rows, count, seed, explore, temperature, share
):
    scores, authors, channels, even, owed = zip(*rows, strict=True)
    config = Config(explore=explore, temperature=temperature, owed=Owed(share=share))
    drawn = draw(
        seed, list(scores), list(authors), list(channels),
        even=[place for place, yes in enumerate(even) if yes], count=count, config=config, n=count,
        owed=[place for place, how in enumerate(owed) if how == "owed"],
        only_owed=[place for place, how in enumerate(owed) if how == "only"],
    )  # fmt: skip
    places = [slot.place for slot in drawn]
    assert len(places) == len(set(places)) == min(count, len(rows))
    assert all(0.0 < slot.propensity <= 1.0 for slot in drawn)
    assert all(even[slot.place] for slot in drawn if slot.explore)
    assert all(owed[slot.place] for slot in drawn[2:] if slot.owed)
    assert not any(slot.owed for slot in drawn[:2])
    assert sum(slot.owed for slot in drawn) <= math.ceil(share * len(drawn))


@pytest.mark.parametrize("column", ["authors", "channels"])
def test_no_author_and_no_channel_fills_the_page_while_others_are_left(column):
    scores = [50.0] * 20 + [0.0] * 2
    values = [1] * 20 + [2, 3]
    for seed in range(20):
        drawn = draw(seed, scores, **{column: values})
        of_one = sum(values[slot.place] == 1 for slot in drawn)
        assert of_one == 6
    alone = draw(1, [1.0] * 20, **{column: [1] * 20})
    assert len(alone) == 8


def test_a_page_of_one_author_is_not_spread_by_author():
    assert len(draw(1, [1.0] * 20, [5] * 20, scope=Scope.AUTHOR)) == 8


def test_a_viewer_about_whom_nothing_is_known_gets_more_channels():
    def width(liked):
        channels = [n % 10 for n in range(100)]
        pages = [draw(seed, [0.0] * 100, channels=channels, liked=liked) for seed in range(100)]
        return sum(len({channels[slot.place] for slot in page}) for page in pages)

    assert width(0.0) > width(1.0) * 1.15


def test_explored_slots_say_so():
    config = Config(explore=1.0, quotas=Quotas(random=100), owed=Owed(share=0))
    here = World([video(n) for n in range(1, 200)], config)
    here.tell(*(watch("g1", here.videos[n], 1.0) for n in range(12, 120, 12)))
    slate = here.page()
    assert all(pick.explore and pick.source == "random" for pick in slate.picks)
    assert all(pick.reasons[0].code == "explore" for pick in slate.picks)
    never = World([video(n) for n in range(1, 200)], Config(explore=0.0)).page()
    assert not any(pick.explore for pick in never.picks)


@pytest.mark.slow
def test_the_random_slice_is_even():
    """Every video is brought about as often, old and new, liked and not."""
    quotas = Quotas(random=5, newest=1, trending=1, channel=1, tag=1, author=1)
    config = Config(explore=1.0, quotas=quotas)
    here = World([video(n) for n in range(1, 51)], config)
    counts: Counter[int] = Counter()
    for seed in range(2000):
        counts.update(here.ids(f"g{seed}", n=2, seed=seed_of("even", seed)))
    assert len(counts) == 50
    assert max(counts.values()) < 2 * min(counts.values())


def test_draws_are_the_published_generator():
    """SplitMix64 from seed 1234567: the numbers of its reference implementation."""
    draws = Draws(1234567)
    assert [draws.bits() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    one, many = Draws(99), Draws(99)
    assert [one.bits() for _ in range(50)] == many._many(50).tolist()
    assert one.bits() == many.bits()


@given(st.integers(0, 500), st.integers(0, 100), st.integers(0, 2**64))
def test_some_are_different_and_within(below, count, seed):
    chosen = Draws(seed).some(below, count)
    assert len(set(chosen)) == len(chosen) <= min(below, count)
    assert all(0 <= number < below for number in chosen)
    if count >= below:
        assert len(chosen) == below


def test_all_of_a_few_come_in_an_even_order():
    """With no more numbers than asked for, each stands in each place about as often."""
    rounds, places = 6000, Counter()
    for seed in range(rounds):
        places.update(enumerate(Draws(seed_of("few", seed)).some(6, 8)))
    expected = rounds / 6
    assert len(places) == 36
    assert all(abs(times - expected) < 5 * math.sqrt(expected) for times in places.values())


def test_exploration_reaches_all_of_a_small_catalogue():
    """Twice the quota of the even slice is the whole catalogue: the newest are drawn from too."""
    here = World([video(n) for n in range(1, 25)], Config(explore=1.0))
    explored = {
        pick.video
        for seed in range(60)
        for pick in here.page(f"g{seed}", n=4, seed=seed_of("small", seed)).picks
        if pick.explore
    }
    assert explored == set(range(1, 25))


def test_seeds_differ_by_every_part():
    assert len({seed_of("a", 1), seed_of("a1"), seed_of("a", 2), seed_of("b", 1), seed_of(1)}) == 5
