"""What every log of events does. A test module for one kind of log inherits the class and brings
the fixtures

    store           an empty log
    another         a function that opens the same log once more, as another process would; closed
    by the fixture
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhalak.stores.events import (
    MAX_BODY_BYTES,
    MAX_KEY_CHARACTERS,
    BadEvent,
    Events,
    NewEvent,
    StoreClosed,
    StoredEvent,
)


def event(key: str) -> NewEvent:
    return NewEvent(key, f"body of {key}".encode())


def until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait for other threads, but not for ever."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.001)


def all_of(store: Events, limit: int = 1000) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    while page := store.read(found[-1].offset if found else 0, limit):
        assert len(page) <= limit
        found += page
    return found


class EventsConformance:
    def test_an_empty_log(self, store: Events) -> None:
        assert store.last() == 0
        assert store.read(0) == []
        assert store.append([]) == []

    def test_what_was_appended_is_read_in_order(self, store: Events) -> None:
        first = store.append([event("a"), event("b")])
        second = store.append([event("c")])
        offsets = [*first, *second]
        assert all(offset is not None for offset in offsets)
        found = store.read(0)
        assert [(e.offset, e.key, e.body) for e in found] == [
            (offset, key, f"body of {key}".encode())
            for offset, key in zip(offsets, "abc", strict=True)
        ]
        assert found[0].offset < found[1].offset < found[2].offset == store.last()
        assert 1_600_000_000_000 < found[0].at_ms <= found[2].at_ms

    def test_reading_goes_on_where_it_stopped(self, store: Events) -> None:
        store.append([event(str(number)) for number in range(25)])
        assert [e.key for e in all_of(store, limit=7)] == [str(number) for number in range(25)]
        assert store.read(store.last()) == []
        assert store.read(store.last() + 1000) == []
        assert store.read(0, 0) == []

    def test_a_key_counts_once(self, store: Events) -> None:
        (first,) = store.append([event("a")])
        assert store.append([NewEvent("a", b"other")]) == [None]
        mixed = store.append([event("b"), event("a"), event("c"), event("b")])
        assert mixed[1] is None
        assert mixed[3] is None
        found = all_of(store)
        assert [(e.offset, e.key) for e in found] == [
            (first, "a"),
            (mixed[0], "b"),
            (mixed[2], "c"),
        ]
        assert found[0].body == b"body of a"

    def test_many_with_some_known(self, store: Events) -> None:
        store.append([event(str(number)) for number in range(0, 1000, 7)])
        answer = store.append([event(str(number)) for number in range(1000)])
        assert [n for n, offset in enumerate(answer) if offset is None] == list(range(0, 1000, 7))
        by_offset = {e.offset: e.key for e in all_of(store)}
        assert len(by_offset) == 1000
        assert all(
            by_offset[offset] == str(number)
            for number, offset in enumerate(answer)
            if offset is not None
        )

    def test_any_bytes_and_any_script(self, store: Events) -> None:
        bodies = [b"", b"\0\xff" * 100, bytes(range(256)), b"x" * MAX_BODY_BYTES]
        for number, body in enumerate(bodies):
            store.append([NewEvent(f"झलक-{number}", body)])
        assert [e.body for e in all_of(store)] == bodies
        assert all_of(store)[0].key == "झलक-0"

    @pytest.mark.parametrize(
        "bad",
        [
            NewEvent("", b""),
            NewEvent("x" * (MAX_KEY_CHARACTERS + 1), b""),
            NewEvent("a\0b", b""),
            NewEvent("a\nb", b""),
            NewEvent("\ud800", b""),
            NewEvent("a", b"x" * (MAX_BODY_BYTES + 1)),
        ],
        ids=["no key", "long key", "nul", "control", "surrogate", "long body"],
    )
    def test_all_or_none(self, store: Events, bad: NewEvent) -> None:
        with pytest.raises(BadEvent):
            store.append([event("good"), bad])
        assert store.last() == 0
        assert store.append([event("good")]) != [None]

    def test_another_sees_it_at_once(self, store: Events, another: Callable[[], Events]) -> None:
        other = another()
        for number in range(20):
            writer, reader = (store, other) if number % 2 else (other, store)
            (offset,) = writer.append([event(str(number))])
            assert reader.last() == offset == writer.last()
            assert reader.append([event(str(number))]) == [None]
        assert all_of(store) == all_of(other)

    def test_nothing_appears_behind_a_reader(
        self, store: Events, another: Callable[[], Events]
    ) -> None:
        """Four writers over two handles; who reads along sees what is there in the end, in that
        order.
        """
        logs = [store, another()]
        answers: dict[str, int | None] = {}

        def write(name: int) -> None:
            for number in range(25):
                batch = [event(f"{name}-{number}-{part}") for part in range(4)]
                offsets = logs[name % 2].append(batch)
                answers.update({e.key: o for e, o in zip(batch, offsets, strict=True)})

        threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        seen: list[StoredEvent] = []
        while len(seen) < 400 and (len(seen) < len(answers) or any(t.is_alive() for t in threads)):
            last = logs[0].last()
            page = logs[1].read(seen[-1].offset if seen else 0, 50)
            assert not page or page[0].offset <= page[-1].offset
            seen += page
            assert last <= (logs[1].last())
        for thread in threads:
            thread.join()
        assert len(seen) == 400
        assert seen == all_of(store)
        assert {e.key: e.offset for e in seen} == answers
        for name in range(4):
            mine = [e.key for e in seen if e.key.startswith(f"{name}-")]
            assert mine == [f"{name}-{n}-{part}" for n in range(25) for part in range(4)]

    def test_the_same_key_from_everywhere_counts_once(
        self, store: Events, another: Callable[[], Events]
    ) -> None:
        logs = [store, another()]
        counted: list[int] = []

        def write(log: Events) -> None:
            for number in range(20):
                answer = log.append([event(f"{number}-{part}") for part in range(3)])
                counted.extend(offset for offset in answer if offset is not None)

        threads = [threading.Thread(target=write, args=(logs[n % 2],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(counted) == [e.offset for e in all_of(store)]
        assert len(counted) == 60

    def test_closing(self, store: Events, another: Callable[[], Events]) -> None:
        (offset,) = store.append([event("a")])
        store.close()
        store.close()
        with pytest.raises(StoreClosed):
            store.append([event("b")])
        with pytest.raises(StoreClosed):
            store.read(0)
        with pytest.raises(StoreClosed):
            store.last()
        reopened = another()
        assert [e.key for e in all_of(reopened)] == ["a"]
        assert reopened.last() == offset

    def test_closing_answers_who_waits(self, store: Events, another: Callable[[], Events]) -> None:
        acknowledged: list[str] = []
        started = threading.Barrier(5)

        def write(name: int) -> None:
            started.wait()
            try:
                for number in range(10_000):
                    store.append([event(f"{name}-{number}")])
                    acknowledged.append(f"{name}-{number}")
            except StoreClosed:
                pass

        threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        started.wait()
        until(lambda: len(acknowledged) >= 20)
        store.close()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        assert {e.key for e in all_of(another())} == set(acknowledged)

    @settings(
        max_examples=25,
        deadline=None,
        # Keys are made new for each example, so one log for all will do; each kind of log runs it.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(
        batches=st.lists(
            st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=20)), max_size=40), max_size=6
        ),
        page=st.integers(1, 50),
    )
    def test_like_an_ordered_dictionary(
        self, store: Events, batches: list[list[tuple[int, bytes]]], page: int
    ) -> None:
        before = store.last()
        model: dict[str, tuple[int, bytes]] = {}
        for batch in batches:
            answer = store.append([NewEvent(f"{before}:{key}", body) for key, body in batch])
            assert len(answer) == len(batch)
            for (key, body), offset in zip(batch, answer, strict=True):
                name = f"{before}:{key}"
                assert (offset is None) == (name in model)
                if offset is not None:
                    assert offset > max((o for o, _ in model.values()), default=before)
                    model[name] = (offset, body)
        found: list[StoredEvent] = []
        while new := store.read(found[-1].offset if found else before, page):
            found += new
        assert [(e.key, (e.offset, e.body)) for e in found] == list(model.items())
        assert store.last() == max((o for o, _ in model.values()), default=before)
