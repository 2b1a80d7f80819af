"""Pages of the feed a second over HTTP: 10,000 videos, one web worker, guests and members, through
the front; and once more with two web processes and a feed process.

The baseline is the site's cheapest page through the same processes in the same run (the offline
page: no row is read), so that the ratio shows what the feed itself costs on this machine. That of
two web processes is the one.
"""

from __future__ import annotations

import itertools
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench import catalogue, load
from bench.figures import figure
from bench.serving import at_rest, data_folder, serving

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


class Served(NamedTuple):
    """`floor`: the cheapest page; then pages of the feed for guests and for members."""

    floor: load.Result
    guests: load.Result
    members: load.Result


def served(data: Path, members: list[str], **options: object) -> Served:
    with serving(data, local_media=False, **options) as port:
        at_rest(data)
        return asked(port, members, guest_cookies(port, GUESTS))


def asked(port: int, members: list[str], guests: list[str]) -> Served:
    """Raises RuntimeError on an answer other than 200."""
    plain = load.request("GET", "/offline")
    as_guests, as_members = _pages_for(guests), _pages_for(members)
    floor = load.run(port, lambda _i: plain, connections=CONNECTIONS, seconds=SECONDS / 2)
    pages = load.run(port, lambda _i: next(as_guests), connections=CONNECTIONS, seconds=SECONDS)
    for_members = load.run(
        port, lambda _i: next(as_members), connections=CONNECTIONS, seconds=SECONDS
    )
    for result in (floor, pages, for_members):
        if set(result.statuses) != {200}:
            raise RuntimeError(f"answers other than 200: {result.statuses}")
    return Served(floor, pages, for_members)


def _pages_for(cookies: list[str]) -> Iterator[bytes]:
    """Requests of each of them in turn, for ever."""
    return itertools.cycle(
        load.request("GET", "/api/feed?n=8", cookie=cookie) for cookie in cookies
    )


def figures() -> list[dict[str, Any]]:
    with data_folder() as data:
        cookies = catalogue.fill(data, VIDEOS)["members"]
        one = served(data, cookies)
        two = served(data, cookies, web_processes=2)
    floor, pages, members = one
    return [
        figure("feed pages of 8, guests", pages.rate, "/s", baseline=floor.rate, at_least=400),
        figure("feed page p50, guests", pages.quantile(0.5), "ms", baseline=floor.quantile(0.5)),
        figure(
            "feed page p99, guests", pages.quantile(0.99), "ms",
            baseline=floor.quantile(0.99), at_most=30,
        ),
        figure("feed pages of 8, members", members.rate, "/s", baseline=floor.rate, at_least=400),
        figure(
            "feed page p99, members", members.quantile(0.99), "ms",
            baseline=floor.quantile(0.99), at_most=30,
        ),
        *_beside("guests", two.guests, pages),
        *_beside("members", two.members, members),
    ]  # fmt: skip


def _beside(who: str, two: load.Result, one: load.Result) -> list[dict[str, Any]]:
    """Two web processes that ask a feed process, beside one with the engine in it."""
    return [
        figure(f"feed pages of 8, {who}, 2 web + feed", two.rate, "/s", baseline=one.rate),
        figure(
            f"feed page p99, {who}, 2 web + feed", two.quantile(0.99), "ms",
            baseline=one.quantile(0.99),
        ),
    ]  # fmt: skip
