"""Absurd events, long lives and many viewers: the state stays finite, small and right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Scope
from jhalak.feed import events as ev
from jhalak.feed.fairness import FULL, Fairness
from tests.feed.worlds import HOUR, MINUTE, NOW, World, alike, video, watch, world


def finite(here: World) -> bool:
    columns = here.engine._state.catalogue.columns
    sessions = [session for _, session in here.engine._state.viewers.sessions.items()]
    return all(
        np.isfinite(columns[name]).all() for name in ("heat", "fair_count", "alone", "unsure")
    ) and all(
        math.isfinite(value)
        for session in sessions
        for interest in session.interests
        for value in (*interest.sums.values(), *interest.weights.values(), session.growth)
    )


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            ev.Watched,
            st.sampled_from(["m5", "g1"]),
            st.integers(0, 12),
            st.sampled_from(ev.WatchKind),
            st.integers(-(2**63), 2**64),
            st.integers(-(2**63), 2**64),
            st.integers(-(2**63), 2**64),
            st.sampled_from(["", "s"]),
            propensity=st.floats(allow_nan=True, allow_infinity=True),
        ),
        max_size=30,
    )
)
def test_absurd_watches_leave_everything_finite(watches):
    here = World([alike(n, duration_ms=n % 3 * 5000, channel="c") for n in range(1, 11)])
    here.tell(*watches)
    assert finite(here)
    assert here.engine.offset == 10 + len(watches)
    assert len(here.ids("m5", n=8)) == 8
    assert abs(here.score(1, "m5")) < 50


def test_time_moves_by_a_day_at_most_for_one_event():
    here = world(30)
    here.tell(watch("g1", here.videos[1], 1.0))
    here.tell(watch("g1", here.videos[2], 1.0, at=2**52))
    assert here.engine._state.now_ms == NOW + 24 * HOUR
    assert here.term("channel", 13) > 1  # what was noticed before is not swept away
    here.tell(watch("g1", here.videos[3], 1.0, at=0))
    assert here.engine._state.now_ms == NOW + 24 * HOUR
    assert finite(here)


def test_a_video_from_the_future_or_from_long_ago_is_only_a_video():
    here = world(30)
    here.tell(alike(100, published_ms=2**52), alike(101, published_ms=0))
    assert set(here.ids(n=50)) == {*range(1, 31), 100, 101}
    assert here.score(100) < here.score(1) + 3
    assert finite(here)


def test_years_go_by_and_heat_stays_a_number():
    here = world(50)
    for day in range(4000):
        here.tell(watch(f"m{day}", here.videos[1 + day % 50], 1.0, at=NOW + day * 24 * HOUR))
    assert finite(here)
    now = NOW + 4000 * 24 * HOUR
    last = 1 + 3999 % 50
    scores = {number: here.term("trending", number, now_ms=now) for number in here.videos}
    assert max(scores, key=lambda number: scores[number]) == last


@pytest.mark.slow
def test_a_viewer_of_a_hundred_thousand_events_stays_small():
    config = Config(seen=500, refused=100, interests=32)
    clips = [video(n, channel=f"c{n}", author=n, tags=(f"a{n}", f"b{n}")) for n in range(1, 2001)]
    here = World(clips, config)
    for turn in range(50):
        here.tell(
            *(watch("g1", clips[(turn * 977 + n * 13) % 2000], n % 7 / 5, at=NOW + turn * MINUTE)
              for n in range(1960)),
            *(ev.NotInterested("g1", (turn * 31 + n) % 2000 + 1, NOW) for n in range(40)),
        )  # fmt: skip
    session = here.engine._state.viewers.session("g1")
    ties = here.engine._state.viewers.ties("g1")
    assert len(session.seen) < 2 * 500
    assert len(ties.refused) <= 100
    assert all(len(interest.sums) <= 33 for interest in session.interests)
    assert all(interest.sums.keys() == interest.weights.keys() for interest in session.interests)
    assert len(session.recent) <= 8
    assert finite(here)
    assert len(here.ids(n=8)) == 8


def test_the_longest_idle_are_forgotten_and_members_ties_are_kept():
    here = World([video(n) for n in range(1, 30)], Config(members=50, guests=20))
    here.tell(ev.Blocked("m1", 1005, NOW), ev.NotInterested("m1", 7, NOW))
    here.tell(ev.NotInterested("g0", 7, NOW))
    here.tell(*(watch("m1", here.videos[3], 1.0),))
    for n in range(300):
        here.tell(watch(f"m{n + 2}", here.videos[1 + n % 29], 1.0))
        here.tell(watch(f"g{n}", here.videos[1 + n % 29], 1.0), ev.NotInterested(f"g{n}", 3, NOW))
    report = here.engine.report()["viewers"]
    assert (report["sessions"], report["guests_with_ties"]) == (50 + 20, 20)
    assert report["forgotten"] == 301 - 50 + 300 - 20
    assert here.term("channel", 15, "m1") == 0
    assert not {5, 29, 7} & set(here.ids("m1", n=30))
    assert 7 in here.ids("g0", n=30)
    for n in range(300):
        here.ids(f"g{n}", n=1)
    assert here.engine.report()["viewers"]["served_lately"] == 1 + 20


def test_a_crowd_of_guests_pushes_out_no_member():
    """A fresh cookie costs nothing: what was noticed about members, and served to them, stays."""
    here = World([video(n) for n in range(1, 30)], Config(members=20, guests=20))
    here.tell(watch("m1", here.videos[3], 1.0))
    noticed = here.term("channel", 15, "m1")
    assert noticed > 0
    first = here.ids("m1", n=8)
    for n in range(100):
        here.tell(watch(f"g{n}", here.videos[1 + n % 29], 1.0))
        here.ids(f"g{n}", n=1)
    assert here.term("channel", 15, "m1") == noticed
    assert not {3, *first} & set(here.ids("m1", n=8))


def test_tags_that_no_video_has_any_more_take_no_room():
    """Anybody can give a clip eight new tags, and eight new ones again, without end."""
    here = World([video(1, tags=("sea",)), video(2, tags=("sea",))])
    for turn in range(500):
        here.tell(video(1, tags=tuple(f"made{turn}up{n}" for n in range(8))))
    size = len(here.engine.state_bytes())
    for turn in range(500, 900):
        here.tell(video(1, tags=tuple(f"made{turn}up{n}" for n in range(8))))
    assert len(here.engine.state_bytes()) == size
    assert here.ids(scope=Scope.TAG, scope_value="made899up3") == [1]
    assert here.ids(scope=Scope.TAG, scope_value="made898up3") == []
    assert here.ids(scope=Scope.TAG, scope_value="sea") == [2]


def test_an_interest_in_a_tag_never_turns_into_one_in_another():
    """The number of a tag that is gone is the next new one's; what was felt about it is not."""
    here = World([alike(1, tags=("sea",)), alike(2, tags=("sky",)), alike(3, author=3)])
    here.tell(*(watch("m1", here.videos[1], 1.0, at=NOW + n) for n in range(3)))
    assert here.term("tag", 1, "m1") > 0
    here.tell(alike(1), alike(3, author=3, tags=("grid",)))
    assert here.term("tag", 3, "m1") == 0
    here.tell(alike(3, author=3, tags=("sea",)))
    assert here.term("tag", 3, "m1") > 0


