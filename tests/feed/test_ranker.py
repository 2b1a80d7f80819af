"""A ranker in force: what it may do to a page, what it sees, and what comes of a broken one."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import onnx
import pytest
from bench.judge.traps import TRAPS

from jhalak.feed import Config, Engine
from jhalak.feed import events as ev
from jhalak.feed.fairness import BINS, OCTAVES, Fairness
from jhalak.feed.models import ModelError
from jhalak.feed.ranker import in_force as serving
from jhalak.feed.ranker import inputs, watch_time
from jhalak.feed.ranker.layout import EDGES, HISTORY
from jhalak.feed.ranker.model import STEEPEST, Ranker
from jhalak.feed.ranker.scorer import MOST
from tests.feed.rankers import DIGEST, in_force, shelf, untrained
from tests.feed.test_reasons import taken_away
from tests.feed.worlds import HOUR, NOW, World, crowd, patient, watch, world

RANKER = untrained()


def ranked(count: int = 60, data: bytes = RANKER, config: Config | None = None) -> World:
    here = world(count, config, models=shelf(ranker=data))
    here.tell(in_force())
    return here


def lived(here: World, seed: int = 1, viewer: str = "m5") -> World:
    chance = random.Random(seed)
    liked = chance.sample(range(12), 3)
    for turn in range(30):
        clip = chance.choice(list(here.videos.values()))
        wanted = int(clip.channel[1:]) in liked
        share = 1.0 if wanted or chance.random() < 0.1 else chance.random() * 0.3
        here.tell(watch(viewer, clip, share, at=NOW + turn * 1000))
    return here


class TestServing:
    def test_it_reorders_what_the_learner_scored_and_says_so(self) -> None:
        here = lived(ranked())
        page = here.page("m5", n=8, seed=1)
        assert page.model == here.engine.model == f"taste-1+{DIGEST[:12]}"
        parts = [here.term("ranker", number, "m5") for number in here.videos]
        assert len(set(parts)) > 30
        assert here.engine.report()["ranker"] == {
            "digest": DIGEST, "why_not": "", "pages": {"ranked": 1, "alone": 0},
        }  # fmt: skip
        here.tell(in_force(""))
        assert here.page("m5").model == here.engine.model == "taste-1"

    def test_more_from_the_learner_is_more_in_the_end(self) -> None:
        """Its score is added to and not replaced: freshness reaches the page."""
        here = lived(ranked())
        alone = lived(world(60))
        total, before = here.score(7, "m5"), alone.score(7, "m5")
        assert total == pytest.approx(before + here.term("ranker", 7, "m5"))
        followed = ev.Followed("m5", here.videos[7].author, NOW)
        here.tell(followed)
        assert here.term("followed", 7, "m5") == 1.5

    def test_the_same_log_gives_the_same_page_also_from_a_snapshot(self, tmp_path) -> None:
        here = lived(ranked())
        here.engine.snapshot(tmp_path)
        again = Engine.load(tmp_path, here.log, patient(), models=shelf(ranker=RANKER))
        assert again.report()["began"].startswith("snapshot at")
        assert again.state_bytes() == here.engine.state_bytes()
        other = World(config=patient(), models=shelf(ranker=RANKER))
        other.tell(*(event for _, event in here.log))
        one, two = (world.page("m5", n=12, seed=3) for world in (here, other))
        assert one.picks == two.picks

    def test_only_so_many_are_ranked_and_no_other_gains(self) -> None:
        here = ranked(450)
        everything = here.engine.score(_query("g3"), list(here.videos))
        low = sorted(everything, key=lambda one: one.total - one.terms["ranker"])[: 450 - MOST]
        worst = min(one.terms["ranker"] for one in everything)
        assert {one.terms["ranker"] for one in low} == {worst}
        assert len({one.terms["ranker"] for one in everything}) > MOST / 2

    def test_the_operator_can_turn_it_down(self) -> None:
        here = lived(ranked())
        term = here.term("ranker", 7, "m5")
        here.tell(ev.Tuned({"weights.ranker": 0.5}, "half", NOW))
        assert here.term("ranker", 7, "m5") == pytest.approx(term / 2)
        here.tell(ev.Tuned({"weights.ranker": 0.0}, "none", NOW))
        assert here.page("m5").model == "taste-1"


class TestBroken:
    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (None, "no ranker here"),
            (b"", "no graph"),
            (b"weights", "no graph"),
            (RANKER[: len(RANKER) // 2], "no graph"),
            (untrained(places="ef" * 32), "trained on places that are not in force"),
            (untrained(out_b=np.nan), "no number"),
            (untrained(scale=1e6), "scale"),
            (b"\0" * ((16 << 20) + 1), "are taken"),
        ],
    )
    def test_the_learner_serves_alone_and_it_is_counted(self, data, why, caplog) -> None:
        held = {} if data is None else {"ranker": data}
        here = world(60, models=shelf(**held))
        plain = world(60)
        here.tell(in_force())
        plain.tell(in_force(""))
        assert here.engine.report()["events"]["Promoted"] == 1
        for turn in range(3):
            page = here.page("m1", seed=turn)
            assert [p.video for p in page.picks] == plain.ids("m1", seed=turn)
            assert page.model == "taste-1"
        told = here.engine.report()["ranker"]
        assert why in told["why_not"]
        assert told["pages"] == {"ranked": 0, "alone": 3}
        said = [line for line in caplog.messages if "is not served" in line]
        assert len(said) == 1

    def test_a_graph_of_another_version_or_shape_is_foreign(self) -> None:
        model = onnx.load_from_string(RANKER)
        onnx.helper.set_model_props(model, {"format": "jhalak ranker 0"})
        with pytest.raises(ModelError, match="version"):
            Ranker(model.SerializeToString())
        x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"])
        y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n"])
        graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
        other = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
        )
        told = {"format": "jhalak ranker 1", "places": "", "scale": "1.0", "middle": "0.0"}
        onnx.helper.set_model_props(other, told)
        with pytest.raises(ModelError, match="other shapes"):
            Ranker(other.SerializeToString())

    def test_one_that_gives_no_numbers_on_a_page_is_left_out_of_it(self) -> None:
        """It passes what is asked of it when it is loaded, and fails on real candidates."""
        data = untrained(head_w=3e37, candidate_w=3e37, out_w=3e37)
        here, plain = lived(ranked(data=data)), lived(world(60))
        plain.tell(in_force(""))
        page = here.page("m5", seed=1)
        report = here.engine.report()
        assert report["stages"]["scorer:ranker"]["failed"] == 1
        assert report["ranker"]["pages"] == {"ranked": 0, "alone": 1}
        assert page.model == "taste-1"
        assert [p.video for p in page.picks] == plain.ids("m5", seed=1)

    def test_places_put_in_force_later_put_it_aside(self) -> None:
        from tests.feed.test_learning import two_lots

        here = world(40, models=shelf(ranker=RANKER, places=two_lots()))
        here.tell(in_force())
        assert here.page("m1").model != "taste-1"
        here.tell(in_force("ab" * 32, ev.ModelKind.PLACES))
        assert here.page("m1").model == "taste-1"
        here.tell(in_force("", ev.ModelKind.PLACES))
        assert here.page("m1").model != "taste-1"


@pytest.mark.slow
def test_it_is_loaded_beside_the_graph_of_a_large_catalogue() -> None:
    """Two libraries that crash a process when they are loaded in the wrong order."""
    code = (
        "import numpy as np; from jhalak.feed import near;"
        "from tests.feed.rankers import untrained;"
        "near.EXACT = 4; held = near.Near(); rows = np.arange(9, dtype=np.int32);"
        "held.fill(rows, np.eye(64, dtype=np.float32)[:9]);"
        "from jhalak.feed.ranker.model import Ranker; Ranker(untrained())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestInputs:
    def page(self, here: World, viewer: str, **query):
        page, _ = here.engine._page(_query(viewer, **query), here.engine._state.config)
        page.release()
        return page

    def test_the_last_answers_in_their_order(self) -> None:
        here = world(60)
        clips = list(here.videos.values())[:40]
        for turn, clip in enumerate(clips):
            here.tell(watch("m5", clip, (0.05, 0.6, 1.0)[turn % 3], at=NOW + turn * 2_000))
        here.tell(ev.Liked("m5", 3, NOW + HOUR), ev.NotInterested("m5", 4, NOW + HOUR))
        found = inputs.answers(self.page(here, "m5"))
        assert len(found.rows) == HISTORY
        assert found.ends[-2:].tolist() == [3, 4]
        assert found.at_ms[-3:].tolist() == [NOW + 78_000, NOW + HOUR, NOW + HOUR]
        history, known = inputs.tokens(found, here.engine._state.catalogue.columns["place"])
        assert known.all()
        assert history[-3, -5:].argmax() == found.ends[-3]

    @pytest.mark.parametrize("how", ["not personal", "declined", "forgotten", "nobody"])
    def test_no_history_of_whom_it_may_not_be(self, how: str) -> None:
        here = ranked()
        if how != "nobody":
            lived(here)
        if how == "declined":
            here.tell(ev.PersonalDeclined("m5", NOW + HOUR))
        if how == "forgotten":
            here.tell(ev.Forgotten("m5", NOW + HOUR))
        personal = how != "not personal"
        assert not len(inputs.answers(self.page(here, "m5", personal=personal)).rows)
        # and so the ranker says the same as for somebody of whom nothing is known
        stranger = [here.term("ranker", n, "m77", personal=False) for n in (1, 2, 3)]
        assert [here.term("ranker", n, "m5", personal=personal) for n in (1, 2, 3)] == stranger

    def test_what_was_taken_out_of_the_history_is_not_in_it(self) -> None:
        here = lived(ranked())
        last = here.log[-1][1].video
        here.tell(ev.Unwatched("m5", last, NOW + HOUR))
        row = here.engine._state.catalogue.row_of[last]
        assert row not in inputs.answers(self.page(here, "m5")).rows

    def test_a_member_has_the_answers_of_the_guest_before(self) -> None:
        here = lived(ranked(), viewer="g5")
        before = inputs.answers(self.page(here, "g5"))
        here.tell(ev.Joined("g5", "m5", NOW + HOUR))
        after = inputs.answers(self.page(here, "m5"))
        assert all((a == b).all() for a, b in zip(before, after, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 6])  # of 6 the learner alone would name two that are none
def test_taking_away_what_a_reason_names_lowers_the_score_with_a_ranker_too(seed) -> None:
    data = untrained(seed + 1, scale=STEEPEST)  # as strong as one may be
    here = lived(ranked(200, data), seed)
    here.tell(ev.Followed("m5", 1000 + seed, NOW + HOUR))
    later = NOW + 2 * HOUR
    tried = set()
    for turn in range(2):
        for pick in here.page("m5", seed=turn, n=12, now_ms=later).picks:
            for reason in pick.reasons:
                event = taken_away("m5", reason)
                if reason.weight <= 0 or event is None or (reason.code, reason.value) in tried:
                    continue
                tried.add((reason.code, reason.value))
                again = World(config=here.engine._state.config, models=shelf(ranker=data))
                again.tell(*(one for _, one in here.log))
                before = again.score(pick.video, "m5", now_ms=later)
                again.tell(event)
                after = again.score(pick.video, "m5", now_ms=later)
                assert after < before, reason
    assert {code for code, _ in tried} >= {"channel", "tag"}


@pytest.mark.slow
@pytest.mark.parametrize("make", TRAPS, ids=lambda make: make.__name__)
def test_the_traps_with_a_ranker_in_force(make) -> None:
    """One that knows no more than the score: whoever is likelier to be taken to is watched on."""

    def observed(events: list[ev.Event]) -> Engine:
        engine = Engine.new(patient(), models=shelf(ranker=untrained(2, scale=1.0)))
        engine.observe(list(enumerate([in_force(), *events], 1)))
        return engine

    trap = make(observed)
    assert trap.passes(trap.ours), trap.measured(trap.ours)


class TestWatchTime:
    def test_a_hazard_is_the_chance_to_leave_within_its_bin(self) -> None:
        logits = np.array([[0.3, -1.0] + [-2.0] * (len(EDGES) - 3)])
        stay = 1.0 - 1.0 / (1.0 + np.exp(-logits[0]))
        found = watch_time.survival(logits, EDGES[None, :4])[0]
        assert found == pytest.approx([1.0, stay[0], stay[0] * stay[1], stay[:3].prod()])
        ends = watch_time.exposure(2.5)
        assert ends[:4].tolist() == [1.0, 1.0, 1.0, 0.5]

    def test_expected_seconds_of_who_leaves_nobody(self) -> None:
        never = np.full((2, len(EDGES) - 1), -40.0)
        assert watch_time.expected(never, np.array([7.0, 90.0])) == pytest.approx([7.0, 90.0])

    def test_the_verdict_is_the_one_that_a_watch_gets(self) -> None:
        chance = np.random.default_rng(1)
        fairness = Fairness(0.2)
        for _ in range(3_000):
            fairness.learn(int(chance.integers(OCTAVES)), int(BINS * chance.beta(2, 1)))
        table = watch_time.verdicts(fairness, 0.2)
        for length_ms in (900, 7_000, 10_000, 64_000, 9_000_000):
            octave = min((length_ms // 1000).bit_length(), OCTAVES - 1)
            for place in range(watch_time.LEFT):
                watched = int((place + 0.5) / BINS * length_ms)
                said = fairness.judge(watched, length_ms, False).felt
                assert table[octave, place] == pytest.approx(said, abs=2e-2)
            assert table[octave, -1] == fairness.judge(length_ms, length_ms, True).felt

    def test_longer_clips_gain_nothing_by_being_long(self) -> None:
        """Everybody leaves at half, whatever the length: the verdict is the same."""
        fairness = Fairness(0.2)
        table = watch_time.verdicts(fairness, 0.2)
        found = []
        for seconds in (4.0, 30.0, 90.0):
            logits = np.where(EDGES[1:] <= seconds / 2, -30.0, 30.0)[None]
            length = np.array([int(seconds * 1000)])
            found.append(watch_time.verdict(logits, length, table).item())
        assert max(found) - min(found) < 0.15


def test_a_file_is_loaded_once_and_its_fault_said_once() -> None:
    asked = []

    def read(kind: str, digest: str) -> bytes:
        asked.append(digest)
        return b"no ranker"

    held = serving.InForce(read)
    for _ in range(3):
        assert held.ranker({"ranker": DIGEST}) is None
    assert asked == [DIGEST]
    assert held.ranker({}) is None
    assert held.report()["why_not"] == ""


def _query(viewer: str, **more):
    from jhalak.feed import Query

    return Query(viewer=viewer, now_ms=NOW, **more)


@pytest.mark.slow
def test_a_candidate_is_made_judged_and_told_without_torch(monkeypatch) -> None:
    """Everything but the fitting: weights that nobody trained are not put in force."""
    from jhalak.feed.training import Reader
    from jhalak.feed.training.ranking import proposal
    from jhalak.feed.training.ranking.shape import drawn

    monkeypatch.setattr(proposal, "FEWEST", 200)
    monkeypatch.setattr(proposal, "FEWEST_JUDGED", 50)
    log: list[tuple[int, ev.Event]] = list(enumerate(crowd(900), 1))
    log += enumerate([ev.Liked("m1", 3, NOW), ev.Forgotten("m2", NOW)], len(log) + 1)
    reader = Reader()
    reader.read((offset, ev.encode(event)) for offset, event in log)
    answers = reader.answers()

    def trained(examples, seed):
        assert not np.isin(examples.viewer, answers.viewer, invert=True).any()
        assert np.isfinite(examples.features).all()
        return drawn(seed)

    one, two = (proposal.propose(log, answers, shelf(), seed=3, trained=trained) for _ in range(2))
    assert one.artefact == two.artefact
    assert one.manifest == two.manifest
    assert one.manifest.kind == "ranker"
    assert one.verdict.other.name == "the learner alone"
    assert not one.verdict.passed
    assert Ranker(one.artefact).places == ""


@pytest.mark.slow
def test_torch_and_the_graph_say_the_same() -> None:
    torch = pytest.importorskip("torch", reason='torch is not installed (the extra "train")')
    from jhalak.feed.ranker.model import INPUTS
    from jhalak.feed.training.ranking.network import _forward
    from jhalak.feed.training.ranking.shape import drawn

    rng = np.random.default_rng(1)
    given = {
        name: rng.standard_normal((5, *(n or 1 for n in shape))).astype(np.float32)
        for name, shape in INPUTS.items()
    }
    given["known"] = (given["known"] > 0).astype(np.float32)
    weights = {name: torch.tensor(array) for name, array in drawn(1).items()}
    flat = [torch.tensor(one[:, 0] if one.shape[1] == 1 else one) for one in given.values()]
    said = _forward(torch, weights, *flat).numpy()
    ranker = Ranker(untrained(mean=0.0, spread=1.0))
    told = np.concatenate(ranker.run(**given), 2)[:, 0]
    assert np.abs(said - told).max() < 1e-3
