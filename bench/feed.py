"""The feed, as docs/parts/feed.md says it is judged: what it serves a second, and what it learns.

Pages over HTTP first (feed_pages.py), the engine by itself with a million videos (scale.py), the
whole site with as many (feed_at_size.py); then the offline judge (bench/judge): the closed loop on
real answers, cold videos, random exposure, next item, off-policy intervals, traps. All of it takes
about 45 minutes on two cores, and ten more with torch, which trains SASRec and a ranker.
`JHALAK_BENCH_VIDEOS=20000` makes the engine and the whole site small.
"""

from __future__ import annotations

from typing import Any

from bench import feed_at_size, feed_pages, scale
from bench.judge import report
from bench.parts import each


def run() -> list[dict[str, Any]]:
    return each(
        {
            "pages over HTTP": feed_pages.figures,
            "scale": scale.figures,  # before the judge, whose memory would count as the engine's
            "HTTP at size": feed_at_size.figures,
            **{f"judge: {name}": part for name, part in report.PARTS.items()},
        }
    )
