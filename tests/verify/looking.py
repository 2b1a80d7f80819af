"""What tests of the verifier do with a pack and its report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from jhalak.border.evidence import Said
from jhalak.verify import verify
from tests.verify import packs
from tests.verify.packs import LOG, SAID, WITNESS

SENT = packs.HOURS * 9
KEYS = ["--log-key", LOG.verifier_key, "--witness-key", WITNESS.verifier_key, "--processes", "1"]


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


def bundle(pack: Path, number: int) -> tuple[Path, list[bytes]]:
    path = pack / "log" / verify.tile_path("entries", number)
    return path, verify.bundle_leaves(path.read_bytes())


def write_bundle(path: Path, leaves: list[bytes]) -> None:
    path.write_bytes(b"".join(len(one).to_bytes(2, "big") + one for one in leaves))
