"""The feed, as docs/parts/feed.md says it is judged: what it serves a second, and what it learns.

Pages over HTTP first (feed_pages.py), then the offline judge (bench/judge): the closed loop on real
answers, cold videos, random exposure, next item, off-policy intervals. All of it takes about a
quarter of an hour on one core.
"""

from __future__ import annotations

from typing import Any

from bench import feed_pages
from bench.judge import report


def run() -> list[dict[str, Any]]:
    return [*feed_pages.figures(), *report.figures()]
