"""Places of videos by what they say of themselves: channel, author, tags, language, sound.

Each word has a direction, and a video lies in the sum of those of its words. A word that training
has seen has the mean place of its videos; any other has a direction of its own drawn from its
spelling, so that unlike words lie about at right angles (random indexing: Kanerva, Kristoferson,
Holst, 2000; the hashing trick), and everything is placed before anybody has watched it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SIZE = 64  # coordinates of a place; the last says how much the video was watched before
WEIGHTS = {"channel": 1.0, "author": 0.7, "sound": 0.7, "tag": 1.0, "language": 0.4}
TRAINED = 1.5  # a direction that was learnt says more than one drawn from a spelling
ALL = sum(weight * weight for weight in WEIGHTS.values()) ** 0.5  # words at right angles
_SIGNS = np.array([-1.0, 1.0], np.float32)


def by_content(
    words: Iterable[tuple[str, object]], trained: Callable[[str, object], Any] | None = None
) -> Floats:
    """float32[SIZE], of length about 1 for a video that says everything of itself, and shorter for
    one that says little: 0 without words. `words`: (kind, name) pairs of the kinds in WEIGHTS; the
    tags of one video share a weight. `trained` gives the place of a word, or None.
    """
    kinds = list(words)
    tags = sum(kind == "tag" for kind, _ in kinds)
    found = np.zeros(SIZE, np.float32)
    for kind, name in kinds:
        weight = WEIGHTS[kind] / (tags**0.5 if kind == "tag" else 1.0)
        place = trained(kind, name) if trained is not None else None
        found += weight * (direction(kind, name) if place is None else TRAINED * place)
    return found / np.float32(ALL)


class WordPlaces:
    """`by_content` for many videos at once, equal to it to the bit. What a word adds is computed
    once for all of them.
    """

    def __init__(self, trained: Callable[[str, object], Any] | None) -> None:
        self._trained = trained
        self._found: dict[tuple[str, int], Floats] = {}

    def sum(
        self, kinds: Sequence[tuple[str, npt.NDArray[Any], Sequence[Any] | None]], tags: Any
    ) -> Floats:
        """float32[n, SIZE]. `kinds` in the order in which the words of a video are said: the kind,
        a code for each video (-1 for none), and the names of the codes, or None where a code is its
        own name. `tags` int[n]: how many tags each has.
        """
        found = np.zeros((len(tags), SIZE), np.float32)
        roots = np.sqrt(np.maximum(tags, 1).astype(np.float64))
        for kind, codes, names in kinds:
            rows = np.flatnonzero(codes >= 0)
            if not len(rows):
                continue
            said, place = np.unique(codes[rows], return_inverse=True)
            table = np.stack([self._of(kind, code, names) for code in said.tolist()])
            weight = np.full(len(rows), WEIGHTS[kind])
            if kind == "tag":
                weight /= roots[rows]
            found[rows] += weight.astype(np.float32)[:, None] * table[place]
        return found / np.float32(ALL)

    def _of(self, kind: str, code: int, names: Sequence[Any] | None) -> Floats:
        key = (kind, code)
        found = self._found.get(key)
        if found is None:
            name = code if names is None else names[code]
            place = self._trained(kind, name) if self._trained is not None else None
            found = direction(kind, name) if place is None else TRAINED * place
            self._found[key] = found
        return found


@lru_cache(maxsize=65_536)
def direction(kind: str, name: object) -> Floats:
    """float32[SIZE], of length 1: the same for the same spelling, on every machine. It says nothing
    of how much anything was watched: its last coordinate is 0.
    """
    seed = hashlib.blake2b(f"{kind}:{name}".encode("utf-8", "surrogatepass"), digest_size=SIZE // 8)
    bits = np.unpackbits(np.frombuffer(seed.digest(), np.uint8))
    found: Floats = _SIGNS[bits] / np.float32((SIZE - 1) ** 0.5)
    found[-1] = 0.0
    found.flags.writeable = False
    return found
