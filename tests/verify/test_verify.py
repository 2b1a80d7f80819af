"""The verifier: green for what is in order, and red with the cause in words for each thing that is
not.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from jhalak.verify import verify
from tests.verify import packs
from tests.verify.looking import SENT, bundle, only, said, write_bundle
from tests.verify.packs import HOUR, SAID, START, UNTIL, look, make_pack


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
    only(report, "flows", "'mail' was used on 2026-05-29", "was not declared")


def undeclared() -> list[bytes]:
    return [one for one in packs.entries() if json.loads(one)["kind"] != "destination"]


def test_a_destination_that_only_the_pack_declares(tmp_path: Path) -> None:
    """Who used it and declares it when the auditor comes."""
    only(look(make_pack(tmp_path, undeclared())), "flows", "'mail' was used and is not declared")


def test_a_destination_used_after_it_was_withdrawn(tmp_path: Path, leaves: list[bytes]) -> None:
    gone = packs.leaf(START + 1000, "destination", {"name": "mail", "withdrawn": True})
    report = look(make_pack(tmp_path, [*leaves[:4], gone, *leaves[4:]]))
    only(report, "flows", "'mail' was used on 2026-05-29", "was not declared")


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
