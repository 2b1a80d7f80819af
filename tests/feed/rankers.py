"""Rankers for tests: the real graph with weights that nobody trained, or that were put there."""

from __future__ import annotations

from collections.abc import Callable

from jhalak.feed import events as ev
from jhalak.feed.models import ModelError
from jhalak.feed.training.ranking.graph import encode
from jhalak.feed.training.ranking.shape import drawn
from tests.feed.worlds import NOW

DIGEST = "cd" * 32


def untrained(seed: int = 1, *, scale: float = 2.0, places: str = "", **weights) -> bytes:
    """A network drawn at random; `weights` fill arrays of it with a number."""
    given = drawn(seed)
    given["mean"][0], given["spread"][0] = 0.0, 5.0
    for name, value in weights.items():
        given[name] = given[name] * 0 + value
    return encode(given, places=places, scale=scale, middle=0.0)


def shelf(**held: bytes) -> Callable[[str, str], bytes]:
    """Where artefacts lie, by kind."""

    def read(kind: str, _digest: str) -> bytes:
        if kind not in held:
            raise ModelError(f"no {kind} here")
        return held[kind]

    return read


def in_force(digest: str = DIGEST, kind: ev.ModelKind = ev.ModelKind.RANKER) -> ev.Promoted:
    return ev.Promoted(kind, digest, NOW)
