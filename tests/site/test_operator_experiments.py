"""The page of experiments: who sees it, and what it says of what is known."""

from __future__ import annotations

import time

import pytest
from tests.factories import browser, person, video

from jhalak import records
from jhalak.feed.events import (
    Arm,
    Event,
    ExperimentStarted,
    Tuned,
    Watched,
    WatchKind,
    encode,
)
from jhalak.people.roles import Role
from jhalak.stores.events import NewEvent

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/operator/experiments"
HOUR = 3_600_000


@pytest.mark.parametrize("role", [None, *Role])
def test_who_sees_it(role: Role | None) -> None:
    answer = browser(person(role=role) if role else None).get(PAGE)
    if role is None:
        assert (answer.status_code, answer["Location"]) == (302, f"/login?next={PAGE}")
    else:
        assert answer.status_code == (200 if role is Role.OPERATOR else 404)


def test_what_it_says() -> None:
    now = time.time_ns() // 1_000_000
    boss = browser(person("boss", Role.OPERATOR))
    assert "No experiment was run yet." in boss.get(PAGE).content.decode()
    clip = video(person()).pk
    start = now - 3 * HOUR
    arms = (Arm("sure", {"temperature": 0.5}),)
    log: list[Event] = [
        Tuned({"weights.tag": 2.0}, "Tags <b>mislead</b>.", start),
        ExperimentStarted("calm", "feed", 500, arms, HOUR, now + HOUR, "Is it?", start),
    ]
    for number in range(300):
        liked = number % 4 != 0 if number % 2 else number % 5 == 0
        kind = WatchKind.FINISHED if liked else WatchKind.SKIPPED
        watched_ms = 8_000 if liked else 300
        log.append(
            Watched(f"m{number}", clip, kind, watched_ms, 8_000, start, arms=f"1{'ab'[number % 2]}")
        )
    log.append(Watched("m1", clip, WatchKind.SKIPPED, 0, 8_000, now))
    records.events().append([NewEvent(f"e{n}", encode(event)) for n, event in enumerate(log)])
    shown = boss.get(PAGE).content.decode()
    for text in (
        "temperature = 0.5",
        "150 of 150",
        "Better: more of what was watched felt good.",
        "weights.tag = 2",
        "Tags &lt;b&gt;mislead&lt;/b&gt;.",
        "50 %",
        "in force",
    ):
        assert text in shown
    assert shown.count('class="interval"') == 3
    assert "The arms did not fill" not in shown
    uneven = [
        Watched(f"g{n}", clip, WatchKind.SKIPPED, 0, 8_000, now, arms="1b") for n in range(200)
    ]
    records.events().append([NewEvent(f"g{n}", encode(event)) for n, event in enumerate(uneven)])
    shown = boss.get(PAGE).content.decode()
    assert "The arms did not fill as they were dealt." in shown
    assert "conclude nothing" in shown


def test_what_it_says_of_two_arms_on_one_page() -> None:
    now = time.time_ns() // 1_000_000
    boss = browser(person("boss", Role.OPERATOR))
    clip, other = video(person()).pk, video(person()).pk
    start = now - 3 * HOUR
    arms = (Arm("sure", {"temperature": 0.5}),)
    log: list[Event] = [
        ExperimentStarted("calm", "feed", 500, arms, HOUR, now + HOUR, "Is it?", start, True)
    ]
    for number in range(120):
        for seen, arm, liked in ((clip, "1a", number % 5 == 0), (other, "1b", number % 4 != 0)):
            kind = WatchKind.FINISHED if liked else WatchKind.SKIPPED
            watched_ms = 8_000 if liked else 300
            log.append(Watched(f"m{number}", seen, kind, watched_ms, 8_000, start, arms=arm))
    log.append(Watched("m1", clip, WatchKind.SKIPPED, 0, 8_000, now))
    records.events().append([NewEvent(f"e{n}", encode(event)) for n, event in enumerate(log)])
    shown = boss.get(PAGE).content.decode()
    for text in ("Interleaved: both arms", "120 of 120", "Better: more of what was watched"):
        assert text in shown
    assert shown.count('class="interval"') == 3
