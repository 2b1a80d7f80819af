"""Like, save, share: through HTTP, success beside refusal; counters that stay true."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.people.factories import Api, client_of, emitted, make_person
from tests.people.threads import at_once, on_a_file
from tests.social.factories import make_video

from jhalak.feed.events import Liked, Saved, Shared, Unliked, Unsaved
from jhalak.people import guests
from jhalak.people.models import Follow
from jhalak.social.marks import do_like, do_unlike
from jhalak.social.models import Like, Save, Share
from jhalak.videos.models import Video

pytestmark = pytest.mark.django_db


def counts(video: Video) -> tuple[int, int, int]:
    video.refresh_from_db()
    return video.likes, video.saves, video.shares


def test_marks_count_once() -> None:
    asha, ravi = make_person(), make_person()
    video = make_video(asha)
    api, other = client_of(ravi), client_of(asha)
    base = f"/videos/{video.public_id}"
    for _ in range(3):
        assert api.send("put", f"{base}/like").json == {"liked": True, "likes": 1}
        assert api.send("put", f"{base}/save").json == {"saved": True, "saves": 1}
        assert api.send("post", f"{base}/share").json == {"shares": 1}
    assert other.send("put", f"{base}/like").json["likes"] == 2
    assert other.send("post", f"{base}/share").json["shares"] == 2
    assert counts(video) == (2, 1, 2)
    for _ in range(3):
        assert api.send("delete", f"{base}/like").json == {"liked": False, "likes": 1}
        assert api.send("delete", f"{base}/save").json == {"saved": False, "saves": 0}
    assert counts(video) == (1, 0, 2)
    assert (Like.objects.count(), Save.objects.count(), Share.objects.count()) == (1, 0, 2)
    assert [(type(e), e.viewer) for e in emitted()] == [  # type: ignore[union-attr]
        (Liked, ravi.viewer_key),
        (Saved, ravi.viewer_key),
        (Shared, ravi.viewer_key),
        (Liked, asha.viewer_key),
        (Shared, asha.viewer_key),
        (Unliked, ravi.viewer_key),
        (Unsaved, ravi.viewer_key),
    ]


def test_guests_may_share_and_no_more() -> None:
    video = make_video(make_person())
    guest = Api()
    base = f"/videos/{video.public_id}"
    for method, path in [("put", "like"), ("delete", "like"), ("put", "save"), ("delete", "save")]:
        assert guest.send(method, f"{base}/{path}").status == 401
    first = guest.send("post", f"{base}/share")
    assert (first.status, first.json) == (200, {"shares": 0})
    cookie = first.response.cookies[guests.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 365 * 24 * 3600
    assert "Cookie" in first.response.headers["Vary"]
    again = guest.send("post", f"{base}/share")
    assert guests.COOKIE not in again.response.cookies
    one, two = emitted()
    assert isinstance(one, Shared)
    assert one.viewer == two.viewer == f"g{cookie.value.split(':')[0]}"  # type: ignore[union-attr]

    # A forged cookie is not believed: its bearer is somebody new.
    cookie_of_another = Api()
    cookie_of_another.cookies[guests.COOKIE] = cookie.value[:-1] + "?"
    cookie_of_another.send("post", f"{base}/share")
    assert emitted()[-1].viewer != one.viewer  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("columns", "follower", "stranger"),
    [
        ({}, 200, 200),
        ({"visibility": "followers"}, 200, 404),
        ({"visibility": "private"}, 404, 404),
        ({"state": "preparing"}, 404, 404),
        ({"state": "failed"}, 404, 404),
    ],
)
def test_marks_need_the_right_to_see(columns: Any, follower: int, stranger: int) -> None:
    author, friend = make_person(), make_person()
    Follow.objects.create(follower=friend, followed=author)
    video = make_video(author, **columns)
    for api, status in [(client_of(friend), follower), (client_of(make_person()), stranger)]:
        for method, mark in [("put", "like"), ("put", "save"), ("post", "share")]:
            assert api.send(method, f"/videos/{video.public_id}/{mark}").status == status
        for mark in ("like", "save"):
            assert api.send("delete", f"/videos/{video.public_id}/{mark}").status == status
    assert Api().send("post", f"/videos/{video.public_id}/share").status == stranger


def test_ones_own_mark_can_be_taken_back_from_what_is_hidden() -> None:
    video = make_video(make_person())
    api, other = client_of(make_person()), client_of(make_person())
    api.send("put", f"/videos/{video.public_id}/like")
    Video.objects.update(visibility="private")
    assert api.send("get", "/me/liked").json == {"items": [], "next": None}
    assert api.send("delete", f"/videos/{video.public_id}/like").json["likes"] == 0
    assert api.send("delete", f"/videos/{video.public_id}/like").status == 404
    assert other.send("delete", f"/videos/{video.public_id}/like").status == 404


def test_unknown_videos() -> None:
    api = client_of(make_person())
    for name in ("nope", "%00", "..%2f..", "a" * 3000, "<b>", "' OR 1=1", "1"):
        for method, mark in [("put", "like"), ("delete", "save"), ("post", "share")]:
            assert api.send(method, f"/videos/{name}/{mark}").status == 404
    assert emitted() == []


def test_saved_and_liked_lists() -> None:
    author = make_person("asha")
    videos = [make_video(author) for _ in range(5)]
    api, other = client_of(make_person()), client_of(make_person())
    for video in videos:
        api.send("put", f"/videos/{video.public_id}/save")
    api.send("put", f"/videos/{videos[0].public_id}/like")
    Video.objects.filter(pk__in=[videos[4].pk, videos[3].pk]).update(visibility="private")
    first = api.send("get", "/me/saved?n=2").json
    assert [card["id"] for card in first["items"]] == [videos[2].public_id, videos[1].public_id]
    assert first["items"][0]["saved"] is True
    assert first["items"][0]["liked"] is False
    last = api.send("get", f"/me/saved?n=2&cursor={first['next']}").json
    assert [card["id"] for card in last["items"]] == [videos[0].public_id]
    assert last["items"][0]["liked"] is True
    assert last["next"] is None
    assert [card["id"] for card in api.send("get", "/me/liked").json["items"]] == [
        videos[0].public_id
    ]
    assert other.send("get", "/me/saved").json == {"items": [], "next": None}
    assert Api().send("get", "/me/saved").status == Api().send("get", "/me/liked").status == 401


@pytest.mark.django_db(transaction=True)
def test_counters_stay_true_under_a_crowd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Eight threads press like and unlike on one video: the counter ends as the number of rows."""
    author = make_person()
    video = make_video(author)
    people = [make_person() for _ in range(4)]
    on_a_file(monkeypatch, tmp_path)

    def press(number: int) -> None:
        for turn in range(6):
            person = people[(number + turn) % len(people)]
            (do_unlike if (number + turn) % 3 == 0 else do_like)(person, video)

    assert at_once([partial(press, number) for number in range(8)]) == [None] * 8
    ((likes, rows),) = at_once(
        [lambda: (Video.objects.get(pk=video.pk).likes, Like.objects.count())]
    )
    assert likes == rows <= len(people)
