"""What is made of a clip, and in which order; not where rows and objects are.

The same code runs in the site's own worker and on a runner elsewhere: what it makes it gives to a
`Place`, which keeps it. Nothing here knows Django or HTTP.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec

from jhalak import media

Progress = Callable[[float], None]
CHECKED = 0.02  # how far this step is on the whole way of the first rendition


class Facts(msgspec.Struct, frozen=True):
    """What a clip will be, known once it is taken."""

    duration_ms: int
    width: int
    height: int


class Start(msgspec.Struct, frozen=True):
    """Where a run sets out. `playable`: viewers are in the middle of pieces of a dead run, which
    are `known`: their numbers, and durations in ms. `init`: SHA-256 of the init part among them.
    """

    playable: bool
    known: dict[int, int]
    init: str


class Place(Protocol):
    """Where what is made is kept. Each call is over when it is kept, and raises when the run does
    not count any more.
    """

    def prepare(self, facts: Facts) -> None: ...
    def posters(self, posters: media.Posters) -> None: ...
    def piece(self, piece: media.Piece) -> None: ...
    def first(self, rendition: media.Rendition, more: bool) -> None: ...
    def rest(self, renditions: tuple[media.Rendition, ...]) -> None: ...
    def modern(self, renditions: tuple[media.Rendition, ...]) -> None: ...
    def scrubbing(self, board: media.Storyboard, preview: Path) -> None: ...


def make_first(
    source: Path,
    room: Path,
    limits: media.Limits,
    start: Start,
    place: Place,
    progress: Progress,
    sound: Path | None = None,
) -> None:
    """The first rendition of the clip `source`, made in the folder `room`. `sound`: what is heard
    instead of its own. Raises media.Refused.
    """
    plan = media.plan(media.probe(source, limits), limits)
    progress(CHECKED)
    if not start.playable:
        place.prepare(Facts(plan.probe.duration_ms, plan.first.width, plan.first.height))
    with _posters(plan, source, room, start, place) as put:

        def keep(piece: media.Piece) -> None:
            put()  # nothing is watched before its poster is there
            place.piece(piece)

        rendition = media.make_first(
            plan,
            source,
            room,
            Growing(start, keep).add,
            lambda share: progress(CHECKED + (1 - CHECKED) * share),
            sound=sound,
        )
        put()
    place.first(rendition, plan.more)


@contextmanager
def _posters(
    plan: media.Plan, source: Path, room: Path, start: Start, place: Place
) -> Iterator[Callable[[], None]]:
    """Makes the posters beside the first rendition, which leaves a core free. What is yielded waits
    for them and gives them to the place, once.
    """
    if start.playable:  # they are there
        yield lambda: None
        return
    stop = threading.Event()
    with ThreadPoolExecutor(1, "posters") as beside:
        made = beside.submit(media.make_posters, source, room, probe=plan.probe, stop=stop)
        try:
            yield cache(lambda: place.posters(made.result()))
        finally:
            stop.set()


def make_rest(
    source: Path,
    room: Path,
    limits: media.Limits,
    place: Place,
    progress: Progress,
    sound: Path | None = None,
) -> None:
    """All other renditions, and of a copy perhaps another with its loudness put right."""
    plan = media.plan(media.probe(source, limits), limits)
    place.rest(tuple(media.make_rest(plan, source, room, progress, sound=sound)))


def make_modern(
    source: Path,
    room: Path,
    limits: media.Limits,
    place: Place,
    progress: Progress,
    sound: Path | None = None,
) -> None:
    """The renditions in AV1 with Opus. Raises media.Refused."""
    plan = media.plan(media.probe(source, limits), limits)
    place.modern(media.make_modern(plan, source, room, progress, sound=sound))


def make_scrubbing(
    source: Path, room: Path, limits: media.Limits, place: Place, progress: Progress
) -> None:
    """Storyboard and preview of `source`, which is the first rendition: small, and its key frames
    are near. Raises media.Refused.
    """
    probe = media.probe(source, limits)
    board = media.make_storyboard(source, room, probe=probe, limits=limits)
    progress(0.5)
    place.scrubbing(board, media.make_preview(source, room, probe=probe, limits=limits))


class Growing:
    """Takes the pieces of one run, and gives on those that viewers lack.

    A run that repeats a dead one finds pieces that viewers are watching. They stay. If the new init
    part is the same bytes, the encoder set out the same way, and what is new goes on where the old
    ends; if not, nothing is added, and viewers get the whole file when it is there.
    """

    def __init__(self, start: Start, keep: Callable[[media.Piece], None]) -> None:
        self._start = start
        self._keep = keep
        self._mute = False

    def add(self, piece: media.Piece) -> None:
        """Called by the media engine, in order."""
        if piece.number in self._start.known:
            self._mute = self._mute or not self._same(piece)
        elif not self._mute:
            self._keep(piece)

    def _same(self, piece: media.Piece) -> bool:
        if piece.init:
            return hashlib.sha256(piece.path.read_bytes()).hexdigest() == self._start.init
        return self._start.known[piece.number] == piece.duration_ms
