"""Do these stages fit together? Asked once, at start, so that no page ever finds out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jhalak.feed.protocols import Rung, Source, Stage

GIVEN = frozenset({"rows", "sources"})  # columns that every batch has from the start
MOST_SOURCES = 31  # bits in the column "sources"

# What a kind of stage can read, where that is not all that was made before it. Rules after also
# see rows that came from a rung, for which no feature was made.
READABLE: dict[str, frozenset[str]] = {
    "source": frozenset(),
    "rung": frozenset(),
    "rule after": GIVEN,
}


class AssemblyError(Exception):
    """Stages that do not fit together; the message names the stage and what is wrong with it."""


def check(groups: Sequence[tuple[str, Sequence[Stage]]]) -> None:
    """Refuses stages, given by kind in the order of work, of which one reads a column that nobody
    has made by then, or two make the same. Raises AssemblyError.
    """
    makers = {
        column: f"{kind} {stage.name!r}"
        for kind, stages in groups
        for stage in stages
        for column in stage.provides
    }
    made: dict[str, str] = dict.fromkeys(GIVEN, "the pipeline")
    for kind, stages in groups:
        names: set[str] = set()
        for stage in stages:
            me = f"{kind} {stage.name!r}"
            if stage.name in names:
                raise AssemblyError(f"there are two of {me}")
            names.add(stage.name)
            for column in sorted(stage.needs - READABLE.get(kind, frozenset(made))):
                raise AssemblyError(f"{me} needs {column!r}, {_why_not(column, made, makers)}")
            _enter(stage, kind, me, made)


def check_quotas(sources: Sequence[Source], rungs: Sequence[Rung]) -> None:
    """Raises AssemblyError for a source without a quota, too many of them, or no rung."""
    for source in sources:
        if source.quota <= 0:
            raise AssemblyError(f"source {source.name!r} has no quota")
    if len(sources) > MOST_SOURCES:
        raise AssemblyError(f"{len(sources)} sources; at most {MOST_SOURCES} can be told apart")
    if not rungs:
        raise AssemblyError("without a rung a page could stay empty")


def _enter(stage: Stage, kind: str, me: str, made: dict[str, str]) -> None:
    if stage.provides and kind != "feature":
        raise AssemblyError(f"{me} provides columns; only features may")
    for column in sorted(stage.provides):
        if column in made:
            raise AssemblyError(f"{me} and {made[column]} both make {column!r}")
        made[column] = me


def _why_not(column: str, made: Mapping[str, str], makers: Mapping[str, str]) -> str:
    if column in made:
        return f"which {made[column]} makes, but not for the rows that come here"
    if column in makers:
        return f"and {makers[column]} makes it, which runs later"
    return "and nobody makes it"
