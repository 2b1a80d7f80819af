"""The folder store: the conformance suite with and without extended attributes, and what only a
folder can do wrong.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.stores.conformance_objects import TYPE, ObjectsConformance, keys

from jhalak.stores.objects import (
    AlreadyThere,
    BadKey,
    NoSuchObject,
    Objects,
    ObjectsError,
    StoreFull,
    open_objects,
)
from jhalak.stores.objects.folder import NEW, FolderObjects


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> Objects:
    return open_objects(f"folder:{folder}")


@pytest.fixture
def another(folder: Path) -> Callable[[], Objects]:
    return lambda: open_objects(f"folder:{folder}")


class TestFolder(ObjectsConformance):
    pass


class TestFolderWithoutAttributes(ObjectsConformance):
    @pytest.fixture(autouse=True)
    def no_attributes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: object) -> None:
            raise OSError(errno.ENOTSUP, "Operation not supported")

        monkeypatch.setattr(os, "setxattr", refuse)
        monkeypatch.setattr(os, "getxattr", refuse)

    def test_a_second_put_replaces(self, store: Objects) -> None:
        store.put("a.mp4", b"one", content_type=TYPE)
        with pytest.raises(ObjectsError, match="keeps no attributes"):
            store.put("a.mp4", b"two", content_type="video/webm")
        assert store.read("a.mp4") == b"one"
        store.put("a.mp4", b"two", content_type=TYPE)
        assert store.read("a.mp4") == b"two"


def test_any_type_is_kept_with_any_ending(store: Objects) -> None:
    store.put("sources/7f3a", b"x", content_type="video/webm")
    info = store.head("sources/7f3a")
    assert info is not None
    assert info.content_type == "video/webm"


def test_a_file_that_came_by_hand_is_an_object(store: Objects, folder: Path) -> None:
    put = store.put("a/1.mp4", b"the same", content_type=TYPE)
    (folder / "a" / "2.mp4").write_bytes(b"the same")
    found = store.head("a/2.mp4")
    assert found is not None
    assert (found.etag, found.content_type, found.size) == (put.etag, TYPE, 8)
    assert keys(store) == ["a/1.mp4", "a/2.mp4"]


def test_what_is_no_object_is_not_listed(store: Objects, folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "bad\nname").write_bytes(b"x")
    (folder / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"x")
    (folder / "link.mp4").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.mp4")
    assert keys(store) == []
    for key in ("link.mp4", "pipe.mp4"):
        with pytest.raises(NoSuchObject):
            store.read(key)


def test_no_key_is_the_folder_of_another(store: Objects) -> None:
    store.put("a/b.mp4", b"1", content_type=TYPE)
    for key in ("a", "a/b.mp4/c.mp4", "a/b.mp4/c/d.mp4"):
        for if_absent in (False, True):
            with pytest.raises(BadKey, match="folder"):
                store.put(key, b"2", content_type="video/mp4", if_absent=if_absent)
    assert keys(store) == ["a/b.mp4"]


def test_empty_folders_do_not_stay(store: Objects, folder: Path) -> None:
    store.put("a/b/c.mp4", b"1", content_type=TYPE)
    store.delete("a/b/c.mp4")
    assert [path.name for path in folder.iterdir()] == [NEW]


def test_a_put_leaves_nothing_else(store: Objects, folder: Path) -> None:
    store.put("a.mp4", b"1", content_type=TYPE)
    with pytest.raises(AlreadyThere):
        store.put("a.mp4", b"2", content_type=TYPE, if_absent=True)
    assert list((folder / NEW).iterdir()) == []


def test_a_full_disk_says_so_and_keeps_what_was(
    store: Objects, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a.mp4", b"before", content_type=TYPE)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreFull, match=r"no room for a\.mp4"):
            store.put("a.mp4", b"after", content_type=TYPE)
    assert store.read("a.mp4") == b"before"
    assert list((folder / NEW).iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ObjectsError, match="cannot keep objects"):
        open_objects(f"folder:{tmp_path / 'file' / 'objects'}")
    for url in ("", "folder:", "folder", "ftp://x"):
        with pytest.raises(ObjectsError, match="not a store"):
            open_objects(url)


WRITER = """
import sys, time
from jhalak.stores.objects import open_objects
class Slow:
    first = True
    def read(self, size):
        if self.first:
            self.first = False
            return b"x" * 1000
        print("writing", flush=True)
        time.sleep(60)
open_objects(f"folder:{sys.argv[1]}").put("a.mp4", Slow(), content_type="video/mp4")
"""


def test_what_a_killed_writer_leaves_is_swept(store: Objects, folder: Path) -> None:
    store.put("a.mp4", b"before", content_type=TYPE)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        FolderObjects(folder)
        assert len(list((folder / NEW).iterdir())) == 1  # it lives: its file stays
        writer.send_signal(signal.SIGKILL)
    FolderObjects(folder)
    assert list((folder / NEW).iterdir()) == []
    assert store.read("a.mp4") == b"before"
    assert keys(store) == ["a.mp4"]
