"""The crowd: tastes that are honest about time, watchers that tell what they did."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.demo import catalogue, manifest
from jhalak.demo.client import Client
from jhalak.demo.crowd import Crowd, Watcher
from jhalak.demo.tastes import deed, taste
from jhalak.viewing.actions import Kind

from .platform_double import Platform

pytestmark = pytest.mark.slow

LANGUAGES = ("bn", "en", "hi", "ta")


def _item(number: int, channel: str | None, duration_ms: int = 6000) -> dict[str, Any]:
    return {
        "id": f"video{number:07d}",
        "token": f"token{number}",
        "duration_ms": duration_ms,
        "language": "hi",
        "channel": channel and {"slug": channel, "name": channel},
        "author": {"handle": "meena_kolam", "following": False},
    }


@given(
    st.integers(0, 10_000), st.integers(0, 20_000), st.sampled_from([*catalogue.channels(), None])
)
def test_a_deed_never_claims_more_than_the_clip_holds(
    seed: int, duration: int, channel: str | None
) -> None:
    liking = taste(seed, catalogue.channels(), LANGUAGES)
    act = deed(np.random.default_rng(seed), liking, _item(1, channel, duration))
    assert act.kind in {kind.value for kind in Kind}
    assert 0 <= act.watched_ms <= max(1, duration) * (2 if act.kind == "replayed" else 1)
    assert not (act.like and act.kind == "skipped")


def test_people_watch_what_they_love_and_skip_what_they_do_not() -> None:
    liking = taste(5, catalogue.channels(), LANGUAGES)
    rng = np.random.default_rng(1)
    loved = max(liking.channels, key=lambda c: liking.channels[c])
    hated = min(liking.channels, key=lambda c: liking.channels[c])

    def mean(channel: str) -> float:
        deeds = [deed(rng, liking, _item(1, channel)) for _ in range(300)]
        return sum(d.watched_ms for d in deeds) / 300

    assert mean(loved) > 2 * mean(hated)
    assert (
        taste(5, catalogue.channels(), LANGUAGES)
        == liking
        != taste(6, catalogue.channels(), LANGUAGES)
    )


def test_a_watcher_tells_what_it_served_each_once(platform: Platform) -> None:
    platform.feed = [_item(k, "sky") for k in range(3)]
    client = Client(platform.url)
    watcher = Watcher(0, client, member=False, seed=3)
    waits = [watcher.step(lambda: 1_700_000_000_000) for _ in range(4)]
    assert [e["token"] for e in platform.events] == ["token0", "token1", "token2"]
    for event, wait in zip(platform.events, waits, strict=False):
        assert event["watched_ms"] <= wait * 1000
        assert event["at"] == 1_700_000_000_000
    assert platform.deeds == []  # a guest presses nothing
    platform.feed = []
    client.close()


def test_the_crowd_outlives_a_restart_and_stops_when_asked(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "jhalak.demo.crowd.deed", lambda *a: deed(*a).__class__("finished", 5, like=True)
    )
    platform.feed = [_item(k, "sky") for k in range(3)]
    platform.broken = 2
    manifest.load(tmp_path)
    crowd = Crowd(platform.url, 3, data=tmp_path, seed=2)
    for watcher in crowd.watchers:
        watcher.client.patience = 0.0
        watcher.client.sleep = lambda _s: None
    began = time.monotonic()

    def enough() -> None:
        while len(platform.events) < 6 and time.monotonic() - began < 60:
            time.sleep(0.02)
        crowd.stop.set()

    threading.Thread(target=enough).start()
    assert crowd.run(apart=0.01) >= 6
    assert set(platform.people) <= {"crowd_01", "crowd_03"}
    assert set(manifest.load_crowd(tmp_path)) == set(platform.people)
    assert any(path.endswith("/like") for path in platform.deeds)
