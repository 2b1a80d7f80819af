"""The page `/border`: before anything was written, with all of it, and with files that are none."""

from __future__ import annotations

import msgspec
import pytest
from django.test import Client

from jhalak.border.control import Finding, Last
from jhalak.border.log.entries import Kind, entry
from jhalak.border.log.keys import key_file, load_signer, log_folder
from jhalak.border.log.writer import Log
from jhalak.border.services import Process, Processes
from jhalak.options import options
from jhalak.site.border_page import access_border

pytestmark = pytest.mark.django_db


def text() -> str:
    answer = Client().get("/border", headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_the_first_control_nothing_is_shown_to_hold() -> None:
    page = text()
    assert "None was made yet" in page
    assert "Nothing may leave" in page
    assert "no checkpoint" in page
    assert "Nothing was stated." in page


def test_what_is_written_is_shown_and_what_helps_an_attacker_is_not() -> None:
    data = options().folder
    for name, sealed in (("web", True), ("front", False)):
        Processes(data).put(
            Process(name=name, pid=1, started_ms=1, sealed=sealed, why="sysctl -w secret")
        )
    finding = Finding("tcp", True, False, "web", "ENETUNREACH")
    border = data / "border"
    (border / "control.json").write_bytes(msgspec.json.encode(Last(1, "web", [finding])))
    (border / "jurisdiction.txt").write_text("<b>India</b>")
    with Log(log_folder(data), load_signer(key_file(data))) as log:
        log.append([entry(Kind.CONTROL, msgspec.to_builtins(finding))])
    page = text()
    assert "web: sealed" in page
    assert "front: not sealed. It should be sealed." in page
    assert "tcp: blocked, not seen" in page
    assert "It failed." in page
    assert "&lt;b&gt;India" in page
    assert "sysctl" not in page
    assert "Entries in the log: 1." in page
    assert access_border(data).root in page.replace("<wbr>", "")


def test_a_file_that_cannot_be_read_is_not_an_empty_one() -> None:
    border = options().folder / "border"
    border.mkdir(parents=True, exist_ok=True)
    (border / "destinations.toml").write_text("[[")
    (border / "control.json").write_text("{")
    page = text()
    assert "Nothing may leave" not in page
    assert page.count("This cannot be read now.") == 2
