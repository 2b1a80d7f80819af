"""The sound of a clip as a thing of its own: a file, and a fingerprint by which it is known again.

    keep_sound(rendition, out, limits) -> Sound | None    None: silence, or too little of it
    difference(a, b) -> share of bits, 0 to 1             at the best offset of the two
    telling(a)                                            whether a sound can be known by it
    same(a, b)                                            whether it is one sound
    index_words(a) -> numbers                             few, to find candidates by in a table

A fingerprint is Chromaprint's (Lalinsky, "How does Chromaprint work?", 2011; its muxer is part of
ffmpeg): one word of 32 bits for each 0.124 s, of which bits stay when the sound is encoded again or
is louder. Two are compared as Haitsma and Kalker did ("A highly robust audio fingerprinting
system", ISMIR 2002): by the share of bits that differ at the best offset. Words to look up by are a
bottom-k sketch (Broder, "On the resemblance and containment of documents", 1997): those whose hash
is smallest, so that two that share words mostly share these too, also when one is a part.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from jhalak.media.boxes import BadBoxes
from jhalak.media.commands import keep_command
from jhalak.media.fragments import FragmentedFile
from jhalak.media.model import Failed, Limits, Reason, Refused
from jhalak.media.probing import probe
from jhalak.media.process import Budget, run

LEAST_MS = 3000
"""Of what can be heard; less is no sound that somebody would use again."""
MOST_DIFFERENT = 0.2
"""Share of bits. docs/parts/media.md says what was measured on either side of it."""
LEAST_SPREAD = 0.25
"""What does not change has a fingerprint that many others have: a tone, a hum, noise."""
INDEX_WORDS = 32
MOST_WORDS = 4096
"""Of a fingerprint: over eight minutes. What is longer is none of ours, and is not looked at."""
_MOST_BYTES = 4 * MOST_WORDS
_OVERLAP_OF_SHORTER = 0.8
_OVERLAP_OF_LONGER = 0.4
_RATE = 11_025  # what Chromaprint works at
_BLOCK = _RATE // 10
_AUDIBLE = 33.0  # root mean square of a tenth of a second, of 32768: -60 dB

Fingerprint = bytes
"""Words of 32 bits, the least significant byte first."""


class Sound(msgspec.Struct, frozen=True):
    """A sound that was kept: AAC in MP4, one track, its index in front."""

    path: Path
    duration_ms: int
    size: int
    fingerprint: Fingerprint


def keep_sound(
    rendition: Path,
    out: Path,
    limits: Limits | None = None,
    *,
    stop: threading.Event | None = None,
) -> Sound | None:
    """The sound of a rendition of ours, as the file `out`. Nothing is encoded again.

    None when there is none, or less than LEAST_MS that is louder than -60 dB. Raises Refused,
    Stopped, Failed; whatever it raises, or with None, there is no file.
    """
    limits = limits or Limits()
    clip = probe(rendition, limits)
    if clip.audio_index is None:
        return None
    fingerprint, ear = _Few(_MOST_BYTES), _Ear()
    file = FragmentedFile(out, room=clip.duration_ms // 2000 + 8, lead="soun")
    kept = False
    try:
        run(
            keep_command(clip, rendition, _RATE),
            [file.feed, fingerprint.feed, ear.feed],
            Budget.of(limits, clip.duration_ms, nice=10),
            stop=stop,
        )
        made = file.finish()
        kept = ear.audible_ms >= LEAST_MS and len(fingerprint.data) >= 4
    except BadBoxes as error:
        raise Refused(Reason.DAMAGED, f"no whole sound came: {error}") from error
    except OSError as error:
        raise Failed(f"cannot write: {error}") from error
    finally:
        if not kept:
            file.abandon()
    if not kept:
        return None
    return Sound(out, made.duration_ms, made.size, bytes(fingerprint.data))


class _Few:
    """Takes no more than it has room for: nothing that a stranger sends grows without end."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.data = bytearray()

    def feed(self, data: bytes) -> None:
        self.data += data[: self._room - len(self.data)]


class _Ear:
    """Adds up the time in which something is heard. Takes 16-bit samples, cut anywhere."""

    def __init__(self) -> None:
        self._left = b""
        self.audible_ms = 0

    def feed(self, data: bytes) -> None:
        data = self._left + data
        whole = len(data) // (2 * _BLOCK) * 2 * _BLOCK
        self._left = data[whole:]
        blocks = np.frombuffer(data[:whole], "<i2").reshape(-1, _BLOCK).astype(np.float32)
        loud = np.sqrt(np.square(blocks).mean(axis=1)) > _AUDIBLE if len(blocks) else blocks
        self.audible_ms += 100 * int(np.count_nonzero(loud))


def _words(fingerprint: Fingerprint) -> NDArray[np.uint32]:
    """Raises ValueError for what is no fingerprint."""
    if not 4 <= len(fingerprint) <= _MOST_BYTES or len(fingerprint) % 4:
        raise ValueError(f"{len(fingerprint)} bytes are no fingerprint")
    return np.frombuffer(fingerprint, "<u4")


def difference(a: Fingerprint, b: Fingerprint) -> float:
    """The share of bits that differ at the best offset, 0 to 1. Half is what strangers have.

    Only offsets count where the two overlap in 0.8 of the shorter and 0.4 of the longer one: a
    sound that is a small part of another is not that other. 1.0 when there is no such offset.
    Raises ValueError for what is no fingerprint.
    """
    long, short = sorted((_words(a), _words(b)), key=len, reverse=True)
    least = max(1.0, _OVERLAP_OF_SHORTER * len(short), _OVERLAP_OF_LONGER * len(long))
    best = 1.0
    for offset in range(1 - len(short), len(long)):
        begun, skipped = max(0, offset), max(0, -offset)
        count = min(len(long) - begun, len(short) - skipped)
        if count < least:
            continue
        other = long[begun : begun + count] ^ short[skipped : skipped + count]
        best = min(best, float(_bits(other)) / (32 * count))
    return best


def _bits(words: NDArray[np.uint32]) -> int:
    return int(_ONES[words.view(np.uint16)].sum())


_ONES = np.array([value.bit_count() for value in range(1 << 16)], np.uint8)


def same(a: Fingerprint, b: Fingerprint) -> bool:
    """Whether two are one sound: encoded again, louder, cut at its ends. Raises ValueError."""
    return telling(a) and telling(b) and difference(a, b) <= MOST_DIFFERENT


def telling(fingerprint: Fingerprint) -> bool:
    """Whether a sound can be known by it. Raises ValueError.

    By how much two words of it, drawn at random, would differ: of what changes nearly half of the
    bits, of a steady tone none. Two tones a fifth apart, or two recordings of a fan, would else be
    one sound.
    """
    bits = np.unpackbits(_words(fingerprint).view(np.uint8).reshape(-1, 4), axis=1)
    ones = bits.mean(axis=0)
    return float((2 * ones * (1 - ones)).mean()) >= LEAST_SPREAD


def index_words(fingerprint: Fingerprint) -> list[int]:
    """At most INDEX_WORDS of its words, as signed numbers of 32 bits; none of one that is not
    telling. Raises ValueError.
    """
    if not telling(fingerprint):
        return []
    words = np.unique(_words(fingerprint))
    # Fibonacci hashing (Knuth, volume 3, 6.4): the order has nothing to do with what a bit means.
    mixed = (words.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    chosen = words[np.argsort(mixed, kind="stable")[:INDEX_WORDS]]
    return [int(word) for word in chosen.view(np.int32)]
