"""A model that the operator brings is loaded as it was declared, to the byte, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jhalak.border import provenance
from jhalak.border.log import spool
from jhalak.border.log.entries import Kind, read_entry
from jhalak.border.log.keys import spool_folder
from jhalak.border.provenance import FILE, ProvenanceError, check, declare
from jhalak.cli.border import border


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "whisper"
    (made / "more").mkdir(parents=True)
    (made / "model.bin").write_bytes(b"weights")
    (made / "more" / "vocabulary.txt").write_text("झलक")
    return made


def test_what_was_declared_is_known_again(folder: Path, tmp_path: Path) -> None:
    digest = declare(folder, tmp_path / "data", "speech", "OpenAI, hub.example", "MIT")
    assert check(folder, "speech") == digest
    (copy,) = provenance.declared_folder(tmp_path / "data").iterdir()
    assert copy.read_bytes() == (folder / FILE).read_bytes()
    assert declare(folder, tmp_path / "data", "speech", "OpenAI, hub.example", "MIT") == digest


def _flip(folder: Path) -> None:
    (folder / "model.bin").write_bytes(b"weighty")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_flip, "model.bin was altered"),
        (lambda one: (one / "model.bin").unlink(), "model.bin was altered or is missing"),
        (lambda one: (one / "late.py").touch(), "late.py was added"),
        (lambda one: (one / FILE).unlink(), "jhalak border model"),
        (lambda one: (one / FILE).write_bytes(b"{"), "cannot be used"),
        (lambda one: (one / FILE).write_bytes(b"\xff" * 9), "cannot be used"),
        (lambda one: (one / FILE).write_text(json.dumps({"kind": "speech"})), "cannot be used"),
    ],
)
def test_anything_else_is_refused(
    folder: Path, tmp_path: Path, change: Callable[[Path], object], says: str
) -> None:
    declare(folder, tmp_path / "data", "speech", "a", "MIT")
    change(folder)
    with pytest.raises(ProvenanceError, match=says):
        check(folder, "speech")


def test_a_model_is_of_its_kind(folder: Path, tmp_path: Path) -> None:
    declare(folder, tmp_path / "data", "vectors", "a", "MIT")
    with pytest.raises(ProvenanceError, match="'vectors' and not as 'speech'"):
        check(folder, "speech")


def test_the_command_enters_it_in_the_log(folder: Path, tmp_path: Path) -> None:
    words = ["model", str(folder), "--origin", "OpenAI", "--licence", "MIT"]
    done = CliRunner().invoke(border, [*words, "--data", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    (path,) = spool.waiting(spool_folder(tmp_path / "data"))
    (entry,) = map(read_entry, spool.read(path))
    assert entry.kind is Kind.MODEL
    assert entry.body["digest"] == check(folder, "speech")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = CliRunner().invoke(border, ["model", str(empty), *words[2:], "--data", str(tmp_path)])
    assert (done.exit_code, "holds no file" in done.output) == (1, True)
