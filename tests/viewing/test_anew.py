"""The engine made anew in a process of its own: the same as a replay, whatever ends on the way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from jhalak import records
from jhalak.feed import Engine
from jhalak.feed.events import Erased, Watched, WatchKind, encode
from jhalak.feed.snapshot import FILE
from jhalak.options import options
from jhalak.rights.walking import log
from jhalak.stores.events import NewEvent
from jhalak.viewing import anew
from jhalak.viewing import host as hosts
from jhalak.viewing.host import host, snapshot_folder
from tests.factories import person, video
from tests.live import eventually

GONE = "gsomebody-who-is-gone"  # long: no chance bytes of a state are like it
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def watch(viewer: str, video_id: int, at_ms: int) -> NewEvent:
    told = Watched(viewer, video_id, WatchKind.FINISHED, 8_000, 8_000, at_ms)
    return NewEvent(f"{viewer}-{at_ms}", encode(told))


def watched(viewer: str, *, n: int) -> list[int]:
    """Offsets of `n` events of somebody."""
    made = video(person())
    before = records.events().last()
    records.events().append([watch(viewer, made.pk, at) for at in range(1, n + 1)])
    return list(range(before + 1, records.events().last() + 1))


def replayed() -> bytes:
    engine = Engine.new()
    engine.observe(list(log()))
    return engine.state_bytes()


def erase(offsets: list[int]) -> Path:
    """Where the snapshot of an engine lies that never knew them."""
    records.events().erase("somebody", offsets, encode(Erased()))
    return snapshot_folder(hosts.feed_folder(), records.events().erased())


@pytest.mark.parametrize("kept", [0, 20], ids=["from the beginning", "from what was kept"])
def test_it_is_what_a_replay_gives(kept: int, tmp_path: Path) -> None:
    watched(GONE, n=40)
    if kept:
        half = Engine.new()
        half.observe(list(log())[:kept])
        half.snapshot(tmp_path)
    assert anew.make(records.events_url(), tmp_path / "models", tmp_path, lambda: False)
    assert Engine.load(tmp_path, ()).state_bytes() == replayed()


def test_nobody_waits_for_it_when_the_process_ends(tmp_path: Path) -> None:
    asked = iter([False])
    assert not anew.make(
        records.events_url(), tmp_path / "models", tmp_path, lambda: next(asked, True)
    )
    assert not (tmp_path / FILE).exists()
    running = host()
    running.fresh()
    erase(watched(GONE, n=3))
    running.fresh()
    running.close()
    assert [one for one in threading.enumerate() if one.name == "feed-anew"] == []


def test_what_fails_is_tried_again_and_pages_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    running = host()
    theirs = watched(GONE, n=3)
    knew = running.fresh().state_bytes()
    assert GONE.encode() in knew
    folder = erase(theirs)
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("no folder can be made here")
    assert options().folder in folder.parents
    running.fresh()
    eventually(lambda: not running._making_anew.locked(), 60, "the end of the first attempt")
    assert running.fresh().state_bytes() == knew
    assert not running._making_anew.locked(), "not again at once"
    folder.unlink()
    monkeypatch.setattr(running, "_anew_from", 0.0)
    eventually(lambda: running.fresh().state_bytes() == replayed(), 60, "the new engine")
    assert GONE.encode() not in running.fresh().state_bytes()
    assert (folder / FILE).exists()
    later = watched("g2", n=3)
    assert running.fresh().offset == later[-1]
