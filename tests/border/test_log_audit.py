"""Whatever is altered in a log's files is found, and the file is named."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.log.audit import audit
from jhalak.border.log.checkpoints import Checkpoint, read_signed
from jhalak.border.log.entries import Kind, entry
from jhalak.border.log.tiles import Tiles, pack
from jhalak.border.log.writer import Log

from .log_tools import AT, KEY, folder, made

SIZE = 600
FILES = [
    *("tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"),
    *("tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"),
]


def written(path: Path, leaves: list[bytes] | None = None) -> Checkpoint:
    with Log(path, KEY, clock=lambda: AT + 3_600_000) as log:
        log.append(made(0, SIZE) if leaves is None else leaves)
    return read_signed(Tiles(path).checkpoint(), KEY.verifier)[0]


def faults(path: Path, head: Checkpoint) -> list[str]:
    return audit(Tiles(path), head).faults


def test_a_true_log_has_no_faults() -> None:
    with folder() as path:
        assert faults(path, written(path)) == []
    with folder() as path:
        assert faults(path, written(path, [])) == []


@settings(max_examples=40)
@given(st.sampled_from(FILES), st.integers(0, 10**6), st.integers(1, 255))
def test_any_flipped_byte_is_found_and_its_file_named(name, at, mask) -> None:
    with folder() as path:
        head = written(path)
        data = bytearray((path / name).read_bytes())
        data[at % len(data)] ^= mask
        (path / name).write_bytes(data)
        found = faults(path, head)
        assert found
        assert any(name in fault for fault in found), found


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["gone", "cut", "longer", "empty"])
def test_a_file_of_another_length_is_named(name, how) -> None:
    with folder() as path:
        head = written(path)
        file = path / name
        data = file.read_bytes()
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes({"cut": data[:-1], "longer": data + b"x", "empty": b""}[how])
        assert any(name in fault for fault in faults(path, head))


def repacked(path: Path, number: int, leaves: list[bytes]) -> None:
    (path / f"tile/entries/{number:03d}").write_bytes(pack(leaves))


def test_entries_that_changed_places_are_named() -> None:
    with folder() as path:
        head = written(path)
        leaves = made(0, 256)
        leaves[7], leaves[9] = leaves[9], leaves[7]
        repacked(path, 0, leaves)
        found = faults(path, head)
        assert "tile/entries/000 is altered: entry 7 is not the one that was signed" in found


def test_a_rewritten_log_is_not_the_signed_one() -> None:
    """Entries, tiles and all, made anew with one entry less known."""
    with folder() as path, folder() as false:
        head = written(path)
        leaves = made(0, SIZE)
        leaves[3] = entry(Kind.EGRESS_FLOW, {"n": 0}, at_ms=AT, id="e3")
        written(false, leaves)
        found = faults(false, head)
        assert len(found) == 1
        assert "rewritten" in found[0]


def test_ids_that_are_there_twice_are_named(monkeypatch) -> None:
    with folder() as path:
        monkeypatch.setattr("jhalak.border.log.writer.WINDOW", 10)
        with Log(path, KEY, clock=lambda: AT + 3_600_000) as log:
            for start in range(0, 300, 10):
                log.append(made(start, start + 10))
            log.append(made(5, 6))
            head = log.head
        assert faults(path, head) == ["the id e5 is there twice: entries 5 and 300"]


def test_an_entry_that_is_none_is_named(monkeypatch) -> None:
    monkeypatch.setattr("jhalak.border.log.writer.read_entry", lambda leaf: made_up(leaf))
    with folder() as path:
        head = written(path, [b"no entry", *made(1, 3)])
        found = faults(path, head)
        assert len(found) == 1
        assert found[0].startswith("tile/entries/000.p/3: entry 0 is none")


def made_up(leaf: bytes):
    from jhalak.border.log.entries import Entry

    return Entry(0, {}, str(hash(leaf)), Kind.START)


def test_a_bundle_that_says_it_is_longer_than_it_is(tmp_path: Path) -> None:
    head = written(tmp_path)
    (tmp_path / "tile/entries/000").write_bytes(struct.pack(">H", 65535) * 300)
    assert any("tile/entries/000" in fault for fault in faults(tmp_path, head))
