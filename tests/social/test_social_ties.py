"""Follow, ask, accept, refuse, block: through HTTP, success beside refusal."""

from __future__ import annotations

import pytest
from tests.people.factories import Api, client_of, emitted, make_person
from tests.social.factories import make_video

from jhalak.feed.events import Blocked, Followed, Unblocked, Unfollowed
from jhalak.people.models import Block, Follow

pytestmark = pytest.mark.django_db


def kinds() -> list[tuple[type, str, int]]:
    return [(type(e), e.viewer, e.author) for e in emitted() if hasattr(e, "author")]  # type: ignore[union-attr]


def test_follow_and_unfollow() -> None:
    asha, ravi = make_person("asha"), make_person("ravi")
    api = client_of(ravi)
    for handle in ("asha", "@Asha", "asha"):
        answer = api.send("put", f"/people/{handle}/follow")
        assert (answer.status, answer.json) == (200, {"following": True, "requested": False})
    assert Follow.objects.count() == 1
    assert api.send("get", "/people/asha").json["following"] is True
    assert client_of(asha).send("get", "/people/ravi").json["follows_you"] is True
    for _ in range(2):
        answer = api.send("delete", "/people/asha/follow")
        assert (answer.status, answer.json["following"]) == (200, False)
    assert not Follow.objects.exists()
    assert kinds() == [
        (Followed, ravi.viewer_key, asha.pk),
        (Unfollowed, ravi.viewer_key, asha.pk),
    ]

    assert api.send("put", "/people/ravi/follow").code == "yourself"
    assert api.send("put", "/people/ghost/follow").status == 404
    assert api.send("delete", "/people/ghost/follow").status == 404
    assert Api().send("put", "/people/asha/follow").status == 401
    assert Api().send("delete", "/people/asha/follow").status == 401
    assert not Follow.objects.exists()


def test_a_private_person_decides() -> None:
    asha, ravi, meena = make_person("asha", private=True), make_person("ravi"), make_person("meena")
    owner, first, second = client_of(asha), client_of(ravi), client_of(meena)
    for api in (first, second, first):
        assert api.send("put", "/people/asha/follow").json["requested"] is True
    assert kinds() == []
    listed = owner.send("get", "/me/follow-requests").json
    assert [person["handle"] for person in listed["items"]] == ["meena", "ravi"]
    assert first.send("get", "/me/follow-requests").json["items"] == []
    assert Api().send("get", "/me/follow-requests").status == 401

    # Only the one who was asked can answer; and only to somebody who asked.
    assert second.send("put", "/me/follow-requests/ravi").code == "no_request"
    assert Api().send("put", "/me/follow-requests/ravi").status == 401
    assert owner.send("put", "/me/follow-requests/ghost").status == 404
    for _ in range(2):
        assert owner.send("put", "/me/follow-requests/ravi").status == 204
    assert kinds() == [(Followed, ravi.viewer_key, asha.pk)]
    assert first.send("get", "/people/asha/followers").status == 200

    assert owner.send("delete", "/me/follow-requests/meena").status == 204
    assert owner.send("delete", "/me/follow-requests/meena").code == "no_request"
    assert owner.send("delete", "/me/follow-requests/ravi").code == "no_request"  # he follows
    assert second.send("get", "/people/asha/followers").status == 404
    assert second.send("get", "/people/asha").json["requested"] is False

    # A request that is taken back is no news to the feed.
    second.send("put", "/people/asha/follow")
    second.send("delete", "/people/asha/follow")
    assert len(kinds()) == 1


