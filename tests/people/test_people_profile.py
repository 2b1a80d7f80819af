"""Profile, picture, private account: through HTTP, success beside refusal."""

from __future__ import annotations

import io
import os
import struct
import time
import zlib
from typing import Any

import pytest
from PIL import Image
from tests.people.factories import Answer, Api, client_of, emitted, make_person

from jhalak import records
from jhalak.options import options
from jhalak.people import pictures
from jhalak.people.models import Block, Follow, Person
from jhalak.records.models import Job

pytestmark = pytest.mark.django_db


# ---- words ---------------------------------------------------------------------------------------


def test_change_profile() -> None:
    person = make_person("asha", bio="before")
    api = client_of(person)
    answer = api.send(
        "patch", "/me", {"name": "  Åsha \u200b\u202eK ", "bio": "one\r\n\n\n\ntwo\t!"}
    )
    assert answer.status == 200
    assert answer.json["name"] == "Åsha K"
    assert answer.json["bio"] == "one\n\ntwo !"
    seen = Api().send("get", "/people/Asha").json
    assert (seen["name"], seen["bio"]) == ("Åsha K", "one\n\ntwo !")
    assert api.send("patch", "/me", {}).json == answer.json
    assert api.send("patch", "/me", {"bio": ""}).json["bio"] == ""
    assert api.send("patch", "/me", {"language": "hi"}).json["language"] == "hi"

    before = Person.objects.values().get()
    for body, field in [
        ({"name": "n" * 61}, "name"),
        ({"bio": "b" * 301}, "bio"),
        ({"bio": 3}, "bio"),
        ({"private": "yes"}, "private"),
        ({"language": "tlh"}, "language"),
        ({"handle": "other"}, "handle"),
        ({"role": "operator"}, "role"),
        ({"picture": "people/1/x.webp"}, "picture"),
    ]:
        refused = api.send("patch", "/me", body)
        assert (refused.status, refused.field) == (422, field)
        assert refused.message
    assert Api().send("patch", "/me", {"name": "x"}).status == 401
    assert Person.objects.values().get() == before


def test_names_in_every_script_stay_whole() -> None:
    api = client_of(make_person())
    for name in ["क्‍ष", "മലയാള‍ം", "தமிழ்", "اردو نام", "ଓଡ଼ିଆ", "👩🏽‍🚀", "‹i› & \"q\" 'a'", "ᱥᱟᱱᱛᱟᱲᱤ"]:
        answer = api.send("patch", "/me", {"name": name})
        assert answer.status == 200
        assert answer.json["name"].replace("‌", "") != ""
        assert len(answer.json["name"]) >= len(name) - 1


def test_unknown_people_look_alike() -> None:
    person, other = make_person("asha"), make_person("ravi")
    Block.objects.create(blocker=other, blocked=person)
    api = client_of(person)
    absent = api.send("get", "/people/ghost")
    blocked = api.send("get", "/people/ravi")
    assert absent.status == blocked.status == 404
    assert absent.json == blocked.json
    for handle in ("%00", "..%2f..%2fetc", "%F0%9F%98%80", "a" * 2000, "<script>", "' OR 1=1 --"):
        assert api.send("get", f"/people/{handle}").status == 404


# ---- private accounts ----------------------------------------------------------------------------


def test_private_account_closes_lists_and_opens_them_again() -> None:
    asha, ravi, follower = make_person("asha"), make_person("ravi"), make_person("meena")
    Follow.objects.create(follower=follower, followed=asha)
    api, stranger, friend = client_of(asha), client_of(ravi), client_of(follower)
    assert stranger.send("get", "/people/asha/followers").status == 200
    assert stranger.send("get", "/people/asha").json["followers"] == 1

    assert api.send("patch", "/me", {"private": True}).json["private"] is True
    assert Job.objects.filter(kind="videos.announce_author", subject=str(asha.pk)).exists()
    for path in ("/people/asha/followers", "/people/asha/following"):
        assert stranger.send("get", path).status == 404
        assert Api().send("get", path).status == 404
        assert friend.send("get", path).status == 200
        assert api.send("get", path).status == 200
    hidden = stranger.send("get", "/people/asha").json
    assert (hidden["private"], hidden["open"], hidden["followers"]) == (True, False, None)

    asked = stranger.send("put", "/people/asha/follow").json
    assert asked == {"following": False, "requested": True}
    assert stranger.send("get", "/people/asha/followers").status == 404
    assert emitted() == []

    # Opening up accepts who asked.
    api.send("patch", "/me", {"private": False})
    assert stranger.send("get", "/people/asha").json["following"] is True
    (followed,) = emitted()
    assert (followed.viewer, followed.author) == (ravi.viewer_key, asha.pk)  # type: ignore[union-attr]


# ---- pictures ------------------------------------------------------------------------------------


