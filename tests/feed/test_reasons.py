"""Reasons are true: take the cause away and the score falls by what the reason said."""

from __future__ import annotations

import random

import pytest

from jhalak.feed import Config, Owed, Reason, ReasonCode, Scope, Weights
from jhalak.feed import events as ev
from jhalak.feed.reasons import BY_SOURCE, FAINT
from jhalak.feed.stages import standard
from tests.feed.test_pipeline import flaky_world
from tests.feed.worlds import HOUR, NOW, World, alike, video, watch, world

CAUSES: dict[str, ev.Event] = {
    "channel": watch("m5", alike(91, author=91, channel="waves")),
    "author": watch("m5", alike(92, author=7)),
    "tag": watch("m5", alike(93, author=93, tags=("sea",))),
    "language": watch("m5", alike(94, author=94, language="hi")),
    "followed": ev.Followed("m5", 7, NOW),
}


def told(causes: dict[str, ev.Event]) -> World:
    """Video 1 has it all; 91 to 94 share one thing each with it; the others nothing."""
    full = alike(1, author=7, channel="waves", tags=("sea", "sky"), language="hi")
    teachers = [
        alike(91, author=91, channel="waves"),
        alike(92, author=7),
        alike(93, author=93, tags=("sea",)),
        alike(94, author=94, language="hi"),
    ]
    here = World([full, *teachers, *(alike(n, author=n) for n in range(20, 60))])
    here.tell(*causes.values())
    return here


@pytest.mark.parametrize("name", CAUSES)
def test_taking_the_named_cause_away_lowers_the_score(name):
    everything = told(CAUSES)
    without = told({other: event for other, event in CAUSES.items() if other != name})
    assert everything.score(1, "m5") > without.score(1, "m5")
    assert everything.term(name, 1, "m5") > without.term(name, 1, "m5")


def taken_away(viewer: str, reason: Reason) -> ev.Event | None:
    """What the viewer says to take a named cause away; None for what is no cause of theirs."""
    later = NOW + HOUR
    if reason.code in set(ev.InterestKind):
        return ev.InterestRemoved(viewer, ev.InterestKind(reason.code), reason.value, later)
    if reason.code is ReasonCode.FOLLOWED:
        return ev.Unfollowed(viewer, int(reason.value), later)
    if reason.code is ReasonCode.SIMILAR:
        return ev.Unwatched(viewer, int(reason.value), later)
    return None


def lived(seed: int) -> World:
    """Somebody with a taste of a few channels, and some whims."""
    chance = random.Random(seed)
    here = world(200)
    liked = chance.sample(range(12), 3)
    for turn in range(30):
        clip = chance.choice(list(here.videos.values()))
        wanted = int(clip.channel[1:]) in liked
        share = 1.0 if wanted or chance.random() < 0.1 else chance.random() * 0.3
        here.tell(watch("m5", clip, share, at=NOW + turn * 1000))
    here.tell(ev.Followed("m5", 1000 + chance.randrange(24), NOW + HOUR))
    return here


@pytest.mark.parametrize("seed", range(3))
def test_taking_away_what_a_served_reason_names_lowers_that_video_s_score(seed):
    here = lived(seed)
    served = [pick for turn in range(2) for pick in here.page("m5", seed=turn, n=12).picks]
    tried = set()
    for pick in served:
        for reason in pick.reasons:
            event = taken_away("m5", reason)
            if reason.weight <= 0 or event is None or (reason.code, reason.value) in tried:
                continue
            tried.add((reason.code, reason.value))
            again = World(config=here.engine._state.config)
            again.tell(*(one for _, one in here.log))
            before = again.score(pick.video, "m5", now_ms=NOW + 2 * HOUR)
            again.tell(event)
            assert again.score(pick.video, "m5", now_ms=NOW + 2 * HOUR) < before, reason
    assert {code for code, _ in tried} >= {"channel", "author", "tag"}


def test_the_strongest_terms_are_named_with_what_they_name():
    here = told(CAUSES)
    (pick,) = [p for p in here.page("m5", n=40, seed=1).picks if p.video == 1]
    (score,) = here.engine.score(_query("m5"), [1])
    strongest = sorted(score.terms, key=lambda name: -score.terms[name])[:3]
    assert [reason.code for reason in pick.reasons] == strongest
    for reason in pick.reasons:
        assert reason.weight == pytest.approx(score.terms[reason.code], abs=1e-6)
        assert reason.value == {
            "channel": "waves", "author": "7", "tag": "sea", "language": "hi", "followed": "7",
        }.get(reason.code, "")  # fmt: skip
    assert sum(score.terms.values()) == pytest.approx(score.total)


def _query(viewer: str):
    from jhalak.feed import Query

    return Query(viewer=viewer, now_ms=NOW)


def test_fresh_trending_and_quality_are_causes_too():
    old, new = alike(1, published_ms=NOW - 200 * HOUR), alike(2, published_ms=NOW)
    here = World([old, new])
    assert here.score(2) > here.score(1)
    before = here.score(1)
    here.tell(*(watch(f"m{n}", old, 1.0) for n in range(20)))
    assert here.score(1) > before
    codes = {pick.video: [r.code for r in pick.reasons] for pick in here.page(n=2).picks}
    assert set(codes[1]) == {"quality", "trending"}
    assert codes[2] == ["fresh"]


