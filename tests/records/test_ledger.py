"""What commits with its cause is in the border's log once, in order; so is what the spool holds."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from typer.testing import CliRunner

from jhalak import records
from jhalak.border.log import durable, sealed, spool
from jhalak.border.log.checkpoints import read_signed
from jhalak.border.log.entries import EntryError, Kind, now_ms, opens, read_entry
from jhalak.border.log.keys import key_file, load_signer, log_folder, spool_folder
from jhalak.border.log.spool import Spool
from jhalak.border.log.tiles import Tiles
from jhalak.border.log.writer import Log, LogError
from jhalak.cli.border_keys import keys_cli
from jhalak.options import options
from jhalak.records.jobs import run_worker
from jhalak.records.ledger import drain, enter
from jhalak.records.models import LedgerEntry
from jhalak.records.opened import border_log, close_stores

from .conftest import until


def found() -> list[object]:
    log = border_log()
    assert log is not None
    leaves = [leaf for _, leaf in Tiles(log.folder).entries(0, log.head.size)]
    return [read_entry(leaf).body.get("n") for leaf in leaves]


def next_moment() -> None:
    before = now_ms()
    until(lambda: now_ms() > before)


class Undone(Exception):
    pass


@pytest.mark.django_db(transaction=True)
class TestDrain:
    def test_it_commits_with_its_cause_or_not_at_all(self) -> None:
        def undone() -> None:
            with transaction.atomic():
                enter(Kind.MODEL, {"n": 0})
                raise Undone

        with pytest.raises(Undone):
            undone()
        with transaction.atomic():
            first = enter(Kind.MODEL, {"n": 1})
            enter(Kind.TAKEDOWN, {"n": 2})
            with pytest.raises(RuntimeError, match="after a commit"):
                drain()
        assert drain() == 2
        assert drain() == 0
        assert found() == [1, 2]
        assert not LedgerEntry.objects.exists()
        log = border_log()
        assert log is not None
        assert read_entry(log.tiles.entry(0, 2)).id == first

    def test_what_waited_long_goes_in_by_its_time_wherever_it_waited(self) -> None:
        """The stop of a site waits in the spool until the next start, which enters rows too; after
        those, the verifier takes it for held back.
        """
        box = Spool(spool_folder(options().folder), "site")
        for number in range(0, 6, 2):
            box.write(Kind.STOP, {"n": number})
            next_moment()
            enter(Kind.KEY, {"n": number + 1})
            next_moment()
        (box.folder / "000-none.entries").write_bytes(b"nonsense")
        assert drain() == 6
        assert found() == [0, 1, 2, 3, 4, 5]
        assert not spool.waiting(box.folder)

    def test_what_cannot_be_an_entry_fails_its_cause(self) -> None:
        with pytest.raises(EntryError):
            enter(Kind.MODEL, {"n": 0.5})

    def test_killed_before_it_forgot_it_brings_nothing_twice(self, monkeypatch) -> None:
        monkeypatch.setattr("jhalak.records.ledger.BATCH", 3)
        box = Spool(spool_folder(options().folder), "broker")
        for number in range(8):
            enter(Kind.MODEL, {"n": number})
        box.write_all([(Kind.EGRESS_FLOW, {"n": 100 + number}) for number in range(4)])
        rows = list(LedgerEntry.objects.order_by("id"))
        log = border_log()
        assert log is not None
        log.append([bytes(row.leaf) for row in rows[:3]])
        log.append(spool.read(spool.waiting(box.folder)[0]))
        records.close_stores()  # another process goes on
        assert drain() == 12
        assert found() == [0, 1, 2, 100, 101, 102, 103, 3, 4, 5, 6, 7]
        assert spool.waiting(box.folder) == []

    def test_the_spool_keeps_what_is_none_of_ours_aside(self, caplog) -> None:
        folder = spool_folder(options().folder)
        box = Spool(folder, "broker")
        box.write(Kind.EGRESS_FLOW, {"n": 1})
        (folder / f"0{spool.SUFFIX}").write_bytes(b"nonsense")
        box.write(Kind.EGRESS_FLOW, {"n": 2})
        drain()
        assert found() == [1, 2]
        assert (folder / spool.REFUSED / f"0{spool.SUFFIX}").exists()
        assert "put aside" in caplog.text

    def test_one_process_drains(self) -> None:
        data = options().folder
        enter(Kind.MODEL, {"n": 1})
        with Log(log_folder(data), load_signer(key_file(data))):
            assert drain() == 0
        assert drain() == 1

    def test_the_signing_key_is_exchanged_by_who_writes_the_log(self) -> None:
        data = options().folder
        enter(Kind.MODEL, {"n": 1})
        drain()
        old = load_signer(key_file(data)).verifier
        told = CliRunner().invoke(keys_cli, ["rotate-log"])
        assert told.exit_code == 0, told.output
        new = load_signer(key_file(data)).verifier
        assert told.stdout.splitlines()[:2] == [f"signs: {new}", f"signs: {old}"]
        assert CliRunner().invoke(keys_cli, ["rotate-log"]).exit_code == 1  # both still sign
        told = CliRunner().invoke(keys_cli, ["rotate-log", "--alone"])
        assert told.stdout.splitlines()[0] == f"signs: {new}"
        assert str(old) not in told.stdout
        close_stores()
        enter(Kind.MODEL, {"n": 2})
        drain()
        assert found() == [1, None, 2]
        read_signed(Tiles(log_folder(data)).checkpoint(), new)

    def test_a_full_disk_loses_nothing(self, monkeypatch, caplog) -> None:
        from jhalak.records.tasks import move_to_the_log

        enter(Kind.MODEL, {"n": 1})
        drain()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        enter(Kind.MODEL, {"n": 2})
        with monkeypatch.context() as patch:
            patch.setattr(durable, "write", full)
            with pytest.raises(LogError, match="not acknowledged"):
                drain()
            move_to_the_log()
        assert "entries wait for the border's log" in caplog.text
        assert LedgerEntry.objects.count() == 1
        assert drain() == 1
        assert found() == [1, 2]

    def test_a_sealed_entry_tells_only_when_it_is_opened(self) -> None:
        key = enter(Kind.ORDER, {"act": "69A"}, sealed=True)
        drain()
        log = border_log()
        assert log is not None
        leaf = log.tiles.entry(0, 1)
        assert b"69A" not in leaf
        opener = sealed.find(log.folder, key)
        assert opens(read_entry(leaf), opener)
        path = log.folder / sealed.FOLDER / f"{key}.json"
        assert path.stat().st_mode & 0o777 == 0o600
        for name in ("../" + key, "none"):
            with pytest.raises(EntryError, match="nothing is kept"):
                sealed.find(log.folder, name)
        for bad in (b"", b"{}", b"[" * 9999, b"x" * 200_000, b'{"id":1,"salt":"","body":{}}'):
            with pytest.raises(EntryError):
                sealed.read(bad)

    def test_a_worker_moves_them(self) -> None:
        stop = threading.Event()

        def work() -> None:
            run_worker(stop, drain_s=1)
            connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            enter(Kind.MODEL, {"n": 1})
            until(lambda: not LedgerEntry.objects.exists())
        finally:
            stop.set()
            thread.join(30)
        assert 1 in found()
