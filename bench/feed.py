"""The feed, as docs/parts/feed.md says it is judged: what it serves a second, and what it learns.

Pages over HTTP first (feed_pages.py), then the offline judge (bench/judge): the closed loop on real
answers, cold videos, random exposure, next item, off-policy intervals, traps; then the engine by
itself with a million videos (scale.py). All of it takes about half an hour on one core, and ten
minutes more with torch, which trains SASRec and a ranker.
"""

from __future__ import annotations

from typing import Any

from bench import feed_pages, scale
from bench.judge import report


def run() -> list[dict[str, Any]]:
    return [*feed_pages.figures(), *report.figures(), *scale.figures()]
