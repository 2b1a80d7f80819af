"""The engine behind a socket: the same answers, and what comes while it does not answer."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jhalak import records
from jhalak.feed import Engine, Query
from jhalak.feed.events import (
    Event,
    Forgotten,
    Joined,
    NotInterested,
    Published,
    Removal,
    Unwatched,
    Watched,
    WatchKind,
    Withdrawn,
    encode,
)
from jhalak.feed.ring import Ring
from jhalak.people.models import Block, Follow
from jhalak.people.roles import Role
from jhalak.stores.events import NewEvent
from jhalak.videos.models import VideoTag
from jhalak.viewing import remote
from jhalak.viewing.engine_client import EngineClient
from jhalak.viewing.host import LocalHost, ask_at, feed_folder, host
from tests.factories import browser, person, video
from tests.viewing.feed_process import FeedProcess, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedProcess]:
    """Not started yet. This process asks it, and waits for as long as a slow machine needs."""
    monkeypatch.setattr(remote, "DEADLINE_S", 30.0)
    with tempfile.TemporaryDirectory() as folder:
        process = FeedProcess(Path(folder) / "feed.sock")
        ask_at(process.path)
        try:
            yield process
        finally:
            ask_at(None)
            process.end()


@pytest.fixture
def hasty(feed: FeedProcess, monkeypatch: pytest.MonkeyPatch) -> FeedProcess:
    """Where nobody answers, nobody is waited for."""
    monkeypatch.setattr(remote, "DEADLINE_S", 1.0)
    return feed


def page(client: Client, query: str = "n=8") -> dict[str, Any]:
    answer = client.get(f"/api/feed?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids(body: dict[str, Any]) -> list[str]:
    return [item["id"] for item in body["items"]]


def down() -> None:
    """The engine is known to be away."""
    eventually(lambda: page(browser())["model"] == "fallback", "the fallback")


def back() -> None:
    eventually(lambda: page(browser())["model"] != "fallback", "the engine's pages")


def say(client: Client, item: dict[str, Any], kind: str) -> None:
    events = {"events": [{"token": item["token"], "kind": kind, "watched_ms": 10, "at": 1}]}
    answer = client.post("/api/events", events, content_type="application/json")
    assert answer.json()["accepted"] == 1, answer.content


def test_the_engine_answers_through_the_socket_as_it_does_at_home(feed: FeedProcess) -> None:
    made = [video(person(), "waves") for _ in range(6)]
    feed.start()
    body = page(browser())
    assert body["model"] == Engine.new().model
    assert set(ids(body)) == {one.public_id for one in made}
    query = Query(viewer="m1", now_ms=10**12, n=4, languages=("en",), seed=7)
    asked = host().fresh()
    home = LocalHost(feed_folder()).fresh()
    videos = [one.pk for one in made]
    assert asked.score(query, videos) == home.score(query, videos)
    ours, theirs = asked.slate(query), home.slate(query)
    assert (ours.slate, ours.picks) == (theirs.slate, theirs.picks)
    assert asked.report()["videos"] == home.report()["videos"]
    with pytest.raises(ValueError, match="a page of 0 videos"):
        asked.slate(Query(viewer="m1", now_ms=1, n=0))


def test_what_was_acknowledged_is_known_to_the_very_next_page(feed: FeedProcess) -> None:
    made = [video(person()) for _ in range(5)]
    feed.start()
    client = browser()
    items = page(client)["items"]
    assert len(items) == 5
    say(client, items[0], "not_interested")
    records.events().append([NewEvent("w", encode(Withdrawn(made[0].pk, Removal.WITHDRAWN)))])
    gone = {items[0]["id"], made[0].public_id}
    seen = ids(page(client))
    assert set(seen) == {one.public_id for one in made} - gone
    assert host().fresh().report()["offset"] == records.events().last()


def test_one_clock_bounds_what_a_viewer_claims_at_all_web_processes(feed: FeedProcess) -> None:
    feed.start()
    claim = "g1", 1_000, 11_000, 60_000, 8_000.0
    assert host().clock.bound(*claim) == 8_000
    with contextlib.closing(EngineClient(feed.path)) as other:
        assert other.ask("bound", 0, *claim, within_s=60) == 2_000
        assert other.ask("bound", 0, *claim, within_s=60) == 0
    host().clock.give_back("g1", 500)
    assert host().clock.bound(*claim) == 500


@pytest.mark.slow
def test_pages_come_while_nobody_answers_and_then_from_the_engine_again(
    hasty: FeedProcess,
) -> None:
    feed = hasty
    made = [video(person()) for _ in range(12)]
    feed.start()
    back()
    eventually(lambda: len(host().fallback) == 12, "a ring")  # type: ignore[attr-defined]
    feed.stop()
    down()
    client = browser()
    first, second = page(client, "n=6"), page(client, "n=6")
    assert first["model"] == second["model"] == "fallback"
    assert {*ids(first), *ids(second)} == {one.public_id for one in made}  # none twice
    assert {item["why"]["code"] for item in first["items"]} == {"newest"}
    assert set(ids(page(client, "n=6"))) <= {*ids(first), *ids(second)}  # all had: again
    say(client, first["items"][0], "skipped")
    say(client, second["items"][0], "not_interested")
    for _ in range(4):
        assert second["items"][0]["id"] not in ids(page(client, "n=12"))
    Block.objects.create(blocker=made[3].author, blocked=(blocked := person()))
    assert set(ids(page(browser(blocked), "n=12"))) == {
        one.public_id for one in made if one is not made[3]
    }
    operator = browser(person(role=Role.OPERATOR))
    told = operator.get("/api/operator/feed").json()
    assert told["engine"].startswith("down since ")
    assert told["fallback"]["pages"] > 0
    assert told["videos"]["known"] == 12  # the last that is known
    health = client.get("/healthz")
    assert (health.status_code, health.json()["parts"]["feed"]) == (200, "fallback")

    feed.start()
    back()
    assert operator.get("/api/operator/feed").json()["engine"] == "a process of its own"
    assert client.get("/healthz").json()["parts"]["feed"] == "ok"
    assert second["items"][0]["id"] not in ids(page(client, "n=12"))
    report = host().fresh().report()
    assert report["events"]["Watched"] == report["events"]["NotInterested"] == 1


@pytest.mark.slow
def test_without_a_ring_the_rows_give_the_newest_of_each_scope(hasty: FeedProcess) -> None:
    viewer, author = person(), person("maker")
    old = video(author, "waves", tags=["sea"])
    new = video(person(), "cells")
    shut = video(author, visibility="followers")
    own = video(viewer)
    VideoTag.objects.create(video=old, word="sea")
    client = browser(viewer)
    body = page(client)
    assert (body["model"], ids(body)) == ("fallback", [new.public_id, old.public_id])
    for query, expected in (
        ("scope=channel&value=cells", [new]),
        ("scope=tag&value=sea", [old]),
        ("scope=author&value=maker", [old]),
        ("scope=following", []),
    ):
        assert ids(page(client, query)) == [one.public_id for one in expected], query
    Follow.objects.create(follower=viewer, followed=author)
    assert ids(page(client, "scope=following")) == [shut.public_id, old.public_id]
    assert ids(page(browser(), "n=1")) == [own.public_id]


def test_an_engine_that_fails_at_one_page_is_not_down(
    feed: FeedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = video(person())
    feed.start()

    def broken(*_: object) -> None:
        raise RuntimeError("a stage nobody foresaw")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "slate", broken)
        body = page(browser())
        assert (body["model"], ids(body)) == ("fallback", [made.public_id])
        assert not host().is_down
    assert page(browser())["model"] != "fallback"


def test_the_ring_says_why_and_leaves_out_what_is_not_for_all() -> None:
    engine = Engine.new()
    events = [Published(n, n, "", (), "en", 9_000, n) for n in range(1, 9)]
    events.append(Published(9, 1, "", (), "en", 9_000, 9, visibility="followers"))  # type: ignore[arg-type]
    watches = [Watched(f"m{n}", 2, WatchKind.FINISHED, 9_000, 9_000, 10_000) for n in range(1, 20)]
    gone = Withdrawn(8, Removal.DELETED)
    engine.observe(list(enumerate([*events, *watches, gone], 1)))
    ring = engine.ring(10_000, 5)
    assert ring.offset == engine.offset
    assert ring.videos == (
        (2, "trending"),
        (7, "newest"),
        (6, "newest"),
        (5, "newest"),
        (4, "newest"),
    )
    assert Engine.new().ring(0, 5).videos == ()


def test_the_fallback_heeds_what_was_watched_and_refused_only_where_it_may(
    hasty: FeedProcess,
) -> None:
    watched, refused = (video(person()) for _ in range(2))
    fallback = host().fallback  # type: ignore[attr-defined]

    def say(*events: Event) -> None:
        log = records.events()
        log.append([NewEvent(f"{log.last()}+{n}", encode(one)) for n, one in enumerate(events)])

    def served(*, personal: bool = True, viewer: str = "g1") -> tuple[set[int], tuple[str, ...]]:
        query = Query(viewer=viewer, now_ms=1, n=3, personal=personal, seen_ok=False)
        slate = fallback.slate(query)
        fallback.renew(Ring(0))  # what was served is forgotten, and the log read once more
        return {pick.video for pick in slate.picks}, slate.inputs

    say(Watched("g1", watched.pk, WatchKind.FINISHED, 1, 1, 1), NotInterested("g1", refused.pk, 1))
    assert served() == (set(), ("seen",))
    assert served(personal=False) == ({watched.pk}, ())
    say(Joined("g1", "m999999", 1))
    assert served(viewer="m999999") == (set(), ("seen",))
    say(Watched("g1", watched.pk, WatchKind.FINISHED, 1, 1, 1), NotInterested("g1", refused.pk, 1))
    say(Unwatched("g1", watched.pk, 1))
    assert served() == ({watched.pk}, ())
    say(Forgotten("g1", 1))
    assert served() == ({watched.pk, refused.pk}, ())


def test_a_member_who_is_gone_is_a_stranger(hasty: FeedProcess) -> None:
    made = video(person())
    fallback = host().fallback  # type: ignore[attr-defined]
    slate = fallback.slate(Query(viewer="m999999", now_ms=1, n=3))
    assert [pick.video for pick in slate.picks] == [made.pk]
    records.events().append([NewEvent("n", encode(NotInterested("m999999", made.pk, 1)))])
    assert fallback.slate(Query(viewer="m999999", now_ms=1, n=3)).picks == ()
