"""A ring: the hottest and the newest public videos, for who has to serve while the engine is away.

Small enough to be fetched every few seconds and kept by every process in front of the engine. It
holds nothing about any viewer.
"""

from __future__ import annotations

import msgspec

from jhalak.feed.learning import State
from jhalak.feed.query import ReasonCode
from jhalak.feed.reasons import SEVERAL


class Ring(msgspec.Struct, frozen=True):
    """`videos`: (video, why it is here) in the order in which to serve them. `offset`: of the last
    event that this knows.
    """

    offset: int
    videos: tuple[tuple[int, ReasonCode], ...] = ()


def ring(state: State, now_ms: int, count: int) -> Ring:
    """Up to `count` videos: what many watch now and what is new, in turns."""
    catalogue = state.catalogue
    ids = catalogue.ids
    hot = [
        (ids.item(row), ReasonCode.TRENDING)
        for row in catalogue.hot.order(catalogue.heat)[:count].tolist()
        if catalogue.watched_now(row, now_ms) >= SEVERAL
    ]
    new = [(ids.item(row), ReasonCode.NEWEST) for row in catalogue.newest.head(count).tolist()]
    found: dict[int, ReasonCode] = {}
    for place in range(count):
        for order in (hot, new):
            if place < len(order):
                found.setdefault(*order[place])
    return Ring(state.offset, tuple(list(found.items())[:count]))
