"""Events a second over HTTP, durable when answered, in batches of 10.

The baseline is what the log itself takes in the same run: batches of 10 appended by as many
threads, without HTTP, tokens or the engine.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from bench import catalogue, load
from bench.feed_pages import guest_cookies
from bench.figures import figure
from bench.serving import data_folder, serving

from jhalak.feed import tokens
from jhalak.stores.events import NewEvent, open_events

BATCH = 10
CONNECTIONS = 16
SECONDS = 8.0
GUESTS = 100


def _appends(folder: Path) -> float:
    """Events a second that the store alone takes."""
    store = open_events(f"sqlite:{folder / 'baseline.db'}")
    numbers = itertools.count()
    end = time.perf_counter() + 3.0
    done = [0] * CONNECTIONS

    def append(slot: int) -> None:
        while time.perf_counter() < end:
            store.append([NewEvent(str(next(numbers)), os.urandom(200)) for _ in range(BATCH)])
            done[slot] += BATCH

    threads = [threading.Thread(target=append, args=(slot,)) for slot in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    return sum(done) / 3.0


def run() -> list[dict[str, Any]]:
    with data_folder() as data:
        catalogue.fill(data, 1_000)
        baseline = _appends(data)
        with serving(data) as port:
            cookies = guest_cookies(port, GUESTS)
            requests = _requests((data / "secret.key").read_bytes(), cookies)
            posted = load.run(
                port, lambda _i: next(requests), connections=CONNECTIONS, seconds=SECONDS
            )
    if set(posted.statuses) != {200}:
        raise RuntimeError(f"answers other than 200: {posted.statuses}")
    return [
        figure(
            "events, durable, batches of 10", posted.rate * BATCH, "/s",
            baseline=baseline, at_least=5_000,
        ),
        figure("batch of 10 events p99", posted.quantile(0.99), "ms"),
    ]  # fmt: skip


def _requests(secret: bytes, cookies: list[str]) -> Any:
    """Batches with tokens that were never used, made as fast as they are asked for."""
    keys = ["g" + cookie.partition("=")[2].strip('"').partition(":")[0] for cookie in cookies]
    for number in itertools.count():
        viewer = number % len(cookies)
        now_ms = time.time_ns() // 1_000_000
        events = [
            {
                "token": tokens.mint(
                    secret,
                    tokens.Served(
                        viewer=keys[viewer], video=1 + (number + slot) % 1_000, duration_ms=9_000,
                        slate=f"b{number}", slot=slot, source="newest", propensity=0.5,
                        served_ms=now_ms - 60_000, model="bench",
                    ),
                ),
                "kind": "watched",
                "watched_ms": 4_000,
                "at": now_ms,
            }
            for slot in range(BATCH)
        ]  # fmt: skip
        body = json.dumps({"events": events}).encode()
        yield load.request("POST", "/api/events", cookie=cookies[viewer], body=body)
