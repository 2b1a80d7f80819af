"""A witness cosigns what continues what it saw, and nothing else; a fork is kept as evidence."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.border.log import durable, notes
from jhalak.border.log.checkpoints import Checkpoint, read_signed, read_text
from jhalak.border.log.hashing import leaf_hash
from jhalak.border.log.notes import Note, NoteError, Signer, Type, Verifier
from jhalak.border.log.tiles import Tiles
from jhalak.border.log.witness import Refused, Request, Witness, is_fork
from jhalak.border.log.writer import Log
from jhalak.witness import WitnessError, ask, serve

from .log_tools import AT, KEY, folder, made

COSIGNER = notes.generate("witness.example/one", Type.COSIGNATURE)
NOW = 1_764_500_000


@contextmanager
def world() -> Iterator[tuple[Log, Witness]]:
    with folder() as path, Log(path / "log", KEY, clock=lambda: AT + 3_600_000) as log:
        witness = Witness(path / "witness", COSIGNER, [KEY.verifier], lambda: NOW)
        try:
            yield log, witness
        finally:
            witness.close()


def asked(log: Log, old: int) -> bytes:
    proof = tuple(log.tiles.consistency(old, log.head.size))
    return Request(old, proof, log.tiles.checkpoint()).to_bytes()


def signed(head: Checkpoint, key: Signer = KEY) -> bytes:
    return str(Note(head.text, (key.sign(head.text),))).encode()


def status(witness: Witness, data: bytes) -> int:
    with pytest.raises(Refused) as caught:
        witness.add_checkpoint(data)
    return caught.value.status


class TestPublished:
    def test_the_note_of_sumdb(self) -> None:
        """golang.org/x/mod/sumdb/note, the example of its documentation; Ed25519 is exact."""
        text = (
            "If you think cryptography is the answer to your problem,\n"
            "then you don't know what your problem is.\n"
        )
        whole = (
            text + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZS"
            "NXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        )
        key = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        signer = Signer.parse(
            "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
        )
        note = notes.parse(whole.encode())
        assert notes.verify(note, [key]) == [(key, 0)]
        assert str(Note(text, (signer.sign(text),))) == whole
        assert str(signer.verifier) == str(key)
        with pytest.raises(NoteError, match="wrong"):
            notes.verify(notes.parse(whole.replace("graphy", "graphie").encode()), [key])

    def test_a_checkpoint_that_real_witnesses_cosigned(self) -> None:
        """A staging log of Certificate Transparency, cosigned by remora.n621.de."""
        whole = (
            "arche2025h1.staging.ct.transparency.dev\n1432088532\n"
            "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
            "— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwh"
            "UkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
            "— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCI"
            "obWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n"
        )
        log = Verifier.parse(
            "arche2025h1.staging.ct.transparency.dev+ba2f06c0"
            "+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
        )
        remora = Verifier.parse(
            "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
        )
        head, note = read_signed(whole.encode(), log)
        assert head.size == 1_432_088_532
        assert notes.verify(note, [log, remora]) == [(log, 0), (remora, 0x6A122120)]
        with pytest.raises(NoteError, match=r"remora.* is wrong"):
            notes.verify(notes.parse(whole.replace("1432", "1433").encode()), [remora])


class TestNotes:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\n",
            b"a\n\n",
            b"a\n\nb\n",
            "a\n\n— b\n".encode(),
            "a\n\n— b AAAA\n".encode(),
            "a\n\n— b AAAAAAAA\n— c".encode(),
            "a\x01\n\n— b AAAAAAAA\n".encode(),
            "a\n\n— b+c AAAAAAAA\n".encode(),
            "a\n\n— b  AAAAAAAA\n".encode(),
            "a\n\n— b AAAAAAB=\n".encode(),
            b"\xff\n\n",
            b"a" * 70_000,
            ("a\n\n" + "— b AAAAAAAA\n" * 65).encode(),
        ],
    )
    def test_what_is_no_note(self, data) -> None:
        with pytest.raises(NoteError):
            notes.parse(data)

    @given(st.binary(max_size=300))
    def test_any_bytes_are_taken_apart_or_refused(self, data) -> None:
        with pytest.raises(NoteError):
            read_signed(data, KEY.verifier)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a",
            "a\n1\n",
            "a\n01\nAA==\n",
            "a\n-1\n",
            "a\n1\nAA==\n",
            f"a\n{10**19}\n{'A' * 44}\n",
        ],
    )
    def test_what_is_no_checkpoint(self, text) -> None:
        with pytest.raises(NoteError):
            read_text(text)

    @pytest.mark.parametrize("text", ["", "a", "a+b", "a+b+c", "a+00000000+AQ==", "a b+0+AQ=="])
    def test_what_is_no_key(self, text) -> None:
        with pytest.raises(NoteError):
            Verifier.parse(text)
        with pytest.raises(NoteError):
            Signer.parse("PRIVATE+KEY+" + text)


class TestWitness:
    def test_it_cosigns_what_continues(self) -> None:
        with world() as (log, witness):
            old = 0
            for size in (0, 1, 300, 300, 513):
                log.append(made(log.head.size, size))
                line = witness.add_checkpoint(asked(log, old))
                (signature,) = notes.parse_signatures(line)
                assert COSIGNER.verifier.verify(log.head.text, signature) == NOW
                assert witness.last(KEY.name) == log.head
                old = size

    def test_the_statuses_of_the_specification(self) -> None:
        with world() as (log, witness):
            log.append(made(0, 10))
            witness.add_checkpoint(asked(log, 0))
            log.append(made(10, 20))
            good = asked(log, 10)
            other = notes.generate("jhalak.example/other")
            assert status(witness, signed(log.head)) == 400  # no request
            assert status(witness, b"old 30\n\n" + log.tiles.checkpoint()) == 400  # greater
            unknown = Checkpoint(other.name, 20, log.head.root)
            assert status(witness, b"old 10\n\n" + signed(unknown, other)) == 404
            false = notes.Signer(KEY.name, other.key)
            assert status(witness, b"old 10\n\n" + signed(log.head, false)) == 403
            assert status(witness, b"old 10\n\n" + log.tiles.checkpoint()) == 422
            with pytest.raises(Refused) as caught:
                witness.add_checkpoint(asked(log, 7))
            assert (caught.value.status, caught.value.body) == (409, "10\n")
            assert caught.value.content_type == "text/x.tlog.size"
            witness.add_checkpoint(good)
            assert status(witness, good) == 409  # a rollback is another size

    def test_a_fork_is_refused_and_both_signatures_kept(self) -> None:
        with world() as (log, witness):
            log.append(made(0, 10))
            witness.add_checkpoint(asked(log, 0))
            true = log.tiles.checkpoint()
            false = signed(Checkpoint(KEY.name, 10, leaf_hash(b"x")))
            assert status(witness, b"old 10\n\n" + false) == 409
            (kept,) = witness.folder.glob("fork-*")
            one, _, other = kept.read_bytes().partition(b"\n=====\n\n")
            assert (one, other) == (true, false)
            assert is_fork(one, other, KEY.verifier)
            assert not is_fork(one, one, KEY.verifier)
            with pytest.raises(NoteError):
                is_fork(one, other, COSIGNER.verifier)
            assert witness.last(KEY.name) == log.head

    def test_it_writes_down_before_it_signs_and_remembers(self, monkeypatch) -> None:
        with world() as (log, witness):
            log.append(made(0, 10))

            def full(*_: object) -> None:
                raise OSError(28, "No space left on device")

            with monkeypatch.context() as patch:
                patch.setattr(durable, "write", full)
                with pytest.raises(OSError, match="No space"):
                    witness.add_checkpoint(asked(log, 0))
            assert witness.last(KEY.name).size == 0
            witness.add_checkpoint(asked(log, 0))
            with pytest.raises(BlockingIOError):
                Witness(witness.folder, COSIGNER, [KEY.verifier], lambda: NOW)
            witness.close()
            again = Witness(witness.folder, COSIGNER, [KEY.verifier], lambda: NOW)
            assert again.last(KEY.name) == log.head
            witness._lock = again._lock  # closed with the world

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"old",
            b"old 1",
            b"old 01\n\n",
            b"old -1\n\n",
            b"new 1\n\n",
            b"old 1\nAA==\n\n",
            b"old 1\nxx\n\n",
            b"old 1\n" + b"A" * 43 + b"=\n" * 64 + b"\n",
            b"old 99999999999999999999\n\n",
            b"\xff\n\n",
            b"old 1\n\n" + b"x" * 100_000,
        ],
    )
    def test_requests_that_are_none(self, data) -> None:
        with world() as (_, witness):
            assert status(witness, data) == 400

    def test_a_witness_has_a_key_of_its_kind(self, tmp_path: Path) -> None:
        with pytest.raises(NoteError, match="type 4"):
            Witness(tmp_path, KEY, [], lambda: NOW)


@contextmanager
def served(witness: Witness, at: str) -> Iterator[str]:
    ready, servers = threading.Event(), []

    def put(server: object) -> None:
        servers.append(server)
        ready.set()

    thread = threading.Thread(target=serve, args=(witness, at, put))
    thread.start()
    try:
        assert ready.wait(30)
        (server,) = servers
        yield at if "/" in at else f"127.0.0.1:{server.server_address[1]}"
    finally:
        servers[0].shutdown()
        thread.join(30)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_asking_over_http(kind) -> None:
    with world() as (log, witness):
        log.append(made(0, 10))
        at = str(witness.folder / "s") if kind == "unix" else "127.0.0.1:0"
        with served(witness, at) as where:
            note = ask(where, COSIGNER.verifier, log.tiles, KEY.verifier)
            assert {
                one.name for one, _ in notes.verify(note, [KEY.verifier, COSIGNER.verifier])
            } == {
                KEY.name,
                COSIGNER.name,
            }
            log.append(made(10, 300))
            ask(where, COSIGNER.verifier, log.tiles, KEY.verifier)  # it says itself what it saw
            assert witness.last(KEY.name) == log.head
            (log.folder / "checkpoint").write_bytes(
                signed(Checkpoint(KEY.name, 300, leaf_hash(b"x")))
            )
            with pytest.raises(WitnessError, match="fork") as caught:
                ask(where, COSIGNER.verifier, Tiles(log.folder), KEY.verifier, old=300)
            assert caught.value.status == 409
            if kind == "tcp":
                connection = http.client.HTTPConnection(where)
                for path, headers, wanted in (
                    ("/add-checkpoint", {"Content-Length": "99999999999"}, 411),
                    ("/add-checkpoint", {"Content-Length": "4294967"}, 413),
                    ("/other", {"Content-Length": "0"}, 404),
                ):
                    connection.request("POST", path, headers=headers)
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == wanted
                    connection.close()


@pytest.mark.parametrize("at", ["10.0.0.1:80", "example.com:80", "127.0.0.1", "169.254.169.254:80"])
def test_nothing_beyond_this_machine_is_asked(at) -> None:
    with world() as (log, _), pytest.raises(WitnessError, match="neither"):
        ask(at, COSIGNER.verifier, log.tiles, KEY.verifier)


def test_a_witness_that_does_not_answer(tmp_path: Path) -> None:
    with world() as (log, _), pytest.raises(WitnessError, match="does not answer"):
        ask(str(tmp_path / "none"), COSIGNER.verifier, log.tiles, KEY.verifier)
