"""What a stage of the pipeline is: small protocols, and the plain values passed between stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from jhalak.feed.columns import Batch, Column, Mask
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.page import Page, Refusal
from jhalak.feed.query import Scope, StageReport

OWED = "owed"  # the source of what stands in a slot reserved for it


class Stage(Protocol):
    """`needs` and `provides` name columns of the batch."""

    @property
    def name(self) -> str: ...
    @property
    def needs(self) -> frozenset[str]: ...
    @property
    def provides(self) -> frozenset[str]: ...


class Source(Stage, Protocol):
    """Brings up to `quota` rows, best first, each once, for pages of its scopes."""

    @property
    def quota(self) -> int: ...
    @property
    def deadline_ms(self) -> float: ...
    @property
    def scopes(self) -> frozenset[Scope]: ...
    def draw(self, page: Page) -> Rows: ...


class Feature(Stage, Protocol):
    """Makes the columns it provides, of the batch's length and order."""

    @property
    def deadline_ms(self) -> float: ...
    def make(self, page: Page, batch: Batch) -> Mapping[str, Column]: ...


class Rule(Stage, Protocol):
    """Says which rows may not stay, for one reason."""

    @property
    def refusal(self) -> Refusal: ...
    def refuse(self, page: Page, batch: Batch) -> Mask: ...


class Scores(NamedTuple):
    """`total` float64[n]; `terms` float64[t, n] add up to it, named by `names`."""

    total: Floats
    terms: Floats
    names: tuple[str, ...]


class Scorer(Stage, Protocol):
    """Scores the batch. Of several, the last that succeeded counts; `earlier` is the one before,
    None if there was none.
    """

    @property
    def deadline_ms(self) -> float: ...
    def score(self, page: Page, batch: Batch, earlier: Scores | None) -> Scores: ...


class Drawn(NamedTuple):
    """A slot of the page: a place in the batch, and how it came there."""

    place: int
    propensity: float
    explore: bool
    owed: bool = False  # a slot reserved for what is owed


class Draft(Protocol):
    """A page being drawn, slot by slot, by one setting or by two in turn."""

    def draw(self, at: int) -> Drawn: ...
    def chance(self, place: int, at: int) -> float: ...
    def take(self, place: int) -> None: ...
    def reserve_as(self, other: Any) -> None: ...


class Selector(Stage, Protocol):
    """Draws up to `count` further slots of a page that already holds `taken` (places in the
    batch), never a place in `barred`. `begin` hands out the same draw slot by slot.
    """

    def select(
        self,
        page: Page,
        batch: Batch,
        scores: Scores,
        taken: Sequence[int],
        barred: Sequence[int],
        count: int,
    ) -> list[Drawn]: ...
    def begin(
        self,
        page: Page,
        batch: Batch,
        scores: Scores,
        taken: Sequence[int],
        barred: Sequence[int],
        count: int,
    ) -> Draft: ...


class Rung(Stage, Protocol):
    """Brings rows, best first, when the page is not full. `relaxes`: refusals that do not count
    for it.
    """

    @property
    def relaxes(self) -> frozenset[Refusal]: ...
    def draw(self, page: Page, count: int) -> Rows: ...


class Slot(NamedTuple):
    row: int
    source: str
    propensity: float
    explore: bool
    place: int  # in the batch; -1 when it came from a rung
    owed: bool = False
    side: int = 0  # whose batch: on a page that two settings fill in turn, 0 or 1
    credited: bool = False  # there, to the side whose turn it was


class Result(NamedTuple):
    slots: list[Slot]
    batch: Batch
    scores: Scores | None
    reports: list[StageReport]


class After(Stage, Protocol):
    """Takes note of the finished page."""

    def run(self, page: Page, result: Result) -> None: ...