def test_many_watch_it_is_said_when_several_do():
    """A newcomer starts with some heat; that nobody watched it must not read as many do."""
    here = World([alike(n, author=n) for n in range(1, 9)], Config(owed=Owed(share=0)))
    assert {r.code for pick in here.page("g1").picks for r in pick.reasons} == {"fresh"}
    here.tell(*(watch(f"m{n}", here.videos[3], 1.0) for n in range(20, 22)))
    assert {r.code for pick in here.page("g2").picks for r in pick.reasons} == {"fresh"}
    here.tell(*(watch(f"m{n}", here.videos[3], 1.0) for n in range(22, 30)))
    said = {pick.video: {r.code for r in pick.reasons} for pick in here.page("g3").picks}
    assert said.pop(3) == {"fresh", "trending", "quality"}
    assert set().union(*said.values()) == {"fresh"}
    later = {
        p.video: {r.code for r in p.reasons} for p in here.page("g4", now_ms=NOW + 60 * HOUR).picks
    }
    assert "trending" not in later[3]


def test_of_what_is_old_and_unwatched_nobody_says_that_it_is_new():
    """All of a site that begins with an archive, where nothing speaks for anything yet."""
    old = [alike(n, author=n, published_ms=NOW - 9999 * HOUR + n) for n in range(1, 200)]
    here = World(old, Config(explore=0))
    said = [(p.video, p.source, p.reasons) for n in range(30) for p in here.page(f"g{n}").picks]
    assert {source for _, source, _ in said} >= {"loved", "trending"}
    for number, _, (reason,) in said:
        assert reason.code == ("newest" if number > 135 else "explore")


def test_that_people_take_to_it_is_said_of_what_they_took_to():
    """Not of the one clip of a kind that all love which everybody swiped past."""
    facts = {"author": 1, "channel": "waves", "tags": ("sea",), "language": "hi"}
    clips = [video(n, published_ms=NOW - 9999 * HOUR, **facts) for n in range(1, 41)]
    here = World(clips)
    for clip in clips:
        share = 1.0 if clip.video > 1 else 0.02
        here.tell(*(watch(f"m{100 * clip.video + n}", clip, share) for n in range(3)))
    assert here.term("quality", 1) > FAINT
    said = {p.video: {r.code for r in p.reasons} for p in here.page("g1", n=40).picks}
    assert "quality" in said[2]
    assert "quality" not in said[1]


def test_what_was_ranked_earlier_keeps_its_reason():
    """The scorer fails on the second page: videos of the last ranking came by their sources."""
    here, scorer = flaky_world(199)
    here.tell(*(watch("g1", here.videos[n], 1.0) for n in (3, 15, 27)))
    here.page()
    scorer.broken = True
    slate = here.page()
    assert {pick.source for pick in slate.picks} == {"last_slate"}
    for pick in slate.picks:
        (reason,) = pick.reasons
        if reason.code == "channel":
            assert reason.value == here.videos[pick.video].channel == "c3"
        if reason.code == "tag":
            assert reason.value in here.videos[pick.video].tags
    assert {"channel"} <= {pick.reasons[0].code for pick in slate.picks}


def test_what_stands_in_a_reserved_slot_says_so_first():
    """The slot is the cause: without it, and with the rest as it was, the video does not come."""
    here = told(CAUSES)
    for seed in range(20):
        slate = here.page("m5", seed=seed, now_ms=NOW + seed * HOUR // 2)
        for pick in slate.picks:
            (first, *others) = pick.reasons
            assert (first.code == "owed") == (pick.source == "owed")
            assert "owed" not in {reason.code for reason in others}
            if pick.source == "owed":
                assert (first.value, first.weight) == ("", 0.0)
                assert len(others) <= 2
        assert sum(pick.source == "owed" for pick in slate.picks) == 1


def test_a_dislike_is_never_given_as_a_reason():
    here = world(60)
    here.tell(*(watch("g1", here.videos[n], 0.05) for n in (3, 15, 27)))
    for pick in here.page(n=50).picks:
        assert all(reason.weight >= 0 for reason in pick.reasons)


def test_every_source_and_rung_has_a_reason():
    pipeline = standard(Config())
    names = {stage.name for stage in (*pipeline.sources, *pipeline.rungs)}
    assert names == BY_SOURCE.keys() | {"last_slate"}  # which keeps the source of then


def test_every_term_has_a_reason():
    assert set(Weights.__struct_fields__) - {"ranker"} <= set(ReasonCode)


def test_without_any_term_the_way_here_is_the_reason():
    zero = Config(weights=Weights(**dict.fromkeys(Weights.__struct_fields__, 0.0)), explore=0)
    here = World([video(n) for n in range(1, 30)], zero)
    assert {p.reasons[0].code for p in here.page().picks} <= {"trending", "newest", "owed"}
    (reason,) = here.page(scope=Scope.CHANNEL, scope_value="c5").picks[0].reasons
    assert (reason.code, reason.value, reason.weight) == ("scope", "c5", 0.0)
    here.tell(ev.Followed("m5", 1005, NOW))
    (reason,) = here.page("m5", scope=Scope.FOLLOWING).picks[0].reasons
    assert reason.code == "scope"
