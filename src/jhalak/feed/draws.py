"""Randomness that can be repeated: SplitMix64 from a seed.

The same seed gives the same page on every machine and version, which a library's generator does
not promise. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014);
Vigna's public-domain splitmix64.c gives the constants. It draws pages; it is no secret.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

_MASK = 2**64 - 1
_GAMMA, _MIX1, _MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class Draws:
    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def bits(self) -> int:
        """64 even bits."""
        self._state = z = (self._state + _GAMMA) & _MASK
        z = ((z ^ (z >> 30)) * _MIX1) & _MASK
        z = ((z ^ (z >> 27)) * _MIX2) & _MASK
        return z ^ (z >> 31)

    def uniform(self) -> float:
        """Even in [0, 1)."""
        return (self.bits() >> 11) * 2.0**-53

    def some(self, below: int, count: int) -> list[int]:
        """Up to `count` different numbers in [0, below), in an even random order; all of them when
        there are no more.
        """
        if count >= below:
            order: list[int] = self._many(below).argsort(kind="stable").tolist()
            return order
        drawn = (self._many(count + count // 2) >> np.uint64(32)) * np.uint64(below)
        # Leaving out repetitions of draws with replacement is drawing without.
        return list(dict.fromkeys((drawn >> np.uint64(32)).tolist()))[:count]

    def _many(self, count: int) -> npt.NDArray[np.uint64]:
        """What `count` calls of bits() would give, at once."""
        z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GAMMA) + np.uint64(self._state)
        self._state = (self._state + count * _GAMMA) & _MASK
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX2)
        return z ^ (z >> np.uint64(31))


def seed_of(*parts: str | int) -> int:
    """64 bits that depend on every part and on where one part ends."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
