"""What media addresses answer: which object, which type, how long it is kept; playlists."""

from __future__ import annotations

import pytest

from jhalak.videos.models import Piece, Rendition, Video
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db


def test_the_proxy_gets_the_path_from_the_row() -> None:
    made = video(person())
    client = browser()
    key = Rendition.objects.get(video=made).key
    answer = client.get(f"/media/{made.public_id}/720.mp4")
    assert answer["X-Accel-Redirect"] == f"/_objects/{key}"
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Cache-Control"] == "private, max-age=300"
    assert answer.content == b""
    webp = client.get(f"/media/{made.public_id}/poster.webp")
    assert webp["X-Accel-Redirect"] == f"/_objects/{made.poster_base}.webp"
    assert webp["Content-Type"] == "image/webp"
    assert client.get(f"/media/{made.public_id}/poster.jpg")["Content-Type"] == "image/jpeg"


def test_what_only_some_may_see_is_asked_again() -> None:
    me = person()
    kept = video(me, visibility="private")
    assert (
        browser(me).get(f"/media/{kept.public_id}/720.mp4")["Cache-Control"] == "private, no-cache"
    )
    closed = person(private=True)
    shut = video(closed)
    answer = browser(closed).get(f"/media/{shut.public_id}/720.mp4")
    assert answer["Cache-Control"] == "private, no-cache"


def test_playlists_of_a_finished_video() -> None:
    made = video(person())
    Rendition.objects.create(
        video=made, name="1080", key="videos/y/1080.mp4", width=1080, height=1920, size=10_000,
        bitrate_bps=4_000_000, average_bps=3_000_000, frame_rate=30.0,
        codecs="avc1.640028,mp4a.40.2", init_size=100, fragments=[[100, 9_900, 8_000]],
    )  # fmt: skip
    client = browser()
    master = client.get(f"/media/{made.public_id}/master.m3u8")
    assert master["Content-Type"] == "application/vnd.apple.mpegurl"
    lines = master.content.decode().splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line for line in lines if not line.startswith("#")] == ["720.m3u8", "1080.m3u8"]
    own = client.get(f"/media/{made.public_id}/720.m3u8").content.decode()
    assert '#EXT-X-MAP:URI="720.mp4",BYTERANGE="100@0"' in own
    assert "#EXT-X-BYTERANGE:900@100\n720.mp4" in own
    assert own.endswith("#EXT-X-ENDLIST\n")


def growing(made: Video, *, pieces: int) -> str:
    for number in range(pieces + 1):
        Piece.objects.create(
            video=made, number=number, key=f"videos/z/{number}", duration_ms=2000 if number else 0
        )
    return f"/media/{made.public_id}/growing.m3u8"


def test_a_growing_video_plays_its_pieces_and_goes_over_to_the_file() -> None:
    made = video(person(), state="playable", first_rendition="")
    rendition = Rendition.objects.get(video=made)
    Rendition.objects.all().delete()
    client = browser()
    assert client.get(f"/media/{made.public_id}/growing.m3u8").status_code == 404
    address = growing(made, pieces=3)
    card = client.get(f"/api/videos/{made.public_id}").json()
    assert card["src"] == card["hls"] == address
    answer = client.get(address)
    assert answer["Cache-Control"] == "private, no-store"
    text = answer.content.decode()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "piece-1.m4s", "piece-2.m4s", "piece-3.m4s"
    ]  # fmt: skip
    assert '#EXT-X-MAP:URI="piece-0.m4s"' in text
    assert "ENDLIST" not in text
    piece = client.get(f"/media/{made.public_id}/piece-2.m4s")
    assert piece["X-Accel-Redirect"] == "/_objects/videos/z/2"
    # Whole, and the pieces do not reach its end (a worker died between them): the file's own list.
    rendition.pk = None
    rendition.save()
    Video.objects.update(first_rendition="720")
    assert "720.mp4" in client.get(address).content.decode()
    Piece.objects.create(video=made, number=4, key="videos/z/4", duration_ms=2000)
    text = client.get(address).content.decode()  # they reach it: nobody is interrupted
    assert "piece-4.m4s" in text
    assert text.endswith("#EXT-X-ENDLIST\n")
    Piece.objects.all().delete()
    assert "720.mp4" in client.get(address).content.decode()  # an old card still plays
    assert client.get(f"/api/videos/{made.public_id}").json()["src"].endswith("/720.mp4")


def test_pictures_of_people() -> None:
    me = person("asha", picture="people/7/0123456789abcdef.webp")
    client = browser()
    answer = client.get("/media/people/asha/0123456789abcdef.webp")
    assert answer["X-Accel-Redirect"] == "/_objects/people/7/0123456789abcdef.webp"
    assert answer["Content-Type"] == "image/webp"
    absent = client.get("/media/people/asha/fedcba9876543210.webp")
    assert absent.status_code == 404
    assert client.get("/media/people/nobody/0123456789abcdef.webp").status_code == 404
    other = person(picture="")
    assert client.get(f"/media/people/{other.handle}/.webp").status_code == 404
    from jhalak.people.models import Block

    stranger = person()
    Block.objects.create(blocker=me, blocked=stranger)
    hidden = browser(stranger).get("/media/people/asha/0123456789abcdef.webp")
    assert hidden.status_code == 404
