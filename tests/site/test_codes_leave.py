"""A code on its whole way, with every process as `jhalak serve` starts it: asked for at the sealed
web process, made by the sealed worker, carried by the broker to a mail server, entered in the log,
and shown by the evidence.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.border.egress_world import HOST, Server, certificate, smtp
from tests.live import PASSWORD, Site, eventually

pytestmark = pytest.mark.slow
ADDRESS = "asha@example.in"


def declare(data: Path, server: Server, trusted: Path) -> None:
    border = data / "border"
    (border / "egress-secrets").mkdir(parents=True)
    (border / "egress-secrets" / "post").write_text("user:pass")
    (border / "post.pem").write_bytes(trusted.read_bytes())
    (border / "destinations.toml").write_text(
        f"""
        [[destination]]
        name = "post"
        kind = "mail"
        host = "{HOST}"
        port = {server.port}
        internal = true
        address = "127.0.0.1"
        ca = "{border / "post.pem"}"
        sender = "codes@example.in"
        purpose = "codes to log in"
        classes = ["contact"]
        owner = "operations@example.in"
        expires = 2099-01-01
        """
    )


def code_in(heard: list[bytes]) -> str:
    found = re.search(rb"\b(\d{6})\b is your code", b"\n".join(heard))
    return found[1].decode() if found else ""


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def jhalak(site: Site, *words: str) -> str:
    command = [sys.executable, "-m", "jhalak", *words]
    done = subprocess.run(command, env=site.env, capture_output=True, text=True, check=False)
    return f"{done.returncode} {done.stdout}{done.stderr}"


def test_a_code_leaves_by_the_one_door_and_all_of_it_is_told(tmp_path: Path) -> None:
    both, trusted = certificate(tmp_path)
    server = Server(both, smtp(starttls=False))
    data = tmp_path / "data"
    declare(data, server, trusted)
    try:
        with Site(data) as site:
            asha = site.client("asha")
            given = {"contact": ADDRESS, "password": PASSWORD}
            added = asha.post("/api/me/contacts", json=given)
            assert added.status_code == 201, added.text
            (number,) = (one["id"] for one in added.json()["items"])
            asked = asha.post(f"/api/me/contacts/{number}/code")
            assert asked.status_code == 202, asked.text
            code = eventually(lambda: code_in(server.heard), what=f"the mail\n{site.log()}")
            text = b"\n".join(server.heard)
            assert base64.b64encode(b"\0user\0pass") in text
            assert ADDRESS.encode() in text
            given = {"ticket": asked.json()["ticket"], "code": code}
            confirmed = asha.post(f"/api/me/contacts/{number}/confirm", json=given)
            assert confirmed.status_code == 204, confirmed.text

            pack = tmp_path / "evidence"
            said = jhalak(site, "border", "evidence", "--out", str(pack))
            report = json.loads((pack / "report.json").read_text())
            assert report["facts"]["flows"]["post"][0] == 1, said
            assert [one["name"] for one in report["facts"]["destinations"]] == ["post"]
            # serve.log is the test's own, and a working tree has no release manifest.
            red = {one["check"]: one["reasons"] for one in report["checks"] if one["reasons"]}
            assert red.keys() == {"map", "release"}, said
            assert all("serve.log" in reason for reason in red["map"]), said
            assert not any(ADDRESS.encode() in file.read_bytes() for file in files(pack))
    finally:
        server.close()
    assert [one.name for one in files(data / "border" / "signing")] == ["log.key"]
