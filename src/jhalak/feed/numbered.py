"""Texts that are numbered, so that columns hold small integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any


class Words:
    """Texts, or authors' numbers, numbered in the order of their coming."""

    def __init__(self, known: Iterable[Any] = ()) -> None:
        self.names: list[Any] = list(known)
        self.codes: dict[Any, int] = {name: code for code, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def code(self, name: Any) -> int:
        code = self.codes.get(name)
        if code is None:
            code = self.codes[name] = len(self.names)
            self.names.append(name)
        return code

    def find(self, name: Any) -> int:
        return self.codes.get(name, -1)


class Tags(Words):
    """Words that are held by videos: the number of one that nobody holds goes to the next new one,
    the smallest first. "" stands where a number is free.
    """

    def __init__(self, known: Iterable[str] = (), held: Iterable[int] = ()) -> None:
        """`held`: codes, one for each holding."""
        super().__init__(known)
        self.codes.pop("", None)
        self._holders = Counter(held)
        self._free = [code for code, name in enumerate(self.names) if not name]  # a heap

    def take(self, name: str) -> int:
        """The code of a tag that a video has from now on."""
        if name in self.codes or not self._free:
            code = self.code(name)
        else:
            code = self.codes[name] = heappop(self._free)
            self.names[code] = name
        self._holders[code] += 1
        return code

    def leave(self, code: int) -> None:
        """A video has this tag no more."""
        self._holders[code] -= 1
        if not self._holders[code]:
            del self._holders[code], self.codes[self.names[code]]
            self.names[code] = ""
            heappush(self._free, code)
