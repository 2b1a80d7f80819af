"""The verifier: green for what is in order, and red with the cause in words for each thing that is
not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import html.parser
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.evidence import EvidenceError, Said, gather
from jhalak.verify import verify
from tests.verify import packs
from tests.verify.packs import HOUR, LOG, SAID, START, UNTIL, WITNESS, look, make_pack

SENT = packs.HOURS * 9


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return packs.entries()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, leaves: list[bytes]) -> Path:
    return make_pack(tmp_path_factory.mktemp("good"), leaves)


@pytest.fixture
def pack(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "evidence"))


def resign(pack: Path) -> None:
    """What an operator with the log's key can do after an edit: a new manifest."""
    manifest = json.loads((pack / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = verify.hashlib.sha256((pack / name).read_bytes()).hexdigest()
    (pack / "manifest.json").write_text(json.dumps(manifest))
    digest = verify.hashlib.sha256((pack / "manifest.json").read_bytes()).hexdigest()
    (pack / "manifest.note").write_bytes(LOG.note(f"evidence of {packs.ORIGIN}\n{digest}\n"))


def said(**other: Any) -> Said:
    return msgspec.structs.replace(SAID, **other)


def only(report: verify.Report, check: str, *words: str) -> None:
    """Red by this check alone, and every word in one of its reasons."""
    assert list(report.reasons) == [check], report.reasons
    assert any(all(word in reason for word in words) for reason in report.reasons[check]), (
        report.reasons
    )


def test_all_in_order_is_green(good: Path, leaves: list[bytes]) -> None:
    report = look(good)
    assert report.green, report.reasons
    assert report.facts["entries"] == report.facts["size"] == len(leaves) > 2 * 256
    assert report.facts["flows"] == {"mail": [SENT, SENT * 300, SENT * 200]}
    assert report.facts["controls"] == packs.HOURS
    holds = {item["check"]: item["holds"] for item in report.as_json()["checks"]}
    nothing = {"history", "capture"}  # no earlier checkpoint and no capture: that is not "good"
    assert holds == {check: None if check in nothing else True for check in verify.CHECKS}
    assert not report.notes


def test_without_keys_of_ones_own_it_says_what_that_means(good: Path) -> None:
    report = verify.Pack(good).run()
    assert report.green
    assert "taken from the pack itself" in report.notes[0]


def test_a_pack_since_later_has_fewer_entries_and_is_green(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    since = START + 28 * HOUR
    leaves = with_report(leaves, 26, destinations=[packs.DESTINATION])
    found = make_pack(tmp_path, leaves, since_ms=since)
    report = look(found)
    assert report.green, report.reasons
    manifest = json.loads((found / "manifest.json").read_text())
    first = manifest["first_entry"]
    assert first > 0
    assert report.facts["entries"] == len(leaves) - first
    assert json.loads(leaves[first])["at"] <= since
    assert not (found / "log/tile/entries/000").exists()


def with_report(leaves: list[bytes], hour: int, **says: object) -> list[bytes]:
    at = START + hour * HOUR
    told = packs.leaf(at, "residency_report", {"destinations": [], "exceptions": [], **says})
    return sorted([*leaves, told], key=lambda one: json.loads(one)["at"])


def test_a_later_pack_knows_what_was_declared_before_by_a_report_alone(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    """Neither the pack's own list counts, nor a declaration that comes after the flows."""
    report = look(make_pack(tmp_path / "1", with_report(leaves, 26), since_ms=START + 28 * HOUR))
    only(report, "flows", "'mail' was used and is not declared")
    late = packs.leaf(UNTIL - 1, "destination", packs.DESTINATION)
    leaves = [*with_report(leaves, 26), late]
    report = look(make_pack(tmp_path / "2", leaves, since_ms=START + 28 * HOUR))
    assert any("'mail' was used on 2026-05-29" in one for one in report.reasons["flows"])


def test_a_later_pack_without_any_report_begins_with_the_log(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    report = look(make_pack(tmp_path, leaves, since_ms=START + 28 * HOUR))
    assert report.green, report.reasons
    assert report.facts["entries"] == len(leaves)


# Each of these is told by name (issue 5, "what it must show", 2) ---------------------------------


def test_an_added_column(tmp_path: Path, leaves: list[bytes]) -> None:
    live = ["people.handle", "people.blood_group"]
    report = look(make_pack(tmp_path, leaves, said(map={**SAID.map, "live": live})))
    only(report, "map", "people.blood_group", "not declared")


def test_a_hidden_packet(tmp_path: Path, leaves: list[bytes]) -> None:
    told = {"capture": "tap.pcap", "differences": ["a leak: 1 packet of UDP to 203.0.113.9"]}
    report = look(make_pack(tmp_path, leaves, said(captures=[told])))
    only(report, "capture", "tap.pcap", "203.0.113.9")


def test_a_killed_meter_that_saw_nothing(tmp_path: Path, leaves: list[bytes]) -> None:
    blind = packs.control(START + 30 * HOUR + 1, seen=False)
    at = 1 + max(i for i, one in enumerate(leaves) if json.loads(one)["at"] <= START + 30 * HOUR)
    report = look(make_pack(tmp_path, [*leaves[:at], blind, *leaves[at:]]))
    only(report, "control", "did not see", f"entry {at}")


def test_a_killed_meter_that_tried_nothing(tmp_path: Path, leaves: list[bytes]) -> None:
    rest = [
        one
        for one in leaves
        if b'"control"' not in one or not 20 < (json.loads(one)["at"] - START) / HOUR < 26
    ]
    report = look(make_pack(tmp_path, rest))
    only(report, "control", "no positive control from", "2026-05-29 ")


def test_a_leak_that_was_not_blocked(tmp_path: Path, leaves: list[bytes]) -> None:
    open_door = packs.control(UNTIL - 1, blocked=False)
    only(look(make_pack(tmp_path, [*leaves, open_door])), "control", "not blocked", "192.0.2.1")


def bundle(pack: Path, number: int) -> tuple[Path, list[bytes]]:
    path = pack / "log" / verify.tile_path("entries", number)
    return path, verify.bundle_leaves(path.read_bytes())


def write_bundle(path: Path, leaves: list[bytes]) -> None:
    path.write_bytes(b"".join(len(one).to_bytes(2, "big") + one for one in leaves))


def test_an_edited_entry(pack: Path) -> None:
    path, leaves = bundle(pack, 1)
    leaves[44] = leaves[44].replace(b'"v":1', b'"v":1', 1).replace(b"Pune", b"Agra")
    leaves[45] = leaves[45].replace(b"Pune", b"Agra")
    write_bundle(path, leaves)
    report = look(pack)
    assert list(report.reasons) == ["tree"]
    assert any(
        "entry 300 was edited" in r or "entry 301 was edited" in r for r in report.reasons["tree"]
    )


def test_an_edited_entry_with_its_tile(pack: Path) -> None:
    """Who edits the hash too is found by the tile above."""
    path, leaves = bundle(pack, 1)
    index = next(i for i, one in enumerate(leaves) if b"Pune" in one)
    leaves[index] = leaves[index].replace(b"Pune", b"Agra")
    write_bundle(path, leaves)
    tile = pack / "log" / verify.tile_path(0, 1)
    tile.write_bytes(b"".join(verify.leaf_hash(one) for one in leaves))
    only(look(pack), "tree", "tile/0/001 was altered", "entries 256 to 511")
    above = pack / "log/tile/1/000.p/2"
    hashes = bytearray(above.read_bytes())
    hashes[32:64] = verify.subtree(tile.read_bytes())
    above.write_bytes(hashes)
    only(look(pack), "tree", "root of the checkpoint")


def test_a_dropped_entry(pack: Path) -> None:
    path, leaves = bundle(pack, 1)
    del leaves[44]
    write_bundle(path, leaves)
    report = look(pack)
    assert any("entry 300 was dropped" in reason for reason in report.reasons["tree"])


def test_reordered_entries(pack: Path) -> None:
    path, leaves = bundle(pack, 1)
    leaves[44], leaves[45] = leaves[45], leaves[44]
    write_bundle(path, leaves)
    only(look(pack), "tree", "another order", "from entry 300")


def test_a_forked_checkpoint(pack: Path, leaves: list[bytes], tmp_path: Path) -> None:
    other = tmp_path / "seen-by-witness"
    other.write_bytes(packs.checkpoint([*leaves[:-1], packs.control(UNTIL - 5)]))
    only(look(pack, checkpoints=[other]), "history", "a fork", f"{len(leaves)} entries")


def test_a_rewritten_log(pack: Path, leaves: list[bytes], tmp_path: Path) -> None:
    old = tmp_path / "last-year"
    old.write_bytes(packs.checkpoint(leaves[:300]))
    assert look(pack, checkpoints=[old]).green
    old.write_bytes(packs.checkpoint([packs.control(START), *leaves[1:300]]))
    only(look(pack, checkpoints=[old]), "history", "300 entries", "rewritten")


def test_a_log_that_was_cut_short(pack: Path, leaves: list[bytes], tmp_path: Path) -> None:
    longer = tmp_path / "longer"
    longer.write_bytes(packs.checkpoint([*leaves, packs.control(UNTIL)]))
    only(look(pack, checkpoints=[longer]), "history", "this pack has fewer")


def test_an_undeclared_destination_used(tmp_path: Path, leaves: list[bytes]) -> None:
    sent = packs.flow(UNTIL - 60_000, destination="telemetry")
    report = look(make_pack(tmp_path, [*leaves, sent]))
    only(report, "flows", "'telemetry' was used and is not declared", f"entry {len(leaves)}")


def test_an_expired_destination_used(tmp_path: Path) -> None:
    old = {**packs.DESTINATION, "expires": "2026-05-28"}
    told = packs.leaf(START + 2, "destination", old)
    report = look(make_pack(tmp_path, [told, *undeclared()], said(destinations=[old])))
    only(report, "flows", "'mail' was used on 2026-05-29", "was over")


def undeclared() -> list[bytes]:
    return [one for one in packs.entries() if json.loads(one)["kind"] != "destination"]


def test_a_destination_that_only_the_pack_declares(tmp_path: Path) -> None:
    """Who used it and declares it when the auditor comes."""
    only(look(make_pack(tmp_path, undeclared())), "flows", "'mail' was used and is not declared")


def test_a_destination_used_after_it_was_withdrawn(tmp_path: Path, leaves: list[bytes]) -> None:
    gone = packs.leaf(START + 1000, "destination", {"name": "mail", "withdrawn": True})
    report = look(make_pack(tmp_path, [*leaves[:4], gone, *leaves[4:]]))
    only(report, "flows", "'mail' was used on 2026-05-29", "was over")


def test_a_flow_without_its_end(tmp_path: Path, leaves: list[bytes]) -> None:
    """Opened and over are two entries; the broker that is killed between them is seen."""
    begin = {"flow": "f1", "bytes_in": 0, "bytes_out": 0, "closed": 0, "outcome": "opening"}
    at = UNTIL - HOUR
    opened = packs.leaf(at, "egress_flow", {**packs.FLOW, **begin, "opened": at})
    ended = packs.flow(UNTIL - 1, flow="f1", opened=at)
    two = [*leaves, opened, ended]
    two.sort(key=lambda one: json.loads(one)["at"])
    report = look(make_pack(tmp_path / "1", two))
    assert report.green, report.reasons
    assert report.facts["flows"]["mail"][0] == SENT + 1
    two.remove(ended)
    report = look(make_pack(tmp_path / "2", two))
    only(report, "flows", "a flow to 'mail' began and its end is missing")


def test_code_with_a_flipped_byte(tmp_path: Path, leaves: list[bytes]) -> None:
    release = {**SAID.release, "differences": ["jhalak/feed/engine.py was altered"]}
    only(look(make_pack(tmp_path, leaves, said(release=release))), "release", "feed/engine.py")


def test_code_with_a_flipped_byte_at_some_start(tmp_path: Path, leaves: list[bytes]) -> None:
    body = {"digest": "0" * 64, "differences": ["jhalak/feed/engine.py was altered"]}
    report = look(make_pack(tmp_path, [*leaves, packs.leaf(UNTIL - 9, "release", body)]))
    only(report, "release", f"entry {len(leaves)}", "feed/engine.py")


def test_code_hashed_by_the_auditor(good: Path, tmp_path: Path) -> None:
    only(look(good, code=tmp_path), "release", "jhalak/__init__.py", "is not the released one")


def test_code_that_was_added(tmp_path: Path, leaves: list[bytes]) -> None:
    code = tmp_path / "code"
    (code / "jhalak").mkdir(parents=True)
    (code / "jhalak/__init__.py").write_bytes(b"")
    (code / "others.py").write_bytes(b"")  # beside it; not ours
    files = {"jhalak/__init__.py": hashlib.sha256(b"").hexdigest()}
    pack = make_pack(tmp_path, leaves, said(release={"files": files, "differences": []}))
    (code / "jhalak/__pycache__").mkdir()
    (code / "jhalak/__pycache__/cached.pyc").write_bytes(b"")
    assert look(pack, code=code).green
    late = code / "jhalak/late.py"
    late.write_bytes(b"")
    only(look(pack, code=code), "release", "jhalak/late.py", "is code of no release")
    late.rename(code / "jhalak/late.pyc")  # without a source Python imports it as well
    only(look(pack, code=code), "release", "jhalak/late.pyc", "is code of no release")


def test_weights_with_a_flipped_byte(tmp_path: Path, leaves: list[bytes]) -> None:
    why = "the artefact is cut off or was altered"
    line = {"digest": packs.MODEL, "kind": "places", "holds": False, "why": why}
    models = {packs.MODEL: (line, packs.MANIFEST)}
    only(look(make_pack(tmp_path, leaves, said(models=models))), "models", "places", why)


def test_a_model_without_manifest(tmp_path: Path, leaves: list[bytes]) -> None:
    only(look(make_pack(tmp_path, leaves, said(models={}))), "models", packs.MODEL[:12], "entry 3")


def test_a_model_with_an_altered_manifest(tmp_path: Path, leaves: list[bytes]) -> None:
    models = {packs.MODEL: (SAID.models[packs.MODEL][0], b'{"kind":"other"}')}
    only(look(make_pack(tmp_path, leaves, said(models=models))), "models", "was altered")


def test_an_expired_exception(tmp_path: Path, leaves: list[bytes]) -> None:
    item = {"kind": "unsealed", "subject": "worker", "reason": "GPU", "expires": "2026-05-01"}
    pack = make_pack(tmp_path, [*leaves, packs.excused(item)], said(exceptions=[item]))
    only(look(pack), "exceptions", "unsealed of worker", "2026-05-01")


def test_an_exception_that_the_log_does_not_know(tmp_path: Path, leaves: list[bytes]) -> None:
    """Who writes it when the auditor comes, under whatever name."""
    item = {"kind": "unsealed", "subject": "web", "reason": "x", "expires": "9999-12-31"}
    told = said(exceptions=[{**item, "owner": "jhalak"}])
    only(look(make_pack(tmp_path, leaves, told)), "exceptions", "web is not in force by the log")


def test_an_exception_that_was_withdrawn(tmp_path: Path, leaves: list[bytes]) -> None:
    item = {"kind": "unsealed", "subject": "worker", "reason": "GPU", "expires": "2030-01-01"}
    gone = packs.leaf(UNTIL - 2, "exception", {**item, "event": "withdrawn"})
    told = said(exceptions=[item])
    assert look(make_pack(tmp_path / "1", [*leaves, packs.excused(item)], told)).green
    report = look(make_pack(tmp_path / "2", [*leaves, packs.excused(item), gone], told))
    only(report, "exceptions", "worker is not in force by the log")


def test_an_exception_from_before_a_later_pack(tmp_path: Path, leaves: list[bytes]) -> None:
    item = {"kind": "unsealed", "subject": "worker", "reason": "GPU", "expires": "2030-01-01"}
    told = said(exceptions=[item])
    for number, listed in enumerate(([item], [])):
        logged = with_report(leaves, 26, destinations=[packs.DESTINATION], exceptions=listed)
        pack = make_pack(tmp_path / str(number), logged, told, since_ms=START + 28 * HOUR)
        assert look(pack).green is bool(listed)


def test_a_gap_in_time(tmp_path: Path) -> None:
    report = look(make_pack(tmp_path, packs.entries(skip=[20, 21])))
    assert set(report.reasons) == {"time", "control"}
    assert "a gap: no entry from" in report.reasons["time"][0]


def test_a_gap_that_a_stop_and_a_start_explain(tmp_path: Path) -> None:
    leaves = packs.entries(skip=range(20, 30))
    stopped = [
        packs.leaf(START + 20 * HOUR, "stop", {}),
        packs.leaf(START + 30 * HOUR, "start", {}),
    ]
    leaves = sorted([*leaves, *stopped], key=lambda one: json.loads(one)["at"])
    report = look(make_pack(tmp_path, leaves))
    assert report.green, report.reasons
    assert len(report.facts["stopped"]) == 1


def test_a_gap_that_a_declared_exception_covers(tmp_path: Path) -> None:
    item = {
        "kind": "gap",
        "subject": "power",
        "reason": "power cut",
        "expires": "2030-01-01",
        "from_ms": START + 19 * HOUR,
        "until_ms": START + 23 * HOUR,
    }
    leaves = [*packs.entries(skip=[20, 21]), packs.excused(item)]
    report = look(make_pack(tmp_path, leaves, said(exceptions=[item])))
    assert report.green, report.reasons


def test_silence_until_the_pack_was_made(tmp_path: Path, leaves: list[bytes]) -> None:
    report = look(make_pack(tmp_path, leaves, until_ms=UNTIL + 5 * HOUR))
    assert any("before the pack was made" in reason for reason in report.reasons["time"])


def test_a_clock_that_went_back(tmp_path: Path, leaves: list[bytes]) -> None:
    late = packs.leaf(START + HOUR, "clock", {})
    report = look(make_pack(tmp_path, [*leaves, late]))
    only(report, "time", f"entry {len(leaves)}", "a clock was moved back")


def test_a_clock_that_went_ahead(tmp_path: Path, leaves: list[bytes]) -> None:
    ahead = [packs.control(UNTIL + n * HOUR) for n in range(3)]
    only(look(make_pack(tmp_path, [*leaves, *ahead])), "time", "after the pack")


def test_an_unsealed_process(tmp_path: Path, leaves: list[bytes]) -> None:
    bare = {"name": "worker", "pid": 9, "sealed": False, "why": "no user namespaces"}
    report = look(make_pack(tmp_path / "1", leaves, said(processes=[*SAID.processes, bare])))
    only(report, "seal", "process worker was not sealed", "no user namespaces")
    item = {"kind": "unsealed", "subject": "worker", "reason": "GPU", "expires": "2030-01-01"}
    told = said(processes=[*SAID.processes, bare], exceptions=[item])
    report = look(make_pack(tmp_path / "2", [*leaves, packs.excused(item)], told))
    assert report.green, report.reasons
    assert report.notes == ["worker is not sealed, by a declared exception."]


def test_a_process_that_was_unsealed_for_a_while(tmp_path: Path, leaves: list[bytes]) -> None:
    bare = packs.leaf(UNTIL - 7, "seal", {"name": "web", "sealed": False, "why": "asked so"})
    only(look(make_pack(tmp_path, [*leaves, bare])), "seal", "web", "asked so")


# Keys, witnesses, the pack itself ----------------------------------------------------------------


def test_another_key_of_the_log(good: Path) -> None:
    other = packs.Signer(packs.ORIGIN, seed=b"\7" * 32)
    report = look(good, log_keys=[other.verifier_key])
    assert set(report.reasons) == {"pack", "checkpoint"}
    assert report.reasons["checkpoint"] == ["the checkpoint is not signed by the log's key"]


def test_a_witness_who_did_not_cosign(good: Path) -> None:
    other = packs.Signer("witness.example/w2", 4, b"\3" * 32)
    report = look(good, witness_keys=[WITNESS.verifier_key, other.verifier_key])
    only(report, "witnesses", "witness.example/w2 did not cosign")


def test_a_checkpoint_of_another_log(pack: Path, leaves: list[bytes]) -> None:
    other = packs.Signer("jhalak.example/other", seed=b"\7" * 32)
    (pack / "log/checkpoint").write_bytes(packs.checkpoint(leaves, WITNESS, log=other))
    report = look(pack)
    assert "of another log" in report.reasons["checkpoint"][0]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda pack: (pack / "map.json").write_text("{}"), "map.json was altered"),
        (lambda pack: (pack / "people.json").unlink(), "people.json is missing"),
        (lambda pack: (pack / "more.json").write_text("{}"), "more.json is in the pack and not"),
        (lambda pack: (pack / "manifest.json").open("a").close() or _space(pack), "not the one"),
    ],
)
def test_a_pack_that_was_touched(
    pack: Path, break_it: Callable[[Path], object], words: str
) -> None:
    break_it(pack)
    assert any(words in reason for reason in look(pack).reasons["pack"])


def _space(pack: Path) -> None:
    path = pack / "manifest.json"
    path.write_bytes(path.read_bytes() + b" ")


def test_sums_that_do_not_hold(pack: Path) -> None:
    (pack / "flows.json").write_text(f'{{"mail": [{SENT}, {SENT * 300}, 1]}}')
    resign(pack)
    only(
        look(pack), "flows", f"sum up to [{SENT}, {SENT * 300}, {SENT * 200}]", f"{SENT * 300}, 1]"
    )


def test_an_id_used_twice(tmp_path: Path, leaves: list[bytes]) -> None:
    again = packs.leaf(UNTIL - 3, "clock", {}, json.loads(leaves[7])["id"])
    only(look(make_pack(tmp_path, [*leaves, again])), "entries", "1 entries have an id")


@pytest.mark.parametrize(
    "bad",
    [
        b"{}",
        b'{"at":1, "body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":1,"at":1,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":1.5,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":NaN,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":true,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":1,"body":{},"id":"x","kind":"party","v":1}',
        b'{"at":1,"body":{},"id":"x","kind":["clock"],"v":1}',
        b'{"at":1,"body":{},"id":"x","kind":"clock","v":2}',
        b'{"at":1,"body":{"a":"\\ud800"},"id":"x","kind":"clock","v":1}',
        b'{"at":1,"body":' + b"[" * 30_000 + b"]" * 30_000 + b',"id":"x","kind":"clock","v":1}',
        b"\xff",
        b"",
    ],
)
def test_a_malformed_entry(tmp_path: Path, leaves: list[bytes], bad: bytes) -> None:
    only(look(make_pack(tmp_path, [*leaves, bad])), "entries", f"entry {len(leaves)} is malformed")


@pytest.mark.parametrize("kind", ["control", "destination", "egress_flow", "model", "seal"])
def test_what_is_checked_may_not_be_hidden(tmp_path: Path, leaves: list[bytes], kind: str) -> None:
    hidden = packs.leaf(UNTIL - 9, kind, {"commitment": "0" * 64})
    report = look(make_pack(tmp_path, [*leaves, hidden]))
    only(report, "entries", f"entry {len(leaves)} hides what a {kind} says")
    order = packs.leaf(UNTIL - 9, "order", {"commitment": "0" * 64})
    assert look(make_pack(tmp_path / "order", [*leaves, order])).green


def test_a_pipe_in_a_pack_does_not_stop_the_verifier(pack: Path) -> None:
    (pack / "people.json").unlink()
    os.mkfifo(pack / "people.json")
    only(look(pack), "pack", "people.json", "no plain file")


@pytest.mark.parametrize(
    "name",
    ["log/tile/0/001", "log/tile/1/000.p/2", "log/tile/entries/001"],
)
@pytest.mark.parametrize("how", ["cut", "absent", "longer", "empty"])
def test_truncated_tiles(pack: Path, name: str, how: str) -> None:
    path = pack / name
    data = path.read_bytes()
    if how == "absent":
        path.unlink()
    else:
        path.write_bytes({"cut": data[:-1], "longer": data + b"\0", "empty": b""}[how])
    report = look(pack)
    assert any(name.rpartition(".p")[0] or name in reason for reason in report.reasons["tree"])


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_one_changed_byte_anywhere_is_red(
    data: st.DataObject, small: tuple[Path, list[Path]]
) -> None:
    """No byte of the tree, of the signatures or of what is signed may change unseen."""
    _, files = small
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    other = bytes([before[at] ^ data.draw(st.integers(1, 255))])
    path.write_bytes(before[:at] + other + before[at + 1 :])
    try:
        assert verify.main([str(small[0]), *KEYS]) != 0
    finally:
        path.write_bytes(before)


KEYS = ["--log-key", LOG.verifier_key, "--witness-key", WITNESS.verifier_key, "--processes", "1"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    leaves = [
        one
        for one in packs.entries(range(1, packs.HOURS))
        if json.loads(one)["kind"] in ("egress_flow", "control", "destination")
    ]
    until = START + HOUR
    found = make_pack(tmp_path_factory.mktemp("small"), leaves, said(models={}), until_ms=until)
    assert look(found).green
    assert verify.main([str(found), *KEYS]) == 0
    free = {"report.html", "report.json"}
    return found, [p for p in sorted(found.rglob("*")) if p.is_file() and p.name not in free]


ODD: list[Any] = [None, 1 << 70, "x", [1], [{}], {"a": []}]


def shapes(value: Any) -> Iterator[Any]:
    """Odd values in place of the whole, of each member, and of each member of the first item."""
    yield from ODD
    if isinstance(value, list) and value:
        yield from ([inner, *value[1:]] for inner in shapes(value[0]))
    elif isinstance(value, dict):
        for name in list(value)[:9]:
            yield from ({**value, name: odd} for odd in ODD)
            yield {key: item for key, item in value.items() if key != name}


@pytest.mark.slow
def test_no_shape_of_json_breaks_the_verifier(
    small: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    """An operator signs what he likes: the verifier says red or green of it, and never fails."""
    pack = Path(shutil.copytree(small[0], tmp_path / "evidence"))
    item = {"kind": "gap", "subject": "a", "expires": "2030-01-01", "from_ms": 1, "until_ms": 2}
    more = {
        "exceptions.json": [item],
        "models.json": [SAID.models[packs.MODEL][0]],
        "captures.json": [{"capture": "a", "differences": ["b"]}],
    }
    for path in sorted(pack.glob("*.json")):
        before = path.read_bytes()
        if path.name in ("report.json", "materials.cdx.json"):
            continue
        every = list(shapes(more.get(path.name) or json.loads(before)))
        for odd in random.Random(1).sample(every, min(25, len(every))):
            path.write_text(json.dumps(odd))
            try:
                report = verify.Pack(pack, processes=1).run()
            except verify.Broken:
                assert path.name == "manifest.json"
                continue
            json.dumps(report.as_json())
            assert verify.as_html(report)
            assert verify.as_text(report)
        path.write_bytes(before)


def test_many_processes_find_what_one_finds(
    good: Path, monkeypatch: pytest.MonkeyPatch, pack: Path
) -> None:
    monkeypatch.setattr(verify, "CHUNK", 1)
    path, leaves = bundle(pack, 1)
    leaves[44], leaves[45] = leaves[45], leaves[44]
    write_bundle(path, leaves)
    one, two = look(pack, processes=1), look(pack, processes=2)
    assert one.as_json() == two.as_json()
    assert look(good, processes=2).green


# The two reports ---------------------------------------------------------------------------------


def test_the_command_stands_alone(good: Path, tmp_path: Path) -> None:
    """Copied into the pack, run by a bare Python from there, with nothing of us to import."""
    command = [sys.executable, "-I", "verify.py", ".", *KEYS, "--json", str(tmp_path / "r.json")]
    done = subprocess.run(
        [*command, "--html", str(tmp_path / "r.html")],
        cwd=good,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (done.returncode, done.stdout) == (0, "GREEN: the evidence holds\n"), done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "green"
    source = (good / "verify.py").read_text()
    assert "import jhalak" not in source
    assert "from jhalak" not in source


def test_the_command_says_red_and_why(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "map.json").write_text("{")
    assert verify.main([str(pack), *KEYS]) == 1
    out = capsys.readouterr().out
    assert out.startswith("RED")
    assert "pack: map.json was altered after the pack was made" in out


def test_what_is_no_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(tmp_path)]) == 2
    assert "no evidence pack: manifest.json cannot be read" in capsys.readouterr().err


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_self_contained_and_hostile_words_stay_words(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    evil = "<script>alert(1)</script>"
    told = said(
        map={"declared": {}, "live": [evil]},
        people=[{"name": evil, "roles": [evil]}],
        jurisdiction=evil,
    )
    report = look(make_pack(tmp_path, leaves, told))
    text = verify.as_html(report)
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert not page.addresses
    assert "url(" not in text
    assert "@import" not in text
    last = text.rindex("<h2")
    assert "Never claimed" in text[last:]
    for claim in ("residency", "control", "jurisdiction"):
        assert f"{claim}: " in text
    assert len(verify.NEVER_CLAIMED) == text[last:].count("<li>")


def test_the_report_in_the_pack_is_that_of_the_verifier(good: Path) -> None:
    within = json.loads((good / "report.json").read_text())
    assert within["verdict"] == "green"
    assert within["facts"] == look(good).as_json()["facts"]


# Gathering ---------------------------------------------------------------------------------------


def test_evidence_is_not_overwritten(good: Path) -> None:
    with pytest.raises(EvidenceError, match="is there already"):
        gather_again(good.parent / "data/log", good)


def gather_again(log: Path, out: Path) -> verify.Report:
    times = {"since_ms": START, "until_ms": UNTIL, "period_ms": HOUR}
    return gather(log, out, SAID, sign=LOG.note, **times)


def test_what_cannot_be_gathered_leaves_nothing(good: Path, tmp_path: Path) -> None:
    log = Path(shutil.copytree(good.parent / "data/log", tmp_path / "log"))
    (log / "tile/0/001").unlink()
    with pytest.raises(EvidenceError, match="tile/0/001"):
        gather_again(log, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_log_that_grows_meanwhile(tmp_path: Path, leaves: list[bytes]) -> None:
    """The checkpoint is of fewer entries than the tiles: the pack is cut to it."""
    packs.write_log(tmp_path / "log", leaves, packs.checkpoint(leaves[:560], WITNESS))
    until = json.loads(leaves[559])["at"]
    times = {"since_ms": START, "until_ms": until, "period_ms": HOUR}
    report = gather(tmp_path / "log", tmp_path / "out", SAID, sign=LOG.note, **times)
    assert report.green, report.reasons
    assert report.facts["size"] == report.facts["entries"] == 560


def test_to_edit_a_pack_does_not_edit_the_log(good: Path) -> None:
    within, without = good / "log/tile/0/000", good.parent / "data/log/tile/0/000"
    assert within.read_bytes() == without.read_bytes()
    assert within.stat().st_ino != without.stat().st_ino


def test_keys_and_notes_refuse_what_they_are_not() -> None:
    for text in ("", "a", "a+b+c", f"x{LOG.verifier_key}", LOG.verifier_key[:-4]):
        with pytest.raises(verify.Broken):
            verify.Key.parse(text)
    for data in (b"", b"a\n", b"a\n\n", b"a\n\nb\n", b"\xff\n\n", LOG.note("a\n")[:-1]):
        with pytest.raises(verify.Broken):
            verify.Note.parse(data)
    assert dataclasses.is_dataclass(verify.Note.parse(LOG.note("a\n")))


@given(sizes=st.lists(st.integers(0, 700), min_size=2, max_size=2).map(sorted))
@settings(max_examples=25, deadline=None)
def test_every_earlier_root_is_found_in_the_tiles(
    sizes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    before, now = sizes
    leaves = [str(number).encode() for number in range(now)]
    folder = tmp_path_factory.mktemp("tiles") / "log"
    packs.write_log(folder, leaves, b"x")
    assert verify.Tiles(folder, now).root(before) == packs.root(leaves[:before])
