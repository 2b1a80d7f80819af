"""Lists in pages: {"items", "next"}. `next` is opaque to clients: the id of the last row shown.

Pages go by id and not by number of rows, so that what comes or goes meanwhile neither repeats nor
hides an item.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from ninja import Field, Schema

from jhalak.problems import BadRequest

MOST = 100  # rows in a page
Row = TypeVar("Row", bound=Model)


class Place(Schema):
    """Where in a list, and how much of it: the query of every list."""

    cursor: str = Field("", max_length=40, description="`next` of the page before, or empty.")
    n: int = Field(20, ge=1, le=MOST, description="How many rows.")


def page(rows: QuerySet[Row, Any], cursor: str, n: int) -> tuple[list[Row], str | None]:
    """`n` rows, newest first, after the place that `cursor` names ("" for the start).

    Returns the rows and the cursor of the next page, None at the end. Raises BadRequest.
    """
    if cursor:
        if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):
            raise BadRequest("bad_cursor", _("That place in the list is not known. Start again."))
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: n + 1])
    return found[:n], str(found[n - 1].pk) if len(found) > n else None
