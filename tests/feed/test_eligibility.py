"""What may never be on a page, and that a page comes whenever anything may be."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Query, Scope
from jhalak.feed import events as ev
from jhalak.feed.rungs import FOLLOWED_AT_MOST
from tests.feed.worlds import HOUR, NOW, World, alike, video, watch

VIEWERS = ("m1", "m2", "g1")
AUTHORS = (1, 2, 3, 4, 5)  # authors 1 and 2 are the viewers m1 and m2

numbers = st.integers(1, 30)
authors = st.sampled_from(AUTHORS)
viewers = st.sampled_from(VIEWERS)
published = st.builds(
    video,
    numbers,
    author=authors,
    channel=st.sampled_from(["", "a", "b"]),
    tags=st.lists(st.sampled_from("pqrs"), max_size=3).map(tuple),
    language=st.sampled_from(["", "hi", "en"]),
    published_ms=st.integers(NOW - 100 * HOUR, NOW + HOUR),
    visibility=st.sampled_from([ev.Visibility.PUBLIC] * 3 + [ev.Visibility.FOLLOWERS]),
)
times = st.integers(NOW, NOW + HOUR)
events = st.one_of(
    published,
    st.builds(ev.Withdrawn, numbers, st.sampled_from(ev.Removal)),
    st.builds(
        ev.Watched,
        viewers,
        numbers,
        st.sampled_from(ev.WatchKind),
        st.integers(0, 20_000),
        st.just(5_000),
        times,
        st.sampled_from(["", "s1", "s2"]),
        source=st.sampled_from(["", "newest", "random", "link"]),
        score=st.none() | st.integers(-(2**15), 2**15 - 1),
    ),
    st.builds(ev.NotInterested, viewers, numbers, times),
    st.builds(ev.NotInterestedUndone, viewers, numbers, times),
    st.builds(ev.Followed, viewers, authors, times),
    st.builds(ev.Unfollowed, viewers, authors, times),
    st.builds(ev.Blocked, viewers, authors, times),
    st.builds(ev.Unblocked, viewers, authors, times),
    st.builds(ev.Liked, viewers, numbers, times),
    st.builds(ev.Joined, st.just("g1"), st.sampled_from(["m1", "m2"]), times),
    st.builds(
        ev.InterestRemoved,
        viewers,
        st.sampled_from(ev.InterestKind),
        st.sampled_from(["a", "b", "p", "q", "hi", "1", "3", "99", "", "١"]),
        times,
    ),
    st.builds(ev.Unwatched, viewers, numbers, times),
    st.one_of(
        st.builds(kind, viewers, times)
        for kind in (
            ev.LearningPaused,
            ev.LearningResumed,
            ev.Forgotten,
            ev.PersonalDeclined,
            ev.PersonalAccepted,
        )
    ),
)
scopes = st.one_of(
    st.just((Scope.FOR_YOU, "")),
    st.just((Scope.FOLLOWING, "")),
    st.tuples(st.just(Scope.CHANNEL), st.sampled_from(["a", "b", "none", ""])),
    st.tuples(st.just(Scope.TAG), st.sampled_from(["p", "q", "none", ""])),
    st.tuples(st.just(Scope.AUTHOR), st.sampled_from(["1", "3", "99", "", "x", "١"])),
)


TIES = {
    ev.Followed: ("follows", True),
    ev.Unfollowed: ("follows", False),
    ev.Blocked: ("blocks", True),
    ev.Unblocked: ("blocks", False),
}


class Model:
    """The rules once more, in the plainest words, over plain sets."""

    def __init__(self) -> None:
        self.videos: dict[int, ev.Published] = {}
        self.gone: set[int] = set()
        self.pairs: dict[str, set[tuple[str, int]]] = {
            "refused": set(),
            "follows": set(),
            "blocks": set(),
        }

    def tell(self, event: ev.Event) -> None:
        if isinstance(event, ev.Published):
            self.videos[event.video] = event
            self.gone.discard(event.video)
        elif isinstance(event, ev.Withdrawn):
            self.gone |= {event.video} & self.videos.keys()
        elif isinstance(event, ev.Joined):
            for name, pairs in self.pairs.items():
                moved = {(v, what) for v, what in pairs if v == event.guest}
                self.pairs[name] = (pairs - moved) | {(event.member, w) for _, w in moved}
        elif isinstance(event, ev.NotInterested):
            if event.video in self.videos:
                self.pairs["refused"].add((event.viewer, event.video))
        elif isinstance(event, ev.NotInterestedUndone):
            self.pairs["refused"].discard((event.viewer, event.video))
        elif isinstance(event, ev.Forgotten | ev.PersonalDeclined):
            pairs = self.pairs["refused"]
            self.pairs["refused"] = {pair for pair in pairs if pair[0] != event.viewer}
        elif type(event) in TIES:
            name, add = TIES[type(event)]
            change = self.pairs[name].add if add else self.pairs[name].discard
            change((event.viewer, event.author))

    def eligible(self, viewer: str, scope: Scope = Scope.FOR_YOU, value: str = "") -> set[int]:
        return {
            number
            for number, clip in self.videos.items()
            if number not in self.gone
            and (viewer, number) not in self.pairs["refused"]
            and (viewer, clip.author) not in self.pairs["blocks"]
            and viewer != f"m{clip.author}"
            and (
                clip.visibility is ev.Visibility.PUBLIC
                or (viewer, clip.author) in self.pairs["follows"]
            )
            and self._in_scope(viewer, clip, scope, value)
        }

    def _in_scope(self, viewer: str, clip: ev.Published, scope: Scope, value: str) -> bool:
        return {
            Scope.FOR_YOU: True,
            Scope.FOLLOWING: (viewer, clip.author) in self.pairs["follows"],
            Scope.CHANNEL: clip.channel == value != "",
            Scope.TAG: value in clip.tags,
            Scope.AUTHOR: value == str(clip.author),
        }[scope]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(published, max_size=12),
    st.lists(events, max_size=60),
    viewers,
    scopes,
    st.integers(1, 12),
    st.booleans(),
    st.integers(0, 2**64),
)
def test_a_page_is_right_and_full(catalogue, history, viewer, scope, n, personal, seed):
    here, model = World(), Model()
    for event in [*catalogue, *history]:
        here.tell(event)
        model.tell(event)
    eligible = model.eligible(viewer, *scope)
    excluded = set(sorted(eligible)[:1]) if seed % 3 == 0 else set()
    eligible -= excluded
    for turn in range(3):
        slate = here.page(
            viewer,
            now_ms=NOW + turn * 1000,
            n=n,
            scope=scope[0],
            scope_value=scope[1],
            personal=personal,
            exclude=tuple(excluded),
            languages=("hi",),
            seed=seed + turn,
        )
        picked = [pick.video for pick in slate.picks]
        assert len(set(picked)) == len(picked)
        assert set(picked) <= eligible
        # Without personal input what was watched is no reason to leave a video out.
        assert len(picked) == min(n, len(eligible))
        assert [pick.slot for pick in slate.picks] == list(range(len(picked)))
        assert all(0 < pick.propensity <= 1 for pick in slate.picks)
        assert all(pick.reasons for pick in slate.picks)
        assert not [report for report in slate.stages if report.outcome in ("failed", "late")]


def test_withdrawn_is_gone_from_the_next_page_and_back_when_restored():
    here = World([video(n) for n in range(1, 9)])
    here.tell(ev.Withdrawn(3, ev.Removal.WITHDRAWN))
    assert set(here.ids(n=20)) == {1, 2, 4, 5, 6, 7, 8}
    here.tell(here.videos[3])
    assert set(here.ids(n=20)) == set(range(1, 9))
    here.tell(ev.Withdrawn(99, ev.Removal.DELETED))
    assert here.engine.report()["events"]["Withdrawn.unknown"] == 1


def test_a_change_of_visibility_channel_or_author_holds_at_once():
    here = World([video(1, author=7, channel="a"), video(2, author=8, channel="a")])
    here.tell(video(1, author=7, channel="b", visibility=ev.Visibility.FOLLOWERS))
    assert here.ids("m5", n=8) == [2]
    here.tell(ev.Followed("m5", 7, NOW))
    assert set(here.ids("m5", n=8, now_ms=NOW + HOUR)) == {1, 2}
    assert here.ids("m5", scope=Scope.CHANNEL, scope_value="a", now_ms=NOW + 2 * HOUR) == [2]
    here.tell(ev.Unfollowed("m5", 7, NOW))
    assert here.ids("m5", now_ms=NOW + 3 * HOUR) == [2]


def test_everything_seen_comes_again_longest_ago_first():
    clips = [video(n) for n in range(1, 21)]
    here = World(clips)
    order = random.Random(5).sample(range(1, 21), 20)
    here.tell(*(watch("g1", here.videos[n], 0.5, at=NOW + i) for i, n in enumerate(order)))
    here.tell(watch("g1", here.videos[order[0]], 0.5, at=NOW + 30))  # again: now seen last
    slate = here.page(now_ms=NOW + HOUR)
    assert [pick.video for pick in slate.picks] == order[1:9]
    assert {pick.source for pick in slate.picks} == {"seen_again"}
    assert {pick.reasons[0].code for pick in slate.picks} == {"seen_again"}
    assert here.page(now_ms=NOW + 9 * HOUR, seen_ok=False).picks == ()
    here.tell(video(21))
    assert here.ids(now_ms=NOW + 20 * HOUR)[0] == 21


def test_unseen_comes_before_served_and_served_before_seen():
    here = World([video(n) for n in range(1, 5)])
    (first,) = here.ids(n=1, seed=1)
    rest = set(range(1, 5)) - {first}
    watched = min(rest)
    here.tell(watch("g1", here.videos[watched], 1.0))
    page = here.ids(n=4, seed=2)
    assert set(page[:2]) == rest - {watched}
    assert page[2:] == [first, watched]


def test_an_empty_catalogue_gives_an_empty_page():
    here = World()
    for scope in Scope:
        slate = here.page(scope=scope, scope_value="1")
        assert slate.picks == ()
        assert {report.outcome for report in slate.stages} == {"empty"}
    assert here.engine.report()["pages"] == {"full": 0, "short": 0, "empty": len(Scope)}


def test_one_video_and_one_author_still_fill_a_page():
    here = World([alike(1)])
    assert here.ids() == [1]
    assert here.ids() == [1]
    here.tell(*(alike(n) for n in range(2, 30)))
    assert len(here.ids(n=8)) == 8


@pytest.mark.parametrize("n", [0, -1, 101, 10**9])
def test_a_page_of_an_absurd_length_is_refused(n):
    with pytest.raises(ValueError, match="1 to 100"):
        World([alike(1)]).page(n=n)


def test_absurd_questions_are_answered():
    here = World([video(n) for n in range(1, 30)])
    for query in (
        Query(viewer="", now_ms=0),
        Query(viewer="m", now_ms=-1),
        Query(viewer="mx", now_ms=2**62),
        Query(viewer="m" + "9" * 60, now_ms=NOW, languages=("xx", "", "hi" * 500)),
        Query(viewer="\ud800", now_ms=NOW),
        Query(viewer="g1", now_ms=NOW, exclude=(-1, 2**70, 5), seed=-(2**90)),
    ):
        slate = here.engine.slate(query)
        assert len(slate.picks) == 8
        assert not [report for report in slate.stages if report.outcome == "failed"]
    for value in ("9" * 500, "²", "-1", "c1\x00", "x" * 10**6):
        for scope in (Scope.AUTHOR, Scope.CHANNEL, Scope.TAG):
            assert here.page(scope=scope, scope_value=value).picks == ()


def test_a_member_who_follows_hundreds_gets_all_of_them():
    here = World([alike(n, author=n, published_ms=NOW - n * HOUR) for n in range(1, 401)])
    here.tell(*(ev.Followed("m9999", n, NOW) for n in range(1, 401)))
    found: set[int] = set()
    for turn in range(50):
        page = here.ids("m9999", scope=Scope.FOLLOWING, now_ms=NOW + turn)
        assert len(page) == 8
        here.tell(*(watch("m9999", here.videos[n], 1.0) for n in page))
        found |= set(page)
    assert len(found) == 400


@pytest.mark.parametrize("scope", [Scope.FOLLOWING, Scope.FOR_YOU])
def test_a_page_looks_through_so_many_people_followed_and_no_more(scope):
    """However many are followed and seen: the cost of a page has an end."""
    kind = ev.Visibility.FOLLOWERS if scope is Scope.FOR_YOU else ev.Visibility.PUBLIC
    many = FOLLOWED_AT_MOST + 200
    here = World([alike(n, author=n, visibility=kind) for n in range(1, many + 1)])
    here.tell(*(ev.Followed("m9999", n, NOW) for n in range(1, many + 1)))
    here.tell(*(watch("m9999", here.videos[n], 1.0) for n in range(1, many + 1)))
    slate = here.page("m9999", scope=scope)
    (rung,) = [report for report in slate.stages if report.stage == "rung:newest"]
    assert rung.removed == {"seen": FOLLOWED_AT_MOST}
    assert {pick.source for pick in slate.picks} == {"seen_again"}


def test_languages_and_tags_are_read_up_to_a_length():
    here = World([video(1, tags=tuple(f"t{n}" for n in range(500)), channel="c" * 10_000)])
    assert here.ids(scope=Scope.TAG, scope_value="t7") == [1]
    assert here.ids(scope=Scope.TAG, scope_value="t8") == []
    assert here.ids(scope=Scope.CHANNEL, scope_value="c" * 10_000) == [1]
