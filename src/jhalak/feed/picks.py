"""What is told of each slot of a page: the score, the chance that it had, and why it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from jhalak.feed.page import Page
from jhalak.feed.pipeline import Pipeline
from jhalak.feed.protocols import Result, Slot
from jhalak.feed.query import Pick
from jhalak.feed.ranker.causes import through_ranker
from jhalak.feed.reasons import FAINT, reasons
from jhalak.feed.rungs import LastSlate
from jhalak.feed.variants import Asked


def picks(page: Page, asked: Asked, results: Sequence[Result]) -> tuple[Pick, ...]:
    """One for each slot. `results`: one, or of a page that two settings fill in turn one for each
    and all slots in the first.
    """
    slots = results[0].slots
    ranked = [
        through_ranker(
            page, made, [slot for slot in slots if slot.side == side], variant.config, FAINT
        )
        for side, (made, variant) in enumerate(zip(results, asked.variants, strict=True))
    ]
    return tuple(
        _pick(page, results[slot.side], number, slot, asked, ranked[slot.side])
        for number, slot in enumerate(slots)
    )


def _pick(
    page: Page,
    result: Result,
    number: int,
    slot: Slot,
    asked: Asked,
    ranked: dict[tuple[int, str], float],
) -> Pick:
    variant = asked.variants[slot.side]
    score = 0.0
    if result.scores is not None and slot.place >= 0:
        score = result.scores.total.item(slot.place)
    return Pick(
        video=page.catalogue.ids.item(slot.row),
        slot=number,
        source=slot.source,
        propensity=slot.propensity,
        score=score,
        explore=slot.explore,
        reasons=reasons(page, result.scores, slot, _came_by(page, slot, variant.pipeline), ranked),
        arms=variant.arms if slot.credited else asked.arms,
    )


def _came_by(page: Page, slot: Slot, pipeline: Pipeline) -> str:
    """The source or rung that brought a row; of one ranked earlier, the source of then."""
    if slot.source != LastSlate.name:
        return slot.source
    place = page.ranking.rows.tolist().index(slot.row)
    return pipeline.source_name(page.ranking.sources.item(place))
