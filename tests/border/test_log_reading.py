"""The log page by page: each entry once, newest first, whatever the page, the kind, the size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.log.checkpoints import read_text
from jhalak.border.log.entries import Kind, entry
from jhalak.border.log.notes import parse
from jhalak.border.log.reading import newest, number_at
from jhalak.border.log.tiles import Tiles
from jhalak.border.log.writer import Log
from tests.border.log_tools import AT, KEY, folder

SIZE = 900


def kind_of(number: int) -> Kind:
    return Kind.ORDER if number in (3, 257, 600) else Kind.EGRESS_FLOW


@pytest.fixture(scope="module")
def tiles() -> Iterator[Tiles]:
    """A log with three entries of a rare kind, whose word other bodies hold as well."""
    with folder() as path:
        with Log(path, KEY) as log:
            log.append(
                [
                    entry(kind_of(n), {"n": n, "kind": "order"}, at_ms=AT + n, id=f"e{n}")
                    for n in range(SIZE)
                ]
            )
        yield Tiles(path)


@settings(max_examples=60, deadline=None)
@given(
    most=st.integers(1, 400), bundles=st.integers(1, 5), kinds=st.sampled_from([(), (Kind.ORDER,)])
)
def test_all_pages_together_are_the_log_backwards(
    tiles: Tiles, most: int, bundles: int, kinds: tuple[Kind, ...]
) -> None:
    seen: list[int] = []
    before, pages = SIZE, 0
    while before:
        page = newest(tiles, SIZE, before, kinds=kinds, most=most, bundles=bundles)
        assert len(page.entries) <= most
        assert page.before < before
        seen += [number for number, one in page.entries if one.body["n"] == number]
        before, pages = page.before, pages + 1
    wanted = [n for n in range(SIZE) if not kinds or kind_of(n) in kinds]
    assert seen == wanted[::-1]


def test_it_reads_no_more_than_it_shows(tiles: Tiles) -> None:
    tiles.reads = 0
    assert len(newest(tiles, SIZE).entries) == 50
    assert tiles.reads == 1
    assert newest(tiles, SIZE, kinds=[Kind.KEY], bundles=2).before == SIZE - SIZE % 256 - 256
    assert tiles.reads == 3


@pytest.mark.parametrize("at", [-1, 0, 1, 255, 256, 899, 900, 10_000])
def test_a_time_is_found_by_halving(tiles: Tiles, at: int) -> None:
    place = number_at(tiles, SIZE, AT + at)
    assert place >= min(SIZE, at + 1)
    assert place - at <= 256 or place == 0


def test_an_empty_log_has_an_empty_page(tmp_path: Path) -> None:
    with Log(tmp_path, KEY) as log:
        log.append([])
    assert newest(Tiles(tmp_path), 0).entries == []
    assert number_at(Tiles(tmp_path), 0, AT) == 0
    assert read_text(parse(Tiles(tmp_path).checkpoint()).text).size == 0
