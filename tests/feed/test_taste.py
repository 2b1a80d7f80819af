"""What answers teach about viewers and videos, and where videos lie by who watched them."""

from __future__ import annotations

import numpy as np
import pytest
from bench.judge.taste import Taste
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed.reasons import NAMED
from jhalak.feed.taste import Learner, Prior, by_content, described, places
from jhalak.feed.taste.content import direction

FEW = st.integers(0, 2**32 - 1)


def groups(seed: int, each: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Two crowds of viewers, two lots of 20 videos: a crowd watches its own lot, and the odd
    other."""
    rng = np.random.default_rng(seed)
    liked = rng.random((2 * each, 40)) < 0.03
    liked[:each, :20] |= rng.random((each, 20)) < 0.4
    liked[each:, 20:] |= rng.random((each, 20)) < 0.4
    return np.nonzero(liked)


def world(seed: int) -> np.ndarray:
    viewers, videos = groups(seed)
    return places(viewers, videos, 40, 8)


class TestPlaces:
    @given(FEW)
    @settings(max_examples=20)
    def test_videos_of_one_crowd_lie_together(self, seed: int) -> None:
        found = world(seed)
        alike = found @ found.T
        within = (alike[:20, :20].mean() + alike[20:, 20:].mean()) / 2
        assert within > alike[:20, 20:].mean() + 0.5

    @given(FEW)
    @settings(max_examples=20)
    def test_order_and_repetition_of_pairs_change_nothing(self, seed: int) -> None:
        viewers, videos = groups(seed)
        order = np.random.default_rng(seed).permutation(len(viewers))
        twice = np.concatenate([order, order[:10]])
        again = places(viewers[twice], videos[twice], 40, 8)
        assert again.tobytes() == places(viewers, videos, 40, 8).tobytes()

    def test_what_nobody_watched_lies_in_the_middle(self) -> None:
        viewers, videos = groups(1)
        found = places(viewers, videos, 50, 8)
        assert not found[40:].any()
        assert np.linalg.norm(found[:40], axis=1).mean() == pytest.approx(1, abs=0.1)
        assert found[:40].mean(0) == pytest.approx(np.zeros(8), abs=1e-9)

    @pytest.mark.parametrize("pairs", [0, 1, 2])
    def test_little_is_no_error(self, pairs: int) -> None:
        found = places(np.zeros(pairs, int), np.arange(pairs), 3, 8)
        assert found.shape == (3, 8)
        assert np.isfinite(found).all()

    @pytest.mark.parametrize(
        ("viewers", "videos"), [([0, 1], [0]), ([0], [3]), ([0], [-1])], ids=str
    )
    def test_pairs_that_are_none_are_refused(self, viewers: list[int], videos: list[int]) -> None:
        with pytest.raises(ValueError, match=r"no pairs|outside"):
            places(np.array(viewers), np.array(videos), 3, 2)


def bare(prior: Prior | None = None, videos: int = 4) -> Taste:
    """Nothing is known of the videos but that they are different ones."""
    return Taste(np.zeros((videos, 0)), prior or Prior(level=-3.0))


def ask(taste: Taste, viewer: str, videos: list[int], liked: list[bool]) -> None:
    taste.learn(viewer, np.array(videos), np.array(liked))


class TestTaste:
    @given(FEW)
    @settings(max_examples=20)
    def test_a_like_raises_and_a_dislike_lowers_for_all_and_most_for_oneself(
        self, seed: int
    ) -> None:
        video = int(np.random.default_rng(seed).integers(40))
        for liked, sign in ((True, 1), (False, -1)):
            taste = Taste(world(1))
            before = taste.scores("a")[video]
            ask(taste, "a", [video], [liked])
            mine, others = taste.scores("a")[video] - before, taste.scores("b")[video] - before
            assert sign * mine > sign * others > 0

    def test_one_answer_is_weighed_as_bayes_would(self) -> None:
        """The mode of prior times likelihood, found here by halving an interval."""
        prior = Prior(
            level=-1.0, level_variance=0.5, video_variance=0.3, mood_variance=0.7, fade=1.0
        )
        taste = bare(prior, 1)
        ask(taste, "a", [0], [True])
        low, high, variance = 0.0, 5.0, 1.5
        for _ in range(60):
            moved = (low + high) / 2
            slope = 1 - 1 / (1 + np.exp(-(prior.level + moved))) - moved / variance
            low, high = (moved, high) if slope > 0 else (low, moved)
        assert taste.scores("a")[0] == pytest.approx(prior.level + low, abs=1e-3)

    def test_who_dislikes_everything_says_little_against_a_video(self) -> None:
        taste = bare(videos=60)
        for start in range(2, 50, 8):
            ask(taste, "grumpy", list(range(start, start + 8)), [False] * 8)
            ask(taste, "glad", list(range(start, start + 8)), [True] * 8)
        before = taste.scores("new")
        ask(taste, "grumpy", [0], [False])
        ask(taste, "glad", [1], [False])
        fell = before - taste.scores("new")
        assert 0 < fell[0] < 0.8 * fell[1]

    def test_what_is_known_well_moves_little(self) -> None:
        taste = bare(Prior(level=0.0), videos=1)
        moves = []
        for number in range(200):
            before = taste.scores("new")[0]
            ask(taste, f"v{number}", [0], [number % 2 == 0])
            moves.append(abs(taste.scores("new")[0] - before))
        assert max(moves[-10:]) < max(moves[:10]) / 5

    def test_it_finds_out_whom_a_lot_of_videos_suits(self) -> None:
        taste = Taste(world(3), Prior(level=-1.0))
        rng = np.random.default_rng(3)
        for number in range(30):
            lot = np.arange(20) if number % 2 else np.arange(20, 40)
            videos = rng.permutation(40)[:10]
            taste.learn(number, videos, np.isin(videos, lot))
        ask(taste, "first", [0, 1, 2, 20, 21, 22], [True, True, True, False, False, False])
        ask(taste, "second", [0, 1, 2, 20, 21, 22], [False, False, False, True, True, True])
        unseen = [*range(3, 20), *range(23, 40)]
        first, second = taste.scores("first")[unseen], taste.scores("second")[unseen]
        assert first[:17].mean() > first[17:].mean() + 0.5
        assert second[17:].mean() > second[:17].mean() + 0.5

    @given(FEW, st.booleans())
    @settings(max_examples=10)
    def test_thousands_of_one_sided_answers_leave_finite_odds(self, seed: int, all_: bool) -> None:
        rng = np.random.default_rng(seed)
        taste = Taste(world(1))
        for _ in range(300):
            taste.learn("a", rng.permutation(40)[:10], np.full(10, all_))
        assert np.isfinite(taste.scores("a")).all()
        assert np.isfinite(taste.scores("b")).all()

    def test_no_answers_change_nothing(self) -> None:
        taste = bare()
        ask(taste, "a", [], [])
        assert (taste.scores("a") == bare().scores("a")).all()

    def test_what_makes_no_sense_is_refused(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            ask(bare(), "a", [1, 2], [True])
        with pytest.raises(ValueError, match="finite"):
            Taste(np.array([[0.0, np.nan]]))


def moved(odds: float, variance: float, answer: float) -> tuple[float, float]:
    """(step, gain): the mode found by halving, and the curvature there."""
    low, high = odds - variance, odds + variance
    for _ in range(60):
        mode = (low + high) / 2
        upward = (answer - 1 / (1 + np.exp(-mode))) - (mode - odds) / variance > 0
        low, high = (mode, high) if upward else (low, mode)
    chance = 1 / (1 + np.exp(-mode))
    return (mode - odds) / variance, 1 / (variance + 1 / (chance * (1 - chance)))


class TestLearner:
    """What the engine asks of the learner for one viewer."""

    @given(FEW)
    @settings(max_examples=20)
    def test_half_of_the_covariance_says_it_all(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        learner, where = Learner(8, Prior()), world(seed).astype(np.float32)
        own = learner.new()
        for video in rng.integers(0, 40, 60).tolist():
            learner.learn(own, where[video], 0.0, 0.1, float(rng.random()))
        assert (own.cov == own.cov.T).all()
        assert (learner.cov == learner.cov.T).all()
        assert np.linalg.eigvalsh(own.cov.astype(np.float64)).min() > 0
        assert np.linalg.eigvalsh(learner.cov).min() > 0

    @given(FEW, st.sampled_from([1, 3, 8, 64]))
    @settings(max_examples=20)
    def test_an_answer_is_one_step_of_the_textbook_filter(self, seed: int, size: int) -> None:
        """All four parts as one Gaussian, and the answer as a Gaussian at the mode of its
        likelihood times that: what is compiled gives what two lines of algebra give.
        """
        rng = np.random.default_rng(seed)
        learner = Learner(size, Prior())
        own, alone, unsure = learner.new(), 0.0, 0.1
        for answer in rng.random(5).tolist():
            place = (rng.standard_normal(size) / size**0.5).astype(np.float32)
            facts = np.array([1.0, *place])
            prior, fade = learner.prior, learner.prior.fade
            cov = own.cov * fade + (1 - fade) * prior.own_variance * np.eye(size)
            spread = own.level_variance * fade + (1 - fade) * prior.mood_variance
            odds = learner.mean @ facts + alone + fade * (own.level + own.mean @ place)
            variance = facts @ learner.cov @ facts + unsure + spread + place @ cov @ place
            step, gain = moved(odds, variance, answer)
            wanted = (
                learner.mean + learner.cov @ facts * step,
                learner.cov - np.outer(learner.cov @ facts, learner.cov @ facts) * gain,
                fade * own.mean + cov @ place * step,
                cov - np.outer(cov @ place, cov @ place) * gain,
                [fade * own.level + spread * step, spread - spread**2 * gain],
                [alone + unsure * step, unsure - unsure**2 * gain],
            )
            alone, unsure = learner.learn(own, place, alone, unsure, answer)
            mood = [own.level, own.level_variance]
            found = (learner.mean, learner.cov, own.mean, own.cov, mood, [alone, unsure])
            for one, other in zip(found, wanted, strict=True):
                assert one == pytest.approx(np.asarray(other), abs=2e-3)  # STEPS

    @given(FEW, st.integers(0, 12))
    @settings(max_examples=20)
    def test_answers_given_again_together_are_those_given_one_by_one(
        self, seed: int, count: int
    ) -> None:
        rng = np.random.default_rng(seed)
        learner, where = Learner(8, Prior()), world(3).astype(np.float32)
        videos, alone, answers = rng.integers(0, 40, count), rng.random(count), rng.random(count)
        own = learner.new()
        for video, known, answer in zip(videos, alone, answers, strict=True):
            common = float(learner.everybody(where[video][None], known)[0])
            learner.learn_own(own, where[video], common, float(answer))
        again = learner.relearn(where[videos], alone, answers)
        assert again.mean == pytest.approx(own.mean, abs=1e-6)
        assert again.cov == pytest.approx(own.cov, abs=1e-6)
        assert again.level == pytest.approx(own.level, abs=1e-6)

    def test_the_strongest_influence_is_what_would_be_missed(self) -> None:
        """Taken away, and everything learnt anew, that answer lowers the odds: of answers at random
        all but one in a hundred, as an influence is a first order.
        """
        lowered = []
        for seed in range(300):
            rng = np.random.default_rng(seed)
            learner, where = Learner(8, Prior()), world(seed % 10).astype(np.float32)
            videos, answers = rng.permutation(40)[:12], rng.random(12)
            alone = np.zeros(12)
            own = learner.relearn(where[videos], alone, answers)
            target = where[int(rng.integers(40))]
            chance = [learner.chance(own, place, 0.0) for place in where[videos]]
            influence = learner.influence(own, target, where[videos], answers - chance)
            at = int(influence.argmax())
            if influence[at] < NAMED:  # the feed would not name it
                continue
            rest = np.arange(12) != at
            without = learner.relearn(where[videos[rest]], alone[rest], answers[rest])
            lowered.append(target @ without.mean < target @ own.mean)
        assert len(lowered) > 100
        assert np.mean(lowered) >= 0.99

    def test_answers_fade(self) -> None:
        learner = Learner(8, Prior(fade=0.9))
        place = np.ones(8, np.float32) / 8**0.5
        own = learner.relearn(place[None], np.zeros(1), np.ones(1))
        liked = float(own.mean @ place)
        for _ in range(50):
            learner.learn(own, np.zeros(8, np.float32), 0.0, 0.1, 0.5)
        assert 0 < own.mean @ place < liked / 20


class TestContent:
    def test_what_shares_words_lies_together(self) -> None:
        one = by_content([("channel", "cricket"), ("tag", "ipl"), ("tag", "chennai")])
        same = by_content([("channel", "cricket"), ("tag", "ipl"), ("author", 7)])
        other = by_content([("channel", "kolam"), ("tag", "rangoli"), ("author", 8)])
        assert one @ same > 0.3
        assert abs(one @ other) < 0.2
        assert 0 < one @ one < 1.2
        assert not by_content([]).any()

    def test_a_word_that_was_trained_lies_where_training_put_it(self) -> None:
        there = np.zeros(64, np.float32)
        there[3] = 1.0
        found = by_content(
            [("tag", "new"), ("channel", "x")], lambda kind, _: there if kind == "tag" else None
        )
        assert found[3] > 0.5

    @given(st.text(max_size=20))
    def test_any_spelling_has_a_direction(self, word: str) -> None:
        assert np.linalg.norm(direction("tag", word)) == pytest.approx(1)


def test_how_much_was_watched_is_the_last_coordinate() -> None:
    viewers, videos = groups(2)
    extra = np.full(30, 5)
    found = described(np.r_[viewers, np.arange(100, 130)], np.r_[videos, extra], 40, 8)
    assert found[:, -1].argmax() == 5
    assert found.shape == (40, 8)
    assert not described(np.zeros(0, int), np.zeros(0, int), 3, 8).any()