def test_events_about_what_is_not_known_change_nothing():
    here = world(20)
    before = here.engine.state_bytes()
    here.engine.observe([(20, here.videos[1])])
    unknown = [
        watch("g1", video(99)),
        ev.Withdrawn(99, ev.Removal.DELETED),
        ev.NotInterested("g1", 99, NOW),
        ev.NotInterestedUndone("g1", 1, NOW),
        ev.Liked("g1", 99, NOW),
        ev.Unfollowed("m1", 5, NOW),
        ev.Unblocked("m1", 5, NOW),
        ev.Joined("g5", "m5", NOW),
        ev.Joined("m5", "m5", NOW),
    ]
    for event in unknown:
        here.engine._learn(event)
    events = here.engine.report()["events"]
    assert sum(count for name, count in events.items() if name.endswith(".unknown")) == 9
    # Only the clock may have moved.
    here.engine._state.now_ms = max(clip.published_ms for clip in here.videos.values())
    assert here.engine.state_bytes() == before


def test_an_event_that_makes_no_sense_is_passed_over_and_told(caplog):
    here = world(20)
    broken = ev.Published(2**80, 1, "c", (), "hi", 1000, NOW)
    here.tell(broken, video(21))
    assert here.engine.report()["events"]["Published.refused"] == 1
    assert "cannot learn" in caplog.text
    assert set(here.ids(n=50)) == set(range(1, 22))


