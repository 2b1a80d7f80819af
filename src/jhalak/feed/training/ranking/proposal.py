"""A ranker, trained on the older views and judged on the newest tenth, against the learner alone
and, where one is in force, against that one too. What is judged is the file that would be served,
run by what would serve it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version

import msgspec
import numpy as np
import numpy.typing as npt

from jhalak.feed import events as ev
from jhalak.feed import models
from jhalak.feed.learning import ReadModel
from jhalak.feed.models import Manifest
from jhalak.feed.ranker.model import Ranker
from jhalak.feed.ranker.value import value
from jhalak.feed.ranker.watch_time import verdict
from jhalak.feed.training import gate
from jhalak.feed.training.answers import Answers
from jhalak.feed.training.proposal import FEWEST_JUDGED, Proposal, TooFew, code_hash
from jhalak.feed.training.ranking.examples import Examples, gather
from jhalak.feed.training.ranking.graph import encode
from jhalak.feed.training.ranking.network import fit
from jhalak.feed.training.ranking.shape import Weights

KIND = ev.ModelKind.RANKER
FEWEST = 5_000  # views from which one is learnt at all
CHOSEN = 0.1  # share of what is learnt from, on which the scale is chosen
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
SOURCES = (
    "*.py", "ranker/*.py", "taste/*.py", "training/*.py", "training/ranking/*.py",
)  # fmt: skip

Fit = Callable[[Examples, int], Weights]
Floats = npt.NDArray[np.float64]


def propose(
    events: Iterable[tuple[int, ev.Event]],
    answers: Answers,
    read: ReadModel,
    places: str = "",
    in_force: tuple[str, Ranker] | None = None,
    *,
    after: int = 0,
    seed: int = 1,
    trained: Fit = fit,
) -> Proposal:
    """`answers`: what the same events say; `read` gives the places that they name; `places`: digest
    of those in force. Raises TooFew, and network.NoTorch.
    """
    examples = gather(events, answers, read)
    if len(examples.good) < FEWEST:
        raise TooFew(f"not enough views yet: {len(examples.good)} of {FEWEST}")
    last = gate.split(answers, after)
    learnt, judged = (
        examples.some(np.flatnonzero(mask))
        for mask in (examples.offset <= last, examples.offset > last)
    )
    if len(judged.good) < FEWEST_JUDGED:
        raise TooFew(f"not enough new views: {len(judged.good)} of {FEWEST_JUDGED}")
    weights, scale, middle = _learn(learnt, places, seed, trained)
    artefact = encode(weights, places=places, scale=scale, middle=middle)
    told = said("candidate", Ranker(artefact), judged)
    learner = ("the learner alone", judged.features[:, 0].astype(np.float64), judged.chance)
    verdicts = [gate.compare(judged.viewer, judged.good, told, learner, in_force=True, seed=seed)]
    if in_force is not None and in_force[1].places == places:
        now = said(*in_force, judged)
        verdicts.append(
            gate.compare(judged.viewer, judged.good, told, now, in_force=True, seed=seed)
        )
    verdict_ = min(verdicts, key=lambda one: (one.passed, one.gain))
    manifest = Manifest(
        kind=KIND,
        sha256=models.sha256(artefact),
        size=len(artefact),
        data=answers.span,
        code=code_hash(SOURCES),
        seed=seed,
        settings={"learnt_to": float(last), "scale": scale, "middle": middle},
        gate=gate.as_facts(verdict_),
        libraries={
            "msgspec": msgspec.__version__,
            "numpy": np.__version__,
            "onnx": version("onnx"),
            "python": platform.python_version(),
        },
    )
    return Proposal(artefact, manifest, verdict_)


def _learn(learnt: Examples, places: str, seed: int, trained: Fit) -> tuple[Weights, float, float]:
    """Fits on the older part of what may be learnt, and chooses on the newer what one full watch is
    to weigh beside the learner's score.
    """
    cut = int((1.0 - CHOSEN) * len(learnt.good))
    older, newer = learnt.some(slice(0, cut)), learnt.some(slice(cut, None))
    weights = trained(older, seed)
    ranker = Ranker(encode(weights, places=places, scale=0.0, middle=0.0))
    middle = round(float(worth(ranker, older.some(slice(-4_000, None)))[0].mean()), 6)
    found = worth(ranker, newer)[0]
    score = newer.features[:, 0].astype(np.float64)
    learner = ("", score, newer.chance)

    def gain(scale: float) -> float:
        side = ("", score + scale * found, newer.chance)
        return gate.compare(newer.viewer, newer.good, side, learner, in_force=False, seed=seed).gain

    return weights, max(SCALES, key=gain), middle


def worth(ranker: Ranker, examples: Examples) -> tuple[Floats, Floats]:
    """float[n], float[n]: the value of each view, and the chance that it feels good."""
    values, chances = [], []
    for start in range(0, len(examples.good), 1_000):
        some = examples.some(slice(start, start + 1_000))
        watching, gestures = ranker.run(
            some.history, some.known, some.places[:, None], some.features[:, None]
        )
        watching, gestures = watching[:, 0], gestures[:, 0]
        values.append(value(watching, gestures, some.length_ms, some.table, some.refusal))
        felt = verdict(watching, some.length_ms, some.table)
        chances.append(np.clip((1.0 + felt) / 2.0, 1e-6, 1.0 - 1e-6))
    return np.concatenate(values), np.concatenate(chances)


def said(name: str, ranker: Ranker, examples: Examples) -> gate.Told:
    """What a side says of the views: see gate.compare."""
    found, chance = worth(ranker, examples)
    score = examples.features[:, 0] + ranker.scale * (found - ranker.middle)
    return name, score.astype(np.float64), chance