def photo(kind: str, size: tuple[int, int] = (600, 400), mode: str = "RGB", **save: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "orange" if mode != "P" else 3).save(out, kind, **save)
    return out.getvalue()


def with_place() -> bytes:
    """A photo lying on its side, red at its left, with a place and a comment in it."""
    picture = Image.new("RGB", (600, 400), "blue")
    picture.paste("red", (0, 0, 300, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter: left becomes top
    exif[0x010E] = "SECRET-COMMENT"
    exif.get_ifd(0x8825)[2] = (28.0, 36.0, 50.0)
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=b"SECRET-COMMENT")
    return out.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A small PNG that decodes to width x height."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def put_picture(api: Api, body: bytes, kind: str = "image/jpeg") -> Answer:
    return Answer(api.put("/api/me/picture", data=body, content_type=kind))


def stored(person: Person) -> bytes:
    person.refresh_from_db()
    return records.objects().read(person.picture)


def test_set_picture() -> None:
    person = make_person("asha")
    api = client_of(person)
    answer = put_picture(api, with_place(), "text/plain")  # what it is called does not matter
    assert answer.status == 200
    kept = stored(person)
    assert answer.json["picture"].startswith("/media/people/asha/")
    assert api.send("get", "/me").json["picture"] == answer.json["picture"]
    picture = Image.open(io.BytesIO(kept))
    assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert not picture.getexif()
    assert b"SECRET" not in kept
    assert b"EXIF" not in kept
    red, _green, blue = picture.convert("RGB").getpixel((128, 20))  # type: ignore[misc]
    assert red > 200 > blue  # upright: what was left is top

    for other in (
        photo("PNG", mode="RGBA"),
        photo("PNG", mode="RGBA", size=(1500, 1100)),
        photo("PNG", mode="P", transparency=3),
        photo("PNG", mode="P", size=(1500, 1100), transparency=3),
        photo("PNG", mode="I;16", size=(90, 900)),
        photo("WEBP", (1, 1)),
        photo("JPEG", mode="CMYK"),
        photo("JPEG", mode="L", size=(11_000, 2)),
    ):
        assert put_picture(api, other).status == 200
    assert api.send("delete", "/me/picture").status == 204
    assert api.send("get", "/me").json["picture"] == ""


def test_pictures_that_are_refused() -> None:
    person = make_person()
    api = client_of(person)
    whole = photo("JPEG", (3000, 2000))
    for body, status, code in [
        (b"", 400, "empty"),
        (b"GIF89a" + b"\0" * 100, 415, "not_a_picture"),
        (photo("GIF"), 415, "not_a_picture"),
        (photo("BMP"), 415, "not_a_picture"),
        (photo("TIFF"), 415, "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_a_picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "not_a_picture"),
        (b"just text", 415, "not_a_picture"),
        (whole[:9_000], 422, "broken_picture"),
        (photo("PNG")[:200], 422, "broken_picture"),
        (png_that_says(100, 100_000), 413, "too_many_pixels"),
        (png_that_says(11_999, 11_999), 413, "too_many_pixels"),
        (png_that_says(4_200, 4_200), 413, "too_many_pixels"),
        (png_that_says(60_000, 60_000), 413, "too_many_pixels"),
        (b"\xff\xd8\xff" + b"\0" * 5_000_000, 413, "too_large"),
        (os.urandom(5_000), 415, "not_a_picture"),
    ]:
        answer = put_picture(api, body)
        assert (answer.status, answer.code) == (status, code)
        assert answer.message
    assert put_picture(Api(), whole).status == 401
    person.refresh_from_db()
    assert person.picture == ""
    assert list(records.objects().list("people/")) == []
    assert put_picture(api, whole).status == 200


@pytest.mark.django_db(transaction=True)
def test_an_old_picture_goes_and_a_failed_one_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = make_person()
    api = client_of(person)
    put_picture(api, photo("PNG"))
    first = Person.objects.get().picture
    put_picture(api, photo("PNG"))
    second = Person.objects.get().picture
    keys = [found.key for found in records.objects().list("people/")]
    assert keys == [second] != [first]

    def fails(*_: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr("jhalak.people.actions._swap_picture", fails)
    assert put_picture(api, photo("PNG")).status == 500
    assert [found.key for found in records.objects().list("people/")] == [second]


def test_pictures_that_nobody_names_are_swept() -> None:
    person = make_person()
    put_picture(client_of(person), photo("PNG"))
    orphan = pictures.put(person, b"left by a process that died")
    assert pictures.sweep() == 0  # it may belong to a request that still runs
    old = time.time() - 2 * 3600
    for path in (options().folder / "objects" / "people").rglob("*.webp"):
        os.utime(path, (old, old))
    assert pictures.sweep() == 1
    assert records.objects().head(orphan) is None
    assert stored(person)
