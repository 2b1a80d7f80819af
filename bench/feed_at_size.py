"""Pages of the feed over HTTP with a million videos and a million viewers, as `jhalak serve` serves
them: with the engine in the one web process, and with two web processes and a feed process.

The rows are in the database, the events in the log, and the engine begins from its snapshot. Beside
each figure stands the site's cheapest page in the same run, as in feed_pages.py. What somebody
refuses must be gone from their very next page; the time of both requests together is measured.
`JHALAK_BENCH_VIDEOS` makes all of it smaller.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from pathlib import Path
from typing import Any

from bench import catalogue
from bench.feed_pages import Served, asked
from bench.figures import figure
from bench.serving import at_rest, data_folder, memory, serving

VIDEOS = int(os.environ.get("JHALAK_BENCH_VIDEOS", "1000000"))
AUTHORS_PER = 20  # videos of one author
REFUSALS = 200
GIB_MOST = 6.0


def figures() -> list[dict[str, Any]]:
    where = f"HTTP, {VIDEOS:,} videos and viewers"
    with data_folder() as data:
        started = time.perf_counter()
        cookies = catalogue.fill_at_size(data, VIDEOS, max(1, VIDEOS // AUTHORS_PER), VIDEOS)
        rows = [figure(f"{where}: filled in", time.perf_counter() - started, "s")]
        for name, options in (("1 web", {}), ("2 web + feed", {"web_processes": 2})):
            rows += _figures(f"{where}, {name}", data, cookies, options)
    return rows


def _figures(
    where: str, data: Path, cookies: dict[str, list[str]], options: dict[str, int]
) -> list[dict[str, Any]]:
    started = time.perf_counter()
    with serving(data, local_media=False, **options) as port:
        ready = time.perf_counter() - started
        at_rest(data)
        one: Served = asked(port, cookies["members"], cookies["guests"])
        refused = sorted(_refusal(port, cookie) for cookie in cookies["guests"][:REFUSALS])
        held = memory(data)
    floor = one.floor
    rows = [figure(f"{where}: start, to the first answer", ready, "s")]
    for who, pages in (("guests", one.guests), ("members", one.members)):
        rows += [
            figure(f"{where}: pages of 8, {who}", pages.rate, "/s", baseline=floor.rate,
                   at_least=200),
            figure(f"{where}: a page, {who}, p50", pages.quantile(0.5), "ms",
                   baseline=floor.quantile(0.5)),
            figure(f"{where}: a page, {who}, p99", pages.quantile(0.99), "ms",
                   baseline=floor.quantile(0.99), at_most=30),
        ]  # fmt: skip
    last = refused[int(0.99 * len(refused))]
    return [
        *rows,
        figure(f"{where}: 'not interested' and the next page, p99", last * 1e3, "ms",
               baseline=2 * floor.quantile(0.5), at_most=1000),
        figure(f"{where}: memory of all processes", held, "GiB", at_most=GIB_MOST),
    ]  # fmt: skip


def _refusal(port: int, cookie: str) -> float:
    """Seconds from what is said to the page that knows it. Raises RuntimeError when it does not."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(method: str, path: str, body: Any = None) -> Any:
        head = {"Cookie": cookie, "Content-Type": "application/json"}
        client.request(method, path, json.dumps(body) if body else None, head)
        answer = client.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text)

    try:
        item = ask("GET", "/api/feed?n=8")["items"][0]
        said = [{"token": item["token"], "kind": "not_interested"}]
        started = time.perf_counter()
        ask("POST", "/api/events", {"events": said})
        after = ask("GET", "/api/feed?n=8")["items"]
        took = time.perf_counter() - started
    finally:
        client.close()
    if item["id"] in {one["id"] for one in after}:
        raise RuntimeError("a video that was refused stood on the very next page")
    return took
