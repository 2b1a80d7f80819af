"""A batch of candidates: columns, not objects. Each column has one declared producer."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from jhalak.feed.orderings import Rows

Column: TypeAlias = npt.NDArray[Any]
Mask: TypeAlias = npt.NDArray[np.bool_]


class ColumnError(Exception):
    """A column that is missing, doubly made, undeclared, or of the wrong length: a stage's bug."""


class Batch:
    """`rows` (places in the catalogue, int32[n], each once) and named columns of the same length.
    Selecting keeps rows and columns together; nothing else may change their order.
    """

    __slots__ = ("_columns", "_producers", "rows")

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._columns: dict[str, Column] = {}
        self._producers: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            made = ", ".join(self._columns) or "none"
            raise ColumnError(f"no column {name!r}; there are: {made}") from None

    def put(self, name: str, column: Column, by: str) -> None:
        if name in self._columns:
            raise ColumnError(f"{by} makes {name!r}, which {self._producers[name]} has made")
        if len(column) != len(self.rows):
            raise ColumnError(f"{by} made {len(column)} of {name!r} for {len(self.rows)} rows")
        self._columns[name] = column
        self._producers[name] = by

    def producer(self, name: str) -> str:
        return self._producers[name]

    def keep(self, mask: Mask) -> Batch:
        """The rows where the mask is true, in their order, with their columns."""
        kept = Batch(self.rows[mask])
        kept._columns = {name: column[mask] for name, column in self._columns.items()}
        kept._producers = self._producers
        return kept
