"""Kill -9 of the feed engine under load, in the web process and as a process of its own.

Pages keep coming, no acknowledged event is lost, and afterwards the engine's state is what a replay
of the whole log gives, byte for byte.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from bench import catalogue

from jhalak.feed import Engine
from jhalak.feed.events import Event, decode
from tests.live import Site, database_of, eventually

pytestmark = pytest.mark.slow

VIDEOS = 60
PATIENCE = 120.0


class Crowd:
    """Guests who ask for pages and answer each video, until told to stop."""

    def __init__(self, site: Site, guests: int = 2) -> None:
        self._stop = threading.Event()
        self.pages: Counter[str] = Counter()  # by model; "" for an empty one
        self.failed = 0
        self.acknowledged: set[str] = set()  # keys of events
        self._threads = [
            threading.Thread(target=self._act, args=(site.client(),)) for _ in range(guests)
        ]
        for thread in self._threads:
            thread.start()

    def _act(self, client: httpx.Client) -> None:
        while not self._stop.is_set():
            try:
                self._swipe(client)
            except (httpx.HTTPError, ValueError, KeyError):
                self.failed += 1  # the web was down: not acknowledged, asked again
                time.sleep(0.05)

    def _swipe(self, client: httpx.Client) -> None:
        answer = client.get("/api/feed?n=4")
        body = answer.raise_for_status().json()
        self.pages[body["model"] if body["items"] else ""] += 1
        for item in body["items"]:
            event = {"token": item["token"], "kind": "watched", "watched_ms": 10}
            said = client.post("/api/events", json={"events": [event]})
            if said.raise_for_status().json()["accepted"]:
                self.acknowledged.add(key_of(item["token"]))

    def more(self, model: Callable[[str], bool] = bool) -> None:
        """Waits for further pages, and for further events that are acknowledged."""
        pages, events = self.served(model), len(self.acknowledged)
        eventually(
            lambda: self.served(model) > pages + 3 and len(self.acknowledged) > events + 3,
            PATIENCE,
            "more pages and events",
        )

    def served(self, model: Callable[[str], bool]) -> int:
        return sum(count for name, count in list(self.pages.items()) if model(name))

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def key_of(token: str) -> str:
    """The event's key in the log, from what the token holds."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    viewer, video, _duration, slate, *_ = msgspec.msgpack.decode(raw[1:-16])
    return f"{viewer}/{slate}/{video}/end"


def log_of(site: Site) -> list[tuple[int, Event]]:
    rows = site.events("SELECT number, body FROM events ORDER BY number")
    return [(number, decode(body)) for number, body in rows]


def replayed(events: list[tuple[int, Event]]) -> bytes:
    engine = Engine.new()
    engine.observe(events)
    return engine.state_bytes()


def loaded(site: Site, events: list[tuple[int, Event]]) -> tuple[str, bytes]:
    """How the engine that the folder holds began, and its state with these events."""
    engine = Engine.load(site.data / "feed", events)
    return engine.report()["began"], engine.state_bytes()


@pytest.mark.parametrize("web_processes", [1, 2])
def test_state_is_replay_after_kills_under_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_processes: int
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with monkeypatch.context() as patch:
        patch.setenv("JHALAK_DATABASE_URL", database_of(data))
        catalogue.fill(data, VIDEOS)
    site = Site(data, web_processes=web_processes, local_media=False)
    before = log_of(site)[:-10]
    old = Engine.new()
    old.observe(before)
    old.snapshot(data / "feed")  # from it and the log after it the engine begins, each time
    victim = ("jhalak.site.feed_process",) if web_processes > 1 else ("jhalak.site.web", "\0web\0")
    with site:
        crowd = Crowd(site)
        try:
            for number in range(web_processes):
                crowd.more(lambda model: model not in ("", "fallback"))
                assert site.kill(*victim)
                if web_processes > 1:
                    crowd.more()  # from the fallback, or already from the engine
                    if number == 0:
                        assert site.kill("jhalak.site.web", "\0web-1\0")
            crowd.more(lambda model: model not in ("", "fallback"))
        finally:
            crowd.stop()
        assert crowd.pages[""] == 0, "a page without a video"
        if web_processes > 1:
            assert crowd.pages["fallback"] > 0, site.log()[-3000:]
        events = log_of(site)
        began, state = loaded(site, events)  # as a further kill -9 would leave it
        assert began == f"snapshot at {before[-1][0]}"
        assert state == replayed(events)
    # The engine that was killed and started again has kept its own state at the end.
    began, state = loaded(site, [])
    end = int(began.removeprefix("snapshot at "))
    assert end > before[-1][0]
    assert state == replayed([one for one in log_of(site) if one[0] <= end])
    keys = Counter(key for (key,) in site.events("SELECT key FROM events"))
    assert crowd.acknowledged <= keys.keys(), "an acknowledged event is lost"
    assert set(keys.values()) == {1}
