"""What new videos are owed: paid in turns from reserved slots, and told truly when it is less."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.feed import Config, Engine, Owed, Query, Scope
from jhalak.feed import events as ev
from jhalak.feed.in_flight import InFlight
from jhalak.feed.orderings import NO_ROWS
from jhalak.feed.owed import FIGURES
from jhalak.feed.owed_rate import Rate
from jhalak.feed.page import Page
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.sampler import Places
from tests.feed.test_eligibility import events as any_event
from tests.feed.test_eligibility import published
from tests.feed.test_pipeline import Stage, changed
from tests.feed.worlds import HOUR, MINUTE, NOW, World, alike, patient, video, watch

DAY = 24 * HOUR


def apart(config: Config) -> Pipeline:
    """Nothing but the reserved slots brings the new: what is owed is seen by itself."""

    def past(page: Page) -> np.ndarray:
        rows = page.open(page.catalogue.newest.all())
        return rows[page.catalogue.published[rows] < NOW - 30 * DAY][:60]

    def none(_page: Page) -> np.ndarray:
        return NO_ROWS

    def sources(old: list) -> list:
        bring = {source.name: none for source in old} | {"newest": past}
        return [
            one if one.name == "owed" else Stage(one.name, quota=60, does=bring[one.name])
            for one in old
        ]

    return changed(patient(config), sources=sources)


def owing(videos, old: int = 60, **owed) -> World:
    """A world of `old` videos that are owed nothing, as it is NOW when they come, and these."""
    config = Config(owed=Owed(**owed), explore=0)
    past = [alike(n, author=n, published_ms=NOW - 40 * DAY - n) for n in range(9001, 9001 + old)]
    clock = fresh(9000, visibility=ev.Visibility.FOLLOWERS)
    return World([clock, *past, *videos], config, pipeline=apart)


def fresh(number: int, **facts) -> ev.Published:
    return alike(number, **({"author": number, "published_ms": NOW} | facts))


def books(here: World) -> dict:
    return here.engine.report()["owed"]


def owed(slate) -> list[int]:
    """The videos of a page in slots reserved for what is owed."""
    return [pick.video for pick in slate.picks if pick.reasons[0].code == "owed"]


def shown(here: World, numbers) -> list[int]:
    catalogue = here.engine._state.catalogue
    return [int(catalogue.columns["fair_count"][catalogue.row_of[n]]) for n in numbers]


def traffic(here: World, pages: int, hours: float, start: int = NOW, viewers: int = 50) -> None:
    """Pages of 8 spread evenly over some hours, all of each watched, more or less."""
    chance = random.Random(5)
    for turn in range(pages):
        now = start + int((turn + 1) * hours * HOUR / pages)
        viewer = f"g{turn % viewers}"
        slate = here.page(viewer, now_ms=now, seed=turn)
        here.tell(*(watch(viewer, clip, chance.random(), at=now, slate=slate.slate)
                    for clip in here.of(slate.picks)))  # fmt: skip


# A whole day


@pytest.mark.slow
def test_with_enough_traffic_every_new_video_gets_what_it_is_owed_in_time():
    new = range(1, 301)
    here = owing([fresh(n) for n in new], old=400, impressions=3)
    traffic(here, 1200, 20, viewers=200)
    assert min(shown(here, new)) >= 3
    figures = books(here)
    assert figures["paid_in_time"] == 300
    assert figures["in_debt"] == figures["paid_late"] == figures["paid_short"] == 0
    assert (figures["asked"], figures["now"], figures["over_capacity"]) == (3, 3, False)
    # The slots are given back when nothing is owed any more.
    assert not owed(here.page("g9999", now_ms=NOW + 20 * HOUR))


@pytest.mark.slow
def test_with_too_little_traffic_all_get_less_alike_and_the_report_says_so():
    new = range(1, 301)
    here = owing([fresh(n) for n in new], old=400, impressions=12)
    traffic(here, 700, 26, viewers=200)
    figures = books(here)
    assert figures["over_capacity"] is False  # the day is over, and with it what was too much
    assert figures["paid_in_time"] == figures["paid_short"] == 300
    assert shown(here, new) == [2] * 300  # a day brings 646 reserved slots
    assert figures["shown"] == 600
    assert figures["in_debt"] == figures["missed"] == 0


def test_over_capacity_is_said_while_it_is_so():
    here = owing([fresh(n) for n in range(1, 301)], old=400, impressions=12)
    assert books(here)["capacity"] is None
    assert books(here)["now"] == 12  # nothing is known yet
    traffic(here, 120, 4, viewers=100)
    figures = books(here)
    assert figures["capacity"] == pytest.approx(120 * 6, rel=0.1)
    assert figures["demand"] == 12 * 300
    assert figures["over_capacity"] is True
    assert figures["now"] == int(figures["capacity"] / 300) == 2
    assert figures["oldest_ms"] == 4 * HOUR


def test_who_floods_takes_one_turn_of_many():
    """500 uploads of one author and one each of 30: the 30 are paid as if he had uploaded eight."""
    flood = [fresh(1000 + n, author=7) for n in range(500)]
    here = owing([*flood, *(fresh(n, author=100 + n) for n in range(1, 31))], impressions=4,
                 answer_ms=1)  # fmt: skip
    assert books(here)["demand"] == 4 * (30 + 8)
    turns: Counter[int] = Counter()
    for turn in range(200):
        found = owed(here.page(f"g{turn}", now_ms=NOW + turn * 1000, seed=turn))
        here.tell(*(watch(f"g{turn}", here.videos[n], at=NOW + turn * 1000) for n in found))
        turns.update(here.videos[number].author for number in found)
        if sum(turns.values()) <= 62:
            assert turns[7] <= 5
    assert shown(here, range(1, 31)) == [4] * 30
    assert turns[7] >= 60  # what the others leave
    assert books(here)["by_size"]["one"]["in_time"] == 30
    assert books(here)["by_size"]["many"]["in_time"] == turns[7] // 4


def test_where_one_watch_pays_who_floods_takes_his_turn_all_the_same():
    here = owing([fresh(1000 + n, author=7) for n in range(20)]
                 + [fresh(n, author=100 + n) for n in range(1, 60)], impressions=1)  # fmt: skip
    ledger = here.engine._state.owed
    first = [next(iter(rows)) for rows in ledger.by_language[-1].first(99)]
    here.tell(watch("g1", here.videos[1000]))
    after = [next(iter(rows)) for rows in ledger.by_language[-1].first(99)]
    assert after[:-1] == first[1:]
    assert after[-1] == first[0] + 1


# The slots


def test_one_slot_of_eight_and_never_the_first_two():
    here = owing([fresh(n) for n in range(1, 200)])
    places: Counter[int] = Counter()
    for turn in range(120):
        slate = here.page(f"g{turn}", seed=turn)
        assert len(owed(slate)) == 1
        (pick,) = [pick for pick in slate.picks if pick.reasons[0].code == "owed"]
        assert pick.source == "owed"
        places[pick.slot] += 1
    assert set(places) == set(range(2, 8))
    assert not any(owed(here.page(f"m{n}", n=2, seed=n)) for n in range(20))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**64))
def test_never_more_slots_than_the_share(n, share, seed):
    here = owing([fresh(number) for number in range(1, 60)], share=share)
    assert len(owed(here.page(n=n, seed=seed))) <= math.ceil(n * share)


def test_a_part_of_a_slot_is_a_slot_as_often():
    here = owing([fresh(n) for n in range(1, 300)], answer_ms=1)
    found = sum(len(owed(here.page(f"g{n}", n=4, seed=n))) for n in range(400))
    assert 140 < found < 260


@pytest.mark.parametrize(("count", "slots"), [(3, 0.4), (4, 0.5), (8, 1.0), (12, 1.5), (9, 7.9)])
def test_the_chance_of_a_reserved_slot_is_that_of_all_pages_that_begin_so(count, slots):
    """Nothing that the page does not show is in it: all ways to fill a page, each by its chance."""
    ways = [(1.0, ())]
    for at in range(count):
        longer = []
        for chance, way in ways:
            places = Places(slots, count)
            for earlier, reserved in enumerate(way):
                places.chance(earlier)
                places.drawn(earlier, reserved)
            now = places.chance(at)
            longer += [(chance * now, (*way, True)), (chance * (1.0 - now), (*way, False))]
        ways = [way for way in longer if way[0] > 1e-12]
    assert {sum(way) for _, way in ways} <= {int(slots), math.ceil(slots)}
    each = [sum(chance * way[at] for chance, way in ways) for at in range(count)]
    assert each == pytest.approx([0.0, 0.0] + [min(1.0, slots / (count - 2))] * (count - 2))


@pytest.mark.slow
def test_a_debt_counts_by_its_chance_on_a_page_that_may_have_no_slot_for_it():
    here = owing([fresh(n) for n in range(1, 4)], impressions=10**6)
    counted = 0.0
    for turn in range(400):
        pick = here.page(f"g{turn}", n=4, seed=turn).picks[2]
        counted += (pick.source == "owed") / pick.propensity
    assert counted / 400 == pytest.approx(3.0, rel=0.35)


def test_other_pages_have_no_reserved_slots_and_pay_nothing_into_the_capacity():
    here = owing([fresh(n, channel="waves") for n in range(1, 30)])
    slate = here.page(scope=Scope.CHANNEL, scope_value="waves")
    assert not owed(slate)
    assert "source:owed" not in {report.stage for report in slate.stages}
    for hour in range(3):
        for source in ("scope", "link"):
            clip = here.videos[1 + hour]
            here.tell(watch("g1", clip, at=NOW + hour * HOUR, source=source))
    assert books(here)["capacity"] is None


def test_what_is_under_way_is_not_served_more_often_than_it_is_owed():
    here = owing([fresh(1), fresh(2)], impressions=3, answer_ms=10 * MINUTE)
    served = Counter(n for turn in range(60) for n in owed(here.page(f"g{turn}", seed=turn)))
    assert served == {1: 3, 2: 3}
    later = NOW + 11 * MINUTE  # nobody answered: it is served again
    assert owed(here.page("g99", now_ms=later))
    here.tell(*(watch(f"g{n}", here.videos[1], at=later) for n in range(3)))
    served = Counter(
        n for turn in range(60) for n in owed(here.page(f"m{turn}", now_ms=later, seed=turn))
    )
    assert set(served) == {2}


def test_in_flight_forgets_and_stays_small():
    flying = InFlight(answer_ms=100, most=5)
    for row in range(1000):
        flying.served(row, row)
    assert len(flying) <= 101
    for _ in range(9):
        flying.served(7, 2000)
    assert (flying.count(7, 2000), flying.count(7, 2100), flying.count(8, 2100)) == (5, 0, 0)
    flying.answered(8)
    assert len(flying) == 0


# Who is shown what


def test_it_goes_to_those_whom_it_suits():
    clips = [fresh(n, channel=f"c{n % 12}", language="hi") for n in range(1, 121)]
    teachers = [alike(900 + n, channel="c7", author=3, published_ms=NOW - 9 * DAY)
                for n in range(3)]  # fmt: skip
    here = owing([*clips, *teachers])
    for n in range(40):
        here.tell(*(watch(f"m{n}", clip, 1.0) for clip in teachers))
    found = [n for turn in range(40) for n in owed(here.page(f"m{turn}", seed=turn))]
    assert len(found) == 40
    assert sum(here.videos[n].channel == "c7" for n in found) >= 36
    strangers = [n for turn in range(40) for n in owed(here.page(f"g{turn}", seed=turn))]
    assert sum(here.videos[n].channel == "c7" for n in strangers) <= 10


def test_nobody_gets_a_language_that_they_do_not_speak_while_others_are_owed():
    tamil = [fresh(n, language="ta") for n in range(1, 60)]
    here = owing([*tamil, fresh(100, language="hi"), fresh(101)])
    for turn in range(30):
        slate = here.page(f"g{turn}", languages=("hi",), seed=turn)
        assert set(owed(slate)) <= {100, 101}
    here.tell(ev.Withdrawn(100, ev.Removal.DELETED), ev.Withdrawn(101, ev.Removal.DELETED))
    assert owed(here.page("g99", languages=("hi",)))  # nothing else is in debt
    here.tell(watch("m1", tamil[0], 1.0), watch("m1", tamil[1], 1.0))
    here.tell(*(fresh(n, language="hi") for n in range(110, 130)))
    found = {n for turn in range(30) for n in owed(here.page("m1", languages=("hi",), seed=turn,
             now_ms=NOW + turn * HOUR // 2))}  # fmt: skip
    assert {here.videos[n].language for n in found} == {"ta", "hi"}  # who watches it speaks it
    unknown = [n for turn in range(20) for n in owed(here.page(f"h{turn}", seed=turn))]
    assert unknown


def test_the_more_urgent_comes_first():
    early = [fresh(n, published_ms=NOW - 23 * HOUR) for n in range(1, 6)]
    late = [fresh(n, published_ms=NOW) for n in range(6, 11)]
    here = owing([*early, *late], urgency=6.0)
    found = [n for turn in range(60) for n in owed(here.page(f"g{turn}", seed=turn))]
    assert sum(n < 6 for n in found) > 50


def test_rules_hold_as_for_all_others():
    mine, blocked, hidden, gone, refused, seen, fine = (fresh(n) for n in range(1, 8))
    hidden = fresh(3, visibility=ev.Visibility.FOLLOWERS)
    here = owing([mine, blocked, hidden, gone, refused, seen, fine])
    here.tell(
        ev.Blocked("m1", 2, NOW),
        ev.Withdrawn(4, ev.Removal.WITHDRAWN),
        ev.NotInterested("m1", 5, NOW),
        watch("m1", seen, 0.5),
    )
    assert books(here)["in_debt"] == 5
    assert books(here)["withdrawn"] == 1
    found: Counter[int] = Counter()
    for turn in range(40):
        found.update(owed(here.page("m1", seed=turn, now_ms=NOW + turn * HOUR // 2)))
    assert found == {7: 40}
    (report,) = [r for r in here.page("m1", now_ms=NOW + 21 * HOUR).stages
                 if r.stage == "source:owed"]  # fmt: skip
    assert report.removed == {"own": 1, "blocked": 1, "not_interested": 1, "seen": 1}


# The books


def test_due_late_and_missed():
    here = owing([fresh(1), fresh(2), fresh(3)], impressions=2, within_ms=HOUR)
    here.tell(*(watch(f"g{n}", here.videos[1], at=NOW + n) for n in range(2)))
    assert books(here)["paid_in_time"] == 1
    here.tell(watch("g1", here.videos[9001], at=NOW + HOUR))
    figures = books(here)
    assert (figures["in_debt"], figures["overdue"], figures["oldest_ms"]) == (2, 2, HOUR)
    assert figures["now"] == 1  # of three watches in the hour an eighth is not even one
    here.tell(watch("g2", here.videos[3], at=NOW + HOUR + 1))
    figures = books(here)
    assert (figures["paid_late"], figures["paid_short"], figures["in_debt"]) == (1, 1, 1)
    here.tell(watch("g3", here.videos[9001], at=NOW + 2 * HOUR))
    figures = books(here)
    assert (figures["paid_late"], figures["missed"], figures["in_debt"]) == (1, 1, 0)
    assert figures["by_size"]["one"] == {
        "in_time": 1, "late": 1, "missed": 1, "withdrawn": 0, "short": 1, "shown": 3,
    }  # fmt: skip


def test_old_videos_and_those_for_followers_are_owed_nothing_and_a_change_keeps_the_debt():
    here = owing([fresh(1), fresh(2, visibility=ev.Visibility.FOLLOWERS)], impressions=3)
    assert books(here)["in_debt"] == 1
    here.tell(watch("g1", here.videos[1]), fresh(1, channel="waves", language="hi", author=5))
    here.tell(watch("g2", here.videos[1]), watch("g3", here.videos[1]))
    assert books(here)["paid_in_time"] == 1
    here.tell(fresh(1, channel="cells"))  # paid is paid
    here.tell(ev.Withdrawn(1, ev.Removal.PRIVATE), fresh(1))
    assert books(here)["in_debt"] == 0
    here.tell(fresh(2))
    assert books(here)["in_debt"] == 1
    here.tell(ev.Withdrawn(2, ev.Removal.PRIVATE))
    assert books(here)["in_debt"] == 0
    here.tell(fresh(2))
    assert books(here)["in_debt"] == 1


def test_a_debt_of_which_the_log_has_not_heard_that_it_is_over_is_not_paid():
    here = owing([fresh(n) for n in range(1, 30)], within_ms=HOUR)
    assert owed(here.page(now_ms=NOW + HOUR))
    assert not owed(here.page("g2", now_ms=NOW + 2 * HOUR))


def test_a_rate_is_known_after_a_while_and_follows_the_last_window():
    rate = Rate(DAY)
    assert rate.per_window(NOW) is None
    for minute in range(0, 60 * 30, 10):
        now = NOW + minute * MINUTE
        rate.trim(now)
        rate.count(now)
        known = rate.per_window(now)
        assert known is None if minute < 15 else known == pytest.approx(144, rel=0.6)
    assert rate.per_window(now) == pytest.approx(144, rel=0.05)
    rate.trim(NOW + 9 * DAY)
    assert rate.per_window(NOW + 9 * DAY) == 0


SMALL = Config(owed=Owed(impressions=3, within_ms=2 * HOUR, of_one=2), members=3, guests=2)
history = st.lists(
    st.one_of(
        any_event,
        st.builds(
            ev.Watched,
            st.sampled_from(["m1", "m2", "g1", "g2"]),
            st.integers(1, 12),
            st.sampled_from(ev.WatchKind),
            st.integers(0, 9000),
            st.just(5000),
            st.integers(NOW, NOW + 9 * HOUR),
            source=st.sampled_from(["", "owed", "scope"]),
        ),
        st.builds(
            video,
            st.integers(1, 12),
            author=st.integers(1, 4),
            published_ms=st.integers(NOW - 3 * HOUR, NOW + 5 * HOUR),
        ),
    ),
    max_size=80,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(published, max_size=10), history)
def test_the_books_are_right_after_every_event(catalogue, events):
    here = World(config=SMALL)
    entered: set[int] = set()
    for event in [*catalogue, *events]:
        here.tell(event)
        ledger = here.engine._state.owed
        entered |= ledger.debts.keys()
        figures = books(here)
        assert 1 <= figures["now"] <= 3
        assert all(value >= 0 for value in figures.values() if isinstance(value, int))
        ended = sum(figures[n] for n in ("paid_in_time", "paid_late", "missed", "withdrawn"))
        assert figures["in_debt"] == len(ledger.debts)
        assert ended + len(ledger.debts) >= len(entered)
        assert sum(sum(size[n] for n in FIGURES[:4]) for size in figures["by_size"].values()) \
            == ended  # fmt: skip
        for row, debt in ledger.debts.items():
            assert ledger.now_ms < debt.due_ms + 2 * HOUR
            assert debt.most <= 3
            columns = here.engine._state.catalogue.columns
            assert not columns["removed"][row]
            assert not columns["followers_only"][row]
            assert debt[2:] == tuple(
                int(columns[n][row]) for n in ("author", "language", "channel")
            )
        for orders in (ledger.by_language, ledger.by_channel):
            rows = [row for turns in orders.values() for some in turns.first(99) for row in some]
            assert sorted(rows) == sorted(ledger.debts)
        counts = Counter(ledger._counted.values())
        assert counts == ledger._of
        assert figures["demand"] == 3 * sum(min(2, count) for count in counts.values())
        assert ledger.debts.keys() <= ledger._counted.keys()


@settings(max_examples=60, deadline=None)
@given(st.lists(published, min_size=1, max_size=10), history, st.data())
def test_any_log_cut_anywhere_is_the_same_ledger_and_the_same_pages(
    tmp_path_factory, catalogue, events, data
):
    log = list(enumerate([*catalogue, *events], 1))
    cut = data.draw(st.integers(0, len(log)))
    folder = tmp_path_factory.mktemp("snapshot")
    first, whole = Engine.new(patient(SMALL)), Engine.new(patient(SMALL))
    first.observe(log[:cut])
    first.snapshot(folder)
    whole.observe(log)
    again = Engine.load(folder, log, patient(SMALL))
    assert again.state_bytes() == whole.state_bytes()
    for seed in range(3):
        query = Query(viewer="m9", now_ms=NOW + HOUR, seed=seed)
        assert again.slate(query).picks == whole.slate(query).picks


def test_a_snapshot_of_another_promise_is_not_used(tmp_path):
    here = owing([fresh(1)])
    here.engine.snapshot(tmp_path)
    again = Engine.load(tmp_path, here.log, Config(owed=Owed(impressions=50)))
    assert again.report()["began"] == "snapshot refused: it was made with other settings"
    assert again.report()["owed"]["asked"] == 50
