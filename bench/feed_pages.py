"""Pages of the feed a second over HTTP: 10,000 videos, one web worker, guests and a member, through
the front.

The baseline is the site's cheapest page through the same processes in the same run (the offline
page: no row is read), so that the ratio shows what the feed itself costs on this machine.
"""

from __future__ import annotations

import itertools
import urllib.request
from typing import Any

from bench import catalogue, load
from bench.figures import figure
from bench.serving import data_folder, serving

VIDEOS = 10_000
CONNECTIONS = 4  # each asks for the next page when it has the last: always four under way
SECONDS = 8.0
GUESTS = 200


def guest_cookies(port: int, count: int) -> list[str]:
    """Cookies of new guests, as the site gives them."""
    cookies = []
    for _ in range(count):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/feed?n=1") as answer:
            cookies.append(answer.headers["Set-Cookie"].partition(";")[0])
    return cookies


def figures() -> list[dict[str, Any]]:
    with data_folder() as data:
        member = catalogue.fill(data, VIDEOS)["member"]
        with serving(data) as port:
            guests = guest_cookies(port, GUESTS)
            plain = load.request("GET", "/offline")
            as_guests = itertools.cycle(
                load.request("GET", "/api/feed?n=8", cookie=cookie) for cookie in guests
            )
            as_member = load.request("GET", "/api/feed?n=8", cookie=member)
            floor = load.run(port, lambda _i: plain, connections=CONNECTIONS, seconds=SECONDS / 2)
            pages = load.run(
                port, lambda _i: next(as_guests), connections=CONNECTIONS, seconds=SECONDS
            )
            members = load.run(port, lambda _i: as_member, connections=CONNECTIONS, seconds=SECONDS)
    for result in (floor, pages, members):
        if set(result.statuses) != {200}:
            raise RuntimeError(f"answers other than 200: {result.statuses}")
    return [
        figure("feed pages of 8, guests", pages.rate, "/s", baseline=floor.rate, at_least=400),
        figure("feed page p50, guests", pages.quantile(0.5), "ms", baseline=floor.quantile(0.5)),
        figure(
            "feed page p99, guests", pages.quantile(0.99), "ms",
            baseline=floor.quantile(0.99), at_most=30,
        ),
        figure("feed pages of 8, member", members.rate, "/s", baseline=floor.rate, at_least=400),
        figure(
            "feed page p99, member", members.quantile(0.99), "ms",
            baseline=floor.quantile(0.99), at_most=30,
        ),
    ]  # fmt: skip
