"""The one who appends: any batching gives one tree, a cut at any step loses nothing acknowledged
and forks nothing, and what is not its own log it does not continue.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.log import durable, notes
from jhalak.border.log.checkpoints import Checkpoint, read_signed
from jhalak.border.log.entries import EntryError, Kind, entry, read_entry
from jhalak.border.log.hashing import EMPTY, leaf_hash, root_of, verify_consistency
from jhalak.border.log.keys import key_file, load_signer, move_key
from jhalak.border.log.rotation import wish, wish_file
from jhalak.border.log.tiles import CHECKPOINT, TileError, Tiles, path_of, widths
from jhalak.border.log.writer import LOCK, NEXT, Log, LogBusy, LogError

from .log_tools import AT, KEY, Cut, Disk, folder, made


def opened(path: Path) -> Log:
    return Log(path, KEY, clock=lambda: AT + 3_600_000)


def leaves_of(path: Path) -> list[bytes]:
    head, _ = read_signed(Tiles(path).checkpoint(), KEY.verifier)
    return [leaf for _, leaf in Tiles(path).entries(0, head.size)]


@settings(max_examples=15)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=8), st.data())
def test_any_batches_give_the_same_log(batches, data) -> None:
    """And any opening and closing between them."""
    total = sum(batches)
    leaves = made(0, total)
    with folder() as path:
        log, done = opened(path), 0
        for batch in batches:
            assert log.append(leaves[done : done + batch]) == list(range(done, done + batch))
            done += batch
            if data.draw(st.booleans()):
                log.close()
                log = opened(path)
        log.close()
        assert leaves_of(path) == leaves
        assert log.head.root == root_of([leaf_hash(leaf) for leaf in leaves])
        tiles = Tiles(path)
        for level, width in enumerate(widths(total)):  # what tlog-tiles says must be there
            if width:
                assert (path / path_of(level, total >> 8 * (level + 1), width)).is_file()
        old = data.draw(st.integers(0, total))
        proof = tiles.consistency(old, total)
        verify_consistency(old, total, proof, tiles.root(old, total), log.head.root)
        for part in path.glob("tile/*/*.p"):  # none is kept beside the full one
            assert not part.with_suffix("").exists()


def test_the_tiles_of_the_specification() -> None:
    """tlog-tiles, "Partial Tiles": a tree of 70,000 ends in tiles of 112, 17 and 1; one of 256 is a
    full tile and one of 1 above it.
    """
    assert widths(70_000) == [112, 17, 1]
    assert widths(256) == [0, 1]
    with folder() as path:
        with opened(path) as log:
            log.append(made(0, 600))
        names = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
        hashes = {"tile/0/000", "tile/0/001", "tile/0/002.p/88"}
        entries = {name.replace("tile/0", "tile/entries") for name in hashes}
        assert names == {*hashes, *entries, "tile/1/000.p/2", CHECKPOINT, LOCK}


def test_paths_of_the_specification() -> None:
    assert path_of(0, 1_234_067) == "tile/0/x001/x234/067"
    assert path_of("entries", 999, 7) == "tile/entries/999.p/7"
    assert path_of(2, 1000) == "tile/2/x001/000"


def test_an_empty_log_is_a_log() -> None:
    with folder() as path, opened(path) as log:
        assert log.head == Checkpoint(KEY.name, 0, EMPTY)
        assert log.append([]) == []
        assert log.tiles.root(0) == EMPTY


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize(("there", "more"), [(0, 1), (250, 300)])
def test_cut_at_each_step(monkeypatch, there, more, power) -> None:
    """Whatever was acknowledged is there, whatever a stranger could have seen is the beginning of
    what is there later, and the same entries brought again are there once.
    """
    before, after = made(0, there), made(there, there + more)
    step = 0
    while True:
        step += 1
        with folder() as path:
            with opened(path) as log:
                for start in range(0, there, 100):
                    log.append(before[start : start + 100])
            with monkeypatch.context() as patch:
                disk = Disk(patch, step, power=power)
                log = opened(path)
                with contextlib.suppress(Cut):
                    log.append(after)
                log.close()
            seen, _ = read_signed((path / CHECKPOINT).read_bytes(), KEY.verifier)
            disk.lose()
            with opened(path) as log:
                assert leaves_of(path)[:there] == before
                assert log.head.size >= (seen.size if not disk.power else there)
                assert log.append(after) == list(range(there, there + more))
                assert leaves_of(path) == before + after
                proof = log.tiles.consistency(seen.size, log.head.size)
                verify_consistency(seen.size, log.head.size, proof, seen.root, log.head.root)
            if disk.left > 0:
                assert step > 8  # the last round went through: each step was cut
                return


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
def test_cut_at_each_step_of_the_first_opening(monkeypatch, power) -> None:
    for step in range(1, 10):
        with folder() as path:
            with monkeypatch.context() as patch:
                disk = Disk(patch, step, power=power)
                with contextlib.suppress(Cut):
                    opened(path / "new").close()
            disk.lose()
            with opened(path / "new") as log:
                assert log.append(made(0, 3)) == [0, 1, 2]


@pytest.mark.slow
def test_killed_again_and_again(tmp_path: Path) -> None:
    """kill -9 of a process that appends: what it said is acknowledged is there, in order, once."""
    program = """
