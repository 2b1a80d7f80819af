"""The trained artefact "places": where each video lies among the others, and each word of videos.

MessagePack of one struct, `Places`. Videos that enough people watched have a place of their own;
words (a channel, an author, a tag, a language, a sound) have the mean place of the videos that
carry them, so that a video nobody has watched yet can be placed by what it says of itself.

The bytes come from a folder that others may write to, so `decode` believes nothing: lengths,
order, bounds and every number are looked at before an engine computes with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

KINDS: Final = ("channel", "author", "tag", "language", "sound")  # of words, before the colon
MOST_SIZE = 256
MOST_VIDEOS = 4_000_000
MOST_WORDS = 1_000_000
MOST_CHARACTERS = 220  # of a word: its kind, a colon, its name
LARGEST = 1000.0  # of a coordinate; trained places have a length of about 1


class BadPlaces(ValueError):
    """Bytes, or arrays, that are no places; the message says why."""


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it stands in the file. `ids` and `matrix` are views of the bytes: nothing is copied."""

    size: int  # coordinates of a place
    videos: bytes  # int64 LE [n], ascending
    places: bytes  # float32 LE [n, size], row after row
    words: dict[str, bytes]  # "channel:cricket", "author:17", ...: float32 LE [size] each

    def ids(self) -> Ids:
        """int64[n]: the videos that have a place of their own, ascending."""
        return np.frombuffer(self.videos, "<i8").astype(np.int64, copy=False)

    def matrix(self) -> Floats:
        """float32[n, size]: their places, in the order of `ids`."""
        return _floats(self.places).reshape(-1, self.size)

    def of(self, video: int) -> Floats | None:
        """float32[size]: the place of a video; None for one that has none of its own."""
        ids = self.ids()
        at = int(ids.searchsorted(video))
        return self.matrix()[at] if at < len(ids) and ids.item(at) == video else None

    def word(self, kind: str, name: object) -> Floats | None:
        """float32[size]: the mean place of the videos with this word; None for one not known."""
        found = self.words.get(f"{kind}:{name}")
        return None if found is None else _floats(found)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Places)


def encode(videos: npt.NDArray[Any], places: npt.NDArray[Any], words: Mapping[str, Any]) -> bytes:
    """The file of these places: int[n], float[n, size], and for each word float[size]. Equal places
    give equal bytes, in whatever order they come. Raises BadPlaces for what `decode` would refuse.
    """
    if places.ndim != 2 or len(places) != len(videos):
        raise BadPlaces(f"{len(videos)} videos and places of shape {places.shape}")
    order = np.argsort(videos, kind="stable")
    data = _encoder.encode(
        Places(
            int(places.shape[1]),
            videos[order].astype("<i8").tobytes(),
            places[order].astype("<f4").tobytes(),
            {word: np.asarray(words[word]).astype("<f4").tobytes() for word in sorted(words)},
        )
    )
    decode(data)
    return data


def decode(data: bytes) -> Places:
    """The places in these bytes. Raises BadPlaces, and nothing else, whatever the bytes are."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise BadPlaces(f"no file of places: {error}") from error
    size = found.size
    if not 1 <= size <= MOST_SIZE:
        raise BadPlaces(f"places of {size} coordinates; 1 to {MOST_SIZE} are taken")
    count, rest = divmod(len(found.videos), 8)
    if rest or len(found.places) != 4 * size * count:
        raise BadPlaces(
            f"{len(found.videos)} bytes of videos and {len(found.places)} of places of {size}"
        )
    if count > MOST_VIDEOS or len(found.words) > MOST_WORDS:
        raise BadPlaces(f"{count} videos and {len(found.words)} words are too many")
    ids = found.ids()
    if count and (ids[0] < 0 or (ids[1:] <= ids[:-1]).any()):
        raise BadPlaces("its videos do not ascend from 0")
    _check_floats(found.places, "a place")
    for word, place in found.words.items():
        kind, colon, _ = word.partition(":")
        if kind not in KINDS or not colon or len(word) > MOST_CHARACTERS:
            raise BadPlaces(f"no word: {word[:40]!r}")
        if len(place) != 4 * size:
            raise BadPlaces(f"{len(place)} bytes for {word[:40]!r}")
    _check_floats(b"".join(found.words.values()), "a word's place")
    return found


def _floats(data: bytes) -> Floats:
    return np.frombuffer(data, "<f4").astype(np.float32, copy=False)


def _check_floats(data: bytes, what: str) -> None:
    if not (np.abs(_floats(data)) <= LARGEST).all():  # NaN is not, either
        raise BadPlaces(f"{what} has a coordinate over {LARGEST:g}, or no number")
