"""Views and full watches of each video, counted from the event log.

What counts is the time that the clock allowed (`feed.clock`), never what a client called it.
The log holds each serving's end once, so counting it is adding up. The cursor and the counters move
in one transaction: a worker that is killed goes on where the counters stand.
"""

from __future__ import annotations

import logging
from collections import defaultdict

from django.db import transaction

from jhalak import records
from jhalak.feed.events import BadEvent, Watched, WatchKind, decode
from jhalak.feed.fairness import CREDIBLE, END
from jhalak.videos.actions import do_count_views
from jhalak.viewing.models import LogCursor

log = logging.getLogger(__name__)

NAME = "views"
BATCH = 2_000
VIEW_MS = 1_000  # watched for less is a swipe past, not a view
FULL = frozenset({WatchKind.FINISHED, WatchKind.REPLAYED})


def count_views() -> int:
    """Count what the log holds after the cursor, up to BATCH events. Returns how many were read."""
    before = LogCursor.objects.get_or_create(name=NAME)[0].offset
    stored = records.events().read(before, BATCH)
    if not stored:
        last = records.events().last()
        if before > last:  # a log put back from before: what it gets from now on is new
            LogCursor.objects.filter(name=NAME, offset=before).update(offset=last)
        return 0
    counts: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for one in stored:
        try:
            event = decode(one.body)
        except BadEvent as error:  # of a later version: passed over, as the engine does
            log.warning("event %d in the log is not understood: %s", one.offset, error)
            continue
        if isinstance(event, Watched):
            view, full = _counts(event)
            counts[event.video][0] += view
            counts[event.video][1] += full
    with transaction.atomic():
        moved = LogCursor.objects.filter(name=NAME, offset=before).update(offset=stored[-1].offset)
        if moved:  # else another worker counted these meanwhile
            do_count_views({video: (views, fulls) for video, (views, fulls) in counts.items()})
    return len(stored)


def _counts(event: Watched) -> tuple[bool, bool]:
    """Whether it is a view, and whether a full watch. A clip shorter than VIEW_MS is viewed by
    watching it.
    """
    view = event.watched_ms >= min(VIEW_MS, END * event.duration_ms) > 0
    return view, view and event.kind in FULL and event.watched_ms >= CREDIBLE * event.duration_ms
