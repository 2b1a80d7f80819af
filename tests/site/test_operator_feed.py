"""The operator's feed page: who sees it; what it says of nothing, a world, odd values."""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import pytest
from django.utils import translation
from tests.factories import browser, person, video

from jhalak import records
from jhalak.feed import Config
from jhalak.feed import events as ev
from jhalak.feed.stages import standard
from jhalak.people.roles import Role
from jhalak.site import feed_plots, plots
from jhalak.site.operator_feed import feed_page
from jhalak.site.plots import Mark, Point, Series
from jhalak.stores.events import NewEvent

PAGE = "/operator/feed"
HOUR = 3_600_000


def page(language: str = "en") -> str:
    client = browser(person(role=Role.OPERATOR))
    answer = client.get(PAGE, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.content.decode()


def crowd(videos: list[int], watches: int = 400) -> None:
    """Watches over nine days, whose scores promise what comes."""
    start = time.time_ns() // 1_000_000 - 9 * 24 * HOUR
    events = []
    for n in range(watches):
        at = start + n * 9 * 24 * HOUR // watches
        kind = ev.WatchKind.FINISHED if n % 3 else ev.WatchKind.SKIPPED
        source = ("newest", "trending", "channel")[n % 3 if n < watches - 60 else 0]
        watch = ev.Watched(
            f"g{n}", videos[n % len(videos)], kind, 8_000 if n % 3 else 300, 8_000, at,
            source=source, score=150 if n % 3 else -100,
        )  # fmt: skip
        events.append(NewEvent(key=f"w{n}", body=ev.encode(watch)))
    records.events().append(events)


@pytest.mark.django_db(transaction=True)
class TestPage:
    @pytest.mark.parametrize("role", [None, *(role for role in Role if role != Role.OPERATOR)])
    def test_it_is_the_operator_s_alone(self, role: Role | None) -> None:
        answer = browser(person(role=role) if role else None).get(PAGE)
        assert answer.status_code == (404 if role else 302)
        if not role:
            assert answer["Location"] == f"/login?next={PAGE}"

    def test_nothing_yet_is_said_in_words(self) -> None:
        shown = page()
        assert "there is nothing to draw" in shown
        assert "No page has been served yet." in shown
        assert "No promise to a new video" in shown
        assert 'class="plot"' not in shown
        assert "Until " not in shown

    @pytest.mark.parametrize("language", ["en", "hi"])
    def test_a_world_is_drawn_and_told_in_numbers(self, language: str) -> None:
        made = [video(person()) for _ in range(4)]
        assert browser().get("/api/feed").status_code == 200
        crowd([one.pk for one in made])
        shown = page(language)
        drawn = re.findall(r'<svg class="plot".*?</svg>', shown, re.DOTALL)
        assert len(drawn) >= 7
        for svg in drawn:
            ElementTree.fromstring(svg)
        assert len(re.findall("<details>", shown)) == len(drawn)
        assert "style=" not in shown.partition("<main")[2].partition("</main>")[0]  # by policy
        if language == "en":
            for words in ("Until ", "Trending", "Gini index", "Slope ", "slate", "Published"):
                assert words in shown
        report = browser(person(role=Role.OPERATOR)).get("/api/operator/feed").json()
        day = sum(one["watches"] for one in report["figures"]["day"].values())
        assert 0 < day < 400
        assert f"<dd>{day:.0f}</dd>" in shown
        assert report["figures"]["calibration"]["slope"] > 0
        assert report["figures"]["drift"]["source"]["index"] > 0.25


def texts(svg: str) -> list[str]:
    tree = ElementTree.fromstring(svg)
    return [one.text or "" for one in tree.iter() if one.tag in ("text", "title")]


def test_names_are_told_and_never_become_marks() -> None:
    hostile = "<script>alert('&')</script>"
    svg = plots.bars([hostile], [Series(hostile, 0, [1.0])], unit=hostile, marks=[Mark(1, hostile)])
    assert texts(svg).count(hostile) == 3
    assert "<script" not in svg
    lines = plots.lines([hostile], [Series(hostile, 0, [1.0])], unit=hostile, foot=hostile)
    assert texts(lines).count(hostile) == 3


@pytest.mark.parametrize("values", [[], [0.0], [None, None], [1e-9, 0.0], [1e12, 3.0], [2.0, None]])
def test_any_values_stay_inside_the_field(values: list[float | None]) -> None:
    names = [f"n{at}" for at in range(len(values))]
    series = [Series("a", 0, values), Series("b", 1, values)]
    for svg in (
        plots.bars(names, series, unit="u"),
        plots.bars(names, series, unit="u", stacked=False),
        plots.lines(names, series, unit="u"),
        plots.reliability([Point(0, 1, 0, 1, 5)], unit="u", foot="v", form=plots.percent),
    ):
        places = [
            float(one) for one in re.findall(r'(?:[xy]|c[xy]|width|height)="(-?[\d.]+)"', svg)
        ]
        assert all(0 <= place <= plots.WIDTH for place in places)
        ElementTree.fromstring(svg)


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert [plots.short(value) for value in (0.3, 0.25, 7, 1500, 12_500, 3e6)] == [
        "0.3", "0.25", "7", "1,500", "12.5k", "3M",
    ]  # fmt: skip
    assert (plots.number(1234567), plots.percent(0.0331)) == ("1,234,567", "3.3 %")
    with translation.override("hi"):
        assert plots.number(1234567) == "12,34,567"


def test_every_source_and_rung_has_a_name() -> None:
    served = standard(Config())
    named = {one.name: feed_plots.source(one.name) for one in (*served.sources, *served.rungs)}
    assert [name for name, told in named.items() if name == told] == []


OWED = {
    "asked": 100, "now": 40, "within_ms": 24 * HOUR, "capacity": 4_000, "demand": 10_000,
    "over_capacity": True, "in_debt": 90, "overdue": 3, "oldest_ms": 30 * HOUR,
    "by_size": {
        "one": {"in_time": 3, "late": 1, "missed": 0, "short": 1, "withdrawn": 2},
        "few": {"in_time": 0, "late": 0, "missed": 0, "short": 0, "withdrawn": 0},
        "many": {"in_time": 0, "late": 0, "missed": 5, "short": 0, "withdrawn": 0},
    },
}  # fmt: skip


def test_what_is_owed_is_drawn_and_over_capacity_is_said() -> None:
    shown = feed_page({"figures": {}, "engine": "here", "log": 5, "owed": OWED})
    assert "each gets 40, all alike" in shown["owed"].about
    assert list(shown["owed"].rows[0]) == ["1 video", "3", "1", "0", "1", "2"]
    assert shown["owed_now"][0] == ("Owed to each", "40 of 100")
    ElementTree.fromstring(shown["owed"].svg)


def test_an_engine_that_never_answered_leaves_a_page_without_figures() -> None:
    shown = feed_page({"figures": {}, "engine": "down since 10:00:00 UTC", "log": 5})
    assert (shown["behind"], shown["stages"], shown["events"]) == (5, [], [])
    assert "figured" not in shown
