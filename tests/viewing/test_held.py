"""What the feed knows about somebody, over HTTP: seen, corrected, paused, forgotten, declined."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import translation

from jhalak import records
from jhalak.feed import Config, Pick, Query, Reason, ReasonCode
from jhalak.feed.events import Liked
from jhalak.feed.stages import standard
from jhalak.people.access import Viewer
from jhalak.people.actions import do_declare_of_age
from jhalak.people.models import Person
from jhalak.videos.cards import cards
from jhalak.videos.models import Channel, Video
from jhalak.viewing import fallback
from jhalak.viewing.host import host
from jhalak.viewing.tuning import do_change_weights
from jhalak.viewing.why import SENTENCES, SOURCES, why
from tests.factories import browser, channel, person, video

pytestmark = pytest.mark.django_db(transaction=True)


def feed(client: Client, query: str = "n=8") -> list[dict[str, Any]]:
    return client.get(f"/api/feed?{query}").json()["items"]


def knows(client: Client) -> dict[str, Any]:
    answer = client.get("/api/feed/held")
    assert answer.status_code == 200, answer.content
    return answer.json()


def say(client: Client, item: dict[str, Any], kind: str) -> None:
    body = {"events": [{"token": item["token"], "kind": kind, "watched_ms": 1e6, "at": 1}]}
    answer = client.post("/api/events", body, content_type="application/json")
    assert answer.json()["accepted"] == 1, answer.content


def like(key: str, pk: int) -> None:
    """Felt by the feed as much as one and a half full watches, without waiting for the clock."""
    with transaction.atomic():
        records.emit(Liked(viewer=key, video=pk, at_ms=time.time_ns() // 1_000_000))


@pytest.fixture
def waves() -> list[Video]:
    channel("cells")
    maker, other = person("maker"), person("other")
    clips = [video(maker, "waves", tags=["sea"]) for _ in range(4)]
    return clips + [video(other, "cells", tags=["grid"]) for _ in range(4)]


@pytest.mark.parametrize("member", [False, True])
def test_what_was_noticed_is_shown_and_each_thing_can_be_taken_out(waves, member) -> None:
    client = browser(person("asha")) if member else browser()
    assert knows(client)["interests"] == []
    items = {item["channel"]["slug"]: item for item in feed(client)}
    say(client, items["waves"], "not_interested")
    say(client, items["cells"], "skipped")
    found = knows(client)
    assert (found["personal"], found["learning"], found["under_age"]) == (True, True, False)
    held = {(one["kind"], one["value"]): one for one in found["interests"]}
    assert held["channel", "waves"]["name"] == "Waves"
    assert held["channel", "waves"]["strength"] < -0.5
    assert held["author", "maker"]["name"] == "@maker"
    assert held["tag", "sea"]["name"] == "#sea"
    assert held["language", "en"]["name"] == "English"
    assert [one["id"] for one in found["not_interested"]["items"]] == [items["waves"]["id"]]
    assert [one["id"] for one in found["watched"]["items"]] == [items["cells"]["id"]]
    for path in (
        "interests/channel/waves",
        "interests/author/maker",
        "interests/tag/sea",
        "interests/language/en",
        f"watched/{items['cells']['id']}",
        f"not-interested/{items['waves']['id']}",
    ):
        for _twice in range(2):
            assert client.delete(f"/api/feed/held/{path}").status_code == 204, path
    left = knows(client)
    assert left["interests"] == []
    assert left["watched"] == left["not_interested"] == {"items": [], "more": 0}
    assert knows(browser())["watched"]["items"] == []


@pytest.mark.parametrize("name", ["channel", "author", "tag", "language", "similar"])
def test_taking_out_a_named_cause_lowers_the_score_of_the_video(waves, name) -> None:
    """Through the site: what `why` names can be removed, and was worth what `why` said."""
    client = browser(person("asha"), headers={"Accept-Language": "hi"})
    key = Person.objects.get(handle="asha").viewer_key
    if name == "similar":  # the interests say more, and three reasons are kept
        silent = {f"weights.{one}": 0.0 for one in ("channel", "author", "tag", "language")}
        do_change_weights(None, silent, "To hear what likeness says.")
    like(key, waves[0].pk)
    for item in feed(client):
        for cause in item["why"]["reasons"]:
            if not cause["forget"] or cause["code"] != name:
                continue
            pk = Video.objects.get(public_id=item["id"]).pk
            before = _score(key, pk)
            assert client.delete(f"/api/feed/held/{cause['forget']}").status_code == 204
            fallen = before - _score(key, pk)  # its part of the taste goes too
            assert fallen > 0 if name == "similar" else fallen >= cause["weight"] - 0.02
            return
    pytest.fail(f"no video was there because of a {name}")


def _score(key: str, pk: int) -> float:
    now_ms = time.time_ns() // 1_000_000
    return host().fresh().score(Query(viewer=key, now_ms=now_ms), [pk])[0].total


def test_why_has_every_kept_reason_in_words(waves) -> None:
    client = browser(person("asha"))
    like(Person.objects.get(handle="asha").viewer_key, waves[0].pk)
    items = [item for item in feed(client) if item["channel"]["slug"] == "waves"]
    for item in items:
        found = item["why"]
        assert 1 <= len(found["reasons"]) <= 3
        assert found["text"] == found["reasons"][0]["text"]
        assert found["code"] == found["reasons"][0]["code"]
        assert found["source_text"]
        assert isinstance(found["explore"], bool)
        for cause in found["reasons"]:
            assert cause["text"]
            assert cause["strength"] in ("strong", "clear", "slight", "none")
    drawn = [item["why"] for item in items if item["why"]["code"] not in ("explore", "owed")]
    assert {one["text"] for one in drawn} <= {"you watch Waves"}


def test_every_code_and_every_source_has_its_sentence() -> None:
    pipeline = standard(Config())
    assert set(SENTENCES) == set(ReasonCode)
    stages = {stage.name for stage in (*pipeline.sources, *pipeline.rungs)}
    assert set(SOURCES) == stages | {fallback.SOURCE}


def test_the_language_of_the_page_is_no_interest_that_could_be_removed(waves) -> None:
    card = cards(Viewer("g1"), [waves[0].pk])[waves[0].pk]
    pick = Pick(
        waves[0].pk, 0, "newest", 1.0, 1.0, False, (Reason(ReasonCode.LANGUAGE, "hi", 1.0),)
    )
    with translation.override("en"):
        (cause,) = why(card, pick, {}).reasons
        assert cause.forget == "interests/language/hi"
        assert (cause.text, cause.strength) == ("in a language you watch", "clear")
    with translation.override("hi"):
        assert why(card, pick, {}).reasons[0].forget == ""


def _guest(client: Client) -> str:
    return "g" + client.cookies["jhalak_guest"].value.split(":")[0]


def test_while_paused_nothing_is_learnt(waves) -> None:
    client = browser()
    say(client, feed(client)[0], "not_interested")
    before = knows(client)
    put = client.put("/api/feed/held/learning", {"paused": True}, content_type="application/json")
    assert put.status_code == 204
    assert knows(client) == before | {"learning": False}
    item = feed(client, "n=1")[0]
    say(client, item, "skipped")
    assert knows(client) == before | {"learning": False}
    client.put("/api/feed/held/learning", {"paused": False}, content_type="application/json")
    assert knows(client) == before


def test_forgetting_leaves_nothing(waves) -> None:
    client = browser()
    first, second = feed(client, "n=2")
    say(client, first, "not_interested")
    say(client, second, "skipped")
    assert client.delete("/api/feed/held").status_code == 204
    assert knows(client) == knows(browser())
    assert client.get("/api/feed").json()["inputs"] == []


def test_who_declines_is_forgotten_and_gets_pages_without_behaviour(waves) -> None:
    asha = person("asha")
    client = browser(asha)
    say(client, feed(client)[0], "not_interested")
    assert client.get("/api/feed").json()["inputs"] != []
    me = client.patch("/api/me", {"personal": False}, content_type="application/json").json()
    assert (me["personal"], me["under_age"]) == (False, False)
    say(client, feed(client)[0], "skipped")
    found = knows(client)
    assert (found["personal"], found["learning"], found["interests"]) == (False, False, [])
    assert found["watched"]["items"] == []
    assert client.get("/api/feed").json()["inputs"] == []
    client.patch("/api/me", {"personal": True}, content_type="application/json")
    say(client, feed(client)[0], "skipped")
    assert knows(client)["interests"]


def test_the_row_decides_before_the_event_is_out(waves) -> None:
    asha = person("asha")
    like(asha.viewer_key, waves[0].pk)
    assert browser(asha).get("/api/feed").json()["inputs"] != []
    Person.objects.filter(pk=asha.pk).update(personal=False)
    assert browser(asha).get("/api/feed").json()["inputs"] == []


def test_who_is_under_age_has_no_personal_feed_until_the_operator_says_otherwise(waves) -> None:
    client = browser()
    say(client, feed(client)[0], "not_interested")  # as a guest
    account = {"handle": "little", "password": "long enough 19", "under_age": True}
    me = client.post("/api/people", account, content_type="application/json").json()
    assert (me["personal"], me["under_age"]) == (True, True)
    found = knows(client)
    assert (found["personal"], found["learning"], found["interests"]) == (False, False, [])
    say(client, feed(client)[0], "skipped")
    assert knows(client)["watched"]["items"] == []
    assert client.get("/api/feed").json()["inputs"] == []
    refused = client.patch("/api/me", {"personal": True}, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "under_age")
    body = {"under_age": False}
    assert client.patch("/api/me", body, content_type="application/json").status_code == 422
    do_declare_of_age(None, Person.objects.get(handle="little"), "shown a card")
    say(client, feed(client)[0], "skipped")
    assert knows(client)["interests"]


def test_the_form_without_javascript_says_it_too(waves) -> None:
    for handle, more in (("little", {"under_age": "on"}), ("grown", {})):
        form = {"handle": handle, "password": "long enough 19", "next": "/"} | more
        assert browser().post("/signup", form).status_code == 302
    said = Person.objects.values_list("handle", "under_age").filter(handle__in=["little", "grown"])
    assert dict(said) == {"little": True, "grown": False}


def test_it_can_be_said_later_that_one_is_under_age(waves) -> None:
    asha = person("asha")
    client = browser(asha)
    say(client, feed(client)[0], "not_interested")
    client.patch("/api/me", {"under_age": True}, content_type="application/json")
    assert knows(client)["under_age"]
    assert knows(client)["interests"] == []


def test_hidden_people_and_videos_are_counted_and_not_named(waves) -> None:
    client = browser()
    items = feed(client)
    say(client, next(i for i in items if i["channel"]["slug"] == "waves"), "not_interested")
    Person.objects.filter(handle="maker").update(suspended_at=waves[0].published_at)
    found = knows(client)
    assert found["hidden_interests"] == 1
    assert "author" not in {one["kind"] for one in found["interests"]}
    assert found["not_interested"] == {"items": [], "more": 1}


def test_hostile_values_are_refused(waves) -> None:
    client = browser()
    for path in ("interests/mood/x", f"interests/tag/{'x' * 65}", "watched/%00", "watched/nobody"):
        assert client.delete(f"/api/feed/held/{path}").status_code in (404, 422), path
    assert client.delete("/api/feed/held/interests/author/nobody").status_code == 404
    for body in ({"paused": "yes"}, {}, {"paused": True, "more": 1}):
        answer = client.put("/api/feed/held/learning", body, content_type="application/json")
        assert answer.status_code == 422
    statuses = {client.delete("/api/feed/held/interests/tag/x").status_code for _ in range(130)}
    assert statuses == {204, 429}


@pytest.mark.parametrize("language", ["en", "hi"])
def test_the_page_shows_it_to_guests_and_members(waves, language) -> None:
    Channel.objects.filter(slug="waves").update(name_hi="लहरें")
    for client in (
        browser(headers={"Accept-Language": language}),
        browser(person(language=language), headers={"Accept-Language": language}),
    ):
        like(_key(client), waves[0].pk)
        html = client.get("/feed-data").content.decode()
        assert ("लहरें" if language == "hi" else "Waves") in html
        assert "#sea" in html


def _key(client: Client) -> str:
    client.get("/api/feed")
    if "jhalak_guest" in client.cookies:
        return _guest(client)
    return Person.objects.order_by("-pk")[0].viewer_key
