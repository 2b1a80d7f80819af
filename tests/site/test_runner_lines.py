"""The ways from a runner to its site: a Unix socket, and TLS with the operator's own authority."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.kill.test_runner import Machine, command
from tests.live import Site, clip, eventually, free_port, states, upload

from jhalak.site import front

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with Site(folder / "data", local_media=False, socket=folder / "front.sock") as started:
        yield started
        log = started.log()
    assert not (folder / "front.sock").exists()
    assert "token" not in log


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return command(site, "add", "box")


@pytest.fixture(scope="module")
def author(site: Site) -> httpx.Client:
    return site.client("asha")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)


@pytest.fixture(scope="module")
def tls(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The site behind a front of the system with TLS; its port and folder. Its certificate is for
    127.0.0.1, signed by an authority made here; `other.pem` is another authority.
    """
    folder = tmp_path_factory.mktemp("tls")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        own = (
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
        )
        openssl(folder, "req", "-x509", *key, *own)
    openssl(folder, "req", *key, "-keyout", "site.key", "-out", "site.csr", "-subj", "/CN=site")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    openssl(
        folder, "x509", "-req", "-in", "site.csr", *signed, "-extfile", "names", "-out", "s.pem"
    )
    (folder / "temp").mkdir()
    port = free_port()
    temps = "".join(f"{name}_temp_path temp/{name};" for name in
                    ("proxy", "client_body", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid x.pid; error_log stderr; events {{}} http {{ {temps}"
        f" access_log off; client_max_body_size 300m; server {{ listen 127.0.0.1:{port} ssl;"
        " ssl_certificate s.pem; ssl_certificate_key site.key;"
        f" location / {{ proxy_pass {site.url}; }} }} }}"
    )
    words = [front.nginx_binary(), "-p", f"{folder}/", "-c", folder / "nginx.conf", "-e", "stderr"]
    with subprocess.Popen(words, cwd=folder) as process:
        try:
            ca = str(folder / "ca.pem")
            eventually(lambda: _healthy(port, ca), 60, "a front with TLS")
            yield port, folder
        finally:
            process.terminate()


def _healthy(port: int, ca: str) -> bool:
    trusted = ssl.create_default_context(cafile=ca)
    try:
        return httpx.get(f"https://127.0.0.1:{port}/healthz", verify=trusted).status_code == 200
    except httpx.HTTPError:
        return False


def made_by(machine: Machine, author: httpx.Client, source: Path) -> None:
    try:
        video = upload(author, source)
        assert list(states(author, video, 60))[-1] == "complete", machine.log.read_text()
    finally:
        machine.stop()
    assert not machine.work.exists()


def test_over_a_unix_socket(
    site: Site, token: str, author: httpx.Client, source: Path, tmp_path: Path
) -> None:
    address = f"unix:{site.env['JHALAK_SOCKET']}"
    made_by(Machine(site, tmp_path / "box", token, "--site", address), author, source)


def test_over_tls(
    site: Site, token: str, author: httpx.Client, source: Path, tmp_path: Path,
    tls: tuple[int, Path],
) -> None:  # fmt: skip
    port, folder = tls
    address = ["--site", f"https://127.0.0.1:{port}", "--ca", str(folder / "ca.pem")]
    made_by(Machine(site, tmp_path / "box", token, *address), author, source)


def refused(token: str, folder: Path, *words: str) -> str:
    """What a runner says that cannot begin."""
    done = subprocess.run(
        [sys.executable, "-m", "jhalak", "runner", "--work", str(folder / "work"), *words],
        env={"JHALAK_RUNNER_TOKEN": token, "PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert not (folder / "work" / "job").exists()
    assert token not in done.stdout + done.stderr
    return done.stderr


def test_a_certificate_that_is_not_the_sites(
    token: str, tmp_path: Path, tls: tuple[int, Path]
) -> None:
    port, folder = tls
    address = f"https://127.0.0.1:{port}"
    for words in (
        ("--site", address),  # signed by nobody that this system knows
        ("--site", address, "--ca", str(folder / "other.pem")),  # by somebody else
        # Of another name.
        ("--site", f"https://localhost:{port}", "--ca", str(folder / "ca.pem")),
    ):
        assert "not to be trusted" in refused(token, tmp_path, *words)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nothing")
    said = refused(token, tmp_path, "--site", address, "--ca", str(nonsense))
    assert "no certificates" in said


def test_addresses_that_are_none(site: Site, token: str, tmp_path: Path) -> None:
    for address in ("example.org", "unix:front.sock", "unix://front.sock", "ftp://example.org"):
        assert "is no site" in refused(token, tmp_path, "--site", address)
    said = refused(token, tmp_path, "--site", site.url, "--ca", str(tmp_path))
    assert "https" in said
    assert "does not know" in refused(token + "x", tmp_path, "--site", site.url)


def test_two_do_not_share_a_folder(site: Site, token: str, tmp_path: Path) -> None:
    """And what is in a folder that was named by mistake stays."""
    first = Machine(site, tmp_path / "box", token)
    mine = first.work / "mine"
    try:
        eventually(lambda: (first.work / ".lock").exists(), 60, "a runner")
        mine.write_text("kept")
        words = ("--site", site.url, "--work", str(first.work))
        assert "Another runner" in refused(token, tmp_path, *words)
    finally:
        first.stop()
    assert [path.name for path in first.work.iterdir()] == ["mine"]
