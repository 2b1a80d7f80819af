"""The order of work: what does not fit is refused at start, what fails stays small and is told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from jhalak.feed import Config, Scope
from jhalak.feed.assembly import AssemblyError
from jhalak.feed.columns import Batch, ColumnError
from jhalak.feed.page import Refusal
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.protocols import Drawn, Scores
from jhalak.feed.stages import standard
from tests.feed.worlds import NOW, World, patient, video, watch

NUMBERS = range(1, 31)


class Stage:
    """Any kind of stage; `does` is what it answers."""

    deadline_ms, quota, scopes = 1000.0, 10, frozenset(Scope)
    refusal, relaxes = Refusal.EXCLUDED, frozenset()

    def __init__(self, name="test", needs=(), provides=(), does=None, **more):
        self.name, self.needs, self.provides = name, frozenset(needs), frozenset(provides)
        self._does = does
        vars(self).update(more)

    def __call__(self, *args):
        return self._does(*args) if callable(self._does) else self._does

    draw = make = refuse = score = select = run = __call__


def changed(config: Config, **stages) -> Pipeline:
    """The pipeline that serves, with other stages put in: `sources=lambda old: [...]`."""
    kept = standard(config)
    kinds = {
        name: list(getattr(kept, name))
        for name in ("sources", "features", "before", "scorers", "after", "rungs", "finally_")
    }
    timer = stages.pop("timer", None)
    more = {"selector": stages.pop("selector", kept.selector)}
    for name, change in stages.items():
        kinds[name] = change(kinds[name])
    return Pipeline(**kinds, **more, **({"timer": timer} if timer else {}))


def world_with(config: Config | None = None, **stages) -> World:
    def pipeline(config: Config) -> Pipeline:
        return changed(config if "timer" in stages else patient(config), **stages)

    return World([video(n) for n in NUMBERS], config, pipeline=pipeline)


def outcomes(slate) -> dict[str, str]:
    return {report.stage: report.outcome.value for report in slate.stages}


def fails(*args):
    raise RuntimeError("broken on purpose")


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (
            {"features": lambda old: [Stage("early", ["like_tag"], ["x"]), *old]},
            r"feature 'early' needs 'like_tag', and feature 'interests' makes it, which runs later",
        ),
        (
            {"before": lambda old: [*old, Stage("rule", ["nowhere"])]},
            r"rule before 'rule' needs 'nowhere', and nobody makes it",
        ),
        (
            {"after": lambda old: [*old, Stage("rule", ["author"])]},
            r"rule after 'rule' needs 'author', which feature 'facts' makes, but not for the rows",
        ),
        (
            {"sources": lambda old: [*old, Stage("source", ["author"])]},
            r"source 'source' needs 'author', and feature 'facts' makes it, which runs later",
        ),
        (
            {"features": lambda old: [*old, Stage("again", [], ["author"])]},
            r"feature 'again' and feature 'facts' both make 'author'",
        ),
        (
            {"features": lambda old: [*old, Stage("again", [], ["rows"])]},
            r"feature 'again' and the pipeline both make 'rows'",
        ),
        (
            {"scorers": lambda old: [*old, Stage("scorer", ["author"], ["x"])]},
            r"scorer 'scorer' provides columns; only features may",
        ),
        ({"scorers": lambda old: [*old, *old]}, r"there are two of scorer 'session'"),
        ({"sources": lambda old: [*old, Stage("s", quota=0)]}, r"source 's' has no quota"),
        (
            {"sources": lambda old: [Stage(f"s{n}") for n in range(32)]},
            r"32 sources; at most 31",
        ),
        ({"rungs": lambda old: []}, r"without a rung a page could stay empty"),
        ({"selector": Stage("s", ["score"])}, r"selector 's' needs 'score', and nobody"),
    ],
)
def test_what_does_not_fit_together_is_refused_at_start(stages, said):
    with pytest.raises(AssemblyError, match=said):
        world_with(**stages)


def test_every_stage_of_a_page_is_reported_in_the_one_order():
    slate = world_with().page()
    kinds = [report.stage.split(":")[0] for report in slate.stages]
    order = ["source", "feature", "before", "scorer", "slate", "after"]
    assert [kind for kind, _ in itertools.groupby(kinds)] == order
    again = world_with(finally_=lambda _: [Stage("note")]).page()
    assert again.stages[-1].stage == "finally:note"


def test_a_source_that_fails_is_told_and_the_page_is_full():
    for broken in (
        fails,
        np.array([1.5]),
        np.array([10**6], np.int32),
        np.array([-1], np.int32),
        np.array([[1]], np.int32),
        None,
        [1, 2],
    ):
        here = world_with(sources=lambda old, broken=broken: [*old, Stage("mine", does=broken)])
        slate = here.page()
        assert outcomes(slate)["source:mine"] == "failed"
        assert len(slate.picks) == 8
        (error,) = [r.error for r in slate.stages if r.stage == "source:mine"]
        assert error
    stages = here.engine.report()["stages"]
    assert stages["source:mine"]["failed"] == 1


def test_a_source_brings_no_more_than_its_quota_and_each_row_once():
    rows = np.array([3] * 50 + list(range(20)), np.int32)
    here = world_with(sources=lambda old: [Stage("mine", does=rows, quota=60)])
    slate = here.page(n=30)
    assert len({pick.video for pick in slate.picks}) == len(slate.picks) == 30
    assert slate.stages[0].count == 60


@pytest.mark.parametrize("kind", ["sources", "features", "scorers"])
def test_when_all_of_a_kind_fail_the_page_still_comes(kind):
    def all_fail(old):
        return [
            Stage(s.name, s.needs, s.provides, fails, quota=5, scopes=frozenset(Scope)) for s in old
        ]

    here = world_with(**{kind: all_fail})
    slate = here.page()
    assert len({pick.video for pick in slate.picks}) == 8
    assert {pick.source for pick in slate.picks} == {"trending"}
    assert {pick.propensity for pick in slate.picks} == {1.0}


def test_the_ladder_is_climbed_rung_by_rung():
    here, scorer = flaky_world(30)
    ranked = here.page(n=4, seed=1)
    assert "last_slate" not in {pick.source for pick in ranked.picks}
    scorer.broken = True
    second = here.page(n=4, seed=2)
    assert {pick.source for pick in second.picks} == {"last_slate"}
    third = here.page(n=30, seed=3)
    assert [s for s, _ in itertools.groupby(pick.source for pick in third.picks)] == [
        "last_slate",
        "trending",
        "served_again",
    ]
    assert len({pick.video for pick in third.picks}) == 30


class Flaky:
    """A scorer that fails from when it is told to."""

    def __init__(self, inner):
        self.broken = False
        self.inner = inner
        self.name, self.needs, self.provides = inner.name, inner.needs, inner.provides
        self.deadline_ms = inner.deadline_ms

    def score(self, page, batch, earlier):
        if self.broken:
            fails()
        return self.inner.score(page, batch, earlier)


def flaky_world(count: int) -> tuple[World, Flaky]:
    scorers: list[Flaky] = []

    def pipeline(config: Config) -> Pipeline:
        made = changed(patient(config), scorers=lambda old: [Flaky(old[0])])
        scorers.extend(made.scorers)
        return made

    return World([video(n) for n in range(1, count + 1)], pipeline=pipeline), scorers[0]


def test_a_stage_whose_time_is_over_does_not_start():
    """Each look at this clock takes long; sources may start within 20 ms, scorers within 50."""
    for step, late in ((6_000_000, "source:random"), (2_700_000, "scorer:session")):
        ticks = itertools.count(step=step)
        config = Config(source_deadline_ms=20, score_deadline_ms=50)
        here = world_with(config, timer=lambda ticks=ticks: next(ticks))
        slate = here.page()
        assert outcomes(slate)[late] == "late"
        assert len(slate.picks) == 8
        assert {pick.source for pick in slate.picks} == {"trending"}
        assert here.engine.report()["stages"][late]["late"] == 1


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("answer", [fails, np.zeros(3, np.bool_), np.zeros(30), None])
def test_a_rule_that_cannot_answer_refuses_everything(where, answer):
    here = world_with(**{where: lambda old: [*old, Stage("mine", ["rows"], does=answer)]})
    slate = here.page()
    assert outcomes(slate)[f"{where}:mine"] == "failed"
    if where == "after":
        assert slate.picks == ()
    else:
        assert {pick.source for pick in slate.picks} == {"trending"}


def test_rules_say_what_they_took_out_and_why():
    here = World([video(n) for n in NUMBERS])
    here.tell(*(watch("g1", here.videos[n], 1.0) for n in range(1, 6)))
    first = here.page(n=3)
    slate = here.page(n=8)
    (newest,) = [report for report in slate.stages if report.stage == "source:newest"]
    assert newest.removed == {"seen": 5, "served": 3}
    assert not {p.video for p in first.picks} & {p.video for p in slate.picks}
    bans = np.array([n % 2 == 0 for n in range(30)])
    odd = world_with(
        before=lambda old: [
            *old, Stage("even", ["rows"], does=lambda page, batch: bans[batch.rows])
        ],
        after=lambda old: [
            *old, Stage("even", ["rows"], does=lambda page, batch: bans[batch.rows])
        ],
    )  # fmt: skip
    slate = odd.page(n=20)
    assert {n % 2 for n in (pick.video for pick in slate.picks)} == {0}
    assert len(slate.picks) == 15
    (report,) = [report for report in slate.stages if report.stage == "before:even"]
    assert report.removed == {"excluded": 15}


def test_what_a_late_rule_takes_out_is_drawn_anew():
    """A rule that stands only after the draw: the page is refilled by the same draw, and full."""
    bad = {3, 5, 7, 9, 11}
    rule = Stage("late", ["rows"], does=lambda page, batch: np.isin(batch.rows, list(bad)))
    here = world_with(after=lambda old: [*old, rule])
    for seed in range(20):
        slate = here.page(f"g{seed}", seed=seed)
        rows = {pick.video - 1 for pick in slate.picks}
        assert len(rows) == 8
        assert not rows & bad
        assert "trending" not in outcomes(slate)


def test_a_score_that_is_no_number_sinks():
    def score(page, batch, earlier):
        total = np.where(batch.rows < 20, [np.nan, np.inf, -np.inf][page.query.n % 3], 0.0)
        return Scores(total, total[None, :], ("quality",))

    here = world_with(Config(explore=0), scorers=lambda old: [Stage("mine", ["rows"], does=score)])
    for n in (7, 8, 9):
        slate = here.page(f"g{n}", n=n)
        assert all(pick.video > 20 for pick in slate.picks)
        (report,) = [report for report in slate.stages if report.stage == "scorer:mine"]
        assert report.removed == {"not_finite": 20}
    slate = here.page(n=15)  # ten are finite: the page is full all the same
    assert len(slate.picks) == 15
    assert all(np.isfinite(pick.score) and 0 < pick.propensity <= 1 for pick in slate.picks)


@pytest.mark.parametrize("broken", [fails, "nan", "short"])
def test_a_second_scorer_counts_and_the_first_stands_in_for_it(broken):
    def second(page, batch, earlier):
        assert earlier is not None
        if broken == "short":
            return Scores(np.zeros(1), np.zeros((1, 1)), ("quality",))
        value = np.full(len(batch), np.nan if broken == "nan" else 7.0)
        return Scores(value, value[None, :], ("quality",))

    fine = world_with(
        scorers=lambda old: [*old, Stage("second", does=lambda page, batch, earlier: Scores(
            earlier.total * 0 + 7, earlier.terms[:1], ("quality",)))]
    )  # fmt: skip
    assert {pick.score for pick in fine.page().picks} == {7.0}
    does = fails if broken is fails else second
    slate = world_with(scorers=lambda old: [*old, Stage("second", does=does)]).page()
    assert outcomes(slate)["scorer:second"] == "failed"
    assert "trending" not in outcomes(slate)
    assert len(slate.picks) == 8


def test_a_selector_that_fails_leaves_the_page_to_the_ladder():
    here = world_with(selector=Stage("mine", does=fails))
    assert {pick.source for pick in here.page().picks} == {"trending"}
    partly = world_with(selector=Stage("mine", does=lambda *a: [Drawn(0, 0.5, False)]))
    slate = partly.page()
    assert len({pick.video for pick in slate.picks}) == 8


def test_a_feature_must_keep_its_word():
    for column in ({"x": np.zeros(1)}, {"y": np.zeros(30)}, {}, None):
        here = world_with(
            features=lambda old, column=column: [*old, Stage("mine", ["rows"], ["x"], column)]
        )
        slate = here.page()
        assert outcomes(slate)["feature:mine"] == "failed"
        assert len(slate.picks) == 8


def test_columns_stay_with_their_rows():
    batch = Batch(np.array([4, 2, 9], np.int32))
    batch.put("double", batch.rows * 2, "doubler")
    kept = batch.keep(np.array([True, False, True]))
    assert kept.rows.tolist() == [4, 9]
    assert kept["double"].tolist() == [8, 18]
    assert (len(kept), kept.producer("double"), "double" in kept) == (2, "doubler", True)
    with pytest.raises(ColumnError, match="no column 'triple'; there are: double"):
        _ = kept["triple"]
    with pytest.raises(ColumnError, match="other makes 'double', which doubler has made"):
        kept.put("double", kept.rows, "other")
    with pytest.raises(ColumnError, match="made 3 of 'x' for 2 rows"):
        kept.put("x", batch.rows, "other")


def test_a_failure_names_itself_in_the_log_now_and_then(caplog):
    here = world_with(sources=lambda old: [*old, Stage("mine", does=fails)])
    for turn in range(100):
        here.page(now_ms=NOW + turn)
    assert len(caplog.records) == 7  # the 1st, 2nd, 4th, ... 64th
    assert here.engine.report()["stages"]["source:mine"]["failed"] == 100
