"""Resumable uploads over HTTP: what is taken, what is refused, and that nothing is lost."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jhalak import records
from jhalak.options import options, override
from jhalak.people.models import Person
from jhalak.records.models import Job
from jhalak.videos import files
from jhalak.videos.models import Upload, Video
from jhalak.videos.uploading import do_receive_upload
from tests.factories import browser, channel, person
from tests.videos.tools import BYTES, TUS, create, head, metadata, patch, upload

pytestmark = pytest.mark.django_db


def sums(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def test_it_says_what_it_speaks() -> None:
    answer = browser().options("/api/uploads")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "termination", "expiration", "checksum"
    }  # fmt: skip
    assert answer["Tus-Max-Size"] == str(options().upload_limit)
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_an_upload_in_three_parts_with_a_lost_one() -> None:
    client = browser(person("asha"))
    data = bytes(range(256)) * 10
    made = create(client, len(data), caption="लहरें #समुद्र", language="hi", visibility="followers")
    assert made.status_code == 201
    assert "Upload-Expires" in made
    where = made["Location"]
    assert where.startswith("/api/uploads/")
    assert patch(client, where, 0, data[:1000])["Upload-Offset"] == "1000"
    assert patch(client, where, 0, data[:1000]).status_code == 409  # sent twice
    answer = head(client, where)
    assert (answer.status_code, answer["Upload-Offset"]) == (200, "1000")
    assert answer["Upload-Length"] == str(len(data))
    assert answer["Cache-Control"] == "no-store"
    assert "caption " in answer["Upload-Metadata"]
    assert "Jhalak-Video" not in patch(client, where, 1000, data[1000:2000])
    answer = patch(client, where, 2000, data[2000:])
    assert (answer.status_code, answer["Upload-Offset"]) == (204, "2560")
    video = Video.objects.get(public_id=answer["Jhalak-Video"])
    assert (video.caption, video.tags, video.language) == ("लहरें #समुद्र", ["समुद्र"], "hi")
    assert (video.visibility, video.state) == ("followers", "received")
    assert records.objects().read(video.source_key) == data
    assert Job.objects.get().kind == "videos.process"
    assert not files.path_of(video.upload_id).exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "ten"}, 400),
        ({"Upload-Length": "1" * 30}, 400),
        ({"Upload-Length": "٣"}, 400),
        ({"Upload-Length": "0"}, 422),
        ({"Upload-Length": str(300 << 20)}, 413),
        ({"Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Metadata": "filename YQ==,filename YQ=="}, 400),
        ({"Upload-Metadata": "filename //79"}, 400),  # not UTF-8
        ({"Upload-Metadata": "x " + "A" * 9000}, 400),
        ({"Upload-Metadata": ""}, 415),
        ({"Upload-Metadata": metadata(filename="a.txt", filetype="text/plain")}, 415),
        ({"Upload-Metadata": metadata(filename="a.gif", filetype="video/mp4")}, 415),
        ({"Upload-Metadata": metadata(filename="a.m3u8")}, 415),
        ({"Upload-Metadata": metadata(filename="a.mp4", filetype="image/gif")}, 415),
        ({"Upload-Metadata": metadata(filename="a.mp4", visibility="everyone")}, 422),
        ({"Upload-Metadata": metadata(filename="a.mp4", caption="x" * 501)}, 422),
        ({"Upload-Metadata": metadata(filename="a.mp4", tags="a b,c!")}, 422),
        ({"Upload-Metadata": metadata(filename="a.mp4", language="klingon")}, 422),
        ({"Upload-Metadata": metadata(filename="a.mp4", channel="nowhere")}, 422),
    ],
)
def test_refused_before_any_byte(headers: dict[str, str], status: int) -> None:
    client = browser(person())
    answer = create(client, 100, headers)
    assert answer.status_code == status, answer.content
    assert answer["Tus-Resumable"] == "1.0.0"
    assert answer.json()["error"]["message"]
    assert not Upload.objects.exists()
    assert create(client, 100).status_code == 201  # the same without the fault


@pytest.mark.parametrize(
    "pairs",
    [
        {"filename": "VIDEO.MOV", "filetype": ""},
        {"filename": "no suffix", "filetype": "video/webm"},
        {"filename": "a.mkv", "filetype": "application/octet-stream"},
        {"filename": "a.mp4", "filetype": 'video/mp4; codecs="avc1"'},
        {"filename": "../../etc/passwd.mp4", "filetype": "video/mp4"},
    ],
)
def test_taken_types(pairs: dict[str, str]) -> None:
    assert create(browser(person()), 100, **pairs).status_code == 201


def test_only_who_may_upload() -> None:
    assert create(browser(), 100).status_code == 401
    assert create(browser(person(role="viewer")), 100).status_code == 403
    assert create(browser(person(role="creator")), 100).status_code == 201


def test_quota_counts_what_is_kept_and_what_is_coming() -> None:
    me = person()
    client = browser(me)
    with override(upload_quota=2500, data=options().data):
        upload(client, b"x" * 1000)
        assert create(client, 1000).status_code == 201
        answer = create(client, 501)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "quota")
        assert create(browser(person()), 501).status_code == 201  # of each person
        assert create(client, 500).status_code == 201


def test_so_many_under_way_and_no_more() -> None:
    client = browser(person())
    with override(uploads_open=2, data=options().data):
        first = create(client, 10)["Location"]
        assert create(client, 10).status_code == 201
        assert create(client, 10).status_code == 429
        assert client.delete(first, headers=TUS).status_code == 204
        assert create(client, 10).status_code == 201


def test_a_full_disk_refuses_before_any_byte() -> None:
    client = browser(person())
    with override(disk_reserve=1 << 60, data=options().data):
        assert create(client, 10).status_code == 507
    assert create(client, 10).status_code == 201


def test_somebody_elses_upload_is_not_there() -> None:
    mine, other = browser(person()), browser(person())
    where = create(mine, 10)["Location"]
    for client, status in ((other, 404), (browser(), 401)):
        assert head(client, where).status_code == status
        assert patch(client, where, 0, b"x").status_code == status
        assert client.delete(where, headers=TUS).status_code == status
    assert head(mine, "/api/uploads/" + "0" * 32).status_code == 404
    assert head(mine, "/api/uploads/..%2f..%2fsecret.key").status_code == 404
    assert patch(mine, where, 0, b"x").status_code == 204


def test_wrong_offsets_types_and_sizes() -> None:
    client = browser(person())
    where = create(client, 10)["Location"]
    wrong = patch(client, where, 5, b"xxxxx")
    assert (wrong.status_code, wrong["Upload-Offset"]) == (409, "0")
    assert patch(client, where, 0, b"x", Content_Type="video/mp4").status_code == 415
    assert patch(client, where, 0, b"x" * 11).status_code == 413
    assert patch(client, where, 0, b"x", Upload_Offset="-1").status_code == 400
    assert patch(client, where, 0, b"x", Tus_Resumable="2.0.0").status_code == 412
    assert head(client, where)["Upload-Offset"] == "0"
    assert patch(client, where, 0, b"x" * 10).status_code == 204
    assert patch(client, where, 10, b"x").status_code == 413  # finished
    assert patch(client, where, 0, b"x").status_code == 409


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksums(algorithm: str) -> None:
    client = browser(person())
    where = create(client, 20)["Location"]
    good, bad = b"0123456789", b"0123456780"
    wrong = patch(client, where, 0, bad, Upload_Checksum=sums(good, algorithm))
    assert wrong.status_code == 460
    assert head(client, where)["Upload-Offset"] == "0"
    assert patch(client, where, 0, good, Upload_Checksum="md5 xxxx").status_code == 400
    assert patch(client, where, 0, good, Upload_Checksum="sha1 xxxx").status_code == 400
    assert patch(client, where, 0, good, Upload_Checksum=sums(good, algorithm)).status_code == 204
    answer = patch(client, where, 10, good, Upload_Checksum=sums(good, algorithm))
    video = Video.objects.get(public_id=answer["Jhalak-Video"])
    assert records.objects().read(video.source_key) == good + good


def test_creation_with_upload() -> None:
    client = browser(person())

    def begin(data: bytes, size: int) -> Any:
        given = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(filename="a.mp4")}
        return client.generic("POST", "/api/uploads", data, content_type=BYTES, headers=given)

    part = begin(b"12345", 10)
    assert (part.status_code, part["Upload-Offset"]) == (201, "5")
    whole = begin(b"1234567890", 10)
    assert (whole.status_code, whole["Upload-Offset"]) == (201, "10")
    assert Video.objects.filter(public_id=whole["Jhalak-Video"]).exists()


def test_clients_that_can_only_post() -> None:
    client = browser(person())
    where = create(client, 10)["Location"]
    given = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    sent = client.generic("POST", where, b"1234567890", content_type=BYTES, headers=given)
    assert sent.status_code == 204
    assert "Jhalak-Video" in sent
    assert client.post(where, headers=TUS).status_code == 404
    given = TUS | {"X-HTTP-Method-Override": "DELETE"}
    assert client.post(create(client, 5)["Location"], headers=given).status_code == 204


def test_termination_and_expiry() -> None:
    me = person()
    client = browser(me)
    where = create(client, 10)["Location"]
    patch(client, where, 0, b"x")
    name = where.rpartition("/")[2]
    assert files.path_of(name).exists()
    assert client.delete(where, headers=TUS).status_code == 204
    assert head(client, where).status_code == 404
    assert not files.path_of(name).exists()
    late = create(client, 10)["Location"]
    patch(client, late, 0, b"x")
    Upload.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert head(client, late).status_code == 410
    assert patch(client, late, 1, b"x").status_code == 410


def test_finishing_twice_is_one_video() -> None:
    me = person()
    client = browser(me)
    where = create(client, 4)["Location"]
    first = patch(client, where, 0, b"data")["Jhalak-Video"]
    assert head(client, where)["Jhalak-Video"] == first  # the answer was lost, the client asks
    assert patch(client, where, 4, b"")["Jhalak-Video"] == first
    stale = Upload.objects.get()
    stale.video = ""  # a second finisher that read the row before the first committed
    with pytest.raises(FileNotFoundError):
        files.path_of(stale.pk).read_bytes()
    assert do_receive_upload(stale) == first
    assert Video.objects.count() == 1
    assert Job.objects.count() == 1
    assert client.delete(where, headers=TUS).status_code == 404  # finished: nothing to end


def test_two_finishers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second runs from start to end while the first has put the bytes and not yet the row."""
    client = browser(person())
    where = create(client, 4)["Location"]
    patch(client, where, 0, b"dat")
    with files.path_of(where.rpartition("/")[2]).open("ab") as file:
        file.write(b"a")
    Upload.objects.update(offset=4)
    slow, fast = Upload.objects.get(), Upload.objects.get()
    store = records.objects()
    put, found = store.put, []

    def put_and_wait(*args: Any, **kwargs: Any) -> Any:
        info = put(*args, **kwargs)
        if not found:
            found.append("")
            found[0] = do_receive_upload(fast)
        return info

    monkeypatch.setattr(store, "put", put_and_wait)
    assert do_receive_upload(slow) == found[0]
    assert Video.objects.count() == Job.objects.count() == 1


