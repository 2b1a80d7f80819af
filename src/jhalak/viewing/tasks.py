"""Work of viewing in the background."""

from __future__ import annotations

from jhalak.records.jobs import every
from jhalak.viewing.counting import count_views

every(1, "viewing.count_views")(count_views)
