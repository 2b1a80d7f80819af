"""Events: one append-only log of what happened, from which the feed learns and is rebuilt.

The protocol is what a JetStream stream can also do: an idempotency key for each event, a durable
answer, strictly increasing offsets. `open_events("sqlite:/path/events.db")` opens the default
store.

What stands in a body is the business of `jhalak.feed.events`; here it is bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

MAX_KEY_CHARACTERS = 200
MAX_BODY_BYTES = 1_000_000


class EventsError(Exception):
    """The log could not do what was asked; the message says why. What was acknowledged is still
    there.
    """


class StoreFull(EventsError):
    """There is no room for these events. Make room, then append them again under the same keys."""


class StoreClosed(EventsError):
    """This log was closed in this process."""


class BadEvent(EventsError, ValueError):
    """An event that no log takes: its key or body is too long, or the key is empty."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event to append. `key` is its idempotency key: a second append of it is dropped."""

    key: str
    body: bytes


class StoredEvent(msgspec.Struct, frozen=True):
    """An event in the log. `at_ms`: when it was appended, UTC."""

    offset: int
    key: str
    at_ms: int
    body: bytes


class Events(Protocol):
    """A log of events. Any thread, any process, at any time."""

    def append(self, events: Sequence[NewEvent]) -> list[int | None]:
        """Append in this order and return when durable: the offset of each, None for a key that was
        there already.

        All of them or none. After an error it is safe to append the same events again.
        Raises BadEvent, StoreFull, StoreClosed, EventsError.
        """
        ...

    def read(self, after: int, limit: int = 1000) -> list[StoredEvent]:
        """Up to `limit` events with an offset greater than `after`, in order.

        Offsets rise strictly and may have gaps, but a gap never fills in later: who has read up to
        an offset has seen everything below it.
        """
        ...

    def last(self) -> int:
        """The greatest offset, 0 when empty. Cheap enough for every request; sees other processes'
        appends.
        """
        ...

    def erase(self, name: str, offsets: Iterable[int], marker: bytes) -> None:
        """From now on `marker` is the body of these events, in every copy that this store keeps;
        offsets, keys and times stay. All of them or none, and with them the fact that the erasure
        `name` was done here. Doing one again is no error.

        For what the law of erasure demands and for nothing else: readers that hold something made
        from the log make it anew when `erased` has changed. Raises StoreFull, StoreClosed,
        EventsError; the last also while the old bytes cannot be overwritten yet: try again.
        """
        ...

    def erased(self) -> frozenset[str]:
        """Names of the erasures that were done here. As cheap as `last`."""
        ...

    def close(self) -> None:
        """Finish what was accepted, then release the log. Closing twice is no error."""
        ...


def check_events(events: Sequence[NewEvent]) -> None:
    """Raises BadEvent for the first event that no log takes."""
    for event in events:
        if not 0 < len(event.key) <= MAX_KEY_CHARACTERS:
            raise BadEvent(f"an event's key has 1 to {MAX_KEY_CHARACTERS} characters")
        if "\0" in event.key or not event.key.isprintable():
            raise BadEvent("an event's key has printable characters only")
        if len(event.body) > MAX_BODY_BYTES:
            raise BadEvent(f"an event's body has at most {MAX_BODY_BYTES} bytes")


def open_events(url: str) -> Events:
    """The log at `url`: `sqlite:/path/events.db`. Raises EventsError for an unknown kind."""
    kind, _, rest = url.partition(":")
    if kind == "sqlite" and rest:
        from jhalak.stores.events.sqlite import SqliteEvents

        return SqliteEvents(Path(rest))
    raise EventsError(f"not a log of events: {url!r}. Known: sqlite:/path/events.db")
