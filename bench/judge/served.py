"""Jhalak as it is served, in the closed loop: the whole engine, told by events, asked for pages.

KuaiRec's videos have no words, authors or times here, so sources and terms that live on those have
nothing to say. A like is told as a watch to the end, anything else as a quick skip. The draw is
nearly greedy, as everybody else's is; places come from the log, as training would make them.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from bench.judge.entries import Entry
from bench.judge.ours import described_log
from bench.judge.recommender import Bools, Ids, Log

from jhalak.feed import Config, Engine, Owed, Query, Weights
from jhalak.feed import events as ev
from jhalak.feed.places_file import encode
from jhalak.feed.taste import SIZE

NOW, SECOND = 1_790_000_000_000, 1000
LENGTH_MS = 10_000
GREEDY = 0.002  # temperature of the draw


class Served:
    def __init__(
        self,
        quality: float = 1.0,
        similar: float = 0.7,
        temperature: float = GREEDY,
        explore: float = 0.0,
    ) -> None:
        zero = dict.fromkeys(Weights.__struct_fields__, 0.0)
        self._config = Config(
            weights=Weights(**(zero | {"quality": quality, "similar": similar, "ranker": 1.0})),
            temperature=temperature,
            explore=explore,
            author_spread=0.0,
            most_of_one=1.0,
            owed=Owed(share=0.0),  # to the log all are old: none is owed viewers
            source_deadline_ms=1e9,
            score_deadline_ms=1e9,
        )

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        data = b""
        if logged is not None:
            data = encode(np.arange(n_videos), described_log(logged, n_videos, SIZE), {})
        self._engine = Engine.new(
            self._config, models=lambda kind, digest: self.artefact(kind, digest, data)
        )
        self._offset, self._now_ms = 0, NOW
        if logged is not None:
            self._tell(ev.Promoted(ev.ModelKind.PLACES, "0" * 64, NOW))
        self._empty = True

    def artefact(self, _kind: str, _digest: str, places: bytes) -> bytes:
        """Of what is in force."""
        return places

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        if self._empty:  # what is open to the first who asks is the catalogue
            self._tell(*(_published(video) for video in np.flatnonzero(~closed).tolist()))
            self._empty = False
        slate = self._engine.slate(Query(viewer=f"m{viewer + 10**6}", now_ms=self._now_ms, n=n))
        return np.array([pick.video for pick in slate.picks], np.int64)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        self._tell(
            *(
                self._watched(viewer, video, like)
                for video, like in zip(videos.tolist(), liked.tolist(), strict=True)
            )
        )

    def _watched(self, viewer: int, video: int, like: bool) -> ev.Watched:
        self._now_ms += SECOND
        kind = ev.WatchKind.FINISHED if like else ev.WatchKind.SKIPPED
        watched_ms = LENGTH_MS if like else LENGTH_MS // 20
        return ev.Watched(f"m{viewer + 10**6}", video, kind, watched_ms, LENGTH_MS, self._now_ms)

    def _tell(self, *events: ev.Event) -> None:
        self._engine.observe(list(enumerate(events, self._offset + 1)))
        self._offset += len(events)


def _published(video: int) -> ev.Published:
    return ev.Published(video, 1, "", (), "", LENGTH_MS, NOW)


SERVED = [Entry("Jhalak, as served", Served, needs_log=False)]
# What the draw that serves by default leaves, beside the greedy one above.
EXPLORING = Entry(
    "Jhalak, as served, exploring",
    partial(Served, temperature=Config().temperature, explore=Config().explore),
    needs_log=False,
)
