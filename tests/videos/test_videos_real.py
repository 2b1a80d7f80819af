"""The real site, a real tus client, real clips: from a broken line to a picture that decodes."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from tusclient.client import TusClient

from tests.live import Site, clip, eventually, states
from tests.videos.tools import BYTES, TUS, metadata

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("real") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def client(site: Site) -> httpx.Client:
    return site.client("asha")


def cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def tus(site: Site, client: httpx.Client, content: bytes, **more: Any) -> Any:
    words = {"filename": "clip.mp4", "filetype": "video/mp4", "caption": "with tuspy"}
    speaker = TusClient(f"{site.url}/api/uploads", headers={"Cookie": cookies(client)})
    return speaker.uploader(metadata=words, file_stream=io.BytesIO(content), **more)


def create(client: httpx.Client, size: int) -> str:
    given = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(filename="clip.mp4")}
    answer = client.post("/api/uploads", headers=given)
    assert answer.status_code == 201
    return answer.headers["Location"]


def offset(client: httpx.Client, where: str) -> int:
    return int(client.head(where, headers=TUS).headers["Upload-Offset"])


def test_tuspy_goes_on_where_it_stopped(site: Site, client: httpx.Client, tmp_path: Path) -> None:
    file = clip(tmp_path / "clip.mp4", seconds=3, size="720x1280", codec="mpeg4")
    source = file.read_bytes()
    uploader = tus(site, client, source, chunk_size=100_000, upload_checksum=True)
    uploader.upload(stop_at=250_000)
    assert offset(client, uploader.url) == 250_000
    again = tus(site, client, source, chunk_size=100_000, upload_checksum=True, url=uploader.url)
    assert again.offset == 250_000
    again.upload()
    video = client.head(uploader.url, headers=TUS).headers["Jhalak-Video"]
    seen = []
    for state in states(client, video, 90):
        card = client.get(f"/api/videos/{video}").json()
        seen.append(state)
        if state == "playable" and card["src"].endswith("growing.m3u8"):
            _decode_the_first_piece(client, card["src"])
    assert seen[-1] == "complete"
    card = client.get(f"/api/videos/{video}").json()
    assert card["caption"] == "with tuspy"
    whole = httpx.get(site.url + card["src"])
    with av.open(io.BytesIO(whole.content)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 90
    _decode_from_its_start(client, card["sources"])
    master = client.get(card["hls"]).text
    assert master.count("#EXT-X-STREAM-INF") == 3
    poster = client.get(card["poster"])
    assert (poster.status_code, poster.content[8:12]) == (200, b"WEBP")
    assert httpx.get(site.url + card["src"], headers={"Range": "bytes=10-19"}).status_code == 206
    assert client.get(f"/_objects/videos/{video}").status_code == 404


def _decode_from_its_start(client: httpx.Client, sources: list[dict[str, Any]]) -> None:
    """What a player needs to begin is really enough, of each source."""
    assert sources
    assert [one["bps"] for one in sources] == sorted(one["bps"] for one in sources)
    for one in sources:
        part = client.get(one["src"], headers={"Range": f"bytes=0-{one['start'] - 1}"})
        assert part.status_code == 206
        with av.open(io.BytesIO(part.content)) as container:
            frames = [(frame.width, frame.height) for frame in container.decode(video=0)]
        assert len(frames) >= 30
        assert set(frames) == {(one["width"], one["height"])}


def _decode_the_first_piece(client: httpx.Client, address: str) -> None:
    lines = client.get(address).text.splitlines()
    names = [line for line in lines if not line.startswith("#")]
    base = address.rpartition("/")[0]
    parts = [client.get(f"{base}/{name}") for name in ("piece-0.m4s", names[0])]
    assert {part.status_code for part in parts} == {200}
    with av.open(io.BytesIO(b"".join(part.content for part in parts))) as container:
        assert next(container.decode(video=0)).width > 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"This is a text and no video.\n" * 100, "not_a_video"),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + b"\x00" * 1000, "still_image"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nfile:///etc/passwd\n", "not_a_video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_a_video"),
        (b"\x00" * 5000, "not_a_video"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 30, "not_a_video"),
    ],
)
def test_no_video_fails_with_a_reason_and_a_retry(
    site: Site, client: httpx.Client, content: bytes, code: str
) -> None:
    uploader = tus(site, client, content)
    uploader.upload()
    video = client.head(uploader.url, headers=TUS).headers["Jhalak-Video"]
    assert list(states(client, video))[-1] == "failed"
    card = client.get(f"/api/videos/{video}").json()
    assert card["failure"]["code"] == code
    assert card["failure"]["text"]
    assert card["retry"] is True
    assert httpx.get(f"{site.url}/api/videos/{video}").status_code == 404
    assert client.post(f"/api/videos/{video}/retry").json()["state"] == "received"
    assert list(states(client, video))[-1] == "failed"
    assert client.delete(f"/api/videos/{video}").status_code == 204


def _send_half(
    site: Site, client: httpx.Client, where: str, data: bytes, size: int
) -> socket.socket:
    """A PATCH that announces `size` bytes and sends `data`: a phone whose line went quiet."""
    line = socket.create_connection(("127.0.0.1", site.port))
    request = (
        f"PATCH {where} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {cookies(client)}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {BYTES}\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    line.sendall(request.encode() + data)
    return line


def test_a_line_that_drops_keeps_what_arrived(site: Site, client: httpx.Client) -> None:
    where = create(client, 400_000)
    line = _send_half(site, client, where, b"x" * 150_000, 400_000)
    time.sleep(0.5)
    line.close()
    eventually(lambda: offset(client, where) == 150_000, 60, "what arrived to be kept")
    rest = client.patch(
        where,
        content=b"x" * 250_000,
        headers=TUS | {"Upload-Offset": "150000", "Content-Type": BYTES},
    )
    assert rest.status_code == 204
    assert rest.headers["Jhalak-Video"]


def test_a_second_writer_is_told_to_wait(site: Site, client: httpx.Client) -> None:
    given = TUS | {"Upload-Offset": "0", "Content-Type": BYTES}
    for pause in (0.5, 3, 30):  # until the first has begun, which nobody outside can see
        where = create(client, 100_000)
        line = _send_half(site, client, where, b"x" * 50_000, 100_000)
        time.sleep(pause)
        answer = client.patch(where, content=b"y" * 100_000, headers=given)
        if answer.status_code == 423:
            break
        line.close()
    assert answer.status_code == 423, answer.text
    line.close()
    eventually(lambda: offset(client, where) == 50_000, 60, "the first writer to be let go")
    assert client.delete(where, headers=TUS).status_code == 204


def test_a_body_without_a_length(site: Site, client: httpx.Client) -> None:
    where = create(client, 5000)

    def parts() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * 1000

    given = TUS | {"Upload-Offset": "0", "Content-Type": BYTES}
    answer = client.patch(where, content=parts(), headers=given)
    assert (answer.status_code, answer.headers.get("Upload-Offset")) == (204, "5000")
