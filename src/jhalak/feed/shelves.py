"""Something held for each viewer, members and guests on shelves of their own.

A guest's name costs nothing, so a crowd of them must push out guests only, never a member. On each
shelf the longest idle go first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Generic, Protocol, Self, TypeVar


class _Copied(Protocol):
    def copy(self) -> Self: ...


T = TypeVar("T")
C = TypeVar("C", bound=_Copied)


class Shelves(Generic[T]):
    """`make` gives a viewer's first. `most_members`: None for no bound."""

    def __init__(self, make: Callable[[], T], most_members: int | None, most_guests: int) -> None:
        self._make = make
        self._most_members, self._most_guests = most_members, most_guests
        self.members: OrderedDict[str, T] = OrderedDict()
        self.guests: OrderedDict[str, T] = OrderedDict()
        self.forgotten = 0

    def shelf(self, viewer: str) -> OrderedDict[str, T]:
        return self.members if viewer.startswith("m") else self.guests

    def get(self, viewer: str) -> T | None:
        """What is held about a viewer; to be read only."""
        return self.shelf(viewer).get(viewer)

    def active(self, viewer: str) -> T:
        """What is held about a viewer who has just done something; to be changed."""
        shelf = self.shelf(viewer)
        held = shelf.get(viewer)
        if held is not None:
            shelf.move_to_end(viewer)
            return held
        held = shelf[viewer] = self._make()
        most = self._most_members if shelf is self.members else self._most_guests
        while most is not None and len(shelf) > most:
            shelf.popitem(last=False)
            self.forgotten += 1
        return held

    def put(self, viewer: str, held: T) -> None:
        """Holds this about a viewer who has just done something, in place of what was held."""
        self.active(viewer)
        self.shelf(viewer)[viewer] = held

    def clear(self) -> None:
        self.members.clear()
        self.guests.clear()

    def touch(self, viewer: str) -> None:
        """Who has just done something is not idle, even when nothing of it is kept."""
        shelf = self.shelf(viewer)
        if viewer in shelf:
            shelf.move_to_end(viewer)

    def pop(self, viewer: str) -> T | None:
        return self.shelf(viewer).pop(viewer, None)

    def items(self) -> Iterator[tuple[str, T]]:
        """Members first, each shelf from the longest idle on."""
        return chain(self.members.items(), self.guests.items())

    def __len__(self) -> int:
        return len(self.members) + len(self.guests)


class Frozen(Shelves[C]):
    """Shelves of which a snapshot can be taken at once, however much is held."""

    def __init__(self, make: Callable[[], C], most_members: int | None, most_guests: int) -> None:
        super().__init__(make, most_members, most_guests)
        self._own: set[str] | None = None  # whose was made or copied since the last `freeze`

    def freeze(self) -> Iterator[tuple[str, C]]:
        """What is held now, as `items`. None of it changes any more: who is about to change
        something gets a copy of it, once.
        """
        self._own = set()
        held = [(list(shelf), list(shelf.values())) for shelf in (self.members, self.guests)]
        return chain.from_iterable(zip(*lists, strict=True) for lists in held)

    def active(self, viewer: str) -> C:
        held = super().active(viewer)
        if self._own is not None and viewer not in self._own:
            held = self.shelf(viewer)[viewer] = held.copy()
            self._own.add(viewer)
        return held
