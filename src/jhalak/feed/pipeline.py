"""The order of work on a page, in one function.

    Query -> Sources -> Features -> Rules(before) -> Scorers -> Slate -> Rules(after, refilled)
          -> Rungs -> After

Stages cannot reorder it. Each has a name, says which columns it needs and provides, has a quota or
a deadline, and ends in an outcome that is counted and reported. The order is checked when the
pipeline is put together (assembly.py). The idea of small stages under one `execute` is from
xai-org/x-algorithm's candidate-pipeline; declared columns, outcomes, deadlines and propensities
are ours.

What goes wrong stays small: a source, feature or scorer that raises or is late is reported and the
page goes on; without any score, or with too few candidates, rungs (the fallback ladder) fill the
page, best rung first. Only a rule is never passed over: one that raises refuses everything.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from jhalak.feed import assembly
from jhalak.feed.columns import Batch
from jhalak.feed.orderings import Rows
from jhalak.feed.page import Page, Refusal
from jhalak.feed.protocols import (
    OWED,
    After,
    Drawn,
    Feature,
    Result,
    Rule,
    Rung,
    Scorer,
    Scores,
    Selector,
    Slot,
    Source,
)
from jhalak.feed.running import Run, brought, made, scored

SINK = 50.0  # log-odds below the worst finite score: where a score that is no number goes


class Ranked(NamedTuple):
    """A page of which everything is known but the draw."""

    run: Run
    batch: Batch
    scores: Scores | None


class Pipeline:
    def __init__(
        self,
        *,
        sources: Sequence[Source],
        features: Sequence[Feature],
        before: Sequence[Rule],
        scorers: Sequence[Scorer],
        selector: Selector,
        after: Sequence[Rule],
        rungs: Sequence[Rung],
        finally_: Sequence[After] = (),
        timer: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        """Raises AssemblyError when the stages do not fit together.

        `timer`: nanoseconds for deadlines and reports; by default those that this thread has
        worked. Leaving out a stage does not help a page that waits for other threads.
        """
        self.sources, self.features = tuple(sources), tuple(features)
        self.before, self.scorers, self.selector = tuple(before), tuple(scorers), selector
        self.after, self.rungs, self.finally_ = tuple(after), tuple(rungs), tuple(finally_)
        self._timer = timer
        self._failures: Counter[str] = Counter()
        self._bits = {source.name: 1 << at for at, source in enumerate(self.sources)}
        assembly.check_quotas(self.sources, self.rungs)
        assembly.check(
            [
                ("source", self.sources),
                ("feature", self.features),
                ("rule before", self.before),
                ("scorer", self.scorers),
                ("selector", (self.selector,)),
                ("rule after", self.after),
                ("rung", self.rungs),
                ("after", self.finally_),
            ]
        )

    def execute(self, page: Page, positions: Rows) -> Result:
        """Answers one query. `positions` is scratch, int32, one for each row of the catalogue."""
        ranked = self.rank(page, positions)
        return self.finish(page, ranked, self._fill(ranked.run, page, ranked.batch, ranked.scores))

    def rank(self, page: Page, positions: Rows) -> Ranked:
        """Everything before the draw."""
        run = Run(page, self._timer, self._failures)
        batch = self._gather(run, page, positions)
        self._describe(run, page, batch)
        batch = self._admit(run, batch)
        return Ranked(run, batch, self._weigh(run, page, batch))

    def finish(self, page: Page, ranked: Ranked, slots: list[Slot]) -> Result:
        """Everything after it."""
        run = ranked.run
        slots = slots + self._climb(run, page, slots)
        result = Result(slots, ranked.batch, ranked.scores, run.reports)
        for stage in self.finally_:
            if run.stage(f"finally:{stage.name}", None, _took_note, stage, page, result):
                run.report(len(slots))
        return result

    def weigh(self, page: Page, rows: Rows) -> tuple[Batch, Scores | None]:
        """Features and scores of given rows, each once, without sources, rules and draw."""
        run = Run(page, self._timer, self._failures)
        batch = _batch(rows, np.zeros(len(rows), np.int32))
        self._describe(run, page, batch)
        return batch, self._weigh(run, page, batch)

    def _gather(self, run: Run, page: Page, positions: Rows) -> Batch:
        """Asks the sources and puts what they bring together, each row once, first come first.
        The column "sources" holds a bit for each source that brought the row.
        """
        found: list[tuple[int, Rows]] = []
        for source in self.sources:
            if page.query.scope not in source.scopes:
                continue
            page.passed = {}
            rows = run.stage(
                f"source:{source.name}",
                source.deadline_ms,
                brought,
                source.draw,
                page.catalogue.count,
                page,
            )
            if rows is not None:
                rows = rows[: source.quota]
                run.report(len(rows), page.passed)
                found.append((self._bits[source.name], rows))
        if not found:
            return _batch(np.empty(0, np.int32), np.empty(0, np.int32))
        everything = np.concatenate([rows for _, rows in found])
        places = np.arange(len(everything), dtype=np.int32)
        positions[everything[::-1]] = places[::-1]
        unique = everything[positions[everything] == places]
        positions[unique] = places[: len(unique)]
        bits = np.repeat([bit for bit, _ in found], [len(rows) for _, rows in found])
        union = np.zeros(len(unique), np.int32)
        np.bitwise_or.at(union, positions[everything], bits.astype(np.int32))
        return _batch(unique, union)

    def _describe(self, run: Run, page: Page, batch: Batch) -> None:
        for feature in self.features:
            done = run.stage(
                f"feature:{feature.name}", feature.deadline_ms, made, feature, page, batch
            )
            if done:
                run.report(len(batch))

    def _admit(self, run: Run, batch: Batch) -> Batch:
        for rule in self.before:
            refused = run.refuse(f"before:{rule.name}", rule, batch)
            if refused is not None:
                batch = batch.keep(~refused)
        return batch

    def _weigh(self, run: Run, page: Page, batch: Batch) -> Scores | None:
        """The scores of the last scorer that succeeded. What is no finite number sinks to the
        bottom and is counted.
        """
        best: Scores | None = None
        for scorer in self.scorers if len(batch) else ():
            scores = run.stage(
                f"scorer:{scorer.name}", scorer.deadline_ms, scored, scorer, page, batch, best
            )
            if scores is None:
                continue
            if scores is best:  # it had nothing to say
                run.report(0)
                continue
            bad = ~np.isfinite(scores.total)
            sunk = int(np.count_nonzero(bad))
            if sunk == len(bad):
                run.fail("no score is a finite number")
                continue
            run.report(len(bad), {"not_finite": sunk} if sunk else {})
            if sunk:
                total = scores.total.copy()
                total[bad] = total[~bad].min() - SINK
                scores = Scores(total, np.where(bad, 0.0, scores.terms), scores.names)
            best = scores
        return best

    def _fill(self, run: Run, page: Page, batch: Batch, scores: Scores | None) -> list[Slot]:
        """Draws the page, has it checked again, and draws anew for what was taken out."""
        kept: list[Drawn] = []
        barred: list[int] = []
        while scores is not None and len(kept) + len(barred) < len(batch):
            missing = page.query.n - len(kept)
            taken = [slot.place for slot in kept]
            drawn = run.stage(
                f"slate:{self.selector.name}",
                None,
                self.selector.select,
                page,
                batch,
                scores,
                taken,
                barred,
                missing,
            )
            if drawn is None:
                break
            run.report(len(drawn))
            if not drawn:
                break
            places = [slot.place for slot in drawn]
            bad = self.recheck(run, batch.rows[places], frozenset())
            kept += [slot for slot, out in zip(drawn, bad, strict=True) if not out]
            barred = barred + [place for place, out in zip(places, bad, strict=True) if out]
            if not any(bad):
                break
        return [self.slot(batch, slot) for slot in kept]

    def slot(self, batch: Batch, drawn: Drawn) -> Slot:
        bits = batch["sources"].item(drawn.place)
        return Slot(
            batch.rows.item(drawn.place),
            OWED if drawn.owed else self.source_name(bits, drawn.explore),
            drawn.propensity,
            drawn.explore,
            drawn.place,
            drawn.owed,
        )

    def source_name(self, bits: int, explore: bool = False) -> str:
        """The first source that brought a row; for a slot of exploration the last, the even one."""
        names = [name for name, bit in self._bits.items() if bits & bit]
        return names[-1] if explore else names[0]

    def recheck(self, run: Run, rows: Rows, relaxed: frozenset[Refusal]) -> list[bool]:
        """Rules(after): which of these rows may not be on the page."""
        batch = _batch(rows, np.zeros(len(rows), np.int32))
        bad = np.zeros(len(rows), np.bool_)
        for rule in self.after:
            if rule.refusal not in relaxed:
                refused = run.refuse(f"after:{rule.name}", rule, batch)
                if refused is not None:
                    bad |= refused
        return bad.tolist()

    def _climb(self, run: Run, page: Page, slots: Sequence[Slot]) -> list[Slot]:
        """What is missing from the page, from the rungs in their order."""
        held = {slot.row for slot in slots}
        found: list[Slot] = []
        for rung in self.rungs:
            missing = page.query.n - len(held)
            if missing <= 0:
                break
            page.passed = {}
            rows = run.stage(
                f"rung:{rung.name}",
                None,
                brought,
                rung.draw,
                page.catalogue.count,
                page,
                page.query.n,
            )
            if rows is None:
                continue
            run.report(len(rows), page.passed)
            wanted = [row for row in dict.fromkeys(rows.tolist()) if row not in held]
            bad = self.recheck(run, np.array(wanted, np.int32), rung.relaxes)
            fit = [row for row, out in zip(wanted, bad, strict=True) if not out][:missing]
            found += [Slot(row, rung.name, 1.0, False, -1) for row in fit]
            held.update(fit)
        return found


def _took_note(stage: After, page: Page, result: Result) -> bool:
    stage.run(page, result)
    return True


def _batch(rows: Rows, sources: Rows) -> Batch:
    batch = Batch(rows)
    batch.put("sources", sources, "the pipeline")
    return batch
