"""The feed notices: what a viewer does with this page changes the next one."""

from __future__ import annotations

from collections import Counter

import pytest

from jhalak.feed import Config, Quotas, Scope, Weights
from jhalak.feed import events as ev
from tests.feed.worlds import HOUR, MINUTE, NOW, World, alike, video, watch, world


def channels(a_world: World, slate) -> Counter[str]:
    return Counter(clip.channel for clip in a_world.of(slate.picks))


def clips_of(a_world: World, channel: str, count: int) -> list[ev.Published]:
    return [clip for clip in a_world.videos.values() if clip.channel == channel][:count]


@pytest.mark.parametrize("viewer", ["g1", "m5"])
@pytest.mark.parametrize("count", [120, 240, pytest.param(2000, marks=pytest.mark.slow)])
def test_three_skips_and_three_full_watches_change_the_next_page(viewer, count):
    liked, skipped = 0, 0
    for seed in range(12):
        here = world(count)
        before = here.page(viewer, seed=seed)
        for clip in clips_of(here, "c3", 3):
            here.tell(watch(viewer, clip, 0.08, slate=before.slate))
        for clip in clips_of(here, "c7", 3):
            here.tell(watch(viewer, clip, 1.0, slate=before.slate))
        after = channels(here, here.page(viewer, now_ms=NOW + MINUTE, seed=seed))
        assert channels(here, before).most_common(1)[0][1] <= 3
        assert 3 <= after["c7"] <= 6  # most of the page, never all of it
        assert after["c3"] <= 1
        liked += after["c7"]
        skipped += after["c3"]
    assert liked >= 12 * 5
    assert skipped <= 1


def test_one_skip_and_one_watch_already_count():
    here = world()
    here.tell(watch("g1", here.videos[3], 0.1), watch("g1", here.videos[7], 1.0))
    assert here.score(15) < here.score(2) < here.score(19)  # same channels as 3, none, 7


def test_not_interested_never_again_and_less_like_it():
    here = world()
    before = {number: here.score(number) for number in here.videos}
    here.tell(ev.NotInterested("g1", 5, NOW))
    for number, clip in here.videos.items():
        alike_in = (clip.channel == "c5") + (clip.author == 1005) + ("x5" in clip.tags)
        if alike_in:
            assert here.score(number) < before[number]
    assert here.score(29) < before[29] - 6  # author, channel and tags of video 5
    for seed in range(40):
        assert 5 not in here.ids(seed=seed, n=30, now_ms=NOW + seed * HOUR)
    here.tell(ev.NotInterestedUndone("g1", 5, NOW))
    assert here.score(29) == pytest.approx(before[29], abs=0.01)
    assert any(5 in here.ids(seed=seed, n=30, now_ms=NOW + seed * HOUR) for seed in range(40))


def test_said_twice_and_undone_once_is_undone():
    here = world()
    before = here.score(29)
    here.tell(ev.NotInterested("g1", 5, NOW), ev.NotInterested("g1", 5, NOW))
    here.tell(ev.NotInterestedUndone("g1", 5, NOW), ev.NotInterestedUndone("g1", 5, NOW))
    assert here.score(29) == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize(
    ("done", "undone"),
    [(ev.Liked, ev.Unliked), (ev.Saved, ev.Unsaved), (ev.Shared, None), (ev.ProfileOpened, None)],
)
def test_gestures_raise_what_is_like_it_and_undoing_takes_that_back(done, undone):
    here = world()
    before = here.score(29)
    here.tell(done("m2", 5, NOW))
    assert here.score(29, "m2") > before
    assert here.score(29, "m3") == before
    if undone is not None:
        here.tell(undone("m2", 5, NOW))
        assert here.score(29, "m2") == pytest.approx(before, abs=0.01)


def test_following_raises_the_author_and_unfollowing_takes_that_back():
    here = world()
    before = here.score(29)
    here.tell(ev.Followed("m2", 1005, NOW), ev.Followed("m2", 1005, NOW))
    assert here.score(29, "m2") > before + 1
    here.tell(ev.Unfollowed("m2", 1005, NOW))
    assert here.score(29, "m2") == pytest.approx(before, abs=0.01)


def test_a_later_change_of_mind_wins():
    here = world()
    here.tell(*(watch("g1", clip, 1.0) for clip in clips_of(here, "c3", 3)))
    raised = here.score(39)
    for clip in clips_of(here, "c3", 10)[3:]:
        before = here.score(39)
        here.tell(watch("g1", clip, 0.05))
        assert here.score(39) < before
    assert here.score(39) < 0 < raised


def test_an_interest_fades_with_time_and_with_other_watches():
    here = world()
    here.tell(watch("g1", here.videos[3], 1.0))
    fresh = here.term("channel", 15)
    here.tell(watch("g1", here.videos[1], 1.0, at=NOW + 12 * HOUR))
    faded = here.term("channel", 15)
    assert 0 < faded < fresh
    here.tell(*(watch("g1", here.videos[number], 1.0) for number in (1, 2, 4, 5, 6, 8)))
    assert 0 < here.term("channel", 15) < faded


def test_without_personal_input_behaviour_changes_nothing():
    here = world()
    here.tell(*(watch("m1", clip, 1.0) for clip in clips_of(here, "c3", 9)))
    here.tell(ev.Liked("m1", 15, NOW), ev.ProfileOpened("m1", 15, NOW))
    for seed in range(10):
        query = {"seed": seed, "personal": False, "now_ms": NOW + seed * HOUR}
        known, unknown = here.page("m1", **query), here.page("m2", **query)
        assert list(known.picks) == list(unknown.picks)
    assert here.score(15, "m1", personal=False) == here.score(15, "m2", personal=False)
    assert here.score(15, "m1") > here.score(15, "m2")


