"""A crowd that watches the demo world: guests and members with tastes, in real time, by HTTP
only.

    python -m jhalak.demo.crowd --url http://127.0.0.1:8000 [--data DIR] [--people 24] [--seed 1]

Each asks for a page, watches its clips one after the other for as long as their taste says, and
tells honestly what was watched. With --data (the world's folder) every second one is a member,
who also likes, follows and saves. One thread and a queue of "who is next, when" keep it polite:
a handful of requests a second. Ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import heapq
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import numpy as np

from . import catalogue, manifest
from .client import Client, Refused, Unreachable, sign_in
from .people import CREATORS
from .tastes import Deed, deed, taste

_NAMES = (
    "Aarav", "ஆதிரா", "আনিকা", "ఆదిత్య", "Bhavna", "ದೀಪಾ", "ധന്യ", "Esha", "ફાલ્ગુની", "ਗੁਰਲੀਨ",
    "حنا", "Ishita", "जतिन", "கவின்", "লাবণ্য", "మానస", "Nikhil", "ଓମ", "प्रिया", "Rohan",
    "சரண்யா", "Tara", "উমা", "विहान",
)  # fmt: skip


class Watcher:
    """One person of the crowd. `step` does one thing and says after how many seconds the next
    is due.
    """

    def __init__(self, number: int, client: Client, *, member: bool, seed: int) -> None:
        self.number = number
        self.client = client
        self.member = member
        self.rng = np.random.default_rng([seed, number])
        languages = tuple(sorted({c.language for c in CREATORS}))
        self.taste = taste(seed * 1000 + number, catalogue.channels(), languages)
        self.page: deque[dict[str, Any]] = deque()
        self.watching: tuple[dict[str, Any], Deed] | None = None
        self.seen = 0

    @property
    def handle(self) -> str:
        return f"crowd_{self.number + 1:02d}"

    def step(self, now_ms: Callable[[], int]) -> float:
        """Seconds until the next step. Raises Refused or Unreachable."""
        if self.watching is not None:
            self._tell(now_ms())
        if not self.page:
            reply = self.client.call("GET", "/api/feed?n=8")
            self.page.extend(reply.json()["items"])
            if not self.page:
                return 5.0  # an empty world: look again later
        item = self.page.popleft()
        act = deed(self.rng, self.taste, item)
        self.watching = (item, act)
        return act.watched_ms / 1000 + float(self.rng.uniform(0.15, 0.5))

    def _tell(self, at: int) -> None:
        assert self.watching is not None
        item, act = self.watching
        self.watching = None
        self.seen += 1
        event = {"token": item["token"], "kind": act.kind, "watched_ms": act.watched_ms, "at": at}
        self.client.call("POST", "/api/events", {"events": [event]})
        if not self.member:
            return
        if act.like:
            self.client.call("PUT", f"/api/videos/{quote(item['id'])}/like")
        if act.save:
            self.client.call("PUT", f"/api/videos/{quote(item['id'])}/save")
        if act.follow:
            self.client.call("PUT", f"/api/people/{quote(item['author']['handle'])}/follow")


class Crowd:
    """All of them, in one thread. `data` is the world's folder, where the password for members
    is.
    """

    def __init__(self, url: str, people: int, *, data: Path | None = None, seed: int = 1) -> None:
        self.data = data
        self.manifest = manifest.load(data) if data is not None else None
        self.known = manifest.load_crowd(data) if data is not None else []
        self.stop = threading.Event()
        self.watchers = [
            Watcher(
                number,
                Client(url, patience=2.0, agent="jhalak-demo-crowd"),
                member=self.manifest is not None and number % 2 == 0,
                seed=seed,
            )
            for number in range(people)
        ]

    def _enter(self, watcher: Watcher) -> None:
        """Members log in; on their first visit they sign up."""
        if self.data is None or self.manifest is None or not watcher.member:
            return
        if watcher.client.cookies:
            return
        name, new = _NAMES[watcher.number % len(_NAMES)], watcher.handle not in self.known
        sign_in(watcher.client, watcher.handle, self.manifest.password, name=name, new=new)
        if new:
            self.known.append(watcher.handle)
            manifest.save_crowd(self.data, self.known)

    def run(self, seconds: float | None = None, *, apart: float = 0.35) -> int:
        """Until `stop` is set or the time is over; returns how many clips were watched.

        They drop in `apart` seconds after each other, not all at once.
        """
        start = time.monotonic()
        queue = [(start + apart * (w.number + 1), w.number) for w in self.watchers]
        heapq.heapify(queue)
        while queue and not self.stop.is_set():
            due, number = heapq.heappop(queue)
            if seconds is not None and due - start > seconds:
                break
            if self.stop.wait(max(0.0, due - time.monotonic())):
                break
            watcher = self.watchers[number]
            try:
                self._enter(watcher)
                wait = watcher.step(lambda: time.time_ns() // 1_000_000)
            except Unreachable:
                wait = 3.0  # the server restarts: this person comes back a little later
            except Refused as refused:
                watcher.page.clear()
                if refused.status == 401:
                    watcher.client.cookies.clear()
                wait = 10.0 if refused.status >= 500 or refused.status == 429 else 3.0
            heapq.heappush(queue, (time.monotonic() + wait, number))
        for watcher in self.watchers:
            watcher.client.close()
        return sum(watcher.seen for watcher in self.watchers)


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m jhalak.demo.crowd", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument(
        "--data", type=Path, help="the world's folder: every second one is a member"
    )
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="stop after this long")
    args = parser.parse_args(given)
    try:
        crowd = Crowd(args.url, args.people, data=args.data, seed=args.seed)
    except (ValueError, manifest.ManifestError) as error:
        print(f"The crowd stays at home: {error}", file=sys.stderr)
        return 1

    def end(_signal: int, _frame: FrameType | None) -> None:
        crowd.stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    seen = crowd.run(args.seconds, apart=1.0)
    print(f"The crowd watched {seen} clips.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
