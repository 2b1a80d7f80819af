"""What a viewer sees and corrects of what the feed holds, and what it may not learn."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Held, InterestKind, Scope, Weights
from jhalak.feed import events as ev
from jhalak.feed.viewers import REMOVED, End
from tests.feed.test_eligibility import events as any_event
from tests.feed.test_eligibility import published
from tests.feed.test_noticing import clips_of
from tests.feed.test_pipeline import flaky_world
from tests.feed.worlds import HOUR, MINUTE, NOW, World, video, watch, world

CHANNEL, AUTHOR, TAG, LANGUAGE = InterestKind
LATER = NOW + MINUTE


def held(here: World, viewer: str = "g1", now_ms: int = NOW) -> Held:
    return here.engine.held(viewer, now_ms)


def strength(here: World, kind: InterestKind, value: str, viewer: str = "g1") -> float:
    found = {(one.kind, one.value): one.strength for one in held(here, viewer).interests}
    return found.get((kind, value), 0.0)


def fan_of_c3(viewer: str = "g1") -> World:
    here = world()
    here.tell(*(watch(viewer, clip, 1.0) for clip in clips_of(here, "c3", 3)))
    return here


def test_what_is_held_is_shown_with_its_strength():
    here = fan_of_c3()
    here.tell(watch("g1", here.videos[5], 0.05), ev.NotInterested("g1", 8, NOW))
    found = held(here)
    assert (found.personal, found.learning) == (True, True)
    assert found.watched == (5, 27, 15, 3)  # the latest first
    assert found.refused == (8,)
    assert (found.watched_count, found.refused_count) == (4, 1)
    likes = {(one.kind, one.value): one for one in found.interests}
    assert likes[CHANNEL, "c3"].strength > 0.5
    assert likes[CHANNEL, "c5"].strength < 0
    assert likes[TAG, "t3"].strength > 0
    assert likes[AUTHOR, "1003"].watches == pytest.approx(2, abs=0.2)  # of clips 3 and 27
    assert here.term("channel", 39) == pytest.approx(6.0 * likes[CHANNEL, "c3"].strength, rel=1e-6)
    by_kind = [one.strength for one in found.interests if one.kind is CHANNEL]
    assert by_kind == sorted(by_kind, reverse=True)


def test_what_is_shown_has_faded_to_now_and_asking_changes_nothing():
    here = fan_of_c3()
    before = here.engine.state_bytes()
    now, later = (
        {(one.kind, one.value): one for one in held(here, now_ms=at).interests}[CHANNEL, "c3"]
        for at in (NOW, NOW + 72 * HOUR)
    )
    assert later.watches == pytest.approx(now.watches / 2)
    assert held(here, "nobody").interests == ()
    assert here.engine.state_bytes() == before


@pytest.mark.parametrize(
    ("kind", "value", "term"),
    [
        (CHANNEL, "c3", "channel"),
        (AUTHOR, "1003", "author"),
        (TAG, "t3", "tag"),
        (LANGUAGE, "hi", "language"),
    ],
)
def test_a_removed_interest_is_gone_and_what_was_served_before_does_not_bring_it_back(
    kind, value, term
):
    here = fan_of_c3()
    before = here.term(term, 51)
    assert before > 0
    here.tell(ev.InterestRemoved("g1", kind, value, LATER))
    assert strength(here, kind, value) == 0
    assert here.term(term, 51) < before
    waiting = watch("g1", here.videos[51], 1.0, at=LATER + MINUTE)
    here.tell(_served(waiting, LATER - 1))  # it stood in the player when the interest was removed
    assert strength(here, kind, value) == 0
    here.tell(_served(watch("g1", here.videos[75], 1.0, at=LATER + HOUR), LATER + MINUTE))
    assert strength(here, kind, value) > 0  # new clips may teach it again


def _served(event: ev.Watched, served_ms: int) -> ev.Watched:
    return msgspec.structs.replace(event, served_ms=served_ms)


def test_taking_back_a_gesture_does_not_bring_a_removed_interest_back():
    here = fan_of_c3()
    here.tell(ev.NotInterested("g1", 5, NOW), ev.Liked("g1", 3, NOW))
    here.tell(ev.InterestRemoved("g1", CHANNEL, "c5", LATER))
    here.tell(ev.InterestRemoved("g1", CHANNEL, "c3", LATER))
    here.tell(ev.NotInterestedUndone("g1", 5, LATER + 1), ev.Unliked("g1", 3, LATER + 1))
    assert strength(here, CHANNEL, "c5") == strength(here, CHANNEL, "c3") == 0


def test_what_a_guest_held_does_not_bring_back_what_the_member_removed():
    here = fan_of_c3("m5")
    here.tell(ev.InterestRemoved("m5", CHANNEL, "c3", LATER))
    here.tell(*(watch("g1", clip, 1.0) for clip in clips_of(here, "c3", 3)))
    here.tell(ev.Joined("g1", "m5", LATER + 1))
    assert strength(here, CHANNEL, "c3", "m5") == 0
    assert strength(here, TAG, "t3", "m5") > 0


def test_removing_what_nobody_knows_is_unknown_and_removals_are_bounded():
    here = fan_of_c3()
    for kind, value in ((CHANNEL, "none"), (AUTHOR, "x"), (AUTHOR, "٣"), (TAG, ""), (LANGUAGE, "")):
        here.tell(ev.InterestRemoved("g1", kind, value, LATER))
    here.tell(ev.InterestRemoved("g9", CHANNEL, "c3", LATER))  # of whom nothing is held
    assert here.engine.report()["events"]["InterestRemoved.unknown"] == 6
    here.tell(*(ev.InterestRemoved("g1", TAG, f"no{n}", LATER) for n in range(2 * REMOVED)))
    assert len(here.engine._state.viewers.session("g1").removed) == REMOVED


def test_a_clip_taken_out_of_the_history_takes_along_what_it_taught():
    here = world()
    here.tell(watch("g1", here.videos[1], 1.0))
    before = held(here).interests
    here.tell(watch("g1", here.videos[3], 1.0), watch("g1", here.videos[5], 0.0))
    here.tell(ev.Unwatched("g1", 3, NOW))
    assert held(here).watched == (5, 1)
    assert "c3" not in {one.value for one in held(here).interests}
    assert strength(here, CHANNEL, "c1") == pytest.approx(before[0].strength, abs=0.03)
    assert any(3 in here.ids(seed=seed, n=60, now_ms=NOW + seed * HOUR) for seed in range(8))
    here.tell(ev.Unwatched("g1", 3, NOW), ev.Unwatched("g7", 3, NOW), ev.Unwatched("g1", 999, NOW))
    assert here.engine.report()["events"]["Unwatched.unknown"] == 3


def gestures(here: World, viewer: str) -> list[ev.Event]:
    return [
        *(watch(viewer, clip, 1.0, at=LATER) for clip in clips_of(here, "c7", 4)),
        watch(viewer, here.videos[5], 0.05, at=LATER),
        ev.Liked(viewer, 9, LATER),
        ev.Saved(viewer, 9, LATER),
        ev.Shared(viewer, 9, LATER),
        ev.ProfileOpened(viewer, 9, LATER),
        ev.Followed(viewer, 1010, LATER),
    ]


def test_while_paused_nothing_is_learnt_and_the_page_goes_on_from_what_is_held():
    here = fan_of_c3()
    here.tell(ev.LearningPaused("g1", NOW))
    before = held(here)
    assert (before.learning, before.personal) == (False, True)
    pages = [here.ids(seed=seed, now_ms=NOW + seed * HOUR) for seed in range(3)]
    here.tell(*gestures(here, "g1"))
    assert held(here) == before
    again = [here.page(seed=seed, now_ms=NOW + 9 * HOUR + seed * HOUR) for seed in range(3)]
    assert "channel" in again[0].inputs
    assert [here.videos[pick.video].channel for pick in again[0].picks].count("c3") >= 3
    assert len(pages[0]) == 8
    here.tell(ev.LearningResumed("g1", LATER), watch("g1", here.videos[7], 1.0, at=LATER))
    assert held(here).learning
    assert strength(here, CHANNEL, "c7") > 0


def test_a_watch_of_a_paused_viewer_counts_for_the_video():
    here = world()
    before = here.score(7, "g2")
    here.tell(ev.LearningPaused("g1", NOW), watch("g1", here.videos[7], 1.0))
    assert here.score(7, "g2") > before


def test_what_is_declared_holds_while_paused():
    here = world(60)
    here.tell(ev.LearningPaused("m5", NOW), ev.NotInterested("m5", 5, NOW))
    here.tell(ev.Blocked("m5", 1006, NOW), ev.Followed("m5", 1010, NOW))
    assert held(here, "m5").refused == (5,)
    assert held(here, "m5").interests == ()
    everything = set(here.ids("m5", n=60))
    assert not everything & {5, 6, 30, 54}
    assert here.ids("m5", scope=Scope.FOLLOWING, now_ms=NOW + HOUR)


def test_reset_leaves_what_somebody_new_would_have():
    here = fan_of_c3()
    here.tell(*gestures(here, "g1"), ev.NotInterested("g1", 8, NOW))
    here.page()
    here.tell(ev.Forgotten("g1", LATER))
    fresh = here.engine.held("g2", NOW)
    found = held(here)
    assert (found.interests, found.refused, found.watched) == (fresh.interests, (), ())
    here.tell(ev.Unfollowed("g1", 1010, LATER), ev.Forgotten("g1", LATER))
    for seed in range(5):
        mine, new = (here.page(who, seed=seed, now_ms=NOW + seed * HOUR) for who in ("g1", "g2"))
        assert mine.picks == new.picks
        assert mine.inputs == new.inputs == ()
    here.tell(ev.Forgotten("g3", LATER))
    assert here.engine.report()["events"]["Forgotten.unknown"] == 1


def test_who_declines_is_forgotten_and_not_learnt_about():
    here = fan_of_c3("m5")
    here.tell(ev.PersonalDeclined("m5", LATER), *gestures(here, "m5"))
    found = held(here, "m5")
    assert (found.personal, found.learning) == (False, False)
    assert (found.interests, found.watched) == ((), ())
    here.tell(watch("g1", here.videos[3], 1.0), ev.Joined("g1", "m5", LATER))
    assert held(here, "m5") == found
    assert here.page("m5").inputs == ()  # whatever the query says
    here.tell(ev.PersonalAccepted("m5", LATER), watch("m5", here.videos[3], 1.0))
    assert strength(here, CHANNEL, "c3", "m5") > 0


DECLARED = (
    ev.Followed | ev.Unfollowed | ev.Blocked | ev.Unblocked | ev.NotInterested
    | ev.NotInterestedUndone | ev.PersonalDeclined | ev.PersonalAccepted | ev.Joined
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(published, min_size=1, max_size=12),
    st.lists(any_event, max_size=50),
    st.booleans(),
    st.integers(0, 2**64),
)
def test_any_history_of_behaviour_leads_to_the_same_page(catalogue, history, declines, seed):
    """m8 did all that m2 did, but declared nothing; m9 did nothing. Who declined, and whose query
    is not personal, gets the page of the other.
    """
    # Each asks in a world of its own: a page pays a part of what is owed, which the next one sees.
    asked = []
    for who in ("m8", "m9"):
        here = World(catalogue)
        if declines:
            here.tell(ev.PersonalDeclined("m8", NOW), ev.PersonalDeclined("m9", NOW))
        for event in history:
            here.tell(event)
            if getattr(event, "viewer", "") == "m2" and not isinstance(event, DECLARED):
                here.tell(msgspec.structs.replace(event, viewer="m8"))
        asked.append((here, who))
    for turn in range(2):
        now_ms = NOW + turn * HOUR
        known, unknown = (
            here.page(who, now_ms=now_ms, seed=seed + turn, personal=declines, languages=("hi",))
            for here, who in asked
        )
        assert known.picks == unknown.picks
        assert known.inputs == unknown.inputs == ()


def test_the_inputs_of_a_page_name_what_was_learnt():
    here = world()
    assert here.page().inputs == ()
    here.tell(watch("g1", here.videos[3], 1.0))
    assert here.page().inputs == ("channel", "author", "tag", "language", "seen", "taste")
    assert here.page(personal=False).inputs == ()
    assert here.engine.report()["inputs"]["none"] == 2


def test_a_failure_does_not_bring_back_a_personal_ranking():
    """The last ranking was made with what was learnt: it is no fallback for who has declined."""
    here, scorer = flaky_world(199)
    here.tell(*(watch("m5", here.videos[n], 1.0) for n in (3, 15, 27)))
    here.page("m5")
    scorer.broken = True
    assert {pick.source for pick in here.page("m5").picks} == {"last_slate"}
    assert "last_slate" not in {pick.source for pick in here.page("m5", personal=False).picks}
    here.tell(ev.PersonalDeclined("m5", NOW), ev.PersonalAccepted("m5", NOW))
    assert "last_slate" not in {pick.source for pick in here.page("m5").picks}


def test_an_idle_order_counts_who_is_paused_as_active():
    here = World([video(n) for n in range(1, 9)], Config(guests=2))
    here.tell(
        watch("g1", here.videos[1]), ev.LearningPaused("g1", NOW), watch("g2", here.videos[1])
    )
    here.tell(watch("g1", here.videos[2]), watch("g3", here.videos[1]))
    assert held(here, "g1").watched == (1,)
    assert held(here, "g2").watched == ()


def taste_of_c3(viewer: str = "g1") -> World:
    """Without the four interests: what is left of a score is the taste."""
    plain = Weights(**dict.fromkeys(Weights.__struct_fields__, 0.0) | {"similar": 1.0})
    here = world(config=Config(weights=plain))
    here.tell(*(watch(viewer, clip, 1.0) for clip in clips_of(here, "c3", 3)))
    here.tell(*(watch(viewer, clip, 0.0) for clip in clips_of(here, "c5", 3)))
    return here


def test_a_removed_interest_goes_out_of_the_taste_too():
    here = taste_of_c3()
    before = here.score(51)
    assert before > here.score(41)
    here.tell(ev.InterestRemoved("g1", CHANNEL, "c3", LATER))
    gone = here.score(51)
    assert gone < before
    assert held(here).answers == 3
    here.tell(_served(watch("g1", here.videos[51], 1.0, at=LATER + MINUTE), LATER - 1))
    assert held(here).answers == 3
    here.tell(_served(watch("g1", here.videos[63], 1.0, at=LATER + HOUR), LATER + MINUTE))
    assert held(here).answers == 4


def test_a_clip_taken_out_of_the_history_goes_out_of_the_taste():
    here = taste_of_c3()
    before = here.score(51)
    here.tell(ev.Unwatched("g1", 3, LATER))
    assert here.score(51) < before
    here.tell(ev.Liked("g1", 15, LATER), ev.Liked("g1", 99, LATER))
    assert held(here).watched[-1] == 99  # not watched, but in the taste
    here.tell(ev.Unwatched("g1", 15, LATER), ev.Unwatched("g1", 99, LATER))
    assert held(here).answers == 4


def test_the_taste_of_who_is_paused_stays_and_of_who_declined_goes():
    here = taste_of_c3("m5")
    here.tell(ev.LearningPaused("m5", LATER))
    own = here.engine._state.viewers.tastes.get("m5").copy()
    here.tell(*gestures(here, "m5"))
    kept = here.engine._state.viewers.tastes.get("m5")
    assert (kept.mean == own.mean).all()
    assert kept.level == own.level
    here.tell(ev.PersonalDeclined("m5", LATER), *gestures(here, "m5"))
    assert here.engine._state.viewers.tastes.get("m5") is None
    assert here.score(51, "m5") == here.score(51, "g9")
    guest = taste_of_c3()
    guest.tell(ev.PersonalDeclined("m5", LATER), ev.Joined("g1", "m5", LATER))
    assert guest.score(51, "m5") == guest.score(51, "g9")
    assert guest.engine._state.viewers.tastes.get("m5") is None


def test_what_a_guest_answered_does_not_bring_a_removed_interest_back():
    here = taste_of_c3()
    here.tell(watch("m5", here.videos[3], 1.0), ev.InterestRemoved("m5", CHANNEL, "c3", LATER))
    here.tell(ev.Joined("g1", "m5", LATER))
    assert held(here, "m5").answers == 3  # the three of c5


def answers(here: World, viewer: str = "g1") -> list[tuple[int, End]]:
    session = here.engine._state.viewers.session(viewer)
    ids = here.engine._state.catalogue.ids
    return [(ids.item(row), end) for row, end in zip(session.answers, session.ends, strict=True)]


def test_a_member_who_logs_in_keeps_what_they_answered_since_they_removed_an_interest():
    here = taste_of_c3("m5")
    here.tell(ev.InterestRemoved("m5", CHANNEL, "c3", LATER))
    here.tell(watch("m5", here.videos[63], at=LATER + HOUR))
    before = answers(here, "m5")
    assert 63 in dict(before)
    for guest in ("g1", "g2"):  # of one nothing is held
        here.tell(watch("g1", here.videos[51]), ev.Joined(guest, "m5", LATER + 2 * HOUR))
        assert answers(here, "m5") == before


def test_an_interest_in_a_tag_that_no_video_has_any_more_takes_no_other_answer_along():
    here = taste_of_c3()
    here.tell(video(99, tags=("rare",)), watch("g1", video(99)), video(99, tags=("t9",)))
    assert (TAG, "rare") in {(one.kind, one.value) for one in held(here).interests}
    before = answers(here)
    here.tell(ev.InterestRemoved("g1", TAG, "rare", LATER))
    assert strength(here, TAG, "rare") == 0
    assert answers(here) == before


@pytest.mark.parametrize(
    ("said", "undone"),
    [(ev.Liked, ev.Unliked), (ev.Saved, ev.Unsaved), (ev.NotInterested, ev.NotInterestedUndone)],
)
def test_a_gesture_that_is_taken_back_takes_no_watch_along(said, undone):
    """A clip is liked while it plays, and its watching is told when the viewer moves on."""
    here, without = world(), world()
    here.tell(said("g1", 3, NOW))
    for one in (here, without):
        one.tell(watch("g1", one.videos[3], 0.6, at=LATER))
    here.tell(undone("g1", 3, LATER + 1))
    assert answers(here) == answers(without) == [(3, End.LEFT)]
    here.tell(undone("g1", 3, LATER + 2))  # as of a gesture so old that it is no answer any more
    assert answers(here) == [(3, End.LEFT)]


def test_a_watch_that_goes_on_after_a_like_is_the_one_that_is_judged_anew():
    here, liked = world(), world()
    liked_then = [watch("g1", here.videos[3], 0.3, slate="s", kind=ev.WatchKind.WATCHED),
                  watch("g1", here.videos[3], 0.7, slate="s", at=LATER)]  # fmt: skip
    here.tell(*liked_then)
    liked.tell(liked_then[0], ev.Liked("g1", 3, NOW + 1), liked_then[1])
    assert answers(liked) == [*answers(here), (3, End.GESTURE)]
    both = [one.engine._state.catalogue.columns["alone"] for one in (here, liked)]
    assert (both[0] == both[1]).all()
