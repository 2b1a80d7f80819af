"""Why a video is on the page: true reasons, the strongest first.

A reason is a term of the score that really was added, or the way the video came here when no term
speaks for it. Taking the named cause away lowers that video's score by the weight given.
"""

from __future__ import annotations

from collections.abc import Mapping

from jhalak.feed.numbered import Words
from jhalak.feed.page import Page
from jhalak.feed.protocols import Scores, Slot
from jhalak.feed.query import Reason, ReasonCode

MOST = 3
SEVERAL = 3.0  # watches
NEWEST = 64  # videos of the catalogue that may be called new, whatever their age
FAINT = 0.05  # a smaller part of a score is no reason
# A watch that speaks less than this for another is not named as its cause. Influence is a first
# order: of some 3,800 causes in random worlds 7 were none when taken away, the largest at 0.127.
NAMED = 0.1

BY_SOURCE: dict[str, ReasonCode] = {
    "scope": ReasonCode.SCOPE,
    "following": ReasonCode.FOLLOWED,
    "channel": ReasonCode.CHANNEL,
    "author": ReasonCode.AUTHOR,
    "tag": ReasonCode.TAG,
    "interest": ReasonCode.SIMILAR,
    "taste": ReasonCode.SIMILAR,
    "loved": ReasonCode.QUALITY,
    "trending": ReasonCode.TRENDING,
    "newest": ReasonCode.NEWEST,
    "owed": ReasonCode.OWED,
    "random": ReasonCode.EXPLORE,
    "served_again": ReasonCode.SEEN_AGAIN,
    "seen_again": ReasonCode.SEEN_AGAIN,
}


BY_TERM: dict[str, ReasonCode] = {code.value: code for code in ReasonCode}
EXPLORED = Reason(ReasonCode.EXPLORE, "", 0.0)
OWED = Reason(ReasonCode.OWED, "", 0.0)


def reasons(
    page: Page,
    scores: Scores | None,
    slot: Slot,
    came_by: str,
    ranked: Mapping[tuple[int, str], float],
) -> tuple[Reason, ...]:
    """Up to MOST reasons, at least one. `came_by`: the source or rung that brought the row.
    `ranked`: what a trained ranker adds to a term, or takes off, because of the same cause.
    """
    found: list[Reason] = []
    if scores is not None and slot.place >= 0:
        terms = [
            (weight + ranked.get((slot.place, name), 0.0), name)
            for weight, name in zip(scores.terms[:, slot.place].tolist(), scores.names, strict=True)
            if weight >= FAINT and name in BY_TERM
        ]
        least = NAMED if ranked else FAINT
        strongest = sorted([term for term in terms if term[0] >= least], reverse=True)
        strongest = [term for term in strongest if _sayable(page, slot.row, term[1])][:MOST]
        found = [
            Reason(BY_TERM[name], _value(page, slot, name), weight) for weight, name in strongest
        ]
    if slot.explore or slot.owed:
        return (EXPLORED if slot.explore else OWED, *found[: MOST - 1])
    if found:
        return tuple(found)
    code = BY_SOURCE[came_by]
    if not _sayable(page, slot.row, code.value):
        # The hottest while nobody watches are the newest; of what is not new, nothing is known yet.
        newest = page.catalogue.newest.head(NEWEST)
        code = ReasonCode.NEWEST if slot.row in newest else ReasonCode.EXPLORE
    return (Reason(code, _value(page, slot, code.value), 0.0),)


def _sayable(page: Page, row: int, name: str) -> bool:
    """Whether a cause is more than an assumption: what many watch, many have watched; what people
    take to, those who saw it did, and not only its like.
    """
    if name == "trending":
        return page.catalogue.watched_now(row, page.query.now_ms) >= SEVERAL
    if name == "quality":
        columns = page.catalogue.columns
        return bool(columns["fair_count"].item(row) >= SEVERAL and columns["alone"].item(row) > 0.0)
    if name == "similar":  # a dislike of other things is no reason that can be named
        return page.cause(row)[1] >= NAMED
    return True


def _value(page: Page, slot: Slot, name: str) -> str:
    """What the reason names: the channel, author, tag or language; "" for the others."""
    catalogue = page.catalogue
    columns, row = catalogue.columns, slot.row
    if name == "channel":
        return _name(catalogue.channels, columns["channel"].item(row))
    if name in ("author", "followed"):
        return _name(catalogue.authors, columns["author"].item(row))
    if name == "language":
        return _name(catalogue.languages, columns["language"].item(row))
    if name == "tag":
        return _name(catalogue.tags, page.best_tag(row))
    if name == "similar":
        cause, _ = page.cause(row)
        return str(catalogue.ids.item(cause)) if cause >= 0 else ""
    return page.query.scope_value if name == "scope" else ""


def _name(words: Words, code: int) -> str:
    return str(words.names[code]) if code >= 0 else ""
