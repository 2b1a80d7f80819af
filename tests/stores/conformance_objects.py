"""What every store of objects does. A test module for one kind of store inherits the class and
brings the fixtures

    store           an empty store
    another         a function that opens the same store once more, as another process would
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhalak.stores.objects import (
    AlreadyThere,
    BadKey,
    NoSuchObject,
    Objects,
    ObjectsError,
)

TYPE = "video/mp4"

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\"),
    min_size=1,
    max_size=12,
).filter(lambda word: not word.startswith("."))
#: Keys of which none is the folder of another: words and an ending, folders have none.
KEYS = st.lists(WORDS, min_size=1, max_size=3).map(
    lambda words: "/".join([*(word + "_" for word in words[:-1]), words[-1] + ".mp4"])
)

BAD_KEYS = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    ".hidden",
    "a/.hidden",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\x85b",
    "a\ud800b",
    "x" * 201,
    "/".join(["x" * 100] * 6),
    "झ" * 67,  # 201 bytes
]


def keys(store: Objects, prefix: str = "") -> list[str]:
    """What is there, in order of UTF-8: a listing has none that all stores share."""
    return sorted((found.key for found in store.list(prefix)), key=str.encode)


class ObjectsConformance:
    def test_what_was_put_is_read(self, store: Objects, tmp_path: Path) -> None:
        body = b"0123456789"
        file = tmp_path / "source"
        file.write_bytes(body)
        for number, source in enumerate([body, file, io.BytesIO(body)]):
            key = f"videos/{number}/540.mp4"
            info = store.put(key, source, content_type=TYPE)
            assert info == store.head(key)
            assert info.size == 10
            assert info.etag == hashlib.sha256(body).hexdigest()
            assert info.content_type == TYPE
            assert info.modified_ms > 1_600_000_000_000
            assert store.read(key) == body
        assert file.read_bytes() == body  # a source stays where it is

    def test_a_large_one(self, store: Objects, tmp_path: Path) -> None:
        body = bytes(range(256)) * (80 << 10)  # 20 MB: several parts where there are parts
        file = tmp_path / "large"
        file.write_bytes(body)
        for source in (body, file, io.BytesIO(body)):
            info = store.put("large.mp4", source, content_type=TYPE)
            assert info == store.head("large.mp4")
            assert (info.size, info.etag) == (len(body), hashlib.sha256(body).hexdigest())
            assert store.read("large.mp4", 9_999_999, 20) == body[9_999_999:10_000_019]
        with store.open("large.mp4") as stream:
            assert stream.read() == body
        with pytest.raises(AlreadyThere):
            store.put("large.mp4", file, content_type=TYPE, if_absent=True)
        store.put("first.mp4", file, content_type=TYPE, if_absent=True)
        assert store.read("first.mp4") == body

    def test_ranges(self, store: Objects) -> None:
        store.put("a.mp4", b"0123456789", content_type=TYPE)
        assert store.read("a.mp4", 3) == b"3456789"
        assert store.read("a.mp4", 3, 4) == b"3456"
        assert store.read("a.mp4", 0, 0) == b""
        assert store.read("a.mp4", 8, 100) == b"89"
        assert store.read("a.mp4", 10) == b""
        assert store.read("a.mp4", 99, 1) == b""
        for start, length in ((-1, None), (0, -1)):
            with pytest.raises(ValueError, match="range"):
                store.read("a.mp4", start, length)

    def test_an_empty_object_is_an_object(self, store: Objects) -> None:
        assert store.put("empty.mp4", b"", content_type=TYPE).size == 0
        assert store.read("empty.mp4") == b""
        assert keys(store) == ["empty.mp4"]

    def test_what_is_absent(self, store: Objects) -> None:
        assert store.head("no.mp4") is None
        assert store.head("no/such.mp4") is None
        with pytest.raises(NoSuchObject):
            store.read("no.mp4")
        with pytest.raises(NoSuchObject):
            store.open("no.mp4")
        store.delete("no.mp4")
        store.delete("no/such/thing.mp4")
        assert keys(store) == []

    def test_a_folder_of_objects_is_not_an_object(self, store: Objects) -> None:
        store.put("a/b.mp4", b"1", content_type=TYPE)
        assert store.head("a") is None
        with pytest.raises(NoSuchObject):
            store.read("a")
        store.delete("a")
        assert store.head("a/b.mp4/c") is None
        store.delete("a/b.mp4/c")
        assert store.read("a/b.mp4") == b"1"

    def test_a_second_put_replaces(self, store: Objects) -> None:
        first = store.put("a.mp4", b"one", content_type=TYPE)
        second = store.put("a.mp4", b"two", content_type="video/webm")
        assert first.etag != second.etag
        assert store.read("a.mp4") == b"two"
        assert store.head("a.mp4") == second

    def test_if_absent(self, store: Objects) -> None:
        store.put("a.mp4", b"one", content_type=TYPE, if_absent=True)
        with pytest.raises(AlreadyThere):
            store.put("a.mp4", b"two", content_type=TYPE, if_absent=True)
        assert store.read("a.mp4") == b"one"
        store.delete("a.mp4")
        store.put("a.mp4", b"three", content_type=TYPE, if_absent=True)
        assert store.read("a.mp4") == b"three"

    def test_delete(self, store: Objects) -> None:
        store.put("x/y/a.mp4", b"1", content_type=TYPE)
        store.put("x/y/b.mp4", b"2", content_type=TYPE)
        store.delete("x/y/a.mp4")
        store.delete("x/y/a.mp4")
        assert store.head("x/y/a.mp4") is None
        assert keys(store) == ["x/y/b.mp4"]

    def test_a_stream_keeps_to_what_it_opened(self, store: Objects) -> None:
        store.put("a.mp4", b"before", content_type=TYPE)
        with store.open("a.mp4") as stream:
            assert stream.read(2) == b"be"
            store.put("a.mp4", b"after!", content_type=TYPE)
            assert stream.read() == b"fore"
            stream.seek(0)
            store.delete("a.mp4")
            assert stream.read() == b"before"

    def test_many_are_deleted_at_once(self, store: Objects) -> None:
        names = [f"d/{number}.mp4" for number in range(5)]
        for name in names:
            store.put(name, b"x", content_type=TYPE)
        store.delete()
        with pytest.raises(BadKey):
            store.delete("d/0.mp4", "../x")
        assert keys(store) == names
        store.delete(*names[1:], "no/such.mp4")
        assert keys(store) == ["d/0.mp4"]

    def test_the_list_is_whole_and_by_prefix(self, store: Objects) -> None:
        names = ["a!b", "a-b", "a.b", "a/b", "a/b-c", "a/c/d", "a0", "B", "b", "ab", "झ/लक", "é"]
        for name in names:
            store.put(name + ".mp4", name.encode(), content_type=TYPE)
        there = [name + ".mp4" for name in names]
        assert keys(store) == sorted(there, key=str.encode)
        for prefix in ("a", "a/", "a/b", "a/c/d.mp4", "झ", "nothing", "B"):
            assert keys(store, prefix) == sorted(
                (key for key in there if key.startswith(prefix)), key=str.encode
            )
        for found in store.list():
            info = store.head(found.key)
            assert info is not None
            assert (info.key, info.size, info.modified_ms) == (
                found.key,
                found.size,
                found.modified_ms,
            )
        folders = [found.key.partition("/")[0] for found in store.list() if "/" in found.key]
        assert len(list(itertools.groupby(folders))) == len(set(folders))  # each comes together

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_bad_keys_are_refused_everywhere(self, store: Objects, key: str) -> None:
        for act in (
            lambda: store.put(key, b"x", content_type=TYPE),
            lambda: store.head(key),
            lambda: store.read(key),
            lambda: store.open(key),
            lambda: store.delete(key),
            lambda: store.internal_path(key),
        ):
            with pytest.raises(BadKey):
                act()
        assert keys(store) == []

    @pytest.mark.parametrize("content_type", ["", "video", "a/b\r\nX: y", "a/b; c", "é/b"])
    def test_a_type_that_cannot_stand_in_a_header(self, store: Objects, content_type: str) -> None:
        with pytest.raises(ObjectsError, match="content type"):
            store.put("a.mp4", b"x", content_type=content_type)
        assert keys(store) == []

    def test_the_internal_path_is_quoted(self, store: Objects) -> None:
        def path(key: str) -> str:
            return store.internal_path(key).partition("?")[0]

        assert path("videos/4/a.mp4") == "/_objects/videos/4/a.mp4"
        assert path("झ/50%?#.mp4") == "/_objects/%E0%A4%9D/50%25%3F%23.mp4"

    def test_a_source_that_breaks_leaves_what_was(self, store: Objects) -> None:
        class Broken(io.RawIOBase):
            sent = False

            def read(self, size: int = -1) -> bytes:
                if self.sent:
                    raise ConnectionError("gone")
                self.sent = True
                return b"half"

        store.put("a.mp4", b"whole", content_type=TYPE)
        for key in ("a.mp4", "b.mp4"):
            with pytest.raises(ConnectionError):
                store.put(key, Broken(), content_type=TYPE)  # type: ignore[arg-type]
        assert store.read("a.mp4") == b"whole"
        assert keys(store) == ["a.mp4"]

    def test_of_several_writers_one_is_first_and_nobody_sees_half(
        self, store: Objects, another: Callable[[], Objects]
    ) -> None:
        bodies = [bytes([number]) * 300_000 for number in range(6)]
        start = threading.Barrier(len(bodies) + 1)
        won: list[int] = []
        seen: list[bytes] = []

        def write(number: int) -> None:
            mine = another()
            start.wait()
            try:
                mine.put("once.mp4", bodies[number], content_type=TYPE, if_absent=True)
                won.append(number)
            except AlreadyThere:
                pass
            mine.put("many/last.mp4", bodies[number], content_type=TYPE)

        def look() -> None:
            start.wait()
            while any(thread.is_alive() for thread in threads):
                if store.head("many/last.mp4"):
                    seen.append(store.read("many/last.mp4"))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(len(bodies))]
        watcher = threading.Thread(target=look)
        for thread in [*threads, watcher]:
            thread.start()
        for thread in [*threads, watcher]:
            thread.join()
        assert len(won) == 1
        assert store.read("once.mp4") == bodies[won[0]]
        assert all(body in bodies for body in seen)
        assert store.read("many/last.mp4") in bodies

    def test_putting_and_deleting_at_once(self, store: Objects) -> None:
        """The folder that a delete has just emptied may be the one that a put is about to use, and
        what was there already may be gone.
        """
        wrong: list[Exception] = []

        def churn(name: str) -> None:
            try:
                for number in range(60):
                    with contextlib.suppress(AlreadyThere):
                        once = number % 2 == 0
                        store.put(f"d/e/{name}.mp4", b"x", content_type=TYPE, if_absent=once)
                    store.delete(f"d/e/{name}.mp4")
            except Exception as error:
                wrong.append(error)

        threads = [threading.Thread(target=churn, args=(name,)) for name in "aabbc"]
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)  # from one to another in the midst of each step
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before)
        assert wrong == []
        for name in "ab":
            store.put(f"d/e/{name}.mp4", b"kept", content_type=TYPE, if_absent=True)
        assert keys(store) == ["d/e/a.mp4", "d/e/b.mp4"]

    @settings(
        max_examples=30,
        deadline=None,
        # The store is emptied first, so one for all examples will do; each kind of store runs it.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(
        acts=st.lists(
            st.tuples(st.sampled_from(["put", "new", "delete"]), KEYS, st.binary(max_size=50)),
            max_size=12,
        )
    )
    def test_like_a_dictionary(self, store: Objects, acts: list[tuple[str, str, bytes]]) -> None:
        for key in keys(store):
            store.delete(key)
        model: dict[str, bytes] = {}
        for act, key, body in acts:
            if act == "delete":
                store.delete(key)
                model.pop(key, None)
            elif act == "new" and key in model:
                with pytest.raises(AlreadyThere):
                    store.put(key, body, content_type=TYPE, if_absent=True)
            else:
                store.put(key, body, content_type=TYPE, if_absent=act == "new")
                model[key] = body
        assert keys(store) == sorted(model, key=str.encode)
        for key, body in model.items():
            assert store.read(key) == body
            info = store.head(key)
            assert info is not None
            assert info.etag == hashlib.sha256(body).hexdigest()