def test_a_block_bites_on_the_next_request_both_ways() -> None:
    asha, ravi = make_person("asha"), make_person("ravi")
    video = make_video(asha)
    mine, theirs = client_of(asha), client_of(ravi)
    theirs.send("put", "/people/asha/follow")
    mine.send("put", "/people/ravi/follow")
    theirs.send("put", f"/videos/{video.public_id}/save")
    before = len(kinds())

    for _ in range(2):
        assert mine.send("put", "/people/ravi/block").status == 204
    assert not Follow.objects.exists()
    assert kinds()[before:] == [
        (Unfollowed, asha.viewer_key, ravi.pk),
        (Unfollowed, ravi.viewer_key, asha.pk),
        (Blocked, asha.viewer_key, ravi.pk),
        (Blocked, ravi.viewer_key, asha.pk),
    ]
    assert mine.send("get", "/people/ravi").status == 404
    for method, path in [
        ("get", "/people/asha"),
        ("put", "/people/asha/follow"),
        ("get", "/people/asha/followers"),
        ("put", f"/videos/{video.public_id}/like"),
        ("post", f"/videos/{video.public_id}/share"),
    ]:
        assert theirs.send(method, path).status == 404
    assert theirs.send("get", "/me/saved").json["items"] == []
    assert theirs.send("put", "/people/asha/block").status == 404  # they cannot tell who blocked
    assert [p["handle"] for p in mine.send("get", "/me/blocked").json["items"]] == ["ravi"]
    assert theirs.send("get", "/me/blocked").json["items"] == []

    count = len(kinds())
    for _ in range(2):
        assert mine.send("delete", "/people/ravi/block").status == 204
    assert kinds()[count:] == [
        (Unblocked, asha.viewer_key, ravi.pk),
        (Unblocked, ravi.viewer_key, asha.pk),
    ]
    assert theirs.send("get", "/people/asha").status == 200
    assert [v["id"] for v in theirs.send("get", "/me/saved").json["items"]] == [video.public_id]
    assert mine.send("put", "/people/asha/block").code == "yourself"
    assert Api().send("put", "/people/asha/block").status == 401
    assert Api().send("get", "/me/blocked").status == 401


def test_two_blocks_are_two() -> None:
    asha, ravi = make_person("asha"), make_person("ravi")
    Block.objects.create(blocker=ravi, blocked=asha)
    Block.objects.create(blocker=asha, blocked=ravi)
    assert client_of(asha).send("delete", "/people/ravi/block").status == 204
    assert emitted() == []  # ravi's stands
    assert client_of(ravi).send("get", "/people/asha").status == 404
    assert client_of(ravi).send("delete", "/people/asha/block").status == 204
    assert len(emitted()) == 2


def test_lists_go_by_pages_and_leave_out_the_hidden() -> None:
    asha, viewer = make_person("asha"), make_person("viewer_1")
    crowd = [make_person(f"fan_{number:02}") for number in range(7)]
    for fan in crowd:
        Follow.objects.create(follower=fan, followed=asha)
    Follow.objects.create(follower=viewer, followed=crowd[2])
    for hidden in (crowd[6], crowd[5], crowd[4], crowd[0]):
        Block.objects.create(blocker=hidden, blocked=viewer)
    api = client_of(viewer)
    found: list[tuple[str, bool]] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = api.send("get", f"/people/asha/followers?n=2&cursor={cursor}").json
        found += [(person["handle"], person["following"]) for person in page["items"]]
        cursor, pages = page["next"], pages + 1
        assert page["items"] or cursor is None  # never an empty page on the way
    assert found == [("fan_03", False), ("fan_02", True), ("fan_01", False)]
    assert pages < 5
    guest = Api().send("get", "/people/asha/followers").json
    assert len(guest["items"]) == 7
    assert guest["next"] is None
    following = Api().send("get", "/people/fan_00/following").json["items"]
    assert [person["handle"] for person in following] == ["asha"]

    for cursor in ("x", "-1", "1e3", "٣", "9" * 19, "%00", "1%20OR%201"):
        refused = api.send("get", f"/people/asha/followers?cursor={cursor}")
        assert refused.status in (400, 422)
    for n in ("0", "101", "x", "-1", "1.5"):
        assert api.send("get", f"/people/asha/followers?n={n}").status == 422
