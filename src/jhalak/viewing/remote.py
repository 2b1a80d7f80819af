"""The way to the feed process, and what is done while it does not answer.

A page waits DEADLINE_S for the engine and is then served by the fallback. From that moment no page
waits any more: one thread of this process goes on asking, and pages go to the engine again as soon
as it has answered as quickly as a page needs it. The same thread fetches the ring and the report
every few seconds while all is well, so that both are at hand when it is not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from django.utils.translation import gettext as _

from jhalak import records
from jhalak.feed import Query, Slate
from jhalak.feed.clock import WatchClock
from jhalak.problems import Unavailable
from jhalak.viewing import wire
from jhalak.viewing.engine_client import EngineAway, EngineClient, NoAnswer
from jhalak.viewing.fallback import Fallback
from jhalak.viewing.wire import Feed

log = logging.getLogger(__name__)

DEADLINE_S = 0.3  # what a page waits for the engine
PATIENCE_S = 5.0  # what the watching thread waits for it
RENEW_S = 3.0  # between two rings while the engine answers
PROBE_S = 0.1  # between two questions while it does not
RING = 600  # videos


class RemoteHost:
    """One feed process, asked over the socket at `path`."""

    def __init__(self, path: Path) -> None:
        self._client = EngineClient(path)
        self.fallback = Fallback()
        self.clock = RemoteClock(self)
        self._lock = threading.Lock()
        self._down: tuple[float, str] | None = None  # since when, and why
        self._report: dict[str, Any] = {}
        self._wake = threading.Event()
        self._closed = False
        self._watching = threading.Thread(target=self._watch, name="feed-watch", daemon=True)
        self._watching.start()

    def fresh(self) -> Feed:
        return cast(Feed, RemoteFeed(self, records.events().last()))

    @property
    def is_down(self) -> bool:
        return self._down is not None

    def where(self) -> str:
        down = self._down
        if down is None:
            return "a process of its own"
        since = time.strftime("%H:%M:%S", time.gmtime(down[0]))
        return f"down since {since} UTC ({down[1]}): pages come from the fallback"

    def close(self) -> None:
        self._closed = True
        self._wake.set()
        self._client.close()
        self._watching.join(2 * PATIENCE_S)

    def ask(self, name: str, offset: int, *arguments: Any) -> Any:
        """Raises NoAnswer, at once while the engine is known to be down."""
        down = self._down
        if down is not None:
            raise EngineAway(down[1])
        try:
            return self._client.ask(name, offset, *arguments, within_s=DEADLINE_S)
        except EngineAway as error:
            self._went(error)
            raise

    def report(self) -> dict[str, Any]:
        """The engine's last known report, with what this process served without it."""
        fallback = {"pages": self.fallback.pages, "ring": len(self.fallback)}
        return {**self._report, "fallback": fallback}

    def _went(self, error: Exception) -> None:
        with self._lock:
            if self._down is None:
                self._down = time.time(), str(error)
                log.warning("the feed engine is down (%s): pages come from the fallback", error)
        self._wake.set()

    def _watch(self) -> None:
        while not self._closed:
            try:
                self._renew()
            except NoAnswer as error:
                if not self._closed:
                    self._went(error)
            except Exception:  # this thread must live: without it nobody sees the engine come back
                log.exception("the feed engine could not be asked")
            self._wake.wait(PROBE_S if self.is_down else RENEW_S)
            if not self.is_down:
                self._wake.clear()
            elif not self._closed:
                time.sleep(PROBE_S)

    def _renew(self) -> None:
        asked = time.monotonic()
        now_ms = time.time_ns() // 1_000_000
        end = records.events().last()
        ring = self._client.ask("ring", end, now_ms, RING, within_s=PATIENCE_S)
        took = time.monotonic() - asked
        self._report = self._client.ask("report", end, within_s=PATIENCE_S)
        down = self._down
        if down is not None and took > DEADLINE_S:
            return  # it answers, and a page would not have waited so long
        self.fallback.renew(ring)
        if down is not None:
            with self._lock:
                self._down = None
            log.warning(
                "the feed engine answers again after %.1f s; the fallback has served %d pages",
                time.time() - down[0], self.fallback.pages,
            )  # fmt: skip


class RemoteClock:
    """The feed process's clock; while it does not answer, one of this process's own, so that each
    web process believes a viewer what the time since then allows.
    """

    def __init__(self, host: RemoteHost) -> None:
        self._host = host
        self._own = WatchClock()

    def bound(
        self, viewer: str, served_ms: int, now_ms: int, duration_ms: int, claimed_ms: float
    ) -> int:
        claim = viewer, served_ms, now_ms, duration_ms, claimed_ms
        try:
            credit: int = self._host.ask("bound", 0, *claim)
        except NoAnswer:
            return self._own.bound(*claim)
        return credit

    def give_back(self, viewer: str, credit_ms: int) -> None:
        try:
            self._host.ask("give_back", 0, viewer, credit_ms)
        except NoAnswer:
            self._own.give_back(viewer, credit_ms)


class RemoteFeed:
    """The `Feed` of one request, level with the log up to `offset`."""

    def __init__(self, host: RemoteHost, offset: int) -> None:
        self._host = host
        self._offset = offset

    def slate(self, query: Query) -> Slate:
        """From the fallback when the engine gives no answer."""
        try:
            slate: Slate = self._host.ask("slate", self._offset, query)
        except NoAnswer:
            return self._host.fallback.slate(query)
        return slate

    def report(self) -> dict[str, Any]:
        """The last known one when the engine gives no answer."""
        try:
            report: dict[str, Any] = self._host.ask("report", self._offset)
        except NoAnswer:
            report = {}
        return {**self._host.report(), **report}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Everything else that `Feed` names, which nobody but the engine can say."""
        if name not in wire.CALLS:
            raise AttributeError(name)
        return partial(self._needed, name)

    def _needed(self, name: str, *arguments: Any) -> Any:
        """Raises Unavailable."""
        try:
            return self._host.ask(name, self._offset, *arguments)
        except NoAnswer as error:
            raise Unavailable(
                "feed_away", _("The feed is being started again. Try again in a moment.")
            ) from error