def test_without_personal_input_blocks_refusals_and_follows_still_hold():
    here = World([video(number, author=number % 3) for number in range(1, 31)])
    here.tell(ev.Blocked("m9", 1, NOW), ev.NotInterested("m9", 2, NOW), ev.Followed("m9", 0, NOW))
    found = set(here.ids("m9", personal=False, n=30))
    assert found == {n for n in range(1, 31) if n % 3 != 1 and n != 2}
    followed = here.ids("m9", personal=False, n=10, scope=Scope.FOLLOWING, now_ms=NOW + HOUR)
    assert set(followed) == {n for n in range(1, 31) if n % 3 == 0}


def test_what_was_served_does_not_come_again_at_once():
    here = world()
    seen: list[int] = []
    for page in range(20):
        seen += here.ids(now_ms=NOW + page)
    assert len(set(seen)) == len(seen) == 160


def test_a_guest_who_joins_takes_along_what_was_noticed():
    here = world()
    here.tell(
        *(watch("g1", clip, 1.0) for clip in clips_of(here, "c3", 3)),
        ev.NotInterested("g1", 5, NOW),
        ev.Followed("m1", 1010, NOW),
        watch("m1", here.videos[7], 0.1),
    )
    as_guest, before = here.score(75, "g1"), here.score(75, "m1")
    assert as_guest > before + 1
    here.tell(ev.Joined("g1", "m1", NOW))
    assert here.score(75, "m1") > before + 1
    assert here.score(19, "m1") < here.score(20, "m1")  # what the member had skipped still counts
    assert here.score(75, "g1") == here.score(75, "g2")  # the guest is a stranger again
    watched = {clip.video for clip in clips_of(here, "c3", 3)}
    for seed in range(10):
        page = set(here.ids("m1", n=50, seed=seed, now_ms=NOW + seed * HOUR))
        assert not page & (watched | {5, 7})


def test_of_two_watched_alike_the_newer_is_hotter_at_any_later_time():
    old, new = alike(1, published_ms=NOW - 50 * HOUR), alike(2, published_ms=NOW - HOUR)
    weights = Weights(fresh=0, quality=0, trending=1)
    here = World([old, new], Config(weights=weights))
    here.tell(*(watch(f"m{n}", clip, 1.0) for n in range(20) for clip in (old, new)))
    for days in (0, 1, 10, 100, 1000):
        later = NOW + days * 24 * HOUR
        assert here.score(2, now_ms=later) > here.score(1, now_ms=later)


def test_heat_decays_and_does_not_grow():
    before, after = alike(1), alike(2)
    here = World([before, after], Config(weights=Weights(fresh=0, quality=0, trending=1)))
    here.tell(*(watch(f"m{n}", before, 1.0, at=NOW) for n in range(10)))
    here.tell(*(watch(f"m{n}", after, 1.0, at=NOW + 20 * HOUR) for n in range(10)))
    assert here.score(2, now_ms=NOW + 20 * HOUR) > here.score(1, now_ms=NOW + 20 * HOUR)


def test_trending_prefers_the_languages_declared_and_falls_back_to_all():
    quotas = Quotas(newest=1, trending=8, random=1, loved=1)
    clips = [video(n, language="hi" if n <= 3 else "ta") for n in range(1, 200)]
    here = World(clips, Config(quotas=quotas, explore=0))
    slate = here.page("g1", languages=("hi",), n=8, seed=1)
    trending = [p.video for p in slate.picks if p.source == "trending"]
    assert {1, 2, 3} <= {pick.video for pick in slate.picks}
    assert any(here.videos[number].language == "ta" for number in trending)


@pytest.mark.parametrize("name", [n for n in Weights.__struct_fields__ if n != "ranker"])
def test_every_weight_changes_an_order(name):
    """Two videos that differ in one respect only: its weight decides, and its sign the order."""
    plain = {"author": 1, "channel": "", "tags": (), "language": "", "published_ms": NOW - 9 * HOUR}
    differing = {
        "channel": {"channel": "waves"},
        "author": {"author": 2},
        "tag": {"tags": ("sea",)},
        "language": {"language": "hi"},
        "followed": {"author": 3},
        "fresh": {"published_ms": NOW - HOUR},
        "trending": {},
        "quality": {},
        "similar": {"tags": ("sea",)},
    }[name]
    one, other = alike(1, **plain), alike(2, **(plain | differing))
    taught = {"channel": "waves", "author": 2, "tags": ("sea",), "language": "hi"}
    teacher = alike(
        3, **(plain | {"author": 9} | {k: v for k, v in taught.items() if k in differing})
    )
    for weight in (1.0, -1.0):
        zero = dict.fromkeys(Weights.__struct_fields__, 0.0)
        here = World([one, other, teacher], Config(weights=Weights(**(zero | {name: weight}))))
        if name == "followed":
            here.tell(ev.Followed("g1", 3, NOW))
        elif name in ("trending", "quality"):
            here.tell(*(watch(f"m{n}", other, 1.0) for n in range(5)))
        else:
            here.tell(watch("g1", teacher, 1.0))
        difference = here.score(2) - here.score(1)
        assert difference * weight > 0