def test_killed_between_the_last_byte_and_the_video() -> None:
    """The row says that all is there, and no video was made: asking how far it is makes it."""
    client = browser(person())
    where = create(client, 4)["Location"]
    patch(client, where, 0, b"dat")
    upload_ = Upload.objects.get()
    with files.path_of(upload_.pk).open("ab") as file:
        file.write(b"a")
    Upload.objects.update(offset=4)
    assert not Video.objects.exists()
    answer = head(client, where)
    assert answer["Upload-Offset"] == "4"
    assert Video.objects.get().public_id == answer["Jhalak-Video"]


def test_what_was_not_acknowledged_is_cut_off() -> None:
    """Killed after bytes reached the file and before the row moved."""
    client = browser(person())
    where = create(client, 8)["Location"]
    patch(client, where, 0, b"good")
    upload_ = Upload.objects.get()
    with files.path_of(upload_.pk).open("ab") as file:
        file.write(b"half a pack")
    assert head(client, where)["Upload-Offset"] == "4"
    answer = patch(client, where, 4, b"rest")
    video = Video.objects.get(public_id=answer["Jhalak-Video"])
    assert records.objects().read(video.source_key) == b"goodrest"


def test_bytes_lost_below_us_are_asked_for_again() -> None:
    client = browser(person())
    where = create(client, 8)["Location"]
    patch(client, where, 0, b"good")
    files.path_of(Upload.objects.get().pk).write_bytes(b"go")
    answer = patch(client, where, 4, b"rest")
    assert (answer.status_code, answer["Upload-Offset"]) == (409, "2")
    assert head(client, where)["Upload-Offset"] == "2"
    assert patch(client, where, 2, b"odrest").status_code == 204


