"""The front: what it serves, what it keeps from people, what it keeps from the application."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jhalak.options import Options
from jhalak.site import front
from jhalak.site.static_version import STATIC, static_version
from tests.house.running import House

BYTES = bytes(range(256)) * 4096
ODD = "नाम %20 + x & #1?.mp4"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("front") / 'da ta "quoted"'
    objects = data / "objects" / "videos"
    objects.mkdir(parents=True)
    (objects / "clip.mp4").write_bytes(BYTES)
    (objects / ODD).write_bytes(b"odd")
    (data / "secret.key").write_text("secret")
    (objects / "link.mp4").symlink_to(data / "secret.key")
    with House(data) as running:
        yield running


pytestmark = pytest.mark.slow


def test_media_is_sent_by_range_with_the_applications_headers(house: House) -> None:
    whole = house.get("/media/1?videos/clip.mp4")
    assert whole.status_code == 200
    assert whole.content == BYTES
    part = house.get("/media/1?videos/clip.mp4", headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.content == BYTES[1000:2000]
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(BYTES)}"
    for answer in (whole, part):
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["cache-control"] == "private, max-age=60"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-accel-redirect" not in answer.headers
    same = house.get("/media/1?videos/clip.mp4", headers={"If-None-Match": whole.headers["etag"]})
    assert same.status_code == 304
    beyond = house.get("/media/1?videos/clip.mp4", headers={"Range": f"bytes={len(BYTES)}-"})
    assert beyond.status_code == 416


def test_a_name_in_any_script_is_sent(house: House) -> None:
    from urllib.parse import quote

    assert house.get(f"/media/1?videos/{quote(ODD)}").content == b"odd"


@pytest.mark.parametrize(
    "path",
    [
        "videos/../../secret.key",
        "../secret.key",
        "%2e%2e/secret.key",
        "videos/%2e%2e/%2e%2e/secret.key",
        "videos%2f..%2f..%2fsecret.key",
        "%252e%252e/secret.key",
        "..%5csecret.key",
        "/secret.key",
        "videos/link.mp4",
        "videos/",
        "",
        "videos/absent.mp4",
        "videos/clip.mp4%00.txt",
    ],
)
def test_nothing_outside_the_objects_can_be_named(house: House, path: str) -> None:
    answer = house.get(f"/media/1?{path}")
    assert answer.status_code in (404, 500, 502, 503), answer.text
    assert b"secret" not in answer.content
    assert house.get("/media/1?videos/clip.mp4").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/_objects/videos/clip.mp4",
        "//_objects/videos/clip.mp4",
        "/./_objects/videos/clip.mp4",
        "/x/../_objects/videos/clip.mp4",
        "/%5fobjects/videos/clip.mp4",
        "/_objects%2fvideos/clip.mp4",
        "/_objects/%76ideos/clip.mp4",
        "/static/../_objects/videos/clip.mp4",
        f"/static/{static_version()}/../../_objects/videos/clip.mp4",
    ],
)
def test_objects_are_reached_through_the_application_alone(house: House, path: str) -> None:
    answer = _raw(house, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ", 2)[1] == b"404", answer[:200]
    assert BYTES[:64] not in answer


def test_static_files_are_kept_for_ever_and_nothing_beside_them(house: House) -> None:
    file = next(one for one in sorted(STATIC.rglob("*.js")) if one.is_file())
    address = f"/static/{static_version()}/{file.relative_to(STATIC).as_posix()}"
    answer = house.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.content == file.read_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["x-content-type-options"] == "nosniff"
    if file.stat().st_size > 2000:
        assert answer.headers["content-encoding"] == "gzip"
    assert house.get("/static/000000000000/app.css").status_code == 404
    for path in ("..%2fsettings.py", "../settings.py", "%2e%2e/settings.py", "../../settings.py"):
        start = f"GET /static/{static_version()}/{path} HTTP/1.1"
        answered = _raw(house, f"{start}\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"SECRET_KEY" not in answered


def test_a_client_cannot_say_who_it_is(house: House) -> None:
    said = {
        "X-Real-IP": "6.6.6.6",
        "X_Real_IP": "6.6.6.6",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=6.6.6.6",
        "X-Accel-Redirect": "/_objects/videos/clip.mp4",
        "X-HTTP-Method-Override": "DELETE",
        "Proxy": "http://evil.example",
        "X-Kept": "yes",
    }
    got = house.get("/env", headers=said).json()
    assert got["HTTP_X_REAL_IP"] == "127.0.0.1"
    assert got["HTTP_X_FORWARDED_PROTO"] == "http"
    assert got["HTTP_X_KEPT"] == "yes"
    assert "6.6.6.6" not in str(got)
    assert "evil" not in str(got)
    assert "HTTP_X_ACCEL_REDIRECT" not in got
    assert "HTTP_X_HTTP_METHOD_OVERRIDE" not in got


def test_only_uploads_hear_of_another_method(house: House) -> None:
    for path, heard in (("/api/uploads/1", "PATCH"), ("/api/uploads", "")):
        answer = httpx.post(
            house.url + path, content=b"1234", headers={"X-HTTP-Method-Override": "PATCH"}
        )
        assert (answer.text, answer.headers["seen-override"]) == ("4", heard)


def test_a_photo_comes_through_and_little_else_is_so_large(house: House) -> None:
    for path, status in (("/api/me/picture", 200), ("/api/me", 413)):
        assert httpx.put(house.url + path, content=b"x" * 5_500_000).status_code == status
    assert httpx.put(house.url + "/api/me/picture", content=b"x" * 7_000_000).status_code == 413


@pytest.mark.parametrize(
    "head",
    [
        "POST /env HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "POST /env HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n",
        "GET /env HTTP/1.1\r\nHost: x\r\nHost: y\r\n",
        "GET /env HTTP/1.1\r\n",
        "GET /env\x00 HTTP/1.1\r\nHost: x\r\n",
        "GET /static/../../env HTTP/1.1\r\nHost: x\r\n",
        "GET /env HTTP/1.1\r\nHost: x\r\nCookie: " + "a" * 70_000 + "\r\n",
        "GET /" + "a" * 70_000 + " HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_a_broken_request_stops_at_the_front(house: House, head: str) -> None:
    answer = _raw(house, head + "\r\n0\r\n\r\n")
    assert answer.split(b" ", 2)[1] in (b"400", b"414"), answer[:200]
    assert "यह पता".encode() in answer or b"<h1>" in answer
    assert house.get("/").status_code == 200


def test_too_much_is_refused_in_words(house: House) -> None:
    much = b"x" * 1_100_000
    answer = httpx.post(house.url + "/api/events", content=much)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    page = httpx.post(house.url + "/login", content=much)
    assert page.status_code == 413
    assert "छोटी फ़ाइल" in page.text
    upload = httpx.patch(house.url + "/api/uploads/1", content=much)
    assert upload.text == str(len(much))


def test_200_viewers_at_once(house: House) -> None:
    wanted = b"GET /media/1?videos/clip.mp4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    viewers = [socket.create_connection(("127.0.0.1", house.port), 20) for _ in range(200)]
    try:
        for one in viewers:
            one.sendall(wanted)
        for one in viewers:
            received = 0
            while part := one.recv(1 << 18):
                received += len(part)
            assert received > len(BYTES)
    finally:
        for one in viewers:
            one.close()


def test_the_production_configuration_is_one_that_nginx_takes(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=example.org",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    sockets = front.Sockets(tmp_path / "web.sock", tmp_path / "intake.sock")
    given = Options(data=str(tmp_path))
    tls = front.Tls("example.org www.example.org", certificate, key)
    config = front.production_config(given, sockets, tls)
    (tmp_path / "temp").mkdir()
    temps = "\n".join(
        f"{name}_temp_path temp/{name};"
        for name in ("proxy", "client_body", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"pid x.pid; events {{}} http {{ {temps}\n{config} }}"
    (tmp_path / "nginx.conf").write_text(whole, "utf-8")
    words = [front.nginx_binary(), "-t", "-q", "-p", f"{tmp_path}/", "-c", "nginx.conf"]
    checked = subprocess.run([*words, "-e", "stderr"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    for bad in ("https://example.org", "a;b", "a}b", ""):
        with pytest.raises(front.FrontError):
            front.production_config(given, sockets, front.Tls(bad, certificate, key))


def test_a_name_that_nginx_cannot_be_given_is_refused() -> None:
    assert front.escaped('a "b" c\\d') == 'a \\"b\\" c\\\\d'
    for bad in ("a$b", "a\nb", "a\x00b"):
        with pytest.raises(front.FrontError, match="move it"):
            front.escaped(bad)


def _raw(house: House, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", house.port), 10) as client:
        client.sendall(request.encode("latin-1"))
        client.settimeout(10)
        answer = b""
        try:
            while part := client.recv(65536):
                answer += part
                if b"\r\n\r\n" in answer and b"</html>" in answer:
                    break
        except (TimeoutError, ConnectionResetError):
            pass  # what came until then is what is judged
        return answer
