"""The feed engine: what is asked, learnt and kept, in one object with one lock.

The lock is held for as long as one page or one batch of events takes (well under a millisecond);
a snapshot holds it only to take the state as it is, not to make bytes of it. Who brings events
takes turns with others who do, by a second lock: so what takes long before a promotion is done
while pages go on.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from jhalak.feed import events as ev
from jhalak.feed import interleaving
from jhalak.feed import snapshot as snapshots
from jhalak.feed.columns import Batch
from jhalak.feed.config import Config
from jhalak.feed.draws import Draws, seed_of
from jhalak.feed.figures import figures, seen
from jhalak.feed.held import Held, held, inputs
from jhalak.feed.in_flight import InFlight
from jhalak.feed.learning import ReadModel, State
from jhalak.feed.models import ModelError
from jhalak.feed.page import Page
from jhalak.feed.picks import picks
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.protocols import Result, Scores
from jhalak.feed.query import Query, Scope, Slate
from jhalak.feed.ranker.in_force import InForce
from jhalak.feed.ranker.scorer import TERM
from jhalak.feed.ring import Ring, ring
from jhalak.feed.served_before import Ranking, ServedBefore
from jhalak.feed.stages import standard
from jhalak.feed.tally import Tally
from jhalak.feed.variants import Asked, Variants

log = logging.getLogger(__name__)

Log: TypeAlias = Iterable[tuple[int, ev.Event]] | Callable[[int], Iterable[tuple[int, ev.Event]]]

MODEL = "taste-1"
MOST_ASKED = 100  # videos on one page
BATCH = 1000  # events of a replay under one hold of the lock
SENSELESS = (KeyError, TypeError, ValueError, OverflowError, ModelError)  # events raise these


class Score(msgspec.Struct, frozen=True):
    """What one video would score for a query, and the parts of it."""

    video: int
    total: float
    terms: dict[str, float]


def no_models(kind: str, digest: str) -> bytes:
    """Where nothing was ever trained."""
    raise ModelError(f"there is no folder of models to find {kind} {digest[:12]} in")


class Engine:
    """Safe to use from several threads. One for each process that serves pages: they agree by
    observing the same log.
    """

    def __init__(self, state: State, pipeline: Callable[[Config], Pipeline], began: str) -> None:
        self._state = state
        self._variants = Variants(state, pipeline)
        self._began = began
        self._lock = threading.RLock()
        self._observing = threading.Lock()  # always taken before the other
        self._served = ServedBefore(state.config)
        owed = state.config.owed
        self._in_flight = InFlight(owed.answer_ms, owed.impressions)
        self._closed = np.zeros(0, np.uint8)
        self._positions = np.zeros(0, np.int32)
        self._events: Counter[str] = Counter()
        self._stages: dict[str, Tally] = {}
        self._pages = {"full": 0, "short": 0, "empty": 0}
        self._inputs: Counter[str] = Counter()  # pages by behavioural input
        self._rankers = InForce(state.read_model)

    @classmethod
    def new(
        cls,
        config: Config | None = None,
        *,
        pipeline: Callable[[Config], Pipeline] = standard,
        models: ReadModel = no_models,
        began: str = "new",
    ) -> Engine:
        """An engine that knows nothing yet. `models` gives the bytes of trained artefacts."""
        config = config or Config()
        return cls(State(config, models), pipeline, began)

    @classmethod
    def load(
        cls,
        folder: Path,
        events: Log,
        config: Config | None = None,
        *,
        pipeline: Callable[[Config], Pipeline] = standard,
        models: ReadModel = no_models,
    ) -> Engine:
        """The engine of the snapshot in `folder`, brought up to date from the log.

        `events`: the log from its beginning (what the snapshot holds already is passed over), or a
        function that gives the events after an offset. A snapshot that cannot be used is named in
        the log and in `report()["began"]`, and everything is replayed.
        """
        config = config or Config()
        try:
            state = snapshots.read(folder, config, models)
            began = "new" if state is None else f"snapshot at {state.offset}"
        except snapshots.BadSnapshot as error:
            log.warning("the feed snapshot in %s is not used: %s", folder, error)
            state, began = None, f"snapshot refused: {error}"
        engine = cls(state or State(config, models), pipeline, began)
        batch: list[tuple[int, ev.Event]] = []
        for pair in events(engine.offset) if callable(events) else events:
            batch.append(pair)
            if len(batch) == BATCH:
                engine.observe(batch)
                batch.clear()
        engine.observe(batch)
        return engine

    @property
    def offset(self) -> int:
        """Of the last event observed; 0 before the first."""
        return self._state.offset

    @property
    def model(self) -> str:
        """What ranks: the learner, and the ranker's digest shortened while one is served."""
        with self._lock:
            return self._model(self._rankers.ranker(self._state.models) is not None)

    def _model(self, ranked: bool) -> str:
        digest = self._state.models.get(ev.ModelKind.RANKER, "")
        return f"{MODEL}+{digest[:12]}" if ranked else MODEL

    def observe(self, events: Sequence[tuple[int, ev.Event]]) -> int:
        """Learns from (offset, event) pairs in the order of the log. What is at or before
        `offset` was learnt already and is passed over. Returns how many were new.
        """
        with self._observing:
            new, start = 0, 0
            for at, (offset, event) in enumerate(events):
                if isinstance(event, ev.Promoted) and offset > self._state.offset:
                    new += self._take(events[start:at])
                    start = at
                    with suppress(*SENSELESS):  # then it is refused below, and counted
                        self._state.prepare(event)
            return new + self._take(events[start:])

    def _take(self, events: Sequence[tuple[int, ev.Event]]) -> int:
        new = 0
        with self._lock:
            state = self._state
            for offset, event in events:
                if offset <= state.offset:
                    self._events["repeated"] += 1
                    continue
                self._learn(event)
                state.offset = offset
                new += 1
        return new

    def _learn(self, event: ev.Event) -> None:
        name = type(event).__name__
        try:
            known = self._state.apply(event)
        except SENSELESS as error:
            # One event that makes no sense must not stop all those after it, here and at each
            # replay. The vocabulary bounds every field, so this is a bug upstream: say so.
            self._events[f"{name}.refused"] += 1
            log.warning("the feed cannot learn from %r: %s", event, error)
            return
        self._events[name if known else f"{name}.unknown"] += 1
        if isinstance(event, ev.Joined):
            self._served.join(event.guest, event.member)
        elif isinstance(event, ev.Forgotten | ev.PersonalDeclined):
            self._served.forget(event.viewer)
        elif isinstance(event, ev.Watched) and known:
            self._in_flight.answered(self._state.catalogue.row_of[event.video])

    def slate(self, query: Query) -> Slate:
        """A page of `query.n` videos; fewer only when fewer are eligible."""
        if query.n < 1 or query.n > MOST_ASKED:
            raise ValueError(f"a page of {query.n} videos; ask for 1 to {MOST_ASKED}")
        with self._lock:
            asked = self._variants.asked(query)
            page, slate = self._page(query, asked.variants[0].config)
            try:
                results = self._drawn(asked, page)
                result = results[0]
                told = picks(page, asked, results)
            finally:
                page.release()
            self._note(page, result)
            used = inputs(page.session)
            self._inputs.update(used or ("none",))
            by_ranker = result.scores is not None and TERM in result.scores.names
            self._rankers.count(by_ranker)
            return Slate(slate, told, self._model(by_ranker), tuple(result.reports), used)

    def score(self, query: Query, videos: Sequence[int]) -> list[Score]:
        """What these videos would score for this query, rules aside: for consoles, simulations
        and for asking what a cause is worth. Unknown videos are left out.
        """
        with self._lock:
            variant = self._variants.asked(query).variants[0]
            page, _ = self._page(query, variant.config)
            try:
                rows = self._state.catalogue.rows(dict.fromkeys(videos))
                batch, scores = variant.pipeline.weigh(page, np.array(rows, np.int32))
            finally:
                page.release()
            if scores is None:
                return []
            return [
                Score(
                    self._state.catalogue.ids.item(row),
                    scores.total.item(place),
                    dict(zip(scores.names, scores.terms[:, place].tolist(), strict=True)),
                )
                for place, row in enumerate(batch.rows.tolist())
            ]

    def _examine(self, query: Query, video: int) -> tuple[Page, Batch, Scores] | None:
        """The page, columns and scores of one video, for training; None for one not known."""
        page, _ = self._page(query, self._state.config)
        page.release()
        rows = np.array(self._state.catalogue.rows([video]), np.int32)
        batch, scores = self._variants.of(()).pipeline.weigh(page, rows)
        return None if scores is None else (page, batch, scores)

    def ring(self, now_ms: int, count: int) -> Ring:
        """What to serve to anybody while this engine is away."""
        with self._lock:
            return ring(self._state, now_ms, count)

    def held(self, viewer: str, now_ms: int) -> Held:
        """What is held about a viewer at this time, for the viewer to see."""
        with self._lock:
            state = self._state
            return held(viewer, state.viewers, state.catalogue, now_ms, state.config)

    def snapshot(self, folder: Path) -> Path:
        """Keeps the state in a folder, whole or not at all. The same events give the same bytes."""
        return snapshots.save(folder, snapshots.dumps(self._frozen()))

    def state_bytes(self) -> bytes:
        return b"".join(snapshots.dumps(self._frozen()))

    def _frozen(self) -> snapshots.Frozen:
        with self._lock:
            return snapshots.freeze(self._state)

    def report(self) -> dict[str, Any]:
        """How it is: sizes, events by kind, pages, and each stage's outcomes and time."""
        with self._lock:
            state = self._state
            catalogue, viewers = state.catalogue, state.viewers
            return {
                "model": self.model,
                "began": self._began,
                "offset": state.offset,
                "videos": {
                    "known": catalogue.count,
                    "public": len(catalogue.newest),
                    "followers": sum(map(len, catalogue.inner_by_author.values())),
                },
                "viewers": {
                    "sessions": len(viewers.sessions),
                    "members_with_ties": len(viewers.all_ties.members),
                    "guests_with_ties": len(viewers.all_ties.guests),
                    "forgotten": viewers.sessions.forgotten,
                    "served_lately": len(self._served),
                },
                "models": dict(state.models),
                "ranker": self._rankers.report(),
                "events": dict(sorted(self._events.items())),
                "pages": dict(self._pages),
                "inputs": dict(sorted(self._inputs.items())),
                "owed": state.owed.report() | {"in_flight": len(self._in_flight)},
                "stages": {name: tally.report() for name, tally in self._stages.items()},
                "weights": state.tuning.report(state.config),
                "experiments": state.experiments.report(state.now_ms),
            }

    def figures(self) -> dict[str, Any]:
        """The tables of the operator's page: see `feed.figures`. Most of the work is done without
        the lock.
        """
        with self._lock:
            counted = seen(self._state.statistics, self._state.catalogue, self._state.now_ms)
        return figures(counted)

    def _page(self, query: Query, config: Config) -> tuple[Page, str]:
        state = self._state
        capacity = state.catalogue.capacity
        if len(self._closed) < capacity:
            self._closed = np.zeros(capacity, np.uint8)
            self._positions = np.zeros(capacity, np.int32)
        number = self._served.next(query.viewer)
        seed = query.seed
        if seed is None:
            seed = seed_of(query.viewer, state.offset, number, query.now_ms)
        session = state.viewers.session(query.viewer)
        page = Page(
            query,
            state.catalogue,
            config,
            session=session,
            own=lambda: state.taste(query.viewer, session),
            learner=state.learner,
            ties=state.viewers.ties(query.viewer),
            served=self._served.rows(query.viewer, query.now_ms),
            ranking=self._served.ranking(query.viewer),
            closed=self._closed,
            draws=Draws(seed),
            owed=state.owed,
            in_flight=self._in_flight,
            fairness=state.fairness,
            ranker=self._rankers.ranker(state.models),
        )
        return page, f"{seed_of(seed, query.viewer, number, query.now_ms):016x}"

    def _drawn(self, asked: Asked, page: Page) -> tuple[Result, ...]:
        """One result; of a page that two settings fill in turn one for each, and all its slots in
        the first.
        """
        if len(asked.variants) == 1:
            return (asked.variants[0].pipeline.execute(page, self._positions),)
        one, two = asked.variants
        return interleaving.execute(
            (one.pipeline, two.pipeline), (page, page.under(two.config)), self._positions
        )

    def _note(self, page: Page, result: Result) -> None:
        """Remembers what was served and counts how it went."""
        query = page.query
        ranking = None
        if result.scores is not None and query.personal and query.scope is Scope.FOR_YOU:
            best = (-result.scores.total).argsort()[: 4 * query.n]
            ranking = Ranking(result.batch.rows[best], result.batch["sources"][best])
        self._served.note(query.viewer, query.now_ms, [slot.row for slot in result.slots], ranking)
        for slot in result.slots:
            if slot.row in self._state.owed.debts:
                self._in_flight.served(slot.row, query.now_ms)
        missing = query.n - len(result.slots)
        self._pages["full" if not missing else "short" if result.slots else "empty"] += 1
        for report in result.reports:
            tally = self._stages.get(report.stage)
            if tally is None:
                tally = self._stages[report.stage] = Tally()
            tally.add(report)
