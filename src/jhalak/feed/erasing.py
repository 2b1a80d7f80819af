"""Whom an event names, and so which events go when somebody is erased.

A log of events is never cut: readers count on offsets. What is erased becomes `Erased` under the
same offset, which teaches nothing. The engine is what the log says: after an erasure it is made
anew from the log as it is now, so that state and replay stay the same, byte for byte, and what the
person's watches had taught goes with them.

The names come from the data map (`feed.data_map.SUBJECTS`), so an event that is added there with
its fields is erased without a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from jhalak.feed import events as ev
from jhalak.feed.data_map import SUBJECTS

Name: TypeAlias = tuple[str, str]  # ("viewer", "m42"), ("author", "42"), ("video", "7")
MARKER = ev.encode(ev.Erased())
_KINDS = {"viewer": "viewer", "guest": "viewer", "member": "viewer", "author": "author"}


def names(event: ev.Event, *, shown: bool = False) -> list[Name]:
    """Who is named in an event. `shown`: only those to whom it may be told."""
    subject = SUBJECTS.get(type(event).__name__)
    if subject is None:
        return []
    found = []
    for path in subject.to_show if shown else subject.paths:
        if path == "value":
            if isinstance(event, ev.InterestRemoved) and event.kind is ev.InterestKind.AUTHOR:
                found.append(("author", event.value))
        else:
            found.append((_KINDS.get(path, path), str(getattr(event, path))))
    return found


def of_person(
    log: Iterable[tuple[int, ev.Event]], is_theirs: Callable[[Name], bool]
) -> tuple[set[Name], set[int]]:
    """One walk over the log: further names of a person, and the offsets of what names them so.

    `is_theirs` knows what they are called in the database. What they were called as guests is found
    here (`Joined`), and their videos (`Published`). Events before those are found by a second walk,
    with what the first returned: `theirs` does both.
    """
    more: set[Name] = set()
    offsets: set[int] = set()
    for offset, event in log:
        if not any(name in more or is_theirs(name) for name in names(event)):
            continue
        offsets.add(offset)
        if isinstance(event, ev.Joined):
            if is_theirs(("viewer", event.member)):
                more.add(("viewer", event.guest))
        elif isinstance(event, ev.Published):
            more.add(("video", str(event.video)))
    return more, offsets


def theirs(
    walk: Callable[[], Iterator[tuple[int, ev.Event]]], is_theirs: Callable[[Name], bool]
) -> tuple[set[Name], set[int]]:
    """All names of a person in a log, and the offsets of all events that name them. `walk` gives
    the log anew each time it is called: it is read twice.
    """
    more, _ = of_person(walk(), is_theirs)
    again, offsets = of_person(walk(), lambda name: name in more or is_theirs(name))
    return more | again, offsets
