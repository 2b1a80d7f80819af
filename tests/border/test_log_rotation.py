"""The key that signs the log is exchanged: who trusts the old one is led to the new one, and nobody
else's key gets in.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jhalak.border.log import notes
from jhalak.border.log.checkpoints import read_signed
from jhalak.border.log.entries import Kind, entry
from jhalak.border.log.keys import load_signers
from jhalak.border.log.notes import Note, NoteError, Signer
from jhalak.border.log.proofs import proof
from jhalak.border.log.rotation import (
    go_on,
    newest_first,
    read_record,
    records,
    wish,
    wish_file,
)
from jhalak.border.log.tiles import CHECKPOINT
from jhalak.border.log.witness import Refused, Request, Witness
from jhalak.border.log.writer import Log

from .log_tools import AT, KEY, Cut, Disk, folder, made


def opened(path: Path) -> Log:
    signer, *beside = load_signers(path / "log.key")
    return Log(path / "log", signer, beside=beside)


@pytest.fixture
def place():
    with folder() as path:
        (path / "log.key").write_text(f"{KEY.private_text()}\n")
        with opened(path) as log:
            log.append(made(0, 300))
        yield path


def exchange(path: Path, *, alone: bool = False) -> Signer:
    wish(path / "log.key", alone=alone)
    with opened(path) as log:
        assert go_on(log, path / "log.key")
        assert not go_on(log, path / "log.key")
    return load_signers(path / "log.key")[0]


def kept(path: Path) -> list[bytes]:
    return [one.read_bytes() for one in records(path / "log")]


def test_both_keys_sign_until_the_old_one_ends(place) -> None:
    new = exchange(place)
    assert new.name == KEY.name
    assert new.verifier.key_id != KEY.verifier.key_id
    with opened(place) as log:
        log.append(made(300, 301))
    for key in (KEY.verifier, new.verifier):
        assert read_signed((place / "log" / CHECKPOINT).read_bytes(), key)[0].size == 302
    with pytest.raises(NoteError, match="still signs"):
        wish(place / "log.key")
    assert exchange(place, alone=True).verifier == new.verifier
    data = (place / "log" / CHECKPOINT).read_bytes()
    assert read_signed(data, new.verifier)[0].size == 302
    with pytest.raises(NoteError, match="no signature"):
        read_signed(data, KEY.verifier)
    with pytest.raises(NoteError, match="none to end"):
        wish(place / "log.key", alone=True)


def test_the_records_lead_from_the_first_key_to_the_last(place) -> None:
    keys = [KEY.verifier]
    for _ in range(2):
        keys.append(exchange(place).verifier)
        exchange(place, alone=True)
    assert newest_first(KEY.verifier, kept(place)) == tuple(reversed(keys))
    assert newest_first(keys[1], kept(place)[1:]) == (keys[2], keys[1])
    with pytest.raises(NoteError, match="not the one that signed"):
        newest_first(KEY.verifier, kept(place)[1:])


@pytest.mark.parametrize("power", [False, True])
def test_cut_off_at_any_step_it_goes_on(place, monkeypatch, power) -> None:
    wish(place / "log.key")
    new = Signer.parse(wish_file(place / "log.key").read_text().strip())
    for step in range(1, 100):
        with monkeypatch.context() as patch:
            disk = Disk(patch, step, power=power)
            try:
                with opened(place) as log:
                    go_on(log, place / "log.key")
                done = True
            except Cut:
                done = False
        disk.lose()
        if done:
            break
    else:
        pytest.fail("it never came to its end")
    with opened(place) as log:
        go_on(log, place / "log.key")
        assert log.head.size == 301  # the entry is there once
    assert [one.verifier for one in load_signers(place / "log.key")] == [
        new.verifier,
        KEY.verifier,
    ]
    assert newest_first(KEY.verifier, kept(place)) == (new.verifier, KEY.verifier)


def forged(place: Path, signers: tuple[Signer, ...], body: dict[str, str]) -> bytes:
    """A record as an attacker makes it who can append and holds these keys."""
    leaf = entry(Kind.KEY, body, id="forged", at_ms=AT)
    with opened(place) as log:
        index = log.append([leaf])[0]
        whole = proof(log.tiles, index, log.head.size)
        text = log.head.text
    signed = str(Note(text, tuple(one.sign(text) for one in signers))).encode()
    return leaf + b"\n" + whole.partition(b"\n\n")[0] + b"\n\n" + signed


class TestForged:
    THIEF = notes.generate(KEY.name)

    def body(self) -> dict[str, str]:
        old, new = str(KEY.verifier), str(self.THIEF.verifier)
        return {"event": "log_rotated", "old": old, "new": new}

    def test_by_both_keys_it_would_hold(self, place) -> None:
        assert read_record(forged(place, (KEY, self.THIEF), self.body())).new == self.THIEF.verifier

    @pytest.mark.parametrize("who", ["thief", "old"])
    def test_one_signature_is_not_enough(self, place, who) -> None:
        signer = self.THIEF if who == "thief" else KEY
        with pytest.raises(NoteError, match="no signature"):
            read_record(forged(place, (signer,), self.body()))

    def test_an_entry_that_is_not_in_the_tree(self, place) -> None:
        exchange(place)
        leaf = entry(Kind.KEY, self.body(), id="forged", at_ms=AT)
        rest = kept(place)[0].partition(b"\n")[2]
        with pytest.raises(NoteError):
            read_record(leaf + b"\n" + rest)

    @pytest.mark.parametrize("name", ["event", "old", "new"])
    def test_a_body_without_a_member(self, place, name) -> None:
        body = self.body()
        del body[name]
        with pytest.raises(NoteError):
            read_record(forged(place, (KEY, self.THIEF), body))

    @pytest.mark.parametrize("data", [b"", b"\n\n\n", b"{}\n\n", b"\xff" * 99, b"a\nb\n\nc\n\nd"])
    def test_what_is_no_record(self, data) -> None:
        with pytest.raises(NoteError):
            read_record(data)


def test_a_witness_follows_and_no_longer_answers_the_old_key(place) -> None:
    cosigner = notes.generate("witness.example/one", notes.Type.COSIGNATURE)

    def asked(witness: Witness, log: Log) -> str:
        old = witness.last(KEY.name).size
        proof = tuple(log.tiles.consistency(old, log.head.size))
        return witness.add_checkpoint(Request(old, proof, log.tiles.checkpoint()).to_bytes())

    def witness(*rotations: bytes) -> Witness:
        return Witness(place / "witness", cosigner, [KEY.verifier], lambda: 1, rotations)

    one = witness()
    with opened(place) as log:
        assert asked(one, log)
    exchange(place)
    with opened(place) as log:  # the overlap: it knows the old key alone
        assert asked(one, log)
    exchange(place, alone=True)
    with opened(place) as log:
        log.append(made(300, 301))
        with pytest.raises(Refused) as refused:
            asked(one, log)
        assert refused.value.status == 403
        one.close()
        one = witness(*kept(place))
        assert asked(one, log)
        text = log.head.text
    stolen = str(Note(text, (KEY.sign(text),))).encode()
    with pytest.raises(Refused) as refused:
        one.add_checkpoint(Request(302, (), stolen).to_bytes())
    assert refused.value.status == 403
    one.close()
