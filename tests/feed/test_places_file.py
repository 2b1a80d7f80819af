"""The file of places: what is written is read, and hostile bytes are refused in words."""

from __future__ import annotations

import contextlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.feed import places_file
from jhalak.feed.places_file import BadPlaces, Places, decode, encode


def example(size: int = 3) -> Places:
    rng = np.random.default_rng(5)
    words = {"channel:cricket": rng.normal(size=size), "author:17": rng.normal(size=size)}
    return decode(encode(np.array([9, 2, 40]), rng.normal(size=(3, size)), words))


def test_places_come_back_sorted_by_video() -> None:
    places = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = decode(encode(np.array([9, 2]), places, {"tag:a:b": np.array([5.0, 6.0])}))
    assert found.ids().tolist() == [2, 9]
    assert found.matrix().tolist() == [[3.0, 4.0], [1.0, 2.0]]
    word = found.word("tag", "a:b")
    assert word is not None
    assert word.tolist() == [5.0, 6.0]
    assert found.word("tag", "c") is None
    assert found.word("author", 17) is None


def test_equal_places_give_equal_bytes() -> None:
    one = encode(np.array([1, 2]), np.eye(2), {"tag:a": np.ones(2), "tag:b": np.zeros(2)})
    other = encode(np.array([2, 1]), np.eye(2)[::-1], {"tag:b": np.zeros(2), "tag:a": np.ones(2)})
    assert one == other


def test_no_video_at_all_is_a_file_too() -> None:
    found = decode(encode(np.zeros(0, np.int64), np.zeros((0, 4)), {}))
    assert found.matrix().shape == (0, 4)


NAN = np.array([np.nan, 0, 0], "<f4").tobytes()
HOSTILE = [
    {"size": 0},
    {"size": -3},
    {"size": 2**40},
    {"size": 2},
    {"videos": b"\0" * 23},
    {"videos": b"\0" * 24},  # the same video three times
    {"videos": np.array([3, 2, 1], "<i8").tobytes()},
    {"videos": np.array([-1, 2, 3], "<i8").tobytes()},
    {"places": b"\0" * 35},
    {"places": NAN * 3},
    {"places": np.full(9, np.inf, "<f4").tobytes()},
    {"places": np.full(9, 1e30, "<f4").tobytes()},
    {"words": {"channel:cricket": b"\0" * 11}},
    {"words": {"channel:cricket": NAN}},
    {"words": {"cricket": b"\0" * 12}},
    {"words": {"channel": b"\0" * 12}},
    {"words": {"colour:red": b"\0" * 12}},
    {"words": {"tag:" + "x" * 300: b"\0" * 12}},
    {"words": {7: b"\0" * 12}},
    {"more": 1},
]


@pytest.mark.parametrize("change", HOSTILE, ids=str)
def test_what_does_not_hold_together_is_refused(change: dict[str, object]) -> None:
    fields = msgspec.structs.asdict(example())
    decode(msgspec.msgpack.encode(fields))
    with pytest.raises(BadPlaces):
        decode(msgspec.msgpack.encode(fields | change))


def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = msgspec.msgpack.encode(example())
    for name in ("MOST_VIDEOS", "MOST_WORDS"):
        with monkeypatch.context() as few:
            few.setattr(places_file, name, 1)
            with pytest.raises(BadPlaces, match="too many"):
                decode(data)


@pytest.mark.parametrize("places", [np.zeros((2, 3)), np.zeros(3), np.full((3, 3), np.nan)])
def test_arrays_that_do_not_fit_are_not_written(places: np.ndarray) -> None:
    with pytest.raises(BadPlaces):
        encode(np.arange(3), places, {})


@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_altered_bytes_are_places_or_refused(at: int, byte: int, cut: bool) -> None:
    data = bytearray(msgspec.msgpack.encode(example()))
    data[at % len(data)] = byte
    try:
        found = decode(bytes(data[: at % len(data)] if cut else data))
    except BadPlaces:
        return
    assert np.isfinite(found.matrix()).all()
    assert found.matrix().shape == (len(found.ids()), found.size)


@given(data=st.binary(max_size=80))
def test_any_bytes_are_places_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadPlaces):
        decode(data)
