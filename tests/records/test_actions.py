"""What commits with a change: audit entries, outbox events, jobs."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from jhalak import records
from jhalak.feed.events import Liked, decode
from jhalak.records.actions import new_key
from jhalak.records.models import AuditEntry, Job, OutboxEvent, Priority
from jhalak.records.states import JobState
from jhalak.stores.events import EventsError, NewEvent

ACTOR = SimpleNamespace(pk=7, role="moderator")


def liked(video: int) -> Liked:
    return Liked(viewer="m7", video=video, at_ms=1_700_000_000_000)


def log() -> list[object]:
    return [decode(event.body) for event in records.events().read(0)]


class Undone(Exception):
    pass


@pytest.mark.django_db
def test_audit() -> None:
    records.audit(ACTOR, "video.withdraw", "video:abc", reason="spam")
    records.audit(None, "video.expire", "video:abc")
    first, second = AuditEntry.objects.order_by("id")
    assert (first.actor_id, first.actor_role, first.detail) == (7, "moderator", {"reason": "spam"})
    assert (second.actor_id, second.actor_role, second.detail) == (None, "system", {})
    for act in (
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.filter(pk=first.pk).update(action="x"),
        lambda: AuditEntry.objects.update(action="x"),
    ):
        with pytest.raises(TypeError, match="append-only"):
            act()
    assert AuditEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_all_of_it_or_none_of_it() -> None:
    def undone() -> None:
        with transaction.atomic():
            records.audit(ACTOR, "a", "b")
            records.emit(liked(1))
            records.enqueue("kind", "subject")
            raise Undone

    with pytest.raises(Undone):
        undone()
    assert not AuditEntry.objects.exists()
    assert not OutboxEvent.objects.exists()
    assert not Job.objects.exists()
    assert log() == []
    with transaction.atomic():
        records.emit(liked(1))
        records.emit(liked(2))
        records.enqueue("kind", "subject")
        assert log() == []  # not before the commit
    assert log() == [liked(1), liked(2)]  # and right after it
    assert not OutboxEvent.objects.exists()
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_log_that_is_away_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def append(self, events: list[NewEvent]) -> None:
            raise EventsError("away")

    with monkeypatch.context() as patch:
        patch.setattr("jhalak.records.outbox.events", Away)
        with transaction.atomic():
            records.emit(liked(1))
        with pytest.raises(EventsError):
            records.relay()
    assert OutboxEvent.objects.count() == 1
    assert records.relay() == 1
    assert records.relay() == 0
    assert log() == [liked(1)]


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_dies_half_way_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appended, and killed before the rows were deleted: the next relay's copies are dropped."""
    for number in range(3):
        OutboxEvent.objects.create(key=new_key(), body=b"%d" % number)
    rows = OutboxEvent.objects.order_by("id")
    records.events().append([NewEvent(row.key, bytes(row.body)) for row in rows[:2]])
    assert records.relay() == 3
    assert [event.body for event in records.events().read(0)] == [b"0", b"1", b"2"]


@pytest.mark.django_db(transaction=True)
def test_no_relay_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        records.relay()


@pytest.mark.django_db(transaction=True)
def test_several_relays_at_once_keep_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """As several processes: without the lock that is only good within one."""
    monkeypatch.setattr("jhalak.records.outbox._one_at_a_time", threading.RLock())
    monkeypatch.setattr("jhalak.records.outbox.BATCH", 7)

    class NoLock:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("jhalak.records.outbox._one_at_a_time", NoLock())
    OutboxEvent.objects.bulk_create(
        [OutboxEvent(key=new_key(), body=b"%d" % number) for number in range(100)]
    )
    records.events()
    barrier = threading.Barrier(4)

    def relay() -> None:
        barrier.wait()
        try:
            records.relay()
        finally:
            connection.close()

    threads = [threading.Thread(target=relay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = [event.body for event in records.events().read(0)]
    assert bodies == [b"%d" % number for number in range(100)]
    assert not OutboxEvent.objects.exists()


def test_keys_sort_by_time() -> None:
    keys = [new_key() for _ in range(1000)]
    assert len(set(keys)) == 1000
    assert {len(key) for key in keys} == {32}
    assert keys[0][:12] <= keys[-1][:12]


@pytest.mark.django_db
class TestEnqueue:
    def test_one_live_job_for_a_subject(self) -> None:
        first = records.enqueue("kind", "a", {"x": 1}, priority=Priority.URGENT, owner="m1")
        assert (first.payload, first.priority, first.state) == ({"x": 1}, 10, JobState.QUEUED)
        assert records.enqueue("kind", "a", {"x": 2}) == first
        assert records.enqueue("kind", "b") != first
        assert records.enqueue("other", "a") != first
        Job.objects.filter(pk=first.pk).update(state=JobState.RUNNING)
        assert records.enqueue("kind", "a") == first
        Job.objects.filter(pk=first.pk).update(state=JobState.FAILED)
        again = records.enqueue("kind", "a")
        assert again.pk > first.pk
        assert Job.objects.get(pk=first.pk).state == JobState.FAILED

    def test_cancel(self) -> None:
        job = records.enqueue("kind", "a")
        assert records.cancel("kind", "a")
        assert not records.cancel("kind", "a")
        assert not records.cancel("kind", "b")
        job.refresh_from_db()
        assert job.state == JobState.CANCELLED
