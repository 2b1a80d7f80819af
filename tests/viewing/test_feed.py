"""GET /api/feed: shape, scopes, who sees what, and that a page always comes."""

from __future__ import annotations

import pytest
from django.test import Client

from jhalak import records
from jhalak.feed.events import Blocked, Removal, Withdrawn
from jhalak.people.models import Block, Follow
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {
    "id", "src", "hls", "poster", "width", "height", "duration_ms", "author", "caption", "tags",
    "channel", "language", "token", "why",
}  # fmt: skip


def page(client: Client, query: str = "n=8") -> list[dict]:
    answer = client.get(f"/api/feed?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def test_a_page_has_the_promised_shape() -> None:
    video(person("asha"), "waves", caption="लहरें", tags=["sea"])
    answer = browser().get("/api/feed?n=8")
    body = answer.json()
    assert set(body) == {"items", "model", "inputs"}
    (item,) = body["items"]
    assert set(item) >= FIELDS
    assert item["author"]["handle"] == "asha"
    assert item["caption"] == "लहरें"
    assert item["channel"]["slug"] == "waves"
    assert item["why"]["text"]
    assert item["src"] == f"/media/{item['id']}/720.mp4"


def test_an_empty_catalogue_is_an_empty_page_and_a_bad_question_a_clear_error() -> None:
    client = browser()
    assert page(client) == []
    for bad in ("n=0", "n=31", "n=x", "scope=nowhere", f"value={'x' * 101}"):
        answer = client.get(f"/api/feed?{bad}")
        assert answer.status_code == 422
        assert answer.json()["error"]["message"]


def test_one_author_and_everything_seen_still_fill_pages() -> None:
    author = person()
    made = {video(author).public_id for _ in range(3)}
    client = browser()
    for _round in range(3):
        assert {item["id"] for item in page(client)} == made


def test_pages_do_not_repeat_while_there_is_something_new() -> None:
    for _ in range(12):
        video(person())
    client = browser()
    first, second = ({item["id"] for item in page(client, "n=6")} for _ in range(2))
    assert len(first) == len(second) == 6
    assert not first & second


def test_what_a_viewer_may_not_see_is_on_no_page() -> None:
    author, follower, stranger = person(), person(), person()
    public = video(author).public_id
    followers = video(author, visibility="followers").public_id
    private = video(author, visibility="private").public_id
    Follow.objects.create(follower=follower, followed=author)
    assert {item["id"] for item in page(browser(stranger))} == {public}
    assert {item["id"] for item in page(browser())} == {public}
    assert private not in {item["id"] for item in page(browser(follower))}
    assert followers not in {item["id"] for item in page(browser())}


def test_rows_decide_even_when_the_engine_does_not_know_yet() -> None:
    """A block or a withdrawal bites from the moment that its row is there, event or not."""
    author, viewer = person(), person()
    kept, gone = video(person()), video(author)
    Block.objects.create(blocker=author, blocked=viewer)
    client = browser(viewer)
    assert {item["id"] for item in page(client)} == {kept.public_id}
    gone.author = person()
    gone.withdrawn_at = gone.published_at
    gone.save()
    assert {item["id"] for item in page(browser())} == {kept.public_id}


def test_withdrawn_and_blocked_are_gone_from_the_very_next_page() -> None:
    viewer, one, other = person(), person(), person()
    first, second = video(one), video(other)
    client = browser(viewer)
    assert len(page(client)) == 2
    records.emit(Withdrawn(video=first.pk, reason=Removal.WITHDRAWN))
    records.emit(Blocked(viewer=viewer.viewer_key, author=other.pk, at_ms=0))
    records.relay()
    assert second.pk
    assert page(client) == []


def test_scopes_draw_from_their_part() -> None:
    author, other = person("maker"), person()
    mine = video(author, "waves", tags=["sea"])
    theirs = video(other, "cells", tags=["grid"])
    client = browser()
    for query, expected in (
        ("scope=channel&value=cells", theirs),
        ("scope=tag&value=sea", mine),
        ("scope=author&value=maker", mine),
    ):
        assert [item["id"] for item in page(client, query)] == [expected.public_id]
    assert page(client, "scope=following") == []
    assert client.get("/api/feed?scope=author&value=nobody").status_code == 404


def test_a_guest_keeps_one_name_and_cannot_choose_another() -> None:
    video(person())
    client = browser()
    client.get("/api/feed")
    cookie = client.cookies["jhalak_guest"].value
    assert cookie
    client.get("/api/feed")
    assert client.cookies["jhalak_guest"].value == cookie
    client.cookies["jhalak_guest"] = "0" * 32 + ":forged"
    client.get("/api/feed")
    assert client.cookies["jhalak_guest"].value not in (cookie, "0" * 32 + ":forged")
