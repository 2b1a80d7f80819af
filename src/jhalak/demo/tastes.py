"""What a simulated viewer likes, and what that makes them do with a clip. Pure: no clock, no
network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Taste:
    """Liking by channel slug, 0..1 (missing: `other`), and the languages that feel like home."""

    channels: Mapping[str, float]
    languages: frozenset[str]
    other: float = 0.22
    patience: float = 1.0


@dataclass(frozen=True)
class Deed:
    """What somebody does with one clip: the event's kind, how long they watch, and what they
    press.
    """

    kind: str
    watched_ms: int
    like: bool = False
    save: bool = False
    follow: bool = False


def taste(seed: int, channels: tuple[str, ...], languages: tuple[str, ...]) -> Taste:
    """Two or three loved channels, one disliked, one or two languages."""
    rng = np.random.default_rng([41, seed])
    order = rng.permutation(len(channels))
    loved = int(rng.integers(2, 4))
    liking = {channels[i]: float(rng.uniform(0.75, 0.97)) for i in order[:loved]}
    liking |= {channels[i]: 0.04 for i in order[loved : loved + 2]}
    home = {languages[i] for i in rng.permutation(len(languages))[: int(rng.integers(1, 3))]}
    return Taste(
        liking, frozenset(home), float(rng.uniform(0.12, 0.35)), float(rng.uniform(0.7, 1.5))
    )


def deed(rng: np.random.Generator, taste: Taste, item: Mapping[str, Any]) -> Deed:
    """How a person of this taste treats a feed item. Watched time is at most the clip's length,
    twice when replayed.
    """
    duration = max(1, int(item.get("duration_ms") or 0))
    channel = (item.get("channel") or {}).get("slug", "")
    liking = taste.channels.get(channel, taste.other)
    if item.get("language") in taste.languages:
        liking = min(0.98, liking + 0.12)
    if rng.random() < liking:
        replay = rng.random() < liking * 0.18
        followed = bool((item.get("author") or {}).get("following"))
        return Deed(
            "replayed" if replay else "finished",
            duration * 2 if replay else duration,
            like=bool(rng.random() < liking * 0.4),
            save=bool(rng.random() < liking * 0.08),
            follow=bool(not followed and rng.random() < liking * 0.07),
        )
    if rng.random() < 0.12 + 0.1 * (1 - liking):
        return Deed("watched", int(duration * rng.uniform(0.35, 0.8)))
    if channel in taste.channels and taste.channels[channel] < 0.1 and rng.random() < 0.04:
        return Deed("not_interested", int(min(duration, 1500)))
    return Deed("skipped", int(min(duration * 0.6, rng.uniform(600, 2200) * taste.patience)))
