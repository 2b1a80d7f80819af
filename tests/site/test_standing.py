"""The log learns of each change of the map and of the exceptions, and each day how all stands."""

from __future__ import annotations

import json

import pytest
from tests.site.test_evidence import FLOW, fill, logged

from jhalak.border import exceptions
from jhalak.border.egress import destinations
from jhalak.border.log.entries import Kind, read_entry
from jhalak.options import options
from jhalak.records import ledger
from jhalak.records.jobs import run_due
from jhalak.records.models import LedgerEntry
from jhalak.site import standing, tasks

EXCEPTION = (
    '[[exception]]\nkind="unsealed"\nsubject="worker"\nreason="GPU"\nowner="x"\n'
    "expires=2030-01-01\n"
)
MAIL = (
    '[[destination]]\nname="mail"\nkind="mail"\nhost="mail.example"\nport=587\nsender="a@b.example"\n'
    'purpose="codes"\nclasses=["contact"]\nowner="x"\nexpires=2030-01-01\n'
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder() -> None:
    (options().folder / "border").mkdir(parents=True)


def entered() -> list[tuple[Kind, dict[str, object]]]:
    found = [read_entry(bytes(row.leaf)) for row in LedgerEntry.objects.order_by("id")]
    LedgerEntry.objects.all().delete()
    return [(one.kind, one.body) for one in found]


def test_the_map_is_entered_once_and_again_when_it_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = options().folder
    assert standing.changed(data)
    standing.do_tell_changes(data)
    assert not standing.changed(data)
    standing.do_tell_changes(data)
    ((kind, body),) = entered()
    assert (kind, body["before"], body["differences"]) == (Kind.MAP, "", [])
    monkeypatch.setattr("jhalak.border.live_map.digest", lambda _: "f" * 64)
    standing.do_tell_changes(data)
    ((kind, after),) = entered()
    assert (kind, after["before"], after["digest"]) == (Kind.MAP, body["digest"], "f" * 64)


def test_each_change_of_the_register_of_exceptions_is_entered() -> None:
    data = options().folder
    standing.do_tell_changes(data)
    entered()
    exceptions.path_of(data).write_text(EXCEPTION)
    standing.do_tell_changes(data)
    ((kind, body),) = entered()
    assert (kind, body["event"], body["subject"]) == (Kind.EXCEPTION, "declared", "worker")
    exceptions.path_of(data).write_text(EXCEPTION.replace("2030", "2031"))
    standing.do_tell_changes(data)
    assert [(body["event"], body["expires"]) for _, body in entered()] == [
        ("declared", "2031-01-01"),
        ("withdrawn", "2030-01-01"),
    ]
    exceptions.path_of(data).write_text("[[exception]]\n")
    with pytest.raises(exceptions.ExceptionsError):
        standing.do_tell_changes(data)
    tasks.ask_how_things_stand()  # says so, and stops nothing


def test_a_destination_that_is_declared_changed_and_taken_out() -> None:
    """Also while no broker runs, which would tell of it before its first use."""
    data = options().folder
    standing.do_tell_changes(data)
    entered()
    file = destinations.path_of(data)
    file.write_text(MAIL)
    assert standing.changed(data)
    standing.do_tell_changes(data)
    assert not standing.changed(data)
    ((kind, body),) = entered()
    assert (kind, body) == (Kind.DESTINATION, destinations.load(data)["mail"].said())
    file.write_text(MAIL.replace("2030", "2031"))
    standing.do_tell_changes(data)
    assert [body["expires"] for _, body in entered()] == ["2031-01-01"]
    file.unlink()
    standing.do_tell_changes(data)
    assert entered() == [(Kind.DESTINATION, {"name": "mail", "withdrawn": True})]
    file.write_text("[[destination]]\n")
    with pytest.raises(destinations.DestinationsError):
        standing.do_tell_changes(data)
    tasks.ask_how_things_stand()  # says so, and stops nothing


def test_a_memory_that_is_lost_tells_all_of_it_again() -> None:
    data = options().folder
    standing.do_tell_changes(data)
    first = entered()
    standing.told_file(data).write_bytes(b"{")
    standing.do_tell_changes(data)
    assert entered() == first


def test_a_report_each_day_says_what_moved_since_the_one_before() -> None:
    data = options().folder
    flow = {**FLOW, "flow": "f1", "opened": 1, "closed": 2, "bytes_in": 30, "bytes_out": 20}
    fill(
        (Kind.EGRESS_FLOW, {**flow, "outcome": "opening", "bytes_in": 0, "bytes_out": 0}),
        (Kind.EGRESS_FLOW, {**flow, "outcome": "sent"}),
        (Kind.EGRESS_REFUSAL, {"destination": "x", "why": "undeclared"}),
        (Kind.CONTROL, {"attempt": "tcp", "blocked": True, "seen": False, "process": "web"}),
    )
    destinations.path_of(data).write_text(MAIL)
    exceptions.path_of(data).write_text(EXCEPTION)
    folder = data / "border" / "processes"
    folder.mkdir()
    told = {"name": "web", "pid": 1, "started_ms": 1, "sealed": False}
    (folder / "web.json").write_text(json.dumps(told))
    tasks.ask_how_things_stand()
    run_due()
    assert ledger.settle(60)
    body = next(one.body for _, one in logged() if one.kind is Kind.RESIDENCY_REPORT)
    assert body["flows"] == {"mail": [1, 30, 20]}
    assert (body["refusals"], body["controls"], body["failed_controls"]) == (1, 3, 1)
    assert body["destinations"] == [one.said() for one in destinations.load(data).values()]
    assert [one["subject"] for one in body["exceptions"]] == ["worker"]
    assert (body["unsealed"], body["map_differences"]) == (["web"], 0)
    assert not tasks.due()
    after = standing.do_report_residency(data, lambda _: None)
    assert (after["first"], after["flows"], after["controls"]) == (body["size"], {}, 0)
