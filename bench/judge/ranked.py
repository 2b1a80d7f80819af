"""What a trained ranker adds in the closed loop, beside the learner alone: one engine, told one
log, with and without a ranker that was trained on that log.

The log is made by the engine itself on some viewers (`taught`), and judged are others. Both sides
have observed it, so what differs is the ranker. It needs torch (the extra "train").
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from bench.figures import figure
from bench.judge.data import World
from bench.judge.loop import Played, play
from bench.judge.recommender import Ids, Log
from bench.judge.served import NOW, Served

from jhalak.feed import events as ev
from jhalak.feed.training import NoTorch, Reader, TooFew
from jhalak.feed.training.proposal import Proposal
from jhalak.feed.training.ranking.proposal import propose

PLACES = "0" * 64
RANKER = "1" * 64


class Noted(Served):
    """Keeps the log that it observed; may begin with another's, and with a ranker."""

    def __init__(self, before: list[ev.Event] | None = None, ranker: bytes = b"") -> None:
        super().__init__()
        self._before, self.ranker = before or [], ranker
        self.log: list[tuple[int, ev.Event]] = []
        self.kept: dict[str, bytes] = {}

    def artefact(self, kind: str, digest: str, places: bytes) -> bytes:
        self.kept[ev.ModelKind.PLACES] = places
        return self.ranker if kind == ev.ModelKind.RANKER else places

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        super().begin(logged, n_viewers, n_videos)
        if self._before:
            self._tell(*self._before)
            self._empty = False
        if self.ranker:
            self._tell(ev.Promoted(ev.ModelKind.RANKER, RANKER, NOW))

    def _tell(self, *events: ev.Event) -> None:
        self.log += enumerate(events, self._offset + 1)
        super()._tell(*events)


def halves(world: World, seed: int = 3) -> tuple[World, World]:
    """Viewers on whom the log is made, and others who are judged."""
    order = np.random.default_rng(seed).permutation(len(world.viewers))
    half: Ids = order[: len(order) // 2]
    return world.of(np.sort(half)), world.of(np.sort(order[len(order) // 2 :]))


def train(taught: World) -> tuple[Proposal, list[ev.Event]]:
    """Raises NoTorch and TooFew."""
    made: list[Noted] = []

    def one() -> Noted:
        made.append(Noted())
        return made[0]

    play(one, taught, taught.logged)
    reader = Reader()
    reader.read((offset, ev.encode(event)) for offset, event in made[0].log)
    places = made[0].kept[ev.ModelKind.PLACES]
    proposal = propose(made[0].log, reader.answers(), lambda _k, _d: places, PLACES)
    return proposal, [event for _, event in made[0].log if not isinstance(event, ev.Promoted)]


def figures(world: World, name: str) -> list[dict[str, Any]]:
    try:
        taught, judged = halves(world)
        proposal, log = train(taught)
    except (NoTorch, TooFew) as why:
        print(f"ranker: not measured: {why}", file=sys.stderr)
        return []
    print(f"ranker: {proposal.verdict}", file=sys.stderr, flush=True)
    alone = play(lambda: Noted(log), judged, judged.logged)
    ranked = play(lambda: Noted(log, proposal.artefact), judged, judged.logged)
    gain = proposal.verdict.gain
    where = f"{name} ranker"
    auc = proposal.verdict.candidate.auc
    return [
        figure(f"{where}: likes, learner and ranker", _mean(ranked), "likes/100",
               baseline=_mean(alone)),
        figure(f"{where}: AUC within viewers at the gate", auc, "", baseline=auc - gain),
        figure(f"{where}: promoted by the gate (1 is yes)", float(proposal.verdict.passed), ""),
    ]  # fmt: skip


def _mean(played: Played) -> float:
    return float(played.per_100.mean())
