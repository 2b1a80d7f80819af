"""`jhalak border log ...` and `jhalak witness`, as an operator and an auditor use them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jhalak.border.log import sealed, witnesses
from jhalak.border.log.checkpoints import read_signed
from jhalak.border.log.entries import Kind, canonical, entry, new_id, seal
from jhalak.border.log.finding import index_of
from jhalak.border.log.hashing import leaf_hash, verify_inclusion
from jhalak.border.log.keys import key_file, load_signer, log_folder
from jhalak.border.log.notes import NoteError, Verifier, decode64, parse, verify
from jhalak.border.log.writer import Log
from jhalak.cli.border_log import log_cli
from jhalak.options import override
from jhalak.records.cosigning import cosign, wanted

AT = 1_764_500_000_000
IDS = [f"{AT + number:012x}{number:020x}" for number in range(600)]  # as new_id, by no chance


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with (
        override(data=str(tmp_path)),
        Log(log_folder(tmp_path), load_signer(key_file(tmp_path)), lambda: AT + 10_000) as log,
    ):
        log.append([entry(Kind.MODEL, {}, at_ms=AT + at, id=id_) for at, id_ in enumerate(IDS)])
        yield log


def run(*arguments: str) -> Result:
    return CliRunner().invoke(log_cli, list(arguments))


def test_verify_says_what_is_altered(log) -> None:
    assert "600 entries, all as signed" in run("verify").stdout
    assert run("verify", "--key", str(log.signer.verifier), "--log", str(log.folder)).exit_code == 0
    path = log.folder / "tile/entries/001"
    path.write_bytes(path.read_bytes().replace(b'"model"', b'"order"', 1))
    altered = run("verify")
    assert altered.exit_code == 1
    assert altered.stderr == (
        "tile/entries/001 is altered: entry 256 is not the one that was signed\n"
    )
    assert run("verify", "--key", "nonsense").exit_code == 1
    assert "there is no checkpoint" in run("verify", "--log", str(log.folder / "none")).stderr


@pytest.mark.parametrize("name", ["0", "599", IDS[0], IDS[300], IDS[599]])
def test_a_proof_is_a_file_that_verifies(log, name) -> None:
    proof = run("prove", name).stdout
    head, _, checkpoint = proof.partition("\n\n")
    first, index, *steps = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    number = int(index.removeprefix("index "))
    assert number == (int(name) if len(name) < 5 else IDS.index(name))
    found, _ = read_signed(checkpoint.encode(), log.signer.verifier)
    leaf = leaf_hash(log.tiles.entry(number, 600))
    verify_inclusion(leaf, number, 600, [decode64(step) for step in steps], found.root)


@pytest.mark.parametrize("name", ["600", "none", "f" * 32, '"', "9" * 19])
def test_what_is_not_there_cannot_be_proved(log, name) -> None:
    refused = run("prove", name)
    assert refused.exit_code == 1
    assert "no entry" in refused.stderr


def test_reveal(log) -> None:
    leaf, opener = seal(Kind.ORDER, {"act": "69A"}, at_ms=AT + 700)
    told = {"body": opener.body, "id": opener.id, "salt": opener.salt}
    sealed.keep(log.folder, opener.id, canonical(told))
    log.append([leaf])
    assert json.loads(run("reveal", opener.id).stdout) == told
    assert "nothing is kept" in run("reveal", "0").stderr
    sealed.keep(log.folder, opener.id, canonical({**told, "body": {"act": "69B"}}))
    assert "altered" in run("reveal", "600").stderr


def test_an_id_is_found_wherever_it_is(log) -> None:
    log.append([entry(Kind.MODEL, {}, at_ms=AT, id="late"), *late()])
    assert index_of(log.tiles, 602, "late") == 600
    assert index_of(log.tiles, 602, new_id(1)[:12] + "0" * 20) == 601


def late() -> list[bytes]:
    return [entry(Kind.MODEL, {}, at_ms=AT, id=new_id(1)[:12] + "0" * 20)]


def test_witnesses_file(tmp_path: Path) -> None:
    assert witnesses.load(tmp_path) == []
    key = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    (tmp_path / witnesses.FILE).write_text(f"# ours\n\n{key} /run/a b\n{key}\n", "utf-8")
    remora = Verifier.parse(key)
    assert witnesses.load(tmp_path) == [(remora, "/run/a b"), (remora, "")]
    (tmp_path / witnesses.FILE).write_text(f"{key}\nnonsense\n", "utf-8")
    with pytest.raises(NoteError, match=r"witnesses.txt, line 2"):
        witnesses.load(tmp_path)


@pytest.mark.slow
def test_a_witness_beside_the_site(log, tmp_path: Path) -> None:
    """The service as a process: it is asked, killed, and goes on from what it saw."""
    assert not wanted()
    border, socket = tmp_path / "border", tmp_path / "border" / "w"
    command = [
        *(sys.executable, "-m", "jhalak", "witness", str(tmp_path / "witness")),
        *("--log", str(log.signer.verifier), "--at", str(socket)),
    ]
    for round_ in range(2):
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert process.stdout is not None
            key = process.stdout.readline().removeprefix("key: ").strip()
            (border / witnesses.FILE).write_text(f"{key} {socket}\n", "utf-8")
            assert wanted()
            note, wrong = cosign()
            assert wrong == []
            assert note is not None
            assert not wanted()
            known = [log.signer.verifier, Verifier.parse(key)]
            data = witnesses.last(log.folder)
            assert data is not None
            assert len(verify(parse(data), known)) == 2
            assert witnesses.last_size(log.folder) == log.head.size
            log.append([entry(Kind.MODEL, {}, at_ms=AT + 5000, id=f"more{round_}")])
        finally:
            process.send_signal(signal.SIGKILL if round_ == 0 else signal.SIGTERM)
            process.stdout.close()
            assert process.wait(30) in (0, -signal.SIGKILL)
    note, wrong = cosign()
    assert note is None
    assert "does not answer" in wrong[0]
