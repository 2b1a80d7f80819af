"""The real site with its objects in a bucket: SeaweedFS behind, nginx before, by range."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.live import Site, clip, eventually, states, upload
from tests.seaweed import KEY, SECRET, Seaweed, running

from jhalak.options import Options
from jhalak.site import front
from jhalak.stores.objects import open_objects

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with running(tmp_path_factory.mktemp("weed")) as started:
        yield started


@pytest.fixture(scope="module")
def site(weed: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site") / "data"
    with Site(data, objects_url=weed.url("media")) as started:
        yield started
        log = started.log() + (data / "run" / "front.conf").read_text()
        assert SECRET not in log


@pytest.fixture(scope="module")
def author(site: Site) -> httpx.Client:
    return site.client("author")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture(scope="module")
def public(site: Site, author: httpx.Client, source: Path) -> str:
    video = upload(author, source, caption="in a bucket")
    assert list(states(author, video))[-1] == "complete", site.log()[-3000:]
    return video


def test_it_plays_by_range_and_nothing_is_in_the_folder(
    site: Site, weed: Seaweed, public: str
) -> None:
    stranger = site.client()
    card = stranger.get(f"/api/videos/{public}").json()
    whole = stranger.get(card["src"])
    assert whole.status_code == 200
    part = stranger.get(card["src"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    tail = stranger.get(card["src"], headers={"Range": "bytes=-9"})
    assert tail.content == whole.content[-9:]
    for answer in (whole, part):
        assert answer.headers.get_list("content-type") == ["video/mp4"]
        assert answer.headers.get_list("cache-control") == ["private, max-age=300"]
        assert answer.headers["accept-ranges"] == "bytes"
        told = " ".join(f"{name}: {value}" for name, value in answer.headers.items()).lower()
        for secret in (KEY.lower(), SECRET, "x-amz", "x-accel", "signature", "seaweed"):
            assert secret not in told
    assert stranger.get(card["poster"]).headers["content-type"].startswith("image/")
    (key,) = site.rows("SELECT key FROM videos_rendition")[0]
    assert open_objects(weed.url("media")).read(key) == whole.content
    assert not (site.data / "objects").exists()


def test_what_a_browser_asks_besides(site: Site, public: str) -> None:
    stranger = site.client()
    src = stranger.get(f"/api/videos/{public}").json()["src"]
    whole = stranger.get(src)
    head = stranger.head(src)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    same = stranger.get(src, headers={"If-None-Match": whole.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    beyond = stranger.get(src, headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    assert "media" not in beyond.text  # nothing of the store's own words
    # What would spoil the signature, or tell the store who asks, does not get there.
    odd = {"Authorization": "Bearer x", "X-Amz-Date": "1", "Cookie": "a=b", "Host": "evil.example"}
    assert stranger.get(src, headers=odd).status_code == 200


@pytest.mark.parametrize("key", ["videos/झ/50%?# +&~*'\"<>;=@.mp4", "videos/a%2F..%2Fb.mp4"])
def test_a_hostile_key_is_sent_and_no_other(
    site: Site, weed: Seaweed, public: str, key: str
) -> None:
    """The signature holds although nginx reads the address and writes it anew."""
    open_objects(weed.url("media")).put(key, b"the odd one", content_type="video/mp4")
    src = site.client().get(f"/api/videos/{public}").json()["src"]
    of_it = f"WHERE video_id = (SELECT id FROM videos_video WHERE public_id = '{public}')"
    ((before,),) = site.rows(f"SELECT key FROM videos_rendition {of_it}")
    site.change(f"UPDATE videos_rendition SET key = ? {of_it}", key)
    try:
        answer = site.client().get(src)
        assert (answer.status_code, answer.content) == (200, b"the odd one")
    finally:
        site.change(f"UPDATE videos_rendition SET key = ? {of_it}", before)


def test_a_stranger_gets_no_byte_of_a_private_video(
    site: Site, author: httpx.Client, source: Path
) -> None:
    video = upload(author, source, caption="mine", visibility="private")
    assert list(states(author, video))[-1] == "complete"
    card = author.get(f"/api/videos/{video}").json()
    mine = author.get(card["src"], headers={"Range": "bytes=4-7"})
    assert (mine.status_code, mine.content) == (206, b"ftyp")
    assert mine.headers["cache-control"] == "private, no-cache"
    stranger = site.client("stranger")
    for address in (card["src"], card["poster"]):
        assert stranger.get(address).status_code == 404
    key = next(k for (k,) in site.rows("SELECT key FROM videos_rendition") if video in k)
    assert stranger.get(f"/_objects/{key}").status_code == 404


def test_a_store_that_is_away_for_a_while(
    site: Site, weed: Seaweed, author: httpx.Client, source: Path, public: str
) -> None:
    """Playing and uploading answer 503 in words; afterwards everything is there, and goes on."""
    src = author.get(f"/api/videos/{public}").json()["src"]
    weed.kill()
    try:
        away = author.get(src)
        assert away.status_code == 503
        assert away.json()["error"]["code"] == "unavailable"
        assert author.get("/api/feed").status_code == 200
        with pytest.raises(AssertionError, match="unavailable"):
            upload(author, source, caption="later")
    finally:
        weed.start()
    assert author.get(src, headers={"Range": "bytes=4-7"}).content == b"ftyp"
    open_upload = site.rows("SELECT id FROM videos_upload WHERE video = ''")[0][0]
    head = author.head(f"/api/uploads/{open_upload}", headers={"Tus-Resumable": "1.0.0"})
    video = head.headers["Jhalak-Video"]
    assert list(states(author, video))[-1] == "complete"


def test_a_deleted_video_leaves_nothing_in_the_bucket(
    weed: Seaweed, author: httpx.Client, source: Path
) -> None:
    video = upload(author, source, caption="gone soon")
    assert list(states(author, video))[-1] == "complete"
    store = open_objects(weed.url("media"))
    assert list(store.list(f"videos/{video}/"))
    assert author.delete(f"/api/videos/{video}").status_code == 204
    eventually(lambda: not list(store.list(f"videos/{video}/")), 60, "no objects")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8333", "https://localhost"])
def test_a_system_nginx_takes_it(tmp_path: Path, endpoint: str) -> None:
    options = Options(data=str(tmp_path), objects_url=f"s3://media?endpoint={endpoint}")
    sockets = front.Sockets(tmp_path / "web.sock", tmp_path / "intake.sock")
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    site = front.production_config(options, sockets, front.Tls("example.org", certificate, key))
    # Without its own certificate, which needs more than this test has.
    site = "\n".join(line for line in site.splitlines() if "ssl_certificate" not in line
                     or "proxy_ssl" in line).replace("443 ssl", "8443")  # fmt: skip
    (tmp_path / "all.conf").write_text(f"events {{}}\nhttp {{\n{site}\n}}\n")
    checked = subprocess.run(
        [front.nginx_binary(), "-p", f"{tmp_path}/", "-c", tmp_path / "all.conf", "-t"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "syntax is ok" in checked.stderr, checked.stderr
    if endpoint.startswith("https"):
        assert "proxy_ssl_verify on;" in site
