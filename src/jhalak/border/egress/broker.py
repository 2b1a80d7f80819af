"""The broker: one process outside the seal, asked over a Unix socket that was opened for it.

Of each flow two entries are written, and are on disk, before what they tell of: `opening` before a
byte leaves, and its end with the bytes before the answer is given. So a flow that a crash cut off
stands there as one without an end, which the verifier names. Refusals are entries too. When the
ledger cannot be written, nothing is sent.

    accept   one thread; when MOST flows are under way, who comes is told so and let go
    flow     a thread each: read the question, find the destination, pin, connect, say it, answer
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from jhalak.border.egress import delivery, messages
from jhalak.border.egress.addresses import AddressRefused, Resolve, ask_system, pin
from jhalak.border.egress.delivery import Redirected, Unfit
from jhalak.border.egress.destinations import (
    Destination,
    DestinationsError,
    Kind,
    load,
    path_of,
    secret_of,
)
from jhalak.border.egress.line import Limits, Line, LineError
from jhalak.border.egress.messages import Answer, Asked, BadFrame, Post, Refusal, Reply
from jhalak.border.log.entries import Kind as Entry
from jhalak.border.log.entries import new_id, now_ms

MOST = 32  # flows at once
READ_S = 10.0  # to ask in
HOPS = 3  # times that one may be sent on
BUSY = "the broker is busy: try again in a moment"
Ledger = Callable[[Entry, dict[str, Any]], None]

logger = logging.getLogger(__name__)


class Refused(Exception):
    """Nothing left; the message says why."""


class Broker:
    """`ledger` writes one entry durably (log.spool.Spool.write). `resolve` asks for addresses."""

    def __init__(
        self,
        data: Path,
        ledger: Ledger,
        *,
        limits: Limits | None = None,
        resolve: Resolve = ask_system,
    ) -> None:
        self._data = data
        self._ledger = ledger
        self._limits = limits or Limits()
        self._resolve = resolve
        self._free = threading.Semaphore(MOST)
        self._threads: set[threading.Thread] = set()
        self._declared = _Declared(data, ledger)
        self._turned_away = 0
        self._told_busy = 0.0

    def run(self, listener: socket.socket, stop: Callable[[], bool]) -> None:
        """Serves until `stop`; then the flows under way have their time to end."""
        with contextlib.suppress(Refused):  # who asks is told
            self._declared.now()
        listener.setblocking(False)
        with listener, select.epoll() as looks:
            looks.register(listener, select.EPOLLIN)
            while not stop():
                self._tell_busy(again=False)
                if not looks.poll(0.2):
                    continue
                with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
                    line, _ = listener.accept()
                    self._take(line)
        for thread in list(self._threads):
            thread.join()
        self._told_busy = 0.0
        self._tell_busy(again=False)

    def _take(self, line: socket.socket) -> None:
        if not self._free.acquire(blocking=False):
            self._turned_away += 1
            self._tell_busy(again=True)
            with line, contextlib.suppress(OSError):
                line.settimeout(0)
                messages.write(line, Refusal(BUSY))
            return
        thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _tell_busy(self, *, again: bool) -> None:
        """One entry a second however many come: the first before it is answered, then a count."""
        if self._turned_away and (time.monotonic() - self._told_busy > 1 or not self._told_busy):
            self._told_busy = time.monotonic()
            count, self._turned_away = self._turned_away, 0
            with contextlib.suppress(Exception):  # nothing left and nothing will
                self._ledger(Entry.EGRESS_REFUSAL, {"reason": BUSY, "count": count})
        elif not again and not self._turned_away and time.monotonic() - self._told_busy > 1:
            self._told_busy = 0.0

    def _serve(self, line: socket.socket) -> None:
        try:
            with line, contextlib.suppress(OSError):
                reply = self._reply(line)
                line.settimeout(READ_S)
                messages.write(line, reply)
        except Exception:
            logger.exception("a flow was not answered")
        finally:
            self._threads.discard(threading.current_thread())
            self._free.release()

    def _reply(self, line: socket.socket) -> Reply:
        name = ""
        try:
            try:
                until = time.monotonic() + READ_S
                body = messages.read(line, messages.MOST_ASKED, until)
                asked = msgspec.json.decode(body, type=Asked)
            except (BadFrame, msgspec.DecodeError, TimeoutError) as error:
                raise Refused(f"the question cannot be read: {error}") from error
            name = asked.destination
            return self._sent(asked)
        except Refused as error:
            reason = str(error)[:500]
            try:
                told = {"destination": name[:100], "reason": reason}
                self._ledger(Entry.EGRESS_REFUSAL, told)
            except Exception:  # nothing left, and that is said to who asked all the same
                logger.exception("a refusal could not be written down")
            return Refusal(reason)

    def _sent(self, asked: Asked) -> Reply:
        declared = self._declared.now()
        destination = declared.get(asked.destination)
        if destination is None:
            raise Refused("no such destination is declared")
        request = asked.request
        for _ in range(HOPS + 1):
            if destination.expired(now_ms()):
                raise Refused(f"{destination.name} was declared until {destination.expires}")
            try:
                delivery.check(destination, request)
            except Unfit as error:
                raise Refused(str(error)) from error
            try:
                return self._flow(destination, request)
            except Redirected as onward:
                destination = _onward(onward, destination, declared)
                request = onward.request
        raise Refused(f"it was sent on more than {HOPS} times")

    def _flow(self, destination: Destination, request: messages.Mail | Post) -> Reply:
        try:
            address = pin(destination, self._resolve)
        except AddressRefused as error:
            raise Refused(str(error)) from error
        flow = {
            "flow": new_id(now_ms()),
            "destination": destination.name,
            "purpose": destination.purpose,
            "address": address,
            "port": destination.port,
            "opened": (opened := now_ms()),
        }
        counts = {"bytes_in": 0, "bytes_out": 0, "closed": opened, "outcome": "opening"}
        try:
            self._ledger(Entry.EGRESS_FLOW, flow | counts)
        except Exception as error:
            logger.exception("the ledger cannot be written")
            raise Refused("the ledger cannot be written, so nothing is sent") from error
        line = Line(self._limits)
        onward: Redirected | None = None
        try:
            line.open(address, destination.port)
            secret = secret_of(self._data, destination.name)
            reply: Reply = delivery.deliver(line, destination, request, secret)
            outcome = f"answered {reply.status}" if isinstance(reply, Answer) else ""
        except Redirected as error:
            onward, outcome, reply = error, "sent on", Refusal("sent on")
        except (LineError, OSError) as error:
            outcome = str(error)[:500]
            reply = Refusal(outcome, left=line.bytes_out > 0)
        finally:
            line.close()
        counts = {"bytes_in": line.bytes_in, "bytes_out": line.bytes_out, "closed": now_ms()}
        try:
            self._ledger(Entry.EGRESS_FLOW, flow | counts | {"outcome": outcome})
        except Exception:
            logger.exception("the end of a flow could not be written down")
            return Refusal("it was sent, and its end could not be written down", left=True)
        if onward is not None:
            raise onward
        return reply


def _onward(
    onward: Redirected, before: Destination, declared: dict[str, Destination]
) -> Destination:
    """Where a redirect leads, if that is declared, for the same purpose and for all that may be in
    the body: who answers at one destination does not get another one called. Raises Refused.
    """
    if onward.local:
        return before
    there = [
        one
        for one in (before, *declared.values())
        if (one.host, one.port) == (onward.host, onward.port)
        and onward.secure
        and one.kind is before.kind is not Kind.MAIL
    ]
    for one in there:
        if one.purpose == before.purpose and {*before.classes} <= {*one.classes}:
            return one
    why = "declared for something else" if there else "not declared"
    raise Refused(f"{before.name} sends on to {onward.host}:{onward.port}, which is {why}"[:500])


class _Declared:
    """The declaration as the file has it now. A change of it is an entry before it counts."""

    def __init__(self, data: Path, ledger: Ledger) -> None:
        self._data = data
        self._ledger = ledger
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._held: dict[str, Destination] = {}
        self._told: dict[str, dict[str, object]] = {}

    def now(self) -> dict[str, Destination]:
        """Raises Refused where the file cannot be used."""
        with self._lock:
            try:
                state = path_of(self._data).stat()
                stamp = (state.st_mtime_ns, state.st_ino, state.st_size)
            except FileNotFoundError:
                stamp = (0, 0, 0)
            if stamp != self._seen:
                try:
                    held = load(self._data)
                    self._tell(held)
                except DestinationsError as error:
                    raise Refused(str(error)) from error
                except Exception as error:
                    logger.exception("the ledger cannot be written")
                    raise Refused("the ledger cannot be written, so nothing is sent") from error
                self._seen, self._held = stamp, held
            return self._held

    def _tell(self, held: dict[str, Destination]) -> None:
        said = {name: one.said() for name, one in held.items()}
        for name in sorted({*said, *self._told}):
            if said.get(name) != self._told.get(name):
                body = said.get(name) or {"name": name, "withdrawn": True}
                self._ledger(Entry.DESTINATION, body)
        self._told = said
