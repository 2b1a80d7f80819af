"""The auditor's page of the border: with nothing written, with all of it, and with files that are
none. Who may see it is tried with the log's pages.
"""

from __future__ import annotations

import pytest
from django.test import Client
from tests.factories import browser, person
from tests.site.test_evidence import fill

from jhalak.border.log.entries import Kind
from jhalak.border.log.keys import log_folder
from jhalak.border.residency import Movement, said
from jhalak.border.services import Process, Processes
from jhalak.options import options
from jhalak.people.roles import Role

pytestmark = pytest.mark.django_db
DESTINATION = """[[destination]]
name = "mail"
kind = "mail"
host = "smtp.example.in"
port = 465
purpose = "<b>codes</b> to log in"
classes = ["contact"]
owner = "operations@example.in"
expires = 2020-01-31
sender = "codes@example.in"
"""
EXCEPTION = """[[exception]]
kind = "unsealed"
subject = "worker"
reason = "its GPU needs a device"
owner = "operations@example.in"
expires = 2099-06-30
"""


@pytest.fixture
def auditor() -> Client:
    (options().folder / "border").mkdir(parents=True, exist_ok=True)
    return browser(person("meera", Role.AUDITOR))


def text(auditor: Client) -> str:
    answer = auditor.get("/operator/border", headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_part_says_when_there_is_nothing(auditor: Client) -> None:
    page = text(auditor)
    for words in (
        "None in the newest part of the log.",
        "Nothing may leave: no destination is declared.",
        "No process is recorded.",
        "None but those that are outside by design.",
        "Nothing differs:",
    ):
        assert words in page, words


def test_what_is_written_is_shown(auditor: Client) -> None:
    data = options().folder
    (data / "border" / "destinations.toml").write_text(DESTINATION)
    (data / "border" / "exceptions.toml").write_text(EXCEPTION)
    walls = {"network": "stands", "files": "refused: EPERM"}
    for name, sealed, exception in (
        ("web", True, ""),
        ("worker", False, ""),
        ("supervisor", False, "supervisor"),
    ):
        one = Process(
            name=name, pid=7, started_ms=1, sealed=sealed, walls=walls, exception=exception
        )
        Processes(data).put(one)
    moved = Movement(flows={"mail": [3, 4567, 8912]}, refusals=21, controls=5)
    report = said(
        moved,
        entries=(0, 4),
        times=(0, 86_400_000),
        map_digest="00",
        map_differences=["column Person.shoe: <not declared>"],
        destinations=[],
        exceptions=[],
        unsealed=["worker"],
    )
    fill((Kind.RESIDENCY_REPORT, report))
    page = text(auditor)
    assert '<a href="/operator/log/4">' in page
    assert "1970-01-02 00:00 UTC" in page
    assert all(f'<td class="number">{count}</td>' in page for count in (3, 4567, 8912))
    assert "<dd>21</dd>" in page
    assert "column Person.shoe: &lt;not declared&gt;" in page
    assert "smtp.example.in:465" in page
    assert "&lt;b&gt;codes" in page
    assert "<b>codes" not in page
    assert "expired" in page
    assert page.count("outside by design</span>") == 1
    assert page.count(">not sealed</span>") == 1
    assert "<strong>files</strong> refused: EPERM" in page
    assert "its GPU needs a device" in page
    assert "Person.handle" in page


def test_what_cannot_be_read_is_not_empty(auditor: Client) -> None:
    data = options().folder
    for name in ("destinations.toml", "exceptions.toml"):
        (data / "border" / name).write_text("[[")
    Processes(data).folder.mkdir()
    (Processes(data).folder / "web.json").write_text("{")
    log_folder(data).mkdir()
    (log_folder(data) / "checkpoint").write_text("no note")
    assert text(auditor).count("This cannot be read now.") == 4
