"""The engine by itself at size: pages and learning in a catalogue of a million videos.

Every figure stands beside what the machine can do in the same run: bytes read at the bandwidth
measured, products at the rate measured. A page is asked for by one of a million viewers, of whom
most come for the first time; after each page its watches are told, so learning is on throughout.
`JHALAK_BENCH_VIDEOS` makes it smaller.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from bench.figures import figure

from jhalak.feed import Config, Engine, Query
from jhalak.feed import events as ev
from jhalak.feed.near import Near
from jhalak.feed.taste import SIZE, Learner, Prior

VIDEOS = int(os.environ.get("JHALAK_BENCH_VIDEOS", "1000000"))
VIEWERS = 1_000_000
PAGES, PAGE = 2_000, 8
ANSWERS = 20_000
NOW = 1_790_000_000_000
SECOND, HOUR = 1_000, 3_600_000
CHANNELS, AUTHORS, TAGS = 40, 50_000, 20_000
LANGUAGES = ("hi", "ta", "te", "bn", "mr", "en")
CHUNK = 10_000
GIB = 1 << 20  # of KiB
ASIDE = 64 << 20  # bytes read to measure bandwidth: more than any cache holds


def figures() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    engine = Engine.new(Config(source_deadline_ms=1e9, score_deadline_ms=1e9))
    rows, offset = _fill(engine, rng)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    rows += _pages(engine, rng, offset)
    rows += _promotion(engine)
    rows += _learner()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    rows.append(
        figure(f"scale: memory with {VIDEOS:,} videos", after, "GiB", baseline=memory, at_most=6.0)
    )
    return rows


def _fill(engine: Engine, rng: np.random.Generator) -> tuple[list[dict[str, Any]], int]:
    started = time.perf_counter()
    for first in range(0, VIDEOS, CHUNK):
        count = min(CHUNK, VIDEOS - first)
        channels, authors = rng.integers(0, CHANNELS, count), rng.integers(1, AUTHORS, count)
        tags = rng.integers(0, TAGS, (count, 2))
        ages = rng.integers(HOUR, 2000 * HOUR, count)
        engine.observe(
            [
                (
                    first + at + 1,
                    ev.Published(
                        first + at + 1,
                        int(authors[at]),
                        f"c{channels[at]}",
                        (f"t{tags[at, 0]}", f"t{tags[at, 1]}"),
                        LANGUAGES[at % len(LANGUAGES)],
                        5_000 + 1_000 * (at % 40),
                        NOW - int(ages[at]),
                    ),
                )
                for at in range(count)
            ]
        )
        print(f"\rscale: {first + count:,} videos", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    took = time.perf_counter() - started
    _, built = _timed(lambda: _near(engine).wait(3600))
    return [
        figure("scale: videos published, each", took / VIDEOS * 1e6, "µs"),
        figure("scale: their graph is ready after the last of them", built, "s"),
    ], VIDEOS


def _near(engine: Engine) -> Near:
    return engine._state.catalogue.near


def _promotion(engine: Engine) -> list[dict[str, Any]]:
    """Every video lies elsewhere: beside how long a page takes, how long it took meanwhile."""
    event = engine.offset + 1, ev.Promoted(ev.ModelKind.PLACES, "", NOW)
    done: list[float] = []

    def page() -> float:
        return _timed(lambda: engine.slate(Query(viewer="m1", now_ms=NOW, n=PAGE)))[1]

    def observe() -> None:
        done.append(_timed(lambda: engine.observe([event]))[1])

    usual = _at([page() for _ in range(50)], 50) * 1e3
    observer = threading.Thread(target=observe)
    observer.start()
    meanwhile = []
    while observer.is_alive():
        meanwhile.append(page())
    after = [page() for _ in range(50)]
    _near(engine).wait(3600)
    return [
        figure("scale: places of all laid anew", done[0], "s"),
        figure("scale: a page meanwhile, p50", _at(meanwhile, 50) * 1e3, "ms", baseline=usual),
        figure("scale: a page meanwhile, the slowest", max(meanwhile) * 1e3, "ms", baseline=usual),
        figure(
            "scale: a page while the graph is built, p50", _at(after, 50) * 1e3, "ms",
            baseline=usual,
        ),
    ]  # fmt: skip


def _pages(engine: Engine, rng: np.random.Generator, offset: int) -> list[dict[str, Any]]:
    pages, learning, changed, withdrawn = [], [], [], []
    gone: set[int] = set()
    now_ms = NOW
    # A tenth of the viewers ask for nine tenths of the pages, as on a live site.
    viewers = np.where(
        rng.random(PAGES) < 0.9,
        rng.integers(0, VIEWERS // 1000, PAGES),
        rng.integers(0, VIEWERS, PAGES),
    )
    for number in viewers.tolist():
        viewer, now_ms = f"m{number + 10**7}", now_ms + SECOND
        query = Query(viewer=viewer, now_ms=now_ms, n=PAGE, languages=("hi",))
        slate, took = _timed(lambda query=query: engine.slate(query))
        pages.append(took)
        if gone & {pick.video for pick in slate.picks}:
            raise AssertionError("a video that was withdrawn stood on a later page")
        events = []
        for pick in slate.picks:
            offset += 1
            share = rng.random()
            kind = ev.WatchKind.FINISHED if share > 0.6 else ev.WatchKind.SKIPPED
            events.append(
                (
                    offset,
                    ev.Watched(
                        viewer, pick.video, kind, int(10_000 * share), 10_000, now_ms,
                        slate.slate, pick.slot, pick.source, pick.propensity,
                    ),
                )
            )  # fmt: skip
        _, took = _timed(lambda events=events: engine.observe(events))
        learning.append(took / max(1, len(events)))
        started = time.perf_counter()
        offset += 1
        engine.observe([(offset, ev.NotInterested(viewer, slate.picks[0].video, now_ms))])
        again = engine.slate(Query(viewer=viewer, now_ms=now_ms + 1, n=PAGE))
        changed.append(time.perf_counter() - started)
        if slate.picks[0].video in {pick.video for pick in again.picks}:
            raise AssertionError("a video that was refused stood on the very next page")
        started = time.perf_counter()
        offset += 1
        gone.add(again.picks[0].video)
        engine.observe([(offset, ev.Withdrawn(again.picks[0].video, ev.Removal.WITHDRAWN))])
        again = engine.slate(Query(viewer=viewer, now_ms=now_ms + 2, n=PAGE))
        withdrawn.append(time.perf_counter() - started)
        if gone & {pick.video for pick in again.picks}:
            raise AssertionError("a video that was withdrawn stood on a later page")
    read = SIZE * 2 * 256 / _bandwidth()  # what the graph reads for one source at the least
    ms = 1e3
    return [
        figure("scale: a page, p50", _at(pages, 50) * ms, "ms", baseline=read * ms, at_most=4.0),
        figure("scale: a page, p99", _at(pages, 99) * ms, "ms", baseline=read * ms, at_most=15.0),
        figure("scale: a watch learnt, p50", _at(learning, 50) * 1e6, "µs"),
        figure(
            "scale: 'not interested' to the next page, p99", _at(changed, 99) * ms, "ms",
            at_most=1000.0,
        ),
        figure(
            "scale: a video withdrawn to the next page, p99", _at(withdrawn, 99) * ms, "ms",
            at_most=1000.0,
        ),
    ]  # fmt: skip


def _learner() -> list[dict[str, Any]]:
    """The posterior alone, on one thread, beside the products that it cannot do without in numpy.

    An example is one answer of one viewer about one video: there is one head, and an answer moves
    all four of its parts. What is held about a viewer comes from memory: of as many as an engine
    holds, each answers a page, or one video only. Timed is the thread's own processor time.
    """
    rng = np.random.default_rng(2)
    learner = Learner(SIZE, Prior())
    places = rng.standard_normal((1000, SIZE)).astype(np.float32) / SIZE**0.5
    owns = [learner.new() for _ in range(Config().tastes)]
    answers, viewers = rng.random(ANSWERS).tolist(), rng.integers(0, len(owns), ANSWERS).tolist()

    def learn(together: int) -> None:
        for at, answer in enumerate(answers):
            own = owns[viewers[at // together]]
            learner.learn(own, places[at % 1000], 0.0, 0.1, answer)

    by_page, one_by_one = _worked(lambda: learn(PAGE)), _worked(lambda: learn(1))
    matrix, vector = np.ones((SIZE, SIZE)), np.ones(SIZE)

    def least() -> None:
        for _ in range(ANSWERS):
            matrix @ vector
            matrix @ vector
            np.outer(vector, vector)
            np.outer(vector, vector)

    bare = ANSWERS / _worked(least)
    return [
        figure(
            "scale: examples (answers) learnt a second, one thread", ANSWERS / by_page, "/s",
            baseline=bare, at_least=200_000,
        ),
        figure(
            "scale: the same, each of another viewer than the one before", ANSWERS / one_by_one,
            "/s", baseline=bare,
        ),
    ]  # fmt: skip


def _bandwidth() -> float:
    """Bytes a second that one thread reads."""
    block = np.ones(ASIDE // 8)
    return ASIDE / min(_timed(block.sum)[1] for _ in range(5))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _worked(work: Callable[[], Any]) -> float:
    """Seconds that this thread works for it: the median of five."""
    took = []
    for _ in range(5):
        started = time.thread_time()
        work()
        took.append(time.thread_time() - started)
    return float(np.median(took))


def _at(times: list[float], percentile: float) -> float:
    return float(np.percentile(times, percentile))
