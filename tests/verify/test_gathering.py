"""How an evidence pack is gathered from a log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from jhalak.border.evidence import EvidenceError, gather
from jhalak.verify import verify
from tests.verify import packs
from tests.verify.packs import HOUR, LOG, SAID, START, UNTIL, WITNESS


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


def test_what_a_witness_cosigned_who_is_none_any_more_holds_up_no_pack(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    packs.write_log(tmp_path / "log", leaves, packs.checkpoint(leaves))
    (tmp_path / "log" / "cosigned").write_bytes(packs.checkpoint(leaves[:100], WITNESS))
    times = {"since_ms": START, "until_ms": UNTIL, "period_ms": HOUR}
    said = msgspec.structs.replace(SAID, keys={"log": LOG.verifier_key, "witnesses": []})
    report = gather(tmp_path / "log", tmp_path / "out", said, sign=LOG.note, **times)
    assert report.green, report.reasons
    assert report.facts["size"] == len(leaves)


def test_to_edit_a_pack_does_not_edit_the_log(good: Path) -> None:
    within, without = good / "log/tile/0/000", good.parent / "data/log/tile/0/000"
    assert within.read_bytes() == without.read_bytes()
    assert within.stat().st_ino != without.stat().st_ino
