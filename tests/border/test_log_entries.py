"""What an entry is, and what waits in the spool: one form, bounded, hostile bytes refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.border.log import spool
from jhalak.border.log.entries import (
    LIMIT,
    EntryError,
    Kind,
    Sealed,
    canonical,
    entry,
    new_id,
    opens,
    read_entry,
    seal,
)
from jhalak.border.log.spool import Spool

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=10)
BODIES = st.dictionaries(
    NAMES,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@given(BODIES, st.sampled_from(Kind))
def test_an_entry_has_one_form(body, kind) -> None:
    data = entry(kind, body, at_ms=1_764_500_000_000, id="a")
    again = entry(kind, dict(reversed(list(body.items()))), at_ms=1_764_500_000_000, id="a")
    assert data == again  # whatever the order in which it was written down
    found = read_entry(data)
    assert (found.kind, found.body, found.at) == (kind, json.loads(json.dumps(body)), found.at)


def test_the_form_is_that_of_the_docs() -> None:
    assert entry(Kind.MODEL, {"z": "झ", "a": [1, True, None]}, at_ms=5, id="x") == (
        '{"at":5,"body":{"a":[1,true,null],"z":"झ"},"id":"x","kind":"model","v":1}'.encode()
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"a": 1.0}, "float"),
        ({"a": float("nan")}, "float"),
        ({"a": 2**53}, "2\\*\\*53"),
        ({"é": 1}, "ASCII"),
        ({1: 1}, "ASCII"),
        ({"a": "\ud800"}, "surrogate"),
        ({"a": b"x"}, "bytes"),
        ({"a": "x" * LIMIT}, "at most"),
        ([], "object"),
    ],
)
def test_what_cannot_be_an_entry(body, why) -> None:
    with pytest.raises(EntryError, match=why):
        entry(Kind.MODEL, body)


def test_too_deep_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"a": deep}
    with pytest.raises(EntryError, match="deeper"):
        entry(Kind.MODEL, deep)


GOOD = entry(Kind.MODEL, {"a": 1}, at_ms=5, id="x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[" * 30_000,
        b"1" * 6000,
        GOOD + b" ",
        GOOD.replace(b'"at":5', b'"at": 5'),
        GOOD.replace(b'"at":5', b'"at":5.0'),
        GOOD.replace(b'"at":5', b'"at":-5'),
        GOOD.replace(b'"at":5', b'"at":true'),
        GOOD.replace(b'"at":5', b'"at":5,"at":5'),
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1', b'"v":true'),
        GOOD.replace(b'"v":1', b'"v":1,"w":1'),
        GOOD.replace(b'"model"', b'"modle"'),
        GOOD.replace(b'"id":"x"', b'"id":7'),
        GOOD.replace(b'"id":"x"', b'"id":"../x"'),
        GOOD.replace(b'{"a":1}', b'{"a":1e0}'),
        GOOD.replace(b'{"a":1}', b'{"a":NaN}'),
        GOOD.replace(b'{"a":1}', b'"a"'),
        GOOD.replace(b'{"a":1}', b'{"a":"\\u0061"}'),
        b"x" * (LIMIT + 1),
    ],
)
def test_bytes_that_are_no_entry(data) -> None:
    with pytest.raises(EntryError):
        read_entry(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data) -> None:
    with pytest.raises(EntryError):
        read_entry(data)


def test_a_sealed_entry_opens_with_its_salt_and_body_alone() -> None:
    leaf, opener = seal(Kind.ORDER, {"act": "69A", "video": "abc"})
    assert b"69A" not in leaf
    found = read_entry(leaf)
    assert opens(found, opener)
    assert not opens(found, Sealed(opener.id, opener.salt, {"act": "69A", "video": "abd"}))
    assert not opens(found, Sealed(opener.id, "00" * 32, opener.body))
    assert not opens(found, Sealed("other", opener.salt, opener.body))
    for salt in ("00", "zz" * 32):
        with pytest.raises(EntryError, match="salt"):
            opens(found, Sealed(opener.id, salt, opener.body))
    same, _ = seal(Kind.ORDER, {"act": "69A", "video": "abc"})
    assert read_entry(same).body != found.body  # equal bodies do not show that they are equal


def test_ids_sort_by_time() -> None:
    ids = [new_id(at) for at in range(1_764_500_000_000, 1_764_500_000_300)]
    assert ids == sorted(set(ids))


def test_the_spool_keeps_order_and_leaves_whole_files(tmp_path: Path) -> None:
    folder = tmp_path / "border" / "spool"
    assert spool.waiting(folder) == []
    one, two = Spool(folder, "broker"), Spool(folder, "supervisor")
    for number in range(5):
        (one if number % 2 else two).write(Kind.EGRESS_FLOW, {"n": number})
    one.write_all([(Kind.EGRESS_REFUSAL, {"n": number}) for number in range(5, 8)])
    files = spool.waiting(folder)
    found = [read_entry(leaf).body["n"] for path in files for leaf in spool.read(path)]
    assert sorted(found) == list(range(8))
    # Of one process; two that write in one millisecond come in the order of their names.
    assert [number for number in found if number in (1, 3, 5, 6, 7)] == [1, 3, 5, 6, 7]
    assert [number for number in found if number in (0, 2, 4)] == [0, 2, 4]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    box = Spool(tmp_path, "broker")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        box.write(Kind.START, {})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EntryError):
        box.write(Kind.START, {"a": 0.5})
    with pytest.raises(EntryError):
        box.write_all([])
    with pytest.raises(ValueError, match="a word"):
        Spool(tmp_path, "../x")


@pytest.mark.parametrize("data", [b"", b"\n", GOOD, GOOD + b"\nx\n", (GOOD + b"\n") * 1001])
def test_a_file_that_is_none_is_put_aside(tmp_path: Path, data) -> None:
    path = tmp_path / f"1{spool.SUFFIX}"
    path.write_bytes(data)
    with pytest.raises(EntryError) as caught:
        spool.read(path)
    spool.refuse(path, caught.value)
    assert spool.waiting(tmp_path) == []
    assert (tmp_path / spool.REFUSED / path.name).read_bytes() == data


def test_a_file_of_4_gib_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / f"1{spool.SUFFIX}"
    with path.open("wb") as file:
        file.truncate(4 << 30)  # sparse
    with pytest.raises(EntryError, match="4294967296 bytes"):
        spool.read(path)


def test_canonical_escapes_only_what_json_demands() -> None:
    assert canonical('\x00\x1f"\\/\x7f\u2028\n') == '"\\u0000\\u001f\\"\\\\/\x7f\u2028\\n"'.encode()
