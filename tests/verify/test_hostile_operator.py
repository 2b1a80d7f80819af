"""What an operator who holds the log's key might write into log or pack so that it looks green."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jhalak.border.release import FORMAT, Release
from jhalak.verify import verify
from tests.verify import packs
from tests.verify.looking import KEYS, only, said
from tests.verify.packs import DAY, HOUR, START, UNTIL, leaf, look, make_pack


def in_order(leaves: list[bytes]) -> list[bytes]:
    return sorted(leaves, key=lambda one: json.loads(one)["at"])


def report_of(at: int, **body: Any) -> bytes:
    plain = {"destinations": [packs.DESTINATION], "exceptions": [], "unsealed": []}
    return leaf(at, "residency_report", {**plain, **body})


def test_a_stop_that_was_none(tmp_path: Path, leaves: list[bytes]) -> None:
    """It would excuse all controls from then on, while the site goes on sending."""
    quiet = [one for one in leaves if b'"kind":"control"' not in one]
    stop = leaf(START + 4, "stop", {})
    report = look(make_pack(tmp_path, in_order([*quiet, stop])))
    only(report, "time", "says that the site was stopped", "shows that it ran")


def test_a_stop_and_a_start_around_a_day_of_work(tmp_path: Path) -> None:
    leaves = packs.entries()
    begin, end = START + 8 * HOUR, START + 20 * HOUR
    between = range(begin, end)
    leaves = [
        one
        for one in leaves
        if b'"kind":"control"' not in one or json.loads(one)["at"] not in between
    ]
    leaves += [leaf(begin, "stop", {}), leaf(end, "start", {})]
    only(look(make_pack(tmp_path, in_order(leaves))), "time", "shows that it ran")


def test_a_gap_that_is_longer_than_the_log_knows(tmp_path: Path) -> None:
    item = {"kind": "gap", "subject": "power", "reason": "cut", "expires": "2030-01-01"}
    told = {**item, "from_ms": START + 20 * HOUR, "until_ms": START + 21 * HOUR}
    longer = {**item, "from_ms": START, "until_ms": UNTIL}
    leaves = [*packs.entries(skip=range(10, 30)), packs.excused(told)]
    report = look(make_pack(tmp_path, leaves, said(exceptions=[longer])))
    only(report, "exceptions", "gap of power is not in force by the log")


@pytest.mark.parametrize("at", [UNTIL - 5 * HOUR, START + HOUR])
def test_a_process_that_was_unsealed_before_the_pack_and_in_its_time(
    tmp_path: Path, at: int
) -> None:
    """It was started before the first entry and stopped before the pack was made: only the daily
    reports know it.
    """
    leaves = in_order([*packs.entries(), report_of(at, unsealed=["web"])])
    report = look(make_pack(tmp_path, leaves))
    only(report, "seal", "process web was not sealed", "residency report")


def test_a_column_that_was_undeclared_before_the_pack_and_in_its_time(tmp_path: Path) -> None:
    column, file = "columns: Person.x is not declared", "files: x is not declared"
    cases: list[tuple[list[str], bool, str]] = [([column], False, column), ([], False, "counts 2")]
    for number, (named, green, word) in enumerate([*cases, ([file], True, file)]):
        told = report_of(UNTIL - HOUR, map_differences=2, undeclared=named)
        report = look(make_pack(tmp_path / str(number), in_order([*packs.entries(), told])))
        if green:
            assert report.green, report.reasons
            assert any(word in note for note in report.notes)
        else:
            only(report, "map", word)


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_destination_used_on_the_day_of_its_declaration_and_before_or_after_it(
    tmp_path: Path, leaves: list[bytes], withdrawn: bool
) -> None:
    begin = START // DAY * DAY + DAY + 4 * HOUR  # a whole day lies in the log
    said_of = {**packs.DESTINATION, "name": "other"}
    used = packs.flow(begin, destination="other")
    if withdrawn:
        gone = {"name": "other", "withdrawn": True}
        more = [
            leaf(begin - 2 * HOUR, "destination", said_of),
            leaf(begin - HOUR, "destination", gone),
            used,
        ]
    else:
        more = [used, leaf(begin + HOUR, "destination", said_of)]
    report = look(make_pack(tmp_path, in_order([*leaves, *more])))
    only(report, "flows", "'other' was used on", "when it was not declared")


def test_a_release_manifest_that_no_start_had(tmp_path: Path, leaves: list[bytes]) -> None:
    made = Release(format=FORMAT, version="1", files={"jhalak/a.py": "0" * 64}, dependencies={})
    told = said(release={**msgspec.to_builtins(made), "differences": []})
    for number, digest in enumerate((made.digest(), hashlib.sha256(b"another").hexdigest())):
        entry = leaf(UNTIL - 6, "release", {"version": "1", "digest": digest, "differences": []})
        report = look(make_pack(tmp_path / str(number), [*leaves, entry], told))
        if number:
            only(report, "release", "is not the manifest that the last start had")
        else:
            assert report.green, report.reasons


def test_a_machine_outside_that_was_let_in_is_told(tmp_path: Path, leaves: list[bytes]) -> None:
    body = {"exception": "runner", "name": "far-away", "event": "declared"}
    report = look(make_pack(tmp_path, [*leaves, leaf(UNTIL - 6, "exception", body)]))
    assert report.green, report.reasons
    assert any("far-away" in note and "another machine" in note for note in report.notes)


def test_a_witness_that_signed_before_the_entries_say_they_were_made(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    """Its clock is not the operator's: entries dated later than it saw them were dated freely."""
    text = packs.checkpoint(leaves).decode().rpartition("\n\n")[0] + "\n"
    early = packs.LOG.note(text) + packs.WITNESS.line(text, UNTIL // 1000 - 9 * 3600).encode()
    report = look(make_pack(tmp_path, leaves, signed=early))
    only(report, "time", "witness.example/w1 had signed it by then")


def test_entries_dated_back_after_a_witness_had_signed(tmp_path: Path, leaves: list[bytes]) -> None:
    """The auditor kept a checkpoint: what stands after it in the log came after it."""
    before = leaves[:300]
    text = packs.checkpoint(before).decode().rpartition("\n\n")[0] + "\n"
    pack = make_pack(tmp_path, leaves)
    true_time = json.loads(leaves[300])["at"] // 1000 - 60
    for number, at in enumerate((true_time, UNTIL // 1000)):
        kept = tmp_path / f"kept-{number}"
        kept.write_bytes(packs.LOG.note(text) + packs.WITNESS.line(text, at).encode())
        report = look(pack, checkpoints=[kept])
        if number:
            only(report, "time", "entry 300 is dated", "witness.example/w1 had signed all before")
        else:
            assert report.green, report.reasons


def test_an_exchanged_key_that_is_none_is_red_and_no_other_check_stops(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    bad = leaf(UNTIL - 6, "key", {"event": "log_rotated", "new": "nonsense"})
    report = look(make_pack(tmp_path, [*leaves, bad]))
    only(report, "checkpoint", "nonsense")


def test_no_word_of_a_pack_reaches_the_terminal_as_a_command(
    tmp_path: Path, leaves: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it clears the screen and writes a verdict of its own."""
    trick = "\x1b[2J\x1b[HGREEN: the evidence holds\n\x9b8m\u202e\udcff"
    pack = make_pack(tmp_path, leaves)
    (pack / "people.json").write_text(json.dumps([]))  # red, so that there is something to hide
    processes = [{"name": trick, "pid": 1, "sealed": False, "why": trick}]
    (pack / "processes.json").write_text(json.dumps(processes))
    (pack / "strange\x1b[2J").write_text("")
    written = ["--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]
    assert verify.main([str(pack), *KEYS, *written]) == 1
    shown = capsys.readouterr().out
    assert all(c == "\n" or c.isprintable() for c in shown), shown
    assert "GREEN" not in [line[:5] for line in shown.splitlines()]
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "red"
    (pack / "manifest.json").write_text(json.dumps({"format": "\x1b[2J"}))
    assert verify.main([str(pack), *KEYS]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_an_exception_that_came_after_what_it_excuses(tmp_path: Path, leaves: list[bytes]) -> None:
    """Declared an hour before the pack, it says nothing of the day before."""
    item = {"kind": "unsealed", "subject": "web", "reason": "GPU", "expires": "2030-01-01"}
    bare = {"name": "web", "pid": 9, "sealed": False, "why": "asked so"}
    told = said(exceptions=[item])
    for number, (seal, declared) in enumerate([(2, 3), (4, 3), (4, None)]):
        more = [leaf(START + seal * HOUR, "seal", bare)]
        if declared is not None:
            event = {**item, "event": "declared"}
            more.append(leaf(START + declared * HOUR, "exception", event))
        given = told if declared else said()
        report = look(make_pack(tmp_path / str(number), in_order([*leaves, *more]), given))
        if number == 1:
            assert report.green, report.reasons
        else:
            only(report, "seal", "web was not sealed", "asked so")


def test_an_exception_that_was_over_before_and_after_what_it_excused(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    """It is withdrawn by the pack's end: the log alone knows when it held."""
    item = {"kind": "unsealed", "subject": "web", "reason": "GPU", "expires": "2030-01-01"}
    more = [
        leaf(START + 2 * HOUR, "exception", {**item, "event": "declared"}),
        leaf(START + 8 * HOUR, "exception", {**item, "event": "withdrawn"}),
    ]
    for at in (7, 9):
        bare = leaf(START + at * HOUR, "seal", {"name": "web", "sealed": False, "why": "x"})
        report = look(make_pack(tmp_path / str(at), in_order([*leaves, *more, bare])))
        if at == 7:
            assert report.green, report.reasons
        else:
            only(report, "seal", "web was not sealed", "an exception was declared for")


def test_an_exception_that_is_left_out_of_the_list(tmp_path: Path, leaves: list[bytes]) -> None:
    """Else a reader of the page would not see what is excused."""
    item = {"kind": "unsealed", "subject": "worker", "reason": "GPU", "expires": "2030-01-01"}
    report = look(make_pack(tmp_path, [*leaves, packs.excused(item)]))
    only(report, "exceptions", "worker is in force by the log", "exceptions.json")


def test_a_list_of_destinations_that_is_not_the_log_s(tmp_path: Path, leaves: list[bytes]) -> None:
    """The list is what a reader looks at; what counts is what the log was told."""
    other = {**packs.DESTINATION, "purpose": "alarms", "classes": ["none"]}
    gone = leaf(UNTIL - 2, "destination", {"name": "mail", "withdrawn": True})
    again = leaf(UNTIL - 1, "destination", packs.DESTINATION)
    cases: list[tuple[list[dict[str, Any]], list[bytes], tuple[str, ...]]] = [
        ([other], [], ("another classes, purpose", "'mail'")),
        ([], [], ("'mail'", "in the log and not in destinations.json")),
        ([packs.DESTINATION, {**other, "name": "sms"}], [], ("'sms'", "not in the log")),
        ([packs.DESTINATION], [gone], ("'mail'", "not in the log")),
        ([packs.DESTINATION], [gone, again], ()),
    ]
    for number, (listed, more, words) in enumerate(cases):
        told = said(destinations=listed)
        report = look(make_pack(tmp_path / str(number), [*leaves, *more], told))
        if words:
            only(report, "flows", *words)
        else:
            assert report.green, report.reasons
            assert report.facts["destinations"][0]["classes"] == "contact"
            assert "mail.example" in verify.as_html(report)


def test_a_list_of_destinations_is_held_against_the_report_a_later_pack_begins_with(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    logged = in_order([*leaves, report_of(START + 26 * HOUR)])
    for number, owner in enumerate((packs.DESTINATION["owner"], "nobody")):
        told = said(destinations=[{**packs.DESTINATION, "owner": owner}])
        begin = START + 28 * HOUR
        pack = make_pack(tmp_path / str(number), logged, told, since_ms=begin)
        if number:
            only(look(pack), "flows", "another owner", "'mail'")
        else:
            assert look(pack).green