import sys
from tests.border.log_tools import KEY, made
from jhalak.border.log.writer import Log
log = Log(sys.argv[1], KEY)
at = log.head.size
while True:
    log.append(made(at, at + 37))
    at += 37
    print(at, flush=True)
"""
    acknowledged = 0
    for round_ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        for _ in range(3 + round_):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.stdout.close()
        process.wait()
        acknowledged = max([acknowledged, *map(int, rest)])
        with Log(tmp_path, KEY) as log:
            assert log.head.size >= acknowledged
            size = log.head.size
            found = leaves_of(tmp_path)
            assert [leaf for leaf in found if read_entry(leaf).kind is not Kind.CLOCK] == made(
                0, size
            )


class TestFullDisk:
    def test_nothing_is_acknowledged_and_the_next_append_goes_on(self, monkeypatch) -> None:
        with folder() as path, opened(path) as log:
            log.append(made(0, 300))

            def full(file: Path, data: bytes, mode: int = 0o644) -> None:
                file.write_bytes(data[:10])
                raise OSError(28, "No space left on device")

            with monkeypatch.context() as patch:
                patch.setattr(durable, "write", full)
                with pytest.raises(LogError, match=r"not acknowledged.*No space left"):
                    log.append(made(300, 600))
            assert log.head.size == 300
            assert log.append(made(300, 600))[-1] == 599
            assert leaves_of(path) == made(0, 600)

    def test_full_while_signing(self, monkeypatch) -> None:
        with folder() as path:
            with opened(path) as log:
                log.append(made(0, 3))
                real = durable.write

                def full(file: Path, data: bytes, mode: int = 0o644) -> None:
                    real(file, data, mode)
                    if file.name == NEXT:
                        raise OSError(28, "No space left on device")

                with monkeypatch.context() as patch:
                    patch.setattr(durable, "write", full)
                    with pytest.raises(LogError, match="open again"):
                        log.append(made(3, 6))
                with pytest.raises(LogError, match="closed"):
                    log.append(made(3, 6))
                assert log.closed
            with opened(path) as log:  # it was signed, so it goes on from there
                assert log.head.size == 6
                assert log.append(made(3, 9)) == [3, 4, 5, 6, 7, 8]


def test_one_writes() -> None:
    with folder() as path:
        with opened(path), pytest.raises(LogBusy):
            opened(path)
        opened(path).close()


def test_what_is_no_entry_is_refused_before_anything_is_written() -> None:
    with folder() as path, opened(path) as log:
        log.append(made(0, 2))
        for bad in (b"{}", b"x" * 70_000, made(0, 1)[0] + b" "):
            with pytest.raises(EntryError):
                log.append([*made(2, 4), bad])
        other = entry(Kind.MODEL, {}, at_ms=AT, id="e1")
        with pytest.raises(EntryError, match="two entries have the id e1"):
            log.append([other])
        with pytest.raises(EntryError, match="two entries have the id e7"):
            log.append([*made(7, 8), entry(Kind.MODEL, {}, at_ms=AT, id="e7")])
        assert log.head.size == 2
        assert log.append(made(1, 3)) == [1, 2]
        assert log.append(made(2, 3) * 3) == [2, 2, 2]


def test_a_clock_that_goes_back_is_an_entry() -> None:
    times = [AT, AT + 5000, AT + 4500, AT - 60_000, AT - 59_000]
    with folder() as path:
        with Log(path, KEY, clock=lambda: times.pop(0)) as log:
            for number in range(5):
                log.append([entry(Kind.MODEL, {}, at_ms=AT, id=f"m{number}")])
        with Log(path, KEY, clock=lambda: AT - 100_000) as log:
            log.append([entry(Kind.MODEL, {}, at_ms=AT, id="m5")])
        kinds = [read_entry(leaf) for leaf in leaves_of(path)]
    found = [(at, one.body) for at, one in enumerate(kinds) if one.kind is Kind.CLOCK]
    assert found == [
        (3, {"now": AT - 60_000, "was": AT + 4500}),
        (6, {"now": AT - 100_000, "was": AT}),
    ]


class TestWhatIsNotContinued:
    def test_another_key(self) -> None:
        other = notes.generate("jhalak.example/test")
        with folder() as path:
            opened(path).close()
            with pytest.raises(LogError, match="no signature of a key that is trusted"):
                Log(path, other)

    def test_another_log(self) -> None:
        with folder() as path:
            opened(path).close()
            with pytest.raises(LogError, match=r"a checkpoint of jhalak.example/test, not of"):
                Log(path, notes.generate("jhalak.example/other"))

    @pytest.mark.parametrize("name", ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"])
    @pytest.mark.parametrize("how", ["flip", "cut", "gone"])
    def test_a_damaged_edge(self, name, how) -> None:
        with folder() as path:
            with opened(path) as log:
                log.append(made(0, 300))
            file = path / name
            data = bytearray(file.read_bytes())
            data[3] ^= 1
            if how == "gone":
                file.unlink()
            else:
                file.write_bytes(data if how == "flip" else data[:-1])
            with pytest.raises(LogError, match="cannot be continued"):
                opened(path)

    def test_a_checkpoint_that_was_taken_away(self) -> None:
        with folder() as path:
            with opened(path) as log:
                log.append(made(0, 3))
            (path / CHECKPOINT).unlink()
            with pytest.raises(LogError, match="taken away"):
                opened(path)

    @pytest.mark.parametrize("data", [b"", b"x", b"\xff" * 100, b"a\n1\nb\n\n"])
    def test_a_checkpoint_that_is_none(self, data) -> None:
        with folder() as path:
            opened(path).close()
            (path / CHECKPOINT).write_bytes(data)
            with pytest.raises(LogError):
                opened(path)

    def test_a_next_checkpoint_without_its_tiles_is_dropped(self) -> None:
        with folder() as path:
            with opened(path) as log:
                log.append(made(0, 3))
            head = Checkpoint(KEY.name, 9, leaf_hash(b"x"))
            note = notes.Note(head.text, (KEY.sign(head.text),))
            (path / NEXT).write_text(str(note), "utf-8")
            with opened(path) as log:
                assert log.head.size == 3
            assert not (path / NEXT).exists()


class TestReading:
    def test_files_that_are_longer_than_they_may_be(self) -> None:
        with folder() as path:
            with opened(path) as log:
                log.append(made(0, 300))
            for name in ("tile/0/000", "tile/entries/000", CHECKPOINT):
                with (path / name).open("r+b") as file:
                    file.truncate(4 << 30)
            tiles = Tiles(path)
            for read in (
                tiles.checkpoint,
                lambda: tiles.tile(0, 0),
                lambda: tiles.entry(5, 300),
            ):
                with pytest.raises(TileError, match="4294967296 bytes"):
                    read()

    @pytest.mark.parametrize("cut", [0, 1, 31, 100])
    def test_cut_tiles_and_bundles(self, cut) -> None:
        with folder() as path:
            with opened(path) as log:
                log.append(made(0, 300))
            for name in ("tile/0/000", "tile/entries/000"):
                data = (path / name).read_bytes()
                (path / name).write_bytes(data[:cut])
            tiles = Tiles(path)
            with pytest.raises(TileError, match="tile/0/000"):
                tiles.inclusion(5, 300)
            with pytest.raises(TileError, match="tile/entries/000"):
                tiles.entry(5, 300)
            with pytest.raises(TileError, match="missing"):
                tiles.entry(700, 900)
            with pytest.raises(IndexError):
                tiles.entry(300, 300)

    def test_an_old_size_is_read_after_its_partial_tiles_are_gone(self) -> None:
        with folder() as path, opened(path) as log:
            log.append(made(0, 100))
            old = log.head
            log.append(made(100, 600))
            assert not (path / "tile/0/000.p").exists()
            assert log.tiles.root(100) == old.root
            assert log.tiles.entry(99, 100) == made(99, 100)[0]


class TestKey:
    def test_it_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = key_file(tmp_path)
        signer = load_signer(path)
        assert load_signer(path).verifier == signer.verifier
        assert path.stat().st_mode & 0o777 == 0o600
        assert signer.name.startswith("jhalak.example/")
        assert [file.name for file in path.parent.iterdir()] == ["log.key"]

    def test_it_comes_from_where_it_lay_first_and_takes_no_other_s_place(
        self, tmp_path: Path
    ) -> None:
        old = tmp_path / "border" / "keys" / "log.key"
        first = load_signer(old).verifier
        wish(old)
        wished = wish_file(old).read_text()
        move_key(tmp_path)
        assert not old.exists()
        assert not wish_file(old).exists()
        assert wish_file(key_file(tmp_path)).read_text() == wished
        assert load_signer(key_file(tmp_path)).verifier == first
        load_signer(old)
        move_key(tmp_path)
        assert load_signer(key_file(tmp_path)).verifier == first

    @pytest.mark.parametrize("data", [b"", b"\xff", b"PRIVATE+KEY+a+b+c", b"PRIVATE+KEY+a"])
    def test_a_file_that_holds_none(self, tmp_path: Path, data) -> None:
        (tmp_path / "k").write_bytes(data)
        with pytest.raises(notes.NoteError):
            load_signer(tmp_path / "k")
