"""POST /api/events: tokens checked, each counted once, clock-bound; and the next page knows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jhalak import records
from jhalak.feed import tokens
from jhalak.feed.events import Watched, decode
from jhalak.stores.events import EventsError, NewEvent
from jhalak.videos.models import Video
from jhalak.viewing.counting import count_views
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db(transaction=True)


def say(client: Client, *events: dict[str, Any]) -> Any:
    return client.post(
        "/api/events", json.dumps({"events": events}), content_type="application/json"
    )


def items(client: Client, n: int = 8) -> list[dict[str, Any]]:
    return client.get(f"/api/feed?n={n}").json()["items"]


def aged(token: str, seconds: float) -> str:
    """The same serving, some seconds earlier: the only mock is of time."""
    secret = settings.SECRET_KEY.encode()
    now = time.time_ns() // 1_000_000
    served = tokens.open(secret, token, now, 10**9)
    fields = {name: getattr(served, name) for name in served.__struct_fields__}
    fields["served_ms"] -= int(seconds * 1000)
    return tokens.mint(secret, tokens.Served(**fields))


def watched() -> list[Watched]:
    stored = (decode(one.body) for one in records.events().read(0))
    return [event for event in stored if isinstance(event, Watched)]


def test_a_watch_counts_once_whatever_it_is_called() -> None:
    made = video(person())
    client = browser()
    (item,) = items(client)
    token = aged(item["token"], 60)
    event = {"token": token, "kind": "finished", "watched_ms": 8_000, "at": 1}
    assert say(client, event).json() == {"accepted": 1, "repeated": 0, "refused": []}
    assert say(client, event, event | {"kind": "watched"}).json()["repeated"] == 2
    (kept,) = watched()
    served = tokens.open(settings.SECRET_KEY.encode(), token, time.time_ns() // 1_000_000, 10**9)
    assert (kept.source, kept.propensity, kept.score) == (
        served.source, served.propensity, served.score,
    )  # fmt: skip
    assert kept.score is not None
    count_views()
    count_views()
    made.refresh_from_db()
    assert (made.views, made.full_watches) == (1, 1)


def test_a_finish_without_the_time_for_it_counts_as_nothing() -> None:
    made = video(person())
    short = video(person(), duration_ms=500)
    client = browser()
    by_id = {item["id"]: item["token"] for item in items(client)}
    say(client, {"token": by_id[made.public_id], "kind": "finished", "watched_ms": 0})
    say(client, {"token": aged(by_id[short.public_id], 60), "kind": "finished", "watched_ms": 490})
    count_views()
    made.refresh_from_db()
    short.refresh_from_db()
    assert (made.views, made.full_watches) == (0, 0)
    assert (short.views, short.full_watches) == (1, 1)


def test_an_event_of_a_later_version_holds_up_no_counting() -> None:
    made = video(person())
    client = browser()
    records.events().append([NewEvent("later", b'{"t":"from a later version"}')])
    (item,) = items(client)
    say(client, {"token": aged(item["token"], 60), "kind": "watched", "watched_ms": 5_000})
    count_views()
    made.refresh_from_db()
    assert made.views == 1


def test_what_was_not_kept_spends_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    video(person())
    client = browser(raise_request_exception=False)
    (item,) = items(client)
    event = {"token": aged(item["token"], 20), "kind": "watched", "watched_ms": 8_000}
    with monkeypatch.context() as away:
        away.setattr(type(records.events()), "append", _away)
        assert say(client, event).status_code == 503
    assert say(client, event).json()["accepted"] == 1
    assert [one.watched_ms for one in watched()] == [8_000]


def _away(*_: object) -> None:
    raise EventsError("the log is away")


def test_one_serving_fills_no_log() -> None:
    video(person())
    client = browser()
    (item,) = items(client)
    event = {"token": item["token"], "kind": "not_interested"}
    body = say(client, *(event | {"at": number} for number in range(200))).json()
    assert body["accepted"] < 100
    assert {refused["code"] for refused in body["refused"]} == {"too_many"}
    for at in (-1, 1e300):
        assert say(client, event | {"at": at}).status_code == 422


def test_watch_time_is_bounded_by_the_clock() -> None:
    video(person())
    video(person())
    client = browser()
    first, second = items(client)
    say(client, {"token": first["token"], "kind": "finished", "watched_ms": 1e300})
    say(client, {"token": aged(second["token"], 5), "kind": "watched", "watched_ms": 10**12})
    told = [event.watched_ms for event in watched()]
    assert told[0] < 2_000
    assert sum(told) <= 7_000


def test_forged_foreign_and_old_tokens_are_refused_and_the_good_ones_count() -> None:
    video(person())
    video(person())
    client, other = browser(), browser()
    good, spare = items(client)
    (foreign, *_rest) = items(other)
    token = spare["token"]
    broken = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    answer = say(
        client,
        {"token": good["token"], "kind": "skipped", "watched_ms": 100},
        {"token": broken, "kind": "watched", "watched_ms": 100},
        {"token": foreign["token"], "kind": "watched", "watched_ms": 100},
        {"token": aged(token, 90_000), "kind": "watched", "watched_ms": 100},
    )
    body = answer.json()
    assert body["accepted"] == 1
    assert [refused["index"] for refused in body["refused"]] == [1, 2, 3]
    assert {refused["code"] for refused in body["refused"]} == {"token_refused", "token_expired"}
    assert say(client, {"token": broken, "kind": "watched"}).status_code == 422
    assert len(watched()) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"events": 3}', 422),
        (b'{"events": [{"token": 1, "kind": "watched"}]}', 422),
        (b'{"events": [{"token": "x", "kind": "bought"}]}', 422),
        (b'{"events": [{"token": "x", "kind": "watched", "watched_ms": "much"}]}', 422),
        (b'{"events": [' + b",".join([b'{"token":"x","kind":"watched"}'] * 201) + b"]}", 422),
        (b'{"events": [], "x": "' + b"a" * 140_000 + b'"}', 413),
    ],
)
def test_malformed_bodies_get_a_clear_error(body: bytes, status: int) -> None:
    answer = browser().post("/api/events", body, content_type="application/json")
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]


@given(body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_body_breaks_the_server(body: bytes) -> None:
    answer = Client().post("/api/events", body, content_type="application/json")
    assert answer.status_code in (200, 400, 413, 422)


def test_three_skips_and_three_watches_change_the_next_page() -> None:
    for slug in ("waves", "cells", "stars", "type"):
        for _ in range(20):
            video(person(), slug)
    client = browser()
    first = items(client, 30)
    liked = [item for item in first if item["channel"]["slug"] == "waves"][:3]
    skipped = [item for item in first if item["channel"]["slug"] == "cells"][:3]
    assert len(liked) == len(skipped) == 3, "a first page of 30 shows something of each"
    for item in liked:
        say(client, {"token": aged(item["token"], 30), "kind": "finished", "watched_ms": 8_000})
    for item in skipped:
        say(client, {"token": aged(item["token"], 30), "kind": "skipped", "watched_ms": 300})
    slugs = [item["channel"]["slug"] for item in items(client)]
    assert slugs.count("waves") >= 3, slugs
    assert slugs.count("cells") <= 1, slugs


def test_not_interested_is_never_again_and_can_be_taken_back() -> None:
    made = [video(person(), "waves"), video(person(), "cells")]
    client = browser()
    item = items(client)[0]
    say(client, {"token": item["token"], "kind": "not_interested", "at": 1})
    assert item["id"] not in {one["id"] for one in items(client)}
    say(client, {"token": item["token"], "kind": "interested", "at": 2})
    assert {one["id"] for one in items(client)} == {one.public_id for one in made}
    say(client, {"token": item["token"], "kind": "not_interested", "at": 3})
    assert item["id"] not in {one["id"] for one in items(client)}


def test_the_feed_of_a_guest_goes_along_when_they_sign_up() -> None:
    for slug in ("waves", "cells"):
        for _ in range(8):
            video(person(), slug)
    client = browser()
    first = items(client)[0]
    say(client, {"token": first["token"], "kind": "not_interested", "at": 1})
    answer = client.post(
        "/api/people",
        json.dumps({"handle": "newcomer", "password": "a long enough one 7"}),
        content_type="application/json",
    )
    assert answer.status_code == 201
    shown = {item["id"] for _ in range(3) for item in items(client)}
    assert first["id"] not in shown


def test_counting_survives_a_second_counter() -> None:
    """Two workers read the same stretch of the log: one of them moves the cursor, once."""
    made = video(person())
    client = browser()
    (item,) = items(client)
    say(client, {"token": aged(item["token"], 60), "kind": "watched", "watched_ms": 5_000})
    assert count_views() > 0
    assert count_views() == 0
    assert Video.objects.get(pk=made.pk).views == 1
