"""Pages while the feed process does not answer: from the ring that was fetched last, then the
newest in the database.

Nothing here is chosen for anybody, so every page says so: model "fallback", propensity 1, and the
plain reason. What the log tells since the ring was fetched is heeded: a video that this viewer has
watched, or refused, meanwhile does not come again; of what was before, the engine alone knows. What
somebody may see is decided by the rows, as always.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import QuerySet

from jhalak import records
from jhalak.feed import Pick, Query, Reason, ReasonCode, Scope, Slate
from jhalak.feed.events import (
    BadEvent,
    Forgotten,
    Joined,
    NotInterested,
    NotInterestedUndone,
    PersonalDeclined,
    Unwatched,
    Watched,
    decode,
)
from jhalak.feed.ring import Ring
from jhalak.people.access import Viewer, followed_ids
from jhalak.people.models import Person
from jhalak.videos.access import visible_videos
from jhalak.videos.models import Video
from jhalak.videos.states import Visibility

log = logging.getLogger(__name__)

MODEL = SOURCE = "fallback"
AT_ONCE = 100  # videos of the ring that one query asks about
BATCH = 500  # events read at once
VIEWERS = 20_000  # of whom it is remembered what they had; the longest idle are forgotten first
SERVED = 2_000  # videos of one viewer

Found = tuple[int, ReasonCode]


@dataclass
class _Memory:
    """What one viewer was served here, has watched and has refused since the ring was fetched."""

    served: set[int] = field(default_factory=set)
    watched: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def join(self, other: _Memory) -> None:
        """What a guest had, who is this viewer from now on."""
        self.served |= other.served
        self.watched |= other.watched
        self.refused |= other.refused


class Fallback:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.pages = 0
        self.renew(Ring(records.events().last()))

    def renew(self, ring: Ring) -> None:
        """The engine answers, and gave this ring: what was noticed without it, it knows now."""
        with self._lock:
            self._ring = ring
            self._level = ring.offset
            self._memories: OrderedDict[str, _Memory] = OrderedDict()

    def __len__(self) -> int:
        """Videos in the ring."""
        return len(self._ring.videos)

    def slate(self, query: Query) -> Slate:
        """A page without the engine; fewer videos than asked for only when fewer may be seen."""
        viewer = _viewer(query.viewer)
        self._read_on()
        with self._lock:
            memory = self._memory(query.viewer)
            watched = set(memory.watched) if query.personal else set()
            had, refused = memory.served | watched, set(memory.refused)
        found = dict(self._find(query, viewer, had | refused, query.n))
        if len(found) < query.n and had and query.seen_ok:
            again = self._find(query, viewer, refused | found.keys(), query.n - len(found))
            found.update(again)
        with self._lock:
            self.pages += 1
            memory = self._memory(query.viewer)
            if len(memory.served) > SERVED:
                memory.served.clear()
            memory.served.update(found)
        log.debug("a page of %d from the fallback", len(found))
        picks = (
            Pick(video, slot, SOURCE, 1.0, 0.0, False, (Reason(code, "", 0.0),))
            for slot, (video, code) in enumerate(found.items())
        )
        inputs = ("seen",) if watched else ()
        return Slate(secrets.token_hex(8), tuple(picks), MODEL, (), inputs)

    def _find(self, query: Query, viewer: Viewer, without: set[int], count: int) -> Iterator[Found]:
        """Up to `count` videos that this viewer may see: of the ring, then the newest of all."""
        without = without.union(query.exclude)
        if query.scope is Scope.FOR_YOU:
            ring = [one for one in self._ring.videos if one[0] not in without]
            for start in range(0, len(ring), AT_ONCE):
                some = ring[start : start + AT_ONCE]
                may = _open(query, viewer).filter(pk__in=[video for video, _ in some])
                seen = set(may.values_list("pk", flat=True))
                for video, code in some:
                    if count and video in seen:
                        count -= 1
                        without.add(video)
                        yield video, code
                if not count:
                    return
        for video in _newest(query, viewer, without, count):
            yield video, ReasonCode.NEWEST

    def _read_on(self) -> None:
        """Notices what the log tells since the ring was fetched."""
        with self._lock:
            while stored := records.events().read(self._level, BATCH):
                self._level = stored[-1].offset
                for one in stored:
                    self._notice(one.body)

    def _notice(self, body: bytes) -> None:
        try:
            event = decode(body)
        except BadEvent:
            return  # of a later version
        match event:
            case Watched(viewer=viewer, video=video):
                self._memory(viewer).watched.add(video)
            case NotInterested(viewer=viewer, video=video):
                self._memory(viewer).refused.add(video)
            case NotInterestedUndone(viewer=viewer, video=video):
                self._memory(viewer).refused.discard(video)
            case Unwatched(viewer=viewer, video=video):
                self._memory(viewer).watched.discard(video)
            case Forgotten(viewer=viewer) | PersonalDeclined(viewer=viewer):
                self._memories.pop(viewer, None)
            case Joined(guest=guest, member=viewer):
                self._memory(viewer).join(self._memories.pop(guest, _Memory()))

    def _memory(self, viewer: str) -> _Memory:
        memory = self._memories.setdefault(viewer, _Memory())
        self._memories.move_to_end(viewer)
        while len(self._memories) > VIEWERS:
            self._memories.popitem(last=False)
        return memory


def _viewer(key: str) -> Viewer:
    """Who a viewer key of the feed stands for."""
    person = Person.objects.filter(pk=int(key[1:])).first() if key.startswith("m") else None
    return Viewer(key, person)


def _open(query: Query, viewer: Viewer) -> QuerySet[Video]:
    """What may be put before this viewer; not what nobody else may see, and their own only among
    an author's.
    """
    videos = visible_videos(viewer).exclude(visibility=Visibility.PRIVATE)
    if viewer.person is not None and query.scope is not Scope.AUTHOR:
        videos = videos.exclude(author=viewer.person)
    return videos


def _newest(query: Query, viewer: Viewer, without: Iterable[int], count: int) -> list[int]:
    """The newest of the scope that this viewer may see, from the rows."""
    videos = _open(query, viewer).exclude(pk__in=list(without))
    match query.scope:
        case Scope.FOLLOWING:
            videos = videos.filter(author__in=followed_ids(viewer))
        case Scope.CHANNEL:
            videos = videos.filter(channel__slug=query.scope_value)
        case Scope.TAG:
            videos = videos.filter(tag_rows__word=query.scope_value)
        case Scope.AUTHOR:
            videos = videos.filter(author=int(query.scope_value))
    return list(videos.order_by("-published_at", "-pk").values_list("pk", flat=True)[:count])
