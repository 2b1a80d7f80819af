"""Keys, witnesses and the pack itself: touched, cut off, malformed, hostile."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.verify import verify
from tests.verify import packs
from tests.verify.looking import KEYS, SENT, bundle, only, resign, said, write_bundle
from tests.verify.packs import HOUR, LOG, SAID, START, UNTIL, WITNESS, look, make_pack


def test_another_key_of_the_log(good: Path) -> None:
    other = packs.Signer(packs.ORIGIN, seed=b"\7" * 32)
    report = look(good, log_keys=[other.verifier_key])
    assert set(report.reasons) == {"pack", "checkpoint"}
    assert report.reasons["checkpoint"] == ["the checkpoint is not signed by the log's key"]


def test_a_witness_who_did_not_cosign(good: Path) -> None:
    other = packs.Signer("witness.example/w2", 4, b"\3" * 32)
    report = look(good, witness_keys=[WITNESS.verifier_key, other.verifier_key])
    only(report, "witnesses", "witness.example/w2 did not cosign")


def test_a_checkpoint_of_another_log(pack: Path, leaves: list[bytes]) -> None:
    other = packs.Signer("jhalak.example/other", seed=b"\7" * 32)
    (pack / "log/checkpoint").write_bytes(packs.checkpoint(leaves, WITNESS, log=other))
    report = look(pack)
    assert "of another log" in report.reasons["checkpoint"][0]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda pack: (pack / "map.json").write_text("{}"), "map.json was altered"),
        (lambda pack: (pack / "people.json").unlink(), "people.json is missing"),
        (lambda pack: (pack / "more.json").write_text("{}"), "more.json is in the pack and not"),
        (lambda pack: (pack / "manifest.json").open("a").close() or _space(pack), "not the one"),
    ],
)
def test_a_pack_that_was_touched(
    pack: Path, break_it: Callable[[Path], object], words: str
) -> None:
    break_it(pack)
    assert any(words in reason for reason in look(pack).reasons["pack"])


def _space(pack: Path) -> None:
    path = pack / "manifest.json"
    path.write_bytes(path.read_bytes() + b" ")


def test_sums_that_do_not_hold(pack: Path) -> None:
    (pack / "flows.json").write_text(f'{{"mail": [{SENT}, {SENT * 300}, 1]}}')
    resign(pack)
    only(
        look(pack), "flows", f"sum up to [{SENT}, {SENT * 300}, {SENT * 200}]", f"{SENT * 300}, 1]"
    )


def test_an_id_used_twice(tmp_path: Path, leaves: list[bytes]) -> None:
    again = packs.leaf(UNTIL - 3, "clock", {}, json.loads(leaves[7])["id"])
    only(look(make_pack(tmp_path, [*leaves, again])), "entries", "1 entries have an id")


@pytest.mark.parametrize(
    "bad",
    [
        b"{}",
        b'{"at":1, "body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":1,"at":1,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":1.5,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":NaN,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":true,"body":{},"id":"x","kind":"clock","v":1}',
        b'{"at":1,"body":{},"id":"x","kind":"party","v":1}',
        b'{"at":1,"body":{},"id":"x","kind":["clock"],"v":1}',
        b'{"at":1,"body":{},"id":"x","kind":"clock","v":2}',
        b'{"at":1,"body":{"a":"\\ud800"},"id":"x","kind":"clock","v":1}',
        b'{"at":1,"body":' + b"[" * 30_000 + b"]" * 30_000 + b',"id":"x","kind":"clock","v":1}',
        b"\xff",
        b"",
    ],
)
def test_a_malformed_entry(tmp_path: Path, leaves: list[bytes], bad: bytes) -> None:
    only(look(make_pack(tmp_path, [*leaves, bad])), "entries", f"entry {len(leaves)} is malformed")


@pytest.mark.parametrize("kind", ["control", "destination", "egress_flow", "model", "seal"])
def test_what_is_checked_may_not_be_hidden(tmp_path: Path, leaves: list[bytes], kind: str) -> None:
    hidden = packs.leaf(UNTIL - 9, kind, {"commitment": "0" * 64})
    report = look(make_pack(tmp_path, [*leaves, hidden]))
    only(report, "entries", f"entry {len(leaves)} hides what a {kind} says")
    order = packs.leaf(UNTIL - 9, "order", {"commitment": "0" * 64})
    assert look(make_pack(tmp_path / "order", [*leaves, order])).green


def test_a_pipe_in_a_pack_does_not_stop_the_verifier(pack: Path) -> None:
    (pack / "people.json").unlink()
    os.mkfifo(pack / "people.json")
    only(look(pack), "pack", "people.json", "no plain file")


@pytest.mark.parametrize(
    "name",
    ["log/tile/0/001", "log/tile/1/000.p/2", "log/tile/entries/001"],
)
@pytest.mark.parametrize("how", ["cut", "absent", "longer", "empty"])
def test_truncated_tiles(pack: Path, name: str, how: str) -> None:
    path = pack / name
    data = path.read_bytes()
    if how == "absent":
        path.unlink()
    else:
        path.write_bytes({"cut": data[:-1], "longer": data + b"\0", "empty": b""}[how])
    report = look(pack)
    assert any(name.rpartition(".p")[0] or name in reason for reason in report.reasons["tree"])


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_one_changed_byte_anywhere_is_red(
    data: st.DataObject, small: tuple[Path, list[Path]]
) -> None:
    """No byte of the tree, of the signatures or of what is signed may change unseen."""
    _, files = small
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    other = bytes([before[at] ^ data.draw(st.integers(1, 255))])
    path.write_bytes(before[:at] + other + before[at + 1 :])
    try:
        assert verify.main([str(small[0]), *KEYS]) != 0
    finally:
        path.write_bytes(before)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    leaves = [
        one
        for one in packs.entries(range(1, packs.HOURS))
        if json.loads(one)["kind"] in ("egress_flow", "control", "destination")
    ]
    until = START + HOUR
    found = make_pack(tmp_path_factory.mktemp("small"), leaves, said(models={}), until_ms=until)
    assert look(found).green
    assert verify.main([str(found), *KEYS]) == 0
    free = {"report.html", "report.json"}
    return found, [p for p in sorted(found.rglob("*")) if p.is_file() and p.name not in free]


ODD: list[Any] = [None, 1 << 70, "x", [1], [{}], {"a": []}]


def shapes(value: Any) -> Iterator[Any]:
    """Odd values in place of the whole, of each member, and of each member of the first item."""
    yield from ODD
    if isinstance(value, list) and value:
        yield from ([inner, *value[1:]] for inner in shapes(value[0]))
    elif isinstance(value, dict):
        for name in list(value)[:9]:
            yield from ({**value, name: odd} for odd in ODD)
            yield {key: item for key, item in value.items() if key != name}


@pytest.mark.slow
def test_no_shape_of_json_breaks_the_verifier(
    small: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    """An operator signs what he likes: the verifier says red or green of it, and never fails."""
    pack = Path(shutil.copytree(small[0], tmp_path / "evidence"))
    item = {"kind": "gap", "subject": "a", "expires": "2030-01-01", "from_ms": 1, "until_ms": 2}
    more = {
        "exceptions.json": [item],
        "models.json": [SAID.models[packs.MODEL][0]],
        "captures.json": [{"capture": "a", "differences": ["b"]}],
    }
    for path in sorted(pack.glob("*.json")):
        before = path.read_bytes()
        if path.name in ("report.json", "materials.cdx.json"):
            continue
        every = list(shapes(more.get(path.name) or json.loads(before)))
        for odd in random.Random(1).sample(every, min(25, len(every))):
            path.write_text(json.dumps(odd))
            try:
                report = verify.Pack(pack, processes=1).run()
            except verify.Broken:
                assert path.name == "manifest.json"
                continue
            json.dumps(report.as_json())
            assert verify.as_html(report)
            assert verify.as_text(report)
        path.write_bytes(before)


def test_many_processes_find_what_one_finds(
    good: Path, monkeypatch: pytest.MonkeyPatch, pack: Path
) -> None:
    monkeypatch.setattr(verify, "CHUNK", 1)
    path, leaves = bundle(pack, 1)
    leaves[44], leaves[45] = leaves[45], leaves[44]
    write_bundle(path, leaves)
    one, two = look(pack, processes=1), look(pack, processes=2)
    assert one.as_json() == two.as_json()
    assert look(good, processes=2).green


def test_keys_and_notes_refuse_what_they_are_not() -> None:
    for text in ("", "a", "a+b+c", f"x{LOG.verifier_key}", LOG.verifier_key[:-4]):
        with pytest.raises(verify.Broken):
            verify.Key.parse(text)
    for data in (b"", b"a\n", b"a\n\n", b"a\n\nb\n", b"\xff\n\n", LOG.note("a\n")[:-1]):
        with pytest.raises(verify.Broken):
            verify.Note.parse(data)
    assert dataclasses.is_dataclass(verify.Note.parse(LOG.note("a\n")))


@given(sizes=st.lists(st.integers(0, 700), min_size=2, max_size=2).map(sorted))
@settings(max_examples=25, deadline=None)
def test_every_earlier_root_is_found_in_the_tiles(
    sizes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    before, now = sizes
    leaves = [str(number).encode() for number in range(now)]
    folder = tmp_path_factory.mktemp("tiles") / "log"
    packs.write_log(folder, leaves, b"x")
    assert verify.Tiles(folder, now).root(before) == packs.root(leaves[:before])
