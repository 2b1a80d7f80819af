"""Every kind of viewer before every kind of video, at every address that leads to it.

What is refused must look like what is not there: the same status, the same words.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jhalak.media.webvtt import Cue
from jhalak.people.access import Viewer
from jhalak.people.models import Block, Follow, Person
from jhalak.videos.access import visible_videos
from jhalak.videos.captions import do_put_captions
from jhalak.videos.cards import cards
from jhalak.videos.models import Piece, Video, VideoTag
from jhalak.videos.states import CaptionSource
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db

VIEWERS = (
    "guest", "stranger", "follower", "pending", "blocked", "blocker", "author", "moderator",
    "operator",
)  # fmt: skip
NAMES = (
    "720.mp4", "720.m3u8", "master.m3u8", "growing.m3u8", "piece-0.m4s", "piece-1.m4s",
    "poster.webp", "poster.jpg", "captions-hi.vtt",
)  # fmt: skip

EVERYBODY = {"guest", "stranger", "follower", "pending", "author", "moderator", "operator"}
# Kinds of videos: columns, whether the account is private, who opens it, who meets it in lists.
KINDS: dict[str, tuple[dict[str, Any], bool, set[str], set[str]]] = {
    "public": ({}, False, EVERYBODY, EVERYBODY),
    "followers": (
        {"visibility": "followers"}, False,
        {"follower", "author", "moderator"}, {"follower", "author"},
    ),
    "private account": (
        {}, True, {"follower", "author", "moderator"}, {"follower", "author"}
    ),
    "private": ({"visibility": "private"}, False, {"author"}, {"author"}),
    "withdrawn": ({"withdrawn_at": timezone.now()}, False, {"author", "moderator"}, set()),
    "withdrawn private": (
        {"withdrawn_at": timezone.now(), "visibility": "private"}, False, {"author"}, set()
    ),
    "failed": ({"state": "failed"}, False, {"author"}, set()),
    "preparing": ({"state": "preparing"}, False, {"author"}, set()),
    "growing": ({"state": "playable"}, False, EVERYBODY, EVERYBODY),
}  # fmt: skip


def world(kind: str) -> tuple[Video, dict[str, Person | None]]:
    columns, private, _opens, _meets = KINDS[kind]
    author = person("author", private=private)
    who: dict[str, Person | None] = {"guest": None, "author": author}
    for name in VIEWERS:
        if name not in who:
            role = name if name in ("moderator", "operator") else "creator"
            who[name] = person(name, role=role)
    Follow.objects.create(follower=who["follower"], followed=author)
    Follow.objects.create(follower=who["pending"], followed=author, pending=True)
    Block.objects.create(blocker=author, blocked=who["blocked"])
    Block.objects.create(blocker=who["blocker"], blocked=author)
    made = video(author, **columns)
    Video.objects.filter(pk=made.pk).update(words=f"{made.caption} {made.tags[0]}".lower())
    VideoTag.objects.create(video=made, word=made.tags[0])
    do_put_captions(None, made, "hi", [Cue(0, 500, f"said in {made.pk}")], CaptionSource.UPLOADED)
    for number in (0, 1):
        Piece.objects.create(
            video=made, number=number, key=f"videos/x/p{number}", duration_ms=8000 * number
        )
    return made, who


def looks(client: Client, address: str) -> tuple[int, bytes]:
    answer = client.get(address)
    return answer.status_code, answer.content


@pytest.mark.parametrize("kind", KINDS)
def test_who_opens_what(kind: str) -> None:
    made, who = world(kind)
    _columns, _private, opens, meets = KINDS[kind]
    for name, one in who.items():
        client = browser(one)
        nothing = looks(client, "/media/AAAAAAAAAAAA/720.mp4")
        assert nothing[0] == 404
        for part in NAMES:
            address = f"/media/{made.public_id}/{part}"
            for answer in (client.get(address), client.head(address)):
                if name in opens:
                    assert answer.status_code == 200, (name, part)
                    assert answer["X-Content-Type-Options"] == "nosniff"
                    assert answer["Cache-Control"].startswith("private")
                else:
                    assert answer.status_code == 404, (name, part)
                    assert "X-Accel-Redirect" not in answer
            if name not in opens:
                assert looks(client, address) == nothing
        shown, absent = f"/api/videos/{made.public_id}", "/api/videos/AAAAAAAAAAAA"
        if name in opens:
            assert client.get(shown).json()["id"] == made.public_id
            assert client.get(f"{shown}/captions/hi").status_code == 200
        else:
            assert looks(client, shown) == looks(client, absent)
            assert looks(client, f"{shown}/captions/hi") == looks(client, f"{absent}/captions/hi")
        viewer = Viewer.member(one) if one else Viewer("g" + "0" * 32)
        assert (made.pk in cards(viewer, [made.pk])) is (name in meets), name
        assert visible_videos(viewer).filter(pk=made.pk).exists() is (name in meets), name
        for address in (
            "/api/people/author/videos",
            f"/api/search?q={made.tags[0]}",
            f"/api/search?q=said {made.pk}",
        ):
            answer = client.get(address)
            ids = [item["id"] for item in answer.json().get("items", [])]
            assert (made.public_id in ids) is (name in meets), (name, address)
        tags = client.get(f"/api/tags?prefix={made.tags[0]}").json()["items"]
        assert bool(tags) is (name in meets), name


def test_deleted_is_gone_from_every_address() -> None:
    made, who = world("public")
    assert browser(who["author"]).delete(f"/api/videos/{made.public_id}").status_code == 204
    for one in who.values():
        client = browser(one)
        for part in NAMES:
            assert client.get(f"/media/{made.public_id}/{part}").status_code == 404
        assert client.get(f"/api/videos/{made.public_id}").status_code == 404


def test_a_suspended_author_is_seen_by_nobody_but_who_judges() -> None:
    made, who = world("public")
    Person.objects.filter(pk=made.author_id).update(suspended_at=timezone.now())
    for name, one in who.items():
        answer = browser(one).get(f"/media/{made.public_id}/720.mp4")
        assert answer.status_code == (200 if name == "moderator" else 404), name


def test_block_and_unfollow_bite_on_the_next_request() -> None:
    made, who = world("followers")
    follower = who["follower"]
    assert follower is not None
    client = browser(follower)
    address = f"/media/{made.public_id}/720.mp4"
    assert client.get(address).status_code == 200
    Follow.objects.filter(follower=follower).delete()
    assert client.get(address).status_code == 404
    made2 = video(made.author)
    open_address = f"/media/{made2.public_id}/720.mp4"
    assert client.get(open_address).status_code == 200
    Block.objects.create(blocker=made.author, blocked=follower)
    assert client.get(open_address).status_code == 404


def test_only_the_author_changes_and_deletes() -> None:
    made, who = world("public")
    body = {"caption": "mine now"}
    for name, one in who.items():
        if name == "author":
            continue
        client = browser(one)
        status = 401 if one is None else 404
        address = f"/api/videos/{made.public_id}"
        assert client.patch(address, body, "application/json").status_code == status
        assert client.delete(address).status_code == status
        assert client.post(f"{address}/retry").status_code == status
    made.refresh_from_db()
    assert made.caption != "mine now"
    mine = browser(who["author"]).patch(f"/api/videos/{made.public_id}", body, "application/json")
    assert mine.json()["caption"] == "mine now"


@pytest.mark.parametrize(
    "name",
    [
        "720.mp4/", "../720.mp4", "..%2f720.mp4", "%2e%2e/720.mp4", "%252e%252e%252f720.mp4",
        "720.MP4",
        "source.mp4", "original", "originals", "piece-01.m4s", "piece--1.m4s", "piece-9.m4s",
        "poster.png", "720.mp4%00", "720.mp4%0d%0aX: y", ".mp4", "x" * 300 + ".mp4",
    ],
)  # fmt: skip
def test_no_other_name_opens_anything(name: str) -> None:
    made, who = world("public")
    client = browser(who["author"])
    assert client.get(f"/media/{made.public_id}/{name}").status_code == 404
    assert client.get(f"/media/{made.public_id}/720.mp4").status_code == 200


def test_media_takes_no_writes() -> None:
    made, who = world("public")
    client = browser(who["author"])
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)(f"/media/{made.public_id}/720.mp4").status_code == 405
