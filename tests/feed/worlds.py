"""Small worlds for the feed's tests: videos, viewers, and a log that numbers its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from jhalak.feed import Config, Engine, Pick, Query, Slate
from jhalak.feed import events as ev

NOW = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def video(number: int, **facts: Any) -> ev.Published:
    """Video `number`: of author 1000 + number % 24, channel c<number % 12>, an hour old or more."""
    given: dict[str, Any] = {
        "author": 1000 + number % 24,
        "channel": f"c{number % 12}",
        "tags": (f"t{number % 12}", f"x{number % 7}"),
        "language": ("hi", "en", "ta")[number % 3],
        "duration_ms": 4000 + 500 * (number % 17),
        "published_ms": NOW - HOUR - number * MINUTE,
    }
    return ev.Published(video=number, **(given | facts))


def alike(number: int, **facts: Any) -> ev.Published:
    """Video `number`, which nothing but its number tells from the others."""
    given: dict[str, Any] = {
        "author": 1,
        "channel": "",
        "tags": (),
        "language": "",
        "duration_ms": 10_000,
        "published_ms": NOW - HOUR,
    }
    return ev.Published(video=number, **(given | facts))


def watch(
    viewer: str,
    clip: ev.Published,
    share: float = 1.0,
    *,
    kind: ev.WatchKind | None = None,
    at: int = NOW,
    slate: str = "",
    source: str = "",
    score: int | None = None,
    arms: str = "",
) -> ev.Watched:
    if kind is None:
        kind = ev.WatchKind.FINISHED if share >= 1.0 else ev.WatchKind.SKIPPED
    watched_ms = int(share * clip.duration_ms)
    return ev.Watched(
        viewer,
        clip.video,
        kind,
        watched_ms,
        clip.duration_ms,
        at,
        slate,
        source=source,
        score=score,
        arms=arms,
    )


def started(name: str = "calmer", *, at: int = NOW, **facts: Any) -> ev.ExperimentStarted:
    """An experiment on everybody: one arm with half the temperature, a day for each viewer."""
    given: dict[str, Any] = {
        "layer": "draw",
        "share": 1000,
        "arms": (ev.Arm("half", {"temperature": 0.5}),),
        "window_ms": 24 * HOUR,
        "ends_ms": at + 14 * 24 * HOUR,
        "reason": "Is calmer better?",
    }
    return ev.ExperimentStarted(name, at_ms=at, **(given | facts))


def patient(config: Config | None = None) -> Config:
    """The same settings without deadlines: a busy machine must not change a test's pages."""
    return msgspec.structs.replace(
        config or Config(), source_deadline_ms=1e9, score_deadline_ms=1e9
    )


class World:
    """An engine, the videos in it, and the log that it has observed."""

    def __init__(
        self, videos: Iterable[ev.Published] = (), config: Config | None = None, **engine: Any
    ) -> None:
        self.engine = Engine.new(config if "pipeline" in engine else patient(config), **engine)
        self.videos: dict[int, ev.Published] = {}
        self.log: list[tuple[int, ev.Event]] = []
        self.tell(*videos)

    def tell(self, *events: ev.Event) -> None:
        start = len(self.log) + 1
        pairs = list(enumerate(events, start))
        self.log += pairs
        self.videos |= {event.video: event for event in events if isinstance(event, ev.Published)}
        self.engine.observe(pairs)

    def page(self, viewer: str = "g1", **query: Any) -> Slate:
        return self.engine.slate(Query(**({"viewer": viewer, "now_ms": NOW} | query)))

    def ids(self, viewer: str = "g1", **query: Any) -> list[int]:
        return [pick.video for pick in self.page(viewer, **query).picks]

    def arms(self, viewer: str = "g1", **query: Any) -> str:
        """Of a page that no experiment fills in turn: the same for each of its picks."""
        (found,) = {pick.arms for pick in self.page(viewer, **query).picks}
        return found

    def of(self, picks: Iterable[Pick]) -> list[ev.Published]:
        return [self.videos[pick.video] for pick in picks]

    def score(self, video: int, viewer: str = "g1", **query: Any) -> float:
        (found,) = self.engine.score(Query(**({"viewer": viewer, "now_ms": NOW} | query)), [video])
        return found.total

    def term(self, name: str, video: int, viewer: str = "g1", **query: Any) -> float:
        """What one named cause adds to a score."""
        (found,) = self.engine.score(Query(**({"viewer": viewer, "now_ms": NOW} | query)), [video])
        return found.terms[name]


def world(count: int = 240, config: Config | None = None, **engine: Any) -> World:
    return World([video(number) for number in range(1, count + 1)], config, **engine)


def crowd(count: int = 6_000, lots: int = 4, sure: float = 0.9, seed: int = 1) -> list[ev.Event]:
    """A world in which viewers take to one of some lots of videos, of which no word tells."""
    rng = np.random.default_rng(seed)
    clips = [alike(number, author=number % 7) for number in range(1, 121)]
    found: list[ev.Event] = list(clips)
    for number in range(count):
        viewer, clip = int(rng.integers(30)), clips[int(rng.integers(120))]
        good = rng.random() < (sure if clip.video % lots == viewer % lots else 1.0 - sure)
        found.append(watch(f"m{viewer}", clip, 1.0 if good else 0.03, at=NOW + number))
    return found
