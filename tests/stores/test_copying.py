"""Copying one store into another: whole, checked, resumable, nothing deleted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.seaweed import SECRET, Seaweed, running
from tests.stores.conformance_objects import keys

from jhalak.stores.objects import Objects, StoreAway, open_objects
from jhalak.stores.objects.copying import copy_objects

TYPES = {"a/1.mp4": "video/mp4", "originals/ab": "video/webm", "p/झ.webp": "image/webp"}


def fill(store: Objects) -> dict[str, tuple[bytes, str]]:
    there = {key: (os.urandom(9 << 20 if "orig" in key else 999), kind)
             for key, kind in TYPES.items()}  # fmt: skip
    for key, (body, kind) in there.items():
        store.put(key, body, content_type=kind)
    return there


def content(store: Objects) -> dict[str, tuple[bytes, str]]:
    found = {}
    for key in keys(store):
        info = store.head(key)
        assert info is not None
        found[key] = (store.read(key), info.content_type)
    return found


@pytest.fixture
def source(tmp_path: Path) -> Objects:
    return open_objects(f"folder:{tmp_path / 'from'}")


@pytest.fixture
def target(tmp_path: Path) -> Objects:
    return open_objects(f"folder:{tmp_path / 'to'}")


def test_all_of_it_and_then_only_the_rest(source: Objects, target: Objects, tmp_path: Path) -> None:
    there = fill(source)
    target.put("own.mp4", b"stays", content_type="video/mp4")
    first = copy_objects(source, target, tmp_path / "journal")
    assert (first.copied, first.skipped, first.failed) == (3, 0, [])
    assert first.bytes == sum(len(body) for body, _ in there.values())
    assert content(target) == there | {"own.mp4": (b"stays", "video/mp4")}
    assert content(source) == there
    source.put("new.mp4", b"since", content_type="video/mp4")
    source.put("a/1.mp4", b"another", content_type="video/mp4")
    source.delete("p/झ.webp")
    second = copy_objects(source, target, tmp_path / "journal")
    assert (second.copied, second.skipped) == (2, 1)
    assert target.read("a/1.mp4") == b"another"
    assert "p/झ.webp" in keys(target)  # nothing is deleted; no row names it, the sweep will


def test_it_goes_on_where_it_broke_off(
    source: Objects, target: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = fill(source)
    put, puts = target.put, []

    def away(key: str, *args: object, **more: object) -> object:
        puts.append(key)
        if len(puts) == 2:
            raise StoreAway("gone")
        return put(key, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(target, "put", away)
    with pytest.raises(StoreAway):
        copy_objects(source, target, tmp_path / "journal")
    again = copy_objects(source, target, tmp_path / "journal")
    assert (again.copied, again.skipped) == (2, 1)
    assert content(target) == there


def test_damaged_bytes_are_told_and_not_copied(
    source: Objects, target: Objects, tmp_path: Path
) -> None:
    fill(source)
    file = tmp_path / "from" / "a" / "1.mp4"
    before = os.getxattr(file, "user.jhalak.sha256") if hasattr(os, "getxattr") else b""
    file.write_bytes(b"rotten")
    if not before:
        pytest.skip("no attributes here: nothing says what the bytes were")
    state = copy_objects(source, target, tmp_path / "journal")
    assert [key for key, _ in state.failed] == ["a/1.mp4"]
    assert state.copied == 2
    assert "a/1.mp4" not in keys(target)


def test_what_was_there_unchecked_is_compared(
    source: Objects, target: Objects, tmp_path: Path
) -> None:
    """A copy that says the right sum and is not it (a run that broke off before comparing)."""
    body = fill(source)["a/1.mp4"][0]
    target.put("a/1.mp4", body, content_type="video/mp4")
    (tmp_path / "to" / "a" / "1.mp4").write_bytes(b"x" * len(body))  # its attributes stay
    state = copy_objects(source, target, tmp_path / "journal")
    assert (state.copied, state.failed) == (3, [])
    assert target.read("a/1.mp4") == body


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with running(tmp_path_factory.mktemp("weed")) as started:
        yield started


def command(data: Path, to: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jhalak", "objects", "copy", "--to", to],
        env=os.environ | {"JHALAK_DATA": str(data)} | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_there_and_back_by_the_command(weed: Seaweed, tmp_path: Path) -> None:
    url = weed.url("copied")
    folder = open_objects(f"folder:{tmp_path / 'data' / 'objects'}")
    there = fill(folder)
    done = command(tmp_path / "data", "s3", JHALAK_OBJECTS_URL=url)
    assert done.returncode == 0, done.stderr
    assert "3 copied" in done.stdout
    assert "each compared" in done.stdout
    bucket = open_objects(url)
    assert content(bucket) == there
    bucket.put("new.mp4", b"since", content_type="video/mp4")
    back = command(tmp_path / "other", "folder", JHALAK_OBJECTS_URL=url)
    assert back.returncode == 0, back.stderr
    other = open_objects(f"folder:{tmp_path / 'other' / 'objects'}")
    assert content(other) == there | {"new.mp4": (b"since", "video/mp4")}
    again = command(tmp_path / "other", "folder", JHALAK_OBJECTS_URL=url)
    assert "0 copied (0.0 MB), 4 were there" in again.stdout
    for output in (done, back, again):
        assert SECRET not in output.stdout + output.stderr


@pytest.mark.slow
def test_the_command_says_what_is_missing(weed: Seaweed, tmp_path: Path) -> None:
    nothing = command(tmp_path, "s3")
    assert nothing.returncode == 1
    assert "JHALAK_OBJECTS_URL" in nothing.stderr
    open_objects(f"folder:{tmp_path / 'objects'}").put("a.mp4", b"x", content_type="video/mp4")
    wrong = command(
        tmp_path, "s3", JHALAK_OBJECTS_URL=weed.url("copied"), AWS_SECRET_ACCESS_KEY="wrong"
    )
    assert wrong.returncode == 1
    assert "AWS_SECRET_ACCESS_KEY" in wrong.stderr
    assert "Traceback" not in wrong.stderr
