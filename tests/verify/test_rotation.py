"""An auditor with an old key of the log reads a pack that a newer one signed, and is not led to a
key that nobody gave the log.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from jhalak.border.evidence import gather
from tests.verify import packs
from tests.verify.packs import HOUR, LOG, ORIGIN, SAID, START, UNTIL, WITNESS, Signer, look

NEW = Signer(ORIGIN, seed=b"\3" * 32)
THIEF = Signer(ORIGIN, seed=b"\4" * 32)
AT = 40  # the entry that exchanges the key


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    found = packs.entries()
    return [*found[:AT], exchange(LOG, NEW, json.loads(found[AT])["at"]), *found[AT:]]


def exchange(old: Signer, new: Signer, at: int) -> bytes:
    body = {"event": "log_rotated", "old": old.verifier_key, "new": new.verifier_key}
    return packs.leaf(at, "key", body)


def record(leaves: list[bytes], signers: Sequence[Signer], entry: bytes | None = None) -> bytes:
    """Without the proof's hashes: the verifier has the tree itself."""
    under = packs.checkpoint(leaves[: AT + 1], log=signers[0])
    text = under.decode().partition("\n\n")[0] + "\n"
    signed = under + "".join(one.line(text) for one in signers[1:]).encode()
    return (entry or leaves[AT]) + b"\nc2sp.org/tlog-proof@v1\nindex 40\n\n" + signed


def made(folder: Path, leaves: list[bytes], records: list[bytes], by: Signer = NEW) -> Path:
    log = folder / "data/log"
    packs.write_log(log, leaves, packs.checkpoint(leaves, WITNESS, log=by))
    (log / "rotations").mkdir()
    for number, data in enumerate(records):
        (log / "rotations" / f"{AT + number:019d}").write_bytes(data)
    gather(
        log,
        folder / "evidence",
        SAID,
        since_ms=START,
        until_ms=UNTIL,
        period_ms=HOUR,
        sign=by.note,
        processes=1,
    )
    return folder / "evidence"


def test_the_old_key_and_the_new_one_both_find_it_green(tmp_path, leaves) -> None:
    pack = made(tmp_path, leaves, [record(leaves, (LOG, NEW))])
    old = tmp_path / "last-year"
    old.write_bytes(packs.checkpoint(leaves[:20]))  # signed by the old key alone
    for key in (LOG, NEW):
        report = look(pack, log_keys=[key.verifier_key], checkpoints=[old], processes=1)
        assert report.green, report.reasons


@pytest.mark.parametrize("signers", [(NEW,), (LOG,), (THIEF, NEW)])
def test_an_exchange_that_one_of_them_did_not_sign_is_forged(tmp_path, leaves, signers) -> None:
    pack = made(tmp_path, leaves, [record(leaves, signers)])
    report = look(pack, processes=1)
    assert any("forged" in reason for reason in report.reasons["checkpoint"])
    assert any("not signed by the log's key" in reason for reason in report.reasons["checkpoint"])


def test_a_new_key_without_any_record_is_red(tmp_path, leaves) -> None:
    report = look(made(tmp_path, leaves, []), processes=1)
    assert "checkpoint" in report.reasons


def test_who_stole_the_old_key_cannot_go_on_with_it(tmp_path, leaves) -> None:
    """He leaves the record out; the entry is in the log all the same."""
    report = look(made(tmp_path / "a", leaves, [], LOG), processes=1)
    assert any("no record" in reason for reason in report.reasons["checkpoint"]), report.reasons
    report = look(
        made(tmp_path / "b", leaves, [record(leaves, (LOG, NEW))], LOG),
        processes=1,
    )
    assert any("not signed" in reason for reason in report.reasons["checkpoint"]), report.reasons


def test_a_record_of_an_entry_that_is_not_in_the_log_is_red(tmp_path, leaves) -> None:
    """The thief has both signatures for a tree of his own."""
    at = json.loads(leaves[AT])["at"]
    other = [*leaves[:AT], exchange(LOG, THIEF, at)]
    pack = made(tmp_path, leaves, [record(other, (LOG, THIEF))], THIEF)
    report = look(pack, processes=1)
    assert any("under another tree" in reason for reason in report.reasons["history"])
    other = exchange(LOG, THIEF, at)
    pack = made(tmp_path / "b", leaves, [record(leaves, (LOG, THIEF), other)], THIEF)
    report = look(pack, processes=1)
    assert any("entry 40 is another one" in reason for reason in report.reasons["history"])


def test_records_that_do_not_follow_each_other_are_red(tmp_path, leaves) -> None:
    at = json.loads(leaves[AT])["at"]
    apart = [*leaves[:AT], exchange(THIEF, NEW, at)]
    pack = made(tmp_path, leaves, [record(leaves, (LOG, NEW)), record(apart, (THIEF, NEW))])
    report = look(pack, processes=1)
    assert any("goes on from another key" in reason for reason in report.reasons["checkpoint"])


@pytest.mark.parametrize("data", [b"", b"x", b"{}\nindex 4\n\nnothing", b"\xff\n\n\n"])
def test_what_is_no_record_is_red(tmp_path, leaves, data) -> None:
    assert not look(made(tmp_path, leaves, [data]), processes=1).green
