"""One page that two settings fill in turn: team-draft interleaving.

For each pair of slots a fair coin says which setting picks first; the other has the second. Each
draws from its own candidates, by its own scores and its own sampler, from what neither has taken.
Whoever watches the page answers for both at once, so the difference between viewers, most of what
an A/B has to average out, is not in it (Radlinski, Kurup, Joachims, "How does clickthrough data
reflect retrieval quality?", CIKM 2008; Chapelle, Joachims, Radlinski, Yue, "Large-scale validation
and analysis of interleaved search evaluation", TOIS 2012).

Propensities stay exact. The coin is a part of the draw: the first slot of a pair has a video with
half the chance that one setting gives it there and half that of the other. The second is the other
setting's, given the coin, and has its chance. A slot that only one setting could still fill has
that setting's chance, and is credited to neither, as is what a rung brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jhalak.feed.draws import Draws
from jhalak.feed.orderings import Rows
from jhalak.feed.page import Page
from jhalak.feed.pipeline import Pipeline, Ranked
from jhalak.feed.protocols import Draft, Drawn, Result, Slot


class Turn(NamedTuple):
    """`credited`: both settings could have had this slot's pair."""

    row: int
    side: int
    drawn: Drawn
    credited: bool


class Side(NamedTuple):
    """One of the two settings: a pipeline, the page by its numbers, and what it makes of it."""

    pipeline: Pipeline
    page: Page
    ranked: Ranked


def execute(
    pipelines: tuple[Pipeline, Pipeline], pages: tuple[Page, Page], positions: Rows
) -> tuple[Result, Result]:
    """A result for each side; the first holds the slots of both. When one side has no scores, the
    page is the other's alone, and nothing on it is credited.
    """
    sides = [
        Side(pipeline, page, pipeline.rank(page, positions))
        for pipeline, page in zip(pipelines, pages, strict=True)
    ]
    run = sides[0].ranked.run
    able = [number for number, side in enumerate(sides) if side.ranked.scores is not None]
    slots = _fill(sides, able) if able else []
    result = pipelines[0].finish(pages[0], sides[0].ranked, slots)
    batch, scores = sides[1].ranked.batch, sides[1].ranked.scores
    run.reports.extend(sides[1].ranked.run.reports)
    return result, Result([], batch, scores, [])


def _fill(sides: Sequence[Side], able: Sequence[int]) -> list[Slot]:
    """Draws the page, has it checked again, and draws anew for what was taken out."""
    pipeline, page, (run, _, _) = sides[0]
    kept: list[Turn] = []
    barred: list[int] = []
    while len(kept) < page.query.n:
        taken = [turn.row for turn in kept]
        missing = page.query.n - len(kept)
        drawn = run.stage("slate:in turn", None, _draw, sides, able, taken, barred, missing)
        if drawn is None:
            break
        run.report(len(drawn))
        if not drawn:
            break
        bad = pipeline.recheck(run, _rows(drawn), frozenset())
        kept += [turn for turn, out in zip(drawn, bad, strict=True) if not out]
        barred += [turn.row for turn, out in zip(drawn, bad, strict=True) if out]
        if not any(bad):
            break
    return [
        sides[turn.side]
        .pipeline.slot(sides[turn.side].ranked.batch, turn.drawn)
        ._replace(side=turn.side, credited=turn.credited)
        for turn in kept
    ]


def _draw(
    sides: Sequence[Side],
    able: Sequence[int],
    taken: Sequence[int],
    barred: Sequence[int],
    count: int,
) -> list[Turn]:
    drafts: list[Draft | None] = [None, None]
    places: list[dict[int, int]] = [{}, {}]
    for number in able:
        pipeline, page, (_, batch, scores) = sides[number]
        assert scores is not None
        at = {row: place for place, row in enumerate(batch.rows.tolist())}
        held, out = ([at[row] for row in rows if row in at] for rows in (taken, barred))
        drafts[number] = pipeline.selector.begin(page, batch, scores, held, out, count)
        places[number] = at
    return alternate(drafts, places, {*taken, *barred}, count, sides[0].page.draws)


def alternate(
    drafts: Sequence[Draft | None],
    places: Sequence[dict[int, int]],
    gone: set[int],
    count: int,
    draws: Draws,
) -> list[Turn]:
    """Up to `count` slots. `places` says of each side which place of its batch a row has."""
    first_draft, second_draft = drafts
    if first_draft is not None and second_draft is not None:
        second_draft.reserve_as(first_draft)
    left = [len(at.keys() - gone) for at in places]
    row_of = [{place: row for row, place in at.items()} for at in places]
    turns: list[Turn] = []
    first = 0
    for at in range(count):
        both = left[0] > 0 and left[1] > 0
        if at % 2 == 0:
            first = int(draws.uniform() < 0.5)
        side = first if at % 2 == 0 else 1 - first
        if not left[side]:
            side = 1 - side
        draft = drafts[side]
        if draft is None or not left[side]:
            break
        drawn = draft.draw(at)
        row = row_of[side][drawn.place]
        other = drafts[1 - side]
        if both and at % 2 == 0 and other is not None:
            there = places[1 - side].get(row)
            chance = 0.0 if there is None else other.chance(there, at)
            drawn = drawn._replace(propensity=(drawn.propensity + chance) / 2.0)
        turns.append(Turn(row, side, drawn, both))
        for number, one in enumerate(drafts):
            place = places[number].get(row)
            if one is not None and place is not None:
                one.take(place)
                left[number] -= 1
    return turns


def _rows(turns: Sequence[Turn]) -> Rows:
    return np.array([turn.row for turn in turns], np.int32)
