"""The box readers meet bytes that lie."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhalak.media import probe
from jhalak.media.boxes import (
    BadBoxes,
    children,
    load_moov,
    read_defaults,
    read_fragment,
    read_movie,
    whole,
)
from jhalak.media.fragments import FragmentedFile, read_index
from jhalak.media.planning import plan
from jhalak.media.renditions import make_first
from tests.media.making import box

_FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def fragmented(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("fragmented")
    return make_first(plan(probe(plain)), plain, out).path.read_bytes()


def test_children_tells_kinds_and_refuses_a_size_that_lies() -> None:
    data = box(b"free", b"abc") + box(b"skip", b"")
    found = list(children(data, 0, len(data)))
    assert [(b.kind, b.body, b.end) for b in found] == [(b"free", 8, 11), (b"skip", 19, 19)]
    large = struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234"
    assert next(children(large, 0, len(large))).body == 16
    to_the_end = struct.pack(">I4s", 0, b"mdat") + b"12345"
    assert next(children(to_the_end, 0, len(to_the_end))).end == 13
    for lie in (3, 7, 12):
        with pytest.raises(BadBoxes):
            list(children(struct.pack(">I4s", lie, b"free") + b"\0\0", 0, 10))


def test_a_movie_tells_its_tracks(plain: Path) -> None:
    with plain.open("rb") as file:
        movie = read_movie(*load_moov(file, plain.stat().st_size))
    picture, sound = movie.tracks
    assert (picture.handler, picture.width, picture.height) == ("vide", 192, 320)
    assert picture.entries == ("avc1",)
    assert picture.samples == 90
    assert picture.upright
    assert picture.codec.startswith("avc1.")
    assert (sound.handler, sound.codec) == ("soun", "mp4a.40.2")
    assert not movie.fragmented


def test_a_moov_that_is_cut_or_absent_is_told() -> None:
    for data in (b"", b"1234567", box(b"ftyp", b"isom"), box(b"moov", b"x" * 40)[:30]):
        with pytest.raises(BadBoxes):
            load_moov(io.BytesIO(data), len(data))
    far = struct.pack(">I4sQ", 1, b"mdat", 1 << 60)
    with pytest.raises(BadBoxes):
        load_moov(io.BytesIO(far), len(far))


def test_many_empty_boxes_end() -> None:
    data = box(b"free", b"") * 200_000
    with pytest.raises(BadBoxes):
        load_moov(io.BytesIO(data), len(data))


def _read_all(data: bytes) -> None:
    """Everything that reads boxes; BadBoxes is the only exception it may raise."""
    top = whole(data)
    try:
        for found in children(data, top.body, top.end):
            if found.kind == b"moov":
                read_movie(data, found)
                read_defaults(data, found)
            elif found.kind == b"moof":
                read_fragment(data, found, {1: 512})
    except BadBoxes:
        pass
    try:
        bytes_of, moov = load_moov(io.BytesIO(data), len(data))
        read_movie(bytes_of, moov)
    except BadBoxes:
        pass


@_FUZZ
@given(st.data())
def test_mutations_never_crash_loop_or_read_beyond(fragmented: bytes, data: st.DataObject) -> None:
    head = bytearray(fragmented[:4000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(head) - 5))
        how = data.draw(st.sampled_from(["byte", "size", "cut", "repeat"]))
        if how == "byte":
            head[at] = data.draw(st.integers(0, 255))
        elif how == "size":
            size = data.draw(st.sampled_from([0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF]))
            struct.pack_into(">I", head, at, size)
        elif how == "cut":
            del head[at : at + data.draw(st.integers(1, 64))]
        else:
            head[at:at] = head[at : at + data.draw(st.integers(1, 64))]
        if len(head) < 8:
            break
    _read_all(bytes(head))


@_FUZZ
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _read_all(data)
    _read_all(box(b"moov", data))
    _read_all(box(b"moof", box(b"traf", data)))


def test_a_run_that_counts_more_than_it_holds_is_refused() -> None:
    tfhd = box(b"tfhd", struct.pack(">II", 0, 1))
    trun = box(b"trun", struct.pack(">III", 0x100, 1 << 30, 5))
    moof = box(b"moof", box(b"traf", tfhd + trun))
    with pytest.raises(BadBoxes):
        read_fragment(moof, next(children(moof, 0, len(moof))), {})
    # Without sizes of its own a run costs no bytes: the count alone must not be believed.
    trun = box(b"trun", struct.pack(">II", 0, 1 << 31))
    moof = box(b"moof", box(b"traf", tfhd + trun))
    with pytest.raises(BadBoxes):
        read_fragment(moof, next(children(moof, 0, len(moof))), {1: 1})


def _stream(data: bytes) -> bytes:
    """As ffmpeg writes it: without the boxes that are put in front afterwards."""
    kept = [b for b in children(data, 0, len(data)) if b.kind not in (b"sidx", b"free")]
    return b"".join(data[b.start : b.end] for b in kept)


@_FUZZ
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_a_stream_may_be_cut_anywhere(fragmented: bytes, tmp_path: Path, cuts: list[int]) -> None:
    stream = _stream(fragmented)
    file = FragmentedFile(tmp_path / "a.mp4", room=10)
    at = turn = 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        file.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    made = file.finish()
    assert (made.init_size, made.index) == _indexed(tmp_path / "a.mp4", made.index[-1].duration_ms)
    again = (tmp_path / "a.mp4").read_bytes()
    assert _stream(again) == stream


def _indexed(path: Path, last_ms: int) -> tuple[int, tuple[object, ...]]:
    """read_index, with the last fragment's length as told: sound may outlast the picture."""
    init, found = read_index(path)
    last = found[-1]
    return init, (*found[:-1], type(last)(last.offset, last.size, last_ms))


def test_more_fragments_than_room_are_indexed_in_groups(fragmented: bytes, tmp_path: Path) -> None:
    stream = _stream(fragmented)
    boxes = list(children(stream, 0, len(stream)))
    head = b"".join(stream[b.start : b.end] for b in boxes[:2])
    one = b"".join(stream[b.start : b.end] for b in boxes[2:4])
    file = FragmentedFile(tmp_path / "many.mp4", room=4)
    file.feed(head + one * 9)
    made = file.finish()
    assert len(made.index) <= 4
    data = (tmp_path / "many.mp4").read_bytes()
    assert sum(f.size for f in made.index) == 9 * len(one)
    assert data[made.index[0].offset + 4 :][:4] == b"moof"
    for before, after in zip(made.index, made.index[1:], strict=False):
        assert before.offset + before.size == after.offset


@_FUZZ
@given(st.data())
def test_a_spoiled_stream_is_refused_or_read(
    fragmented: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    stream = bytearray(_stream(fragmented))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, 3000))] = data.draw(st.integers(0, 255))
    file = FragmentedFile(tmp_path / "b.mp4", room=10)
    try:
        file.feed(bytes(stream))
        file.finish()
    except BadBoxes:
        file.abandon()
        assert not (tmp_path / "b.mp4").exists()
