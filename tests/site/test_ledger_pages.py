"""The auditor's pages of the border's log: who sees them, what they show, that looking is seen."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from tests.factories import browser, person
from tests.site.test_evidence import fill, logged

from jhalak.border.log.entries import Kind, seal
from jhalak.border.log.keys import key_file, load_signer, log_folder
from jhalak.border.log.writer import Log
from jhalak.options import options
from jhalak.people.models import Person
from jhalak.people.roles import HOLDERS, Permission, Role
from jhalak.records import ledger
from jhalak.records.keyring import subject_of

pytestmark = pytest.mark.django_db
PAGES = [
    "/operator/log",
    "/operator/log/0",
    "/operator/log/0/proof",
    "/operator/log/checkpoint",
    "/operator/border",
]


@pytest.fixture
def log() -> None:
    """Of three hours, with a sealed order and hostile words."""
    options().folder.mkdir(parents=True, exist_ok=True)
    fill((Kind.TAKEDOWN, {"video": "<b>झलक</b>", "done": "withdrawn"}))
    leaf, _ = seal(Kind.ORDER, {"authority": "the secret text"})
    data = options().folder
    with Log(log_folder(data), load_signer(key_file(data))) as border:
        border.append([leaf])


@pytest.fixture
def auditor() -> Client:
    return browser(person("meera", Role.AUDITOR))


def read(client: Client, path: str) -> str:
    answer = client.get(path, headers={"accept-language": "en"})
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", [None, *Role])
def test_who_may_not_finds_nothing(path: str, role: Role | None) -> None:
    status = browser(person(role=role) if role else None).get(path).status_code
    may = role in HOLDERS[Permission.READ_AUDIT]
    assert status == (302 if role is None else 200 if may else 404)


@pytest.mark.usefixtures("log")
def test_the_list_shows_the_newest_first_and_no_sealed_text(auditor: Client) -> None:
    page = read(auditor, "/operator/log")
    assert page.index('href="/operator/log/5"') < page.index('href="/operator/log/0"')
    assert "&lt;b&gt;झलक" in page
    assert "<b>झलक" not in page
    assert "Sealed" in page
    assert "the secret text" not in page + read(auditor, "/operator/log/5")
    only = read(auditor, "/operator/log?kind=takedown")
    assert 'href="/operator/log/4"' in only
    assert 'href="/operator/log/5"' not in only
    assert "There is none." in read(auditor, "/operator/log?kind=clock")
    assert "There is none." in read(auditor, "/operator/log?until=2020-01-01")


@pytest.mark.usefixtures("log")
def test_an_entry_can_be_checked_with_what_its_page_gives(auditor: Client) -> None:
    found = auditor.get("/api/border/log/4").json()
    digest = hashlib.sha256(b"\0" + found["leaf"].encode()).hexdigest()
    assert digest == found["leaf_hash"]
    assert digest in read(auditor, "/operator/log/4")
    proof = read(auditor, "/operator/log/4/proof")
    assert proof == found["proof"]
    head = read(auditor, "/operator/log/checkpoint")
    assert proof.startswith("c2sp.org/tlog-proof@v1\nindex 4\n")
    assert proof.endswith(f"\n\n{head}")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "query",
    ["before=x", "before=-1", "before=" + "9" * 30, "kind=party", "until=soon", "until=9999-12-31"],
)
def test_places_that_are_none(auditor: Client, query: str) -> None:
    assert auditor.get(f"/operator/log?{query}").status_code == 404
    assert auditor.get(f"/api/border/log?{query}").status_code == 400
    assert auditor.get("/operator/log/99").status_code == 404
    assert auditor.get("/api/border/log/99").status_code == 404


def test_before_the_first_entry_the_page_says_so(auditor: Client) -> None:
    assert "no entry yet" in read(auditor, "/operator/log")
    assert auditor.get("/operator/log/checkpoint").status_code == 404


@pytest.mark.usefixtures("log")
def test_a_log_that_cannot_be_read_is_no_empty_one(auditor: Client) -> None:
    for path in log_folder(options().folder).rglob("tile/entries/*"):
        if path.is_dir():
            for part in path.iterdir():
                part.write_bytes(b"\xff")
    assert auditor.get("/api/border/log").status_code == 503


@pytest.mark.usefixtures("log")
def test_who_reads_is_read_about_once_a_sitting(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in PAGES:
        read(auditor, path)
    assert ledger.settle(60)
    found = [one.body for _, one in logged() if one.kind is Kind.AUDIT_READ]
    subject = subject_of(Person.objects.get(handle="meera").key_name)
    assert found == [{"subject": subject, "role": "auditor", "what": "log"}]
    monkeypatch.setattr("jhalak.site.ledger.ONE_SITTING", timedelta())
    read(auditor, "/operator/log")
    assert ledger.settle(60)
    assert sum(one.kind is Kind.AUDIT_READ for _, one in logged()) == 2
