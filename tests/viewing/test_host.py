"""The engine of a process beside its log: also when the log was put back from before."""

from __future__ import annotations

import pytest

from jhalak import records
from jhalak.feed import Engine
from jhalak.feed.events import Published, Watched, WatchKind, encode
from jhalak.feed.snapshot import FILE
from jhalak.options import options
from jhalak.stores.events import NewEvent
from jhalak.viewing.counting import NAME, count_views
from jhalak.viewing.host import forget_hosts, host
from jhalak.viewing.models import LogCursor
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db(transaction=True)


def shown() -> set[str]:
    return {item["id"] for item in browser().get("/api/feed?n=8").json()["items"]}


def test_a_snapshot_newer_than_the_log_is_not_used() -> None:
    """A folder copied while it ran: its log ends before its snapshot. Nothing new may be missed,
    now or at the next start, when the log has grown past the snapshot.
    """
    first = video(person())
    lost = Published(10**6, 1, "", (), "en", 1_000, 1)
    ahead = records.events().last() + 3
    later = Engine.new()
    later.observe([(ahead, lost)])
    folder = options().folder / "feed"
    later.snapshot(folder)
    forget_hosts()
    assert shown() == {first.public_id}
    report = host().fresh().report()
    assert report["began"] == "snapshot refused: it is newer than the log"
    assert report["videos"]["known"] == 1
    assert not (folder / FILE).exists()
    made = {first.public_id, *(video(person()).public_id for _ in range(4))}
    assert records.events().last() > ahead
    assert shown() == made
    forget_hosts()
    assert shown() == made


def test_a_cursor_ahead_of_the_log_counts_what_comes_from_now_on() -> None:
    made = video(person())
    assert count_views() > 0
    LogCursor.objects.filter(name=NAME).update(offset=records.events().last() + 5)
    assert count_views() == 0
    watch = Watched("g1", made.pk, WatchKind.FINISHED, 8_000, 8_000, 1)
    records.events().append([NewEvent("watch", encode(watch))])
    assert count_views() == 1
    made.refresh_from_db()
    assert made.views == 1