# How watching is judged.


def judge(share: float, seconds: float, fairness: Fairness | None = None, finished: bool = False):
    fairness = fairness or Fairness(0.2)
    return fairness.judge(int(share * seconds * 1000), int(seconds * 1000), finished)


@pytest.mark.parametrize("seconds", [1, 4, 12, 59, 600, 7200])
def test_a_skip_is_a_dislike_and_a_finish_a_like_at_any_length(seconds):
    felt = [judge(share, seconds).felt for share in (0.0, 0.05, 0.19, 0.3, 0.5, 0.8, 1.0, 3.0)]
    assert felt == sorted(felt)
    assert all(value <= -0.5 for value in felt[:3])
    assert felt[0] == -1.0
    assert felt[-1] == felt[-2] >= 0.7


def test_even_where_everybody_skips_or_everybody_finishes():
    fairness = Fairness(0.2)
    for _ in range(1000):
        fairness.learn(3, 19)
    assert judge(1.0, 5, fairness).felt == 0.7
    assert judge(1.0, 5, fairness).fair < 0.1
    for _ in range(10_000):
        fairness.learn(3, 0)
    assert judge(0.0, 5, fairness).felt <= -0.5


def test_a_finish_that_the_clock_does_not_allow_is_neither():
    assert judge(0.0, 10, finished=True).felt == 0.0
    assert judge(0.75, 10, finished=True).felt >= 0.7
    here = world(30)
    here.tell(watch("g1", here.videos[1], 0.0, kind=ev.WatchKind.FINISHED))
    assert here.term("channel", 13) == 0.0


def test_a_world_in_which_interest_does_not_depend_on_length_comes_out_flat():
    """Viewers watch for as long as it interests them, less of what is long. Ranking by seconds
    puts the long first, by share the short; the fair signal neither.
    """
    chance = np.random.default_rng(11)
    fairness = Fairness(0.2)
    lengths = [5, 12, 25, 55, 110]
    fair: dict[int, list[float]] = {length: [] for length in lengths}
    shares: dict[int, list[float]] = {length: [] for length in lengths}
    for turn in range(40_000):
        length = lengths[turn % 5]
        interest = chance.random()
        share = min(1.0, interest * (20.0 / length) ** 0.5)
        verdict = judge(share, length, fairness)
        fairness.learn(verdict.octave, verdict.bin)
        if turn > 10_000:
            fair[length].append(verdict.fair)
            shares[length].append(share)
    mean = {length: float(np.mean(values)) for length, values in fair.items()}
    by_seconds = {length: float(np.mean(values)) * length for length, values in shares.items()}
    assert max(mean.values()) - min(mean.values()) < 0.05
    assert by_seconds[110] > 3 * by_seconds[5]
    assert np.mean(shares[5]) > 1.5 * np.mean(shares[110])


def test_histograms_forget():
    fairness = Fairness(0.2)
    for _ in range(int(3 * FULL)):
        fairness.learn(3, 19)
    assert sum(fairness.counts[3]) == pytest.approx(fairness.totals[3])
    assert fairness.totals[3] <= FULL
    fairness.learn(4, 0, -1.0)
    for _ in range(10):
        fairness.learn(4, 0, -1.0)
    assert min(fairness.counts[4]) >= 0


def test_one_view_told_in_parts_counts_once():
    """A part, the rest, another round: the same as the whole told at once."""
    parts, whole = world(60), world(60)
    clip = parts.videos[5]
    parts.tell(
        watch("g1", clip, 0.1, slate="s"),
        watch("g1", clip, 0.5, slate="s"),
        watch("g1", clip, 0.4, kind=ev.WatchKind.FINISHED, slate="s"),
    )
    whole.tell(watch("g1", clip, 1.0, slate="s"))
    for number in (17, 29, 6):
        assert parts.score(number) == pytest.approx(whole.score(number), abs=0.02)
    again = world(60)
    again.tell(watch("g1", clip, 1.0, slate="s"), watch("g1", clip, 1.0, slate="t"))
    assert again.term("channel", 17) > whole.term("channel", 17)
    left = world(60)  # finished, and then swiped on
    left.tell(
        watch("g1", clip, 1.0, slate="s"),
        watch("g1", clip, 0.0, kind=ev.WatchKind.SKIPPED, slate="s"),
    )
    assert left.score(17) == pytest.approx(whole.score(17))