def test_one_writer_at_a_time() -> None:
    client = browser(person())
    where = create(client, 8)["Location"]
    with files.opened(where.rpartition("/")[2]):
        answer = patch(client, where, 0, b"x")
        assert answer.status_code == 423
        assert "Retry-After" in answer
    assert patch(client, where, 0, b"x").status_code == 204


class Breaking:
    """A request body whose client goes away."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    def __call__(self, most: int) -> bytes:
        if not self.parts:
            raise OSError("the client is gone")
        assert len(self.parts[0]) <= most
        return self.parts.pop(0)


def test_what_arrived_before_a_break_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from jhalak.videos import tus_api

    me: Person = person()
    client = browser(me)
    where = create(client, 100)["Location"]
    monkeypatch.setattr(tus_api, "_source", lambda request: (Breaking(b"12345", b"678"), 100))
    answer = patch(client, where, 0, b"")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "broken_off")
    assert head(client, where)["Upload-Offset"] == "8"
    monkeypatch.setattr(tus_api, "_source", lambda request: (Breaking(b"12345"), 92))
    assert patch(client, where, 8, b"", Upload_Checksum=sums(b"12345")).status_code == 400
    assert head(client, where)["Upload-Offset"] == "8"  # with a checksum: all or nothing


def test_long_bodies_are_acknowledged_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from jhalak.videos import uploading

    monkeypatch.setattr(uploading, "SETTLE_EVERY", 10)
    monkeypatch.setattr(uploading, "CHUNK", 7)
    seen: list[int] = []
    real = uploading._move

    def spy(upload_: Upload, offset: int) -> None:
        real(upload_, offset)
        seen.append(offset)

    monkeypatch.setattr(uploading, "_move", spy)
    client = browser(person())
    where = create(client, 50)["Location"]
    assert patch(client, where, 0, b"x" * 50).status_code == 204
    assert seen == [14, 28, 42, 50]


def test_words_in_every_script_and_none_that_hide() -> None:
    client = browser(person())
    channel("waves")
    caption = "இனிய மாலை\u200d <script>alert(1)</script>\x00\u202e اردو ನಮಸ್ಕಾರ #காலை"
    made = upload(client, caption=caption, channel="waves", tags="मेला,বাংলা")
    video = Video.objects.get(public_id=made)
    assert "<script>alert(1)</script>" in video.caption  # escaped where it is shown
    assert "\x00" not in video.caption
    assert "\u202e" not in video.caption
    assert video.tags == ["मेला", "বাংলা"]
    assert sorted(video.tag_rows.values_list("word", flat=True)) == sorted(video.tags)
    assert video.channel is not None
    assert client.get(f"/api/videos/{made}").json()["channel"]["slug"] == "waves"
