"""What the engine knew before each view, and what came of it: the log is replayed to the feed's own
state, and before a watch is learnt the page's own code says what the ranker would have been given.

A view teaches what feed.training.answers keeps of it: nothing of what somebody forgot, took out or
declined. Its label may come later (another round, a like); history is what stood at that moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from jhalak.feed import events as ev
from jhalak.feed.config import Config
from jhalak.feed.engine import Engine
from jhalak.feed.learning import ReadModel
from jhalak.feed.models import ModelError
from jhalak.feed.query import Query
from jhalak.feed.ranker import inputs
from jhalak.feed.ranker.layout import HEADS
from jhalak.feed.ranker.watch_time import verdicts
from jhalak.feed.training.answers import Answers

MOST = 60_000  # views, the newest


class Examples(NamedTuple):
    """`n` views in the order of the log."""

    offset: npt.NDArray[np.int64]  # [n]
    viewer: npt.NDArray[np.int64]  # [n]
    good: npt.NDArray[np.bool_]  # [n]
    history: npt.NDArray[np.float32]  # [n, HISTORY, TOKEN]
    known: npt.NDArray[np.float32]  # [n, HISTORY]
    places: npt.NDArray[np.float32]  # [n, SIZE]
    features: npt.NDArray[np.float32]  # [n, FEATURES]
    chance: npt.NDArray[np.float64]  # [n]: that it feels good, as the learner said
    length_ms: npt.NDArray[np.int64]  # [n]
    watched_ms: npt.NDArray[np.int64]  # [n]
    finished: npt.NDArray[np.bool_]  # [n]
    gestures: npt.NDArray[np.float32]  # [n, HEADS], 0 or 1
    table: npt.NDArray[np.float64]  # what a watch says, at the end of the log
    refusal: float

    def some(self, rows: Any) -> Examples:
        columns = {name: getattr(self, name)[rows] for name in self._fields[:12]}
        return self._replace(**columns)


class _View(NamedTuple):
    offset: int
    viewer: int
    good: bool
    answers: inputs.Answers
    row: int
    features: npt.NDArray[np.float32]
    chance: float
    length_ms: int
    label: list[Any]  # watched_ms, finished, gestures


def gather(events: Iterable[tuple[int, ev.Event]], answers: Answers, models: ReadModel) -> Examples:
    """Of the newest MOST views that `answers` of the same log keeps."""
    kept = dict(zip(answers.offset.tolist(), range(len(answers.offset)), strict=True))
    config = msgspec.structs.replace(Config(), source_deadline_ms=1e9, score_deadline_ms=1e9)
    engine = Engine.new(config, models=_without_rankers(models))
    views: deque[_View] = deque(maxlen=MOST)
    last: dict[tuple[str, int], _View] = {}
    for offset, event in events:
        at = kept.get(offset)
        if at is not None and isinstance(event, ev.Watched):
            good = bool(answers.good[at])
            made = _before(engine, event, offset, answers.viewer.item(at), good)
            if made is not None:
                views.append(made)
                last[event.viewer, event.video] = made
                last[event.viewer, -1] = made
        _label(engine, last, event)
        engine.observe([(offset, event)])
        if isinstance(event, ev.Watched):
            _watched(engine, last.get((event.viewer, event.video)), event)
    return _columns(engine, list(views))


def _without_rankers(models: ReadModel) -> ReadModel:
    def read(kind: str, digest: str) -> bytes:
        if kind != ev.ModelKind.PLACES:
            raise ModelError("none while examples are gathered")
        return models(kind, digest)

    return read


def _before(
    engine: Engine, event: ev.Watched, offset: int, viewer: int, good: bool
) -> _View | None:
    query = Query(viewer=event.viewer, now_ms=event.served_ms or event.at_ms)
    found = engine._examine(query, event.video)
    if found is None:
        return None
    page, batch, scores = found
    answers = inputs.answers(page)
    features = inputs.features(page, batch, scores, answers)[0]
    row = batch.rows.item(0)
    odds = page.learner.mean.item(0) + batch["quality"].item(0) + batch["suits"].item(0)
    odds += page.taste.level if page.taste is not None else 0.0
    return _View(
        offset,
        viewer,
        good,
        answers,
        row,
        features,
        1.0 / (1.0 + float(np.exp(-np.clip(odds, -30.0, 30.0)))),
        int(inputs.length_ms(page, batch.rows)[0]),
        [0, False, [0.0] * len(HEADS)],
    )


_HEAD: dict[type, str] = {
    ev.Liked: "like",
    ev.Shared: "share",
    ev.Saved: "save",
    ev.ProfileOpened: "profile",
    ev.NotInterested: "not_interested",
}


def _label(engine: Engine, last: dict[tuple[str, int], _View], event: ev.Event) -> None:
    """A gesture belongs to the view before it; who follows an author, to the last view of his."""
    head = _HEAD.get(type(event))
    view: _View | None = None
    if head is not None:
        view = last.get((event.viewer, event.video))  # type: ignore[union-attr]
    elif isinstance(event, ev.Followed):
        head, view = "follow", last.get((event.viewer, -1))
        catalogue = engine._state.catalogue
        author = catalogue.authors.find(event.author)
        if view is None or catalogue.columns["author"].item(view.row) != author:
            return
    if head is not None and view is not None:
        view.label[2][HEADS.index(head)] = 1.0


def _watched(engine: Engine, view: _View | None, event: ev.Watched) -> None:
    session = engine._state.viewers.session(event.viewer)
    row = engine._state.catalogue.row_of.get(event.video)
    if view is None or session is None or row is None or row not in session.recent:
        return
    seen = session.recent[row]
    view.label[0], view.label[1] = seen.watched_ms, seen.finished


def _columns(engine: Engine, views: list[_View]) -> Examples:
    state = engine._state
    places = state.catalogue.columns["place"]  # as they are now: what it will be served with
    made = [inputs.tokens(view.answers, places) for view in views]
    rows = np.array([view.row for view in views], np.int32)
    return Examples(
        np.array([view.offset for view in views], np.int64),
        np.array([view.viewer for view in views], np.int64),
        np.array([view.good for view in views], np.bool_),
        np.array([history for history, _ in made], np.float32),
        np.array([known for _, known in made], np.float32),
        places[rows],
        np.array([view.features for view in views], np.float32),
        np.array([view.chance for view in views]),
        np.array([view.length_ms for view in views], np.int64),
        np.array([view.label[0] for view in views], np.int64),
        np.array([view.label[1] for view in views], np.bool_),
        np.array([view.label[2] for view in views], np.float32),
        verdicts(state.fairness, state.config.skip_below),
        state.config.refusal,
    )
