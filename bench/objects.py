"""Objects a second into and out of a bucket (SeaweedFS on loopback), one caller, 300 kB each.

The baseline is the folder, in the same run. Serving is not in it: there the bytes go from nginx to
the store, and what Python does is one signature.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.figures import figure
from bench.serving import data_folder
from tests.seaweed import running

from jhalak.stores.objects import Objects, open_objects

BODY = 300_000
LARGE = 32 << 20
SECONDS = 2.0


def _rate(act: Callable[[int], object]) -> float:
    """Calls a second."""
    started, done = time.perf_counter(), 0
    while (took := time.perf_counter() - started) < SECONDS:
        act(done)
        done += 1
    return done / took


def _rates(store: Objects, large: Path) -> dict[str, float]:
    body = os.urandom(BODY)
    kept = [f"a/{number}.mp4" for number in range(50)]

    def put(number: int) -> object:
        return store.put(kept[number % 50], body, content_type="video/mp4")

    for number in range(50):
        put(number)
    started = time.perf_counter()
    for _ in range(3):
        store.put("large.mp4", large, content_type="video/mp4")
    took = time.perf_counter() - started
    return {
        "put": _rate(put),
        "get": _rate(lambda number: store.read(kept[number % 50])),
        "range of 64 kB": _rate(lambda number: store.read(kept[number % 50], 100_000, 65_536)),
        "internal path": _rate(lambda number: store.internal_path(kept[number % 50])),
        "put of 32 MB": 3 * LARGE / 1e6 / took,
    }


def run() -> list[dict[str, Any]]:
    with data_folder() as data, running(data / "weed") as weed:
        large = data / "large"
        large.write_bytes(os.urandom(LARGE))
        folder = _rates(open_objects(f"folder:{data / 'objects'}"), large)
        bucket = _rates(open_objects(weed.url("bench")), large)
    return [
        figure(f"bucket: {name}", rate, "MB/s" if "MB" in name else "/s", baseline=folder[name])
        for name, rate in bucket.items()
    ]
