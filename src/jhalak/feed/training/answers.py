"""What the event log says about who took to what: one answer for each view, as the log has it.

A view is judged as the engine judges it (feed.fairness), and as the engine does it counts once,
however many parts it came in. A like, a save or a share says that it was good, "not interested"
that it was not. What a guest answered is the member's that the guest became.

What somebody had forgotten, or took out of their history, teaches nothing any more; nor does what
they did while they paused learning or declined a personal feed.

The log is read whole, since it alone says what each video was. Its `root` is SHA-256 over offset,
length and body of every event: what else was trained from the same bytes has the same root.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jhalak.feed import events as ev
from jhalak.feed.config import Config
from jhalak.feed.fairness import Fairness
from jhalak.feed.models import Span
from jhalak.feed.training.words import words

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
GOOD, BAD = 1.0, -1.0  # what a gesture says that nobody made by accident
RECENT = 100_000  # views that may still go on (a finish after a part, another round)
TAKES_BACK: dict[type[ev.Event], type[ev.Event]] = {
    ev.Unliked: ev.Liked,
    ev.Unsaved: ev.Saved,
    ev.NotInterestedUndone: ev.NotInterested,
}


class Answers(NamedTuple):
    """`viewer` and `video` number from 0; `facts[video]` is what was last said of a video."""

    viewer: Ints  # [n]
    video: Ints  # [n]
    felt: Floats  # [n], from -1 to 1
    offset: Ints  # [n], ascending: where in the log each stands
    facts: list[ev.Published]
    span: Span

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        return self.felt > 0.0

    def until(self, offset: int) -> Answers:
        """Those up to an offset. The facts stay: what a video is was known when it was shown."""
        return self._replace(
            **{name: getattr(self, name)[self.offset <= offset] for name in self._fields[:4]}
        )


class _View(NamedTuple):
    place: int  # among the answers
    slate: str
    watched_ms: int
    finished: bool
    felt: float  # by watching alone
    octave: int
    bin: int


class Reader:
    """Takes the log in order, and has the answers at its end."""

    def __init__(self) -> None:
        self._fairness = Fairness(Config().skip_below)
        self._number: dict[int, int] = {}  # of a video
        self._facts: list[ev.Published] = []
        self._code: dict[str, int] = {}  # of a viewer key
        self._became: list[int] = []  # by code; the code itself where nobody became somebody else
        self._gone: set[int] = set()  # viewers by code, of whom all before is forgotten
        self._dropped: list[int] = []  # answers by place, taken out one by one
        self._paused: set[str] = set()  # by viewer key
        self._declined: set[str] = set()
        self._recent: OrderedDict[tuple[int, int], _View] = OrderedDict()  # by viewer and video
        # Gestures before any view, by kind, viewer and video: answers by place.
        self._said: OrderedDict[tuple[type[ev.Event], int, int], int] = OrderedDict()
        self._viewer, self._video = array("q"), array("q")
        self._felt, self._offset = array("d"), array("q")
        self._root = hashlib.sha256()
        self._first = self._last = self._count = 0

    def read(self, stored: Iterable[tuple[int, bytes]]) -> None:
        """Offsets and bodies. What is no event of this version is passed over, as in the engine."""
        for offset, body in stored:
            self._root.update(offset.to_bytes(8, "little") + len(body).to_bytes(8, "little"))
            self._root.update(body)
            self._first, self._last = self._first or offset, offset
            self._count += 1
            try:
                event = ev.decode(body)
            except ev.BadEvent:
                continue
            self._take(offset, event)

    def answers(self) -> Answers:
        viewer = self._resolved()[np.array(self._viewer, np.int64)]
        kept = ~np.isin(viewer, np.array(sorted(self._gone), np.int64))
        kept[self._dropped] = False
        return Answers(
            viewer[kept],
            np.array(self._video, np.int64)[kept],
            np.array(self._felt, np.float64)[kept],
            np.array(self._offset, np.int64)[kept],
            self._facts,
            Span(self._first, self._last, self._count, self._root.hexdigest()),
        )

    def _resolved(self) -> Ints:
        """The code of whom each viewer became in the end, by code."""
        became = np.array(self._became, np.int64)
        while len(became) and (became[became] != became).any():
            became = became[became]
        return became

    def _take(self, offset: int, event: ev.Event) -> None:
        match event:
            case ev.Watched():
                self._watched(offset, event)
            case ev.Published():
                self._published(event)
            case ev.Liked() | ev.Saved() | ev.Shared():
                self._gesture(offset, event, GOOD)
            case ev.NotInterested():
                self._gesture(offset, event, BAD)
            case ev.Unliked() | ev.Unsaved() | ev.NotInterestedUndone():
                self._taken_back(event)
            case ev.Joined():
                self._joined(event)
            case _:
                self._chosen(event)

    def _chosen(self, event: ev.Event) -> None:
        """What somebody decided about what is learnt of them."""
        match event:
            case ev.Unwatched():
                self._unwatched(event)
            case ev.InterestRemoved():
                self._interest_removed(event)
            case ev.LearningPaused():
                self._paused.add(event.viewer)
            case ev.LearningResumed():
                self._paused.discard(event.viewer)
            case ev.PersonalDeclined():
                self._forget(event.viewer)
                self._declined.add(event.viewer)
            case ev.PersonalAccepted():
                self._declined.discard(event.viewer)
            case ev.Forgotten():
                self._forget(event.viewer)

    def _published(self, event: ev.Published) -> None:
        number = self._number.setdefault(event.video, len(self._facts))
        if number == len(self._facts):
            self._facts.append(event)
        else:
            self._facts[number] = event

    def _viewer_of(self, key: str) -> int:
        code = self._code.get(key)
        if code is None:
            code = self._code[key] = len(self._became)
            self._became.append(code)
        return code

    def _watched(self, offset: int, event: ev.Watched) -> None:
        video = self._number.get(event.video)
        if video is None or self._silent(event.viewer):
            return
        viewer = self._viewer_of(event.viewer)
        watched_ms = event.watched_ms
        finished = event.kind in (ev.WatchKind.FINISHED, ev.WatchKind.REPLAYED)
        view = self._recent.pop((viewer, video), None)
        goes_on = view is not None and event.slate and view.slate == event.slate
        if view is not None and goes_on:
            self._fairness.learn(view.octave, view.bin, -1.0)
            watched_ms, finished = watched_ms + view.watched_ms, finished or view.finished
        duration_ms = self._facts[video].duration_ms or event.duration_ms
        verdict = self._fairness.judge(watched_ms, duration_ms, finished)
        self._fairness.learn(verdict.octave, verdict.bin)
        if view is not None and goes_on:
            place = view.place
            if self._felt[place] == view.felt:  # no gesture has said more
                self._felt[place] = verdict.felt
        else:
            place = self._answer(offset, viewer, video, verdict.felt)
        self._recent[viewer, video] = _View(place, event.slate, watched_ms, finished, *verdict[1:])
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def _gesture(self, offset: int, event: Any, felt: float) -> None:
        video = self._number.get(event.video)
        if video is None or self._silent(event.viewer):
            return
        viewer = self._viewer_of(event.viewer)
        view = self._recent.get((viewer, video))
        if view is None:
            self._said[type(event), viewer, video] = self._answer(offset, viewer, video, felt)
            if len(self._said) > RECENT:
                self._said.popitem(last=False)
        else:
            self._felt[view.place] = felt

    def _taken_back(self, event: Any) -> None:
        video, viewer = self._number.get(event.video), self._code.get(event.viewer)
        if video is None or viewer is None:
            return
        alone = self._said.pop((TAKES_BACK[type(event)], viewer, video), None)
        view = self._recent.get((viewer, video))
        if alone is not None:
            self._dropped.append(alone)
        elif view is not None:
            self._felt[view.place] = view.felt

    def _joined(self, event: ev.Joined) -> None:
        if event.guest in self._paused:
            self._paused.remove(event.guest)
            self._paused.add(event.member)
        if event.member in self._declined:
            self._forget(event.guest)
        guest = self._code.pop(event.guest, None)
        if guest is not None:
            self._became[guest] = self._viewer_of(event.member)

    def _silent(self, viewer: str) -> bool:
        return viewer in self._paused or viewer in self._declined

    def _forget(self, viewer: str) -> None:
        """What comes later is somebody else's, as far as learning goes."""
        code = self._code.pop(viewer, None)
        if code is not None:
            self._gone.add(code)

    def _unwatched(self, event: ev.Unwatched) -> None:
        video = self._number.get(event.video)
        self._drop(event.viewer, lambda number: number == video)

    def _interest_removed(self, event: ev.InterestRemoved) -> None:
        word = (event.kind.value, event.value)
        self._drop(
            event.viewer,
            lambda number: word in {(kind, str(name)) for kind, name in words(self._facts[number])},
        )

    def _drop(self, viewer: str, is_one: Callable[[int], bool]) -> None:
        """Takes out what a viewer answered about some videos. Rare, so everything is looked at."""
        became = self._resolved()
        code = self._code.get(viewer)
        if code is None:
            return
        for place in np.flatnonzero(became[np.array(self._viewer, np.int64)] == code).tolist():
            if is_one(self._video[place]):
                self._dropped.append(place)
                self._recent.pop((self._viewer[place], self._video[place]), None)

    def _answer(self, offset: int, viewer: int, video: int, felt: float) -> int:
        self._viewer.append(viewer)
        self._video.append(video)
        self._felt.append(felt)
        self._offset.append(offset)
        return len(self._felt) - 1
