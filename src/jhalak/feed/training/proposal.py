"""A candidate, trained and judged, with the manifest that says how it came about."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from jhalak import feed
from jhalak.feed import models
from jhalak.feed.events import ModelKind
from jhalak.feed.models import Manifest
from jhalak.feed.places_file import Places, decode
from jhalak.feed.training import gate
from jhalak.feed.training.answers import Answers
from jhalak.feed.training.places import Settings, train
from jhalak.feed.training.tuning import tuned

KIND = ModelKind.PLACES
FEWEST = 5_000  # answers from which places are learnt at all
FEWEST_JUDGED = 400  # views that a verdict stands on
# The sources whose change may change an artefact.
SOURCES = (
    "training/*.py", "taste/*.py", "catalogue.py", "config.py", "events.py", "fairness.py",
    "places_file.py",
)  # fmt: skip


class TooFew(Exception):
    """There is not enough in the log yet; the message says how much there is."""


class NoTorch(Exception):
    """The extra "train" is not installed; the message says so."""


@dataclass(frozen=True, slots=True)
class Proposal:
    artefact: bytes
    manifest: Manifest
    verdict: gate.Verdict


def propose(
    answers: Answers,
    in_force: tuple[str, Places] | None = None,
    *,
    after: int = 0,
    settings: Settings | None = None,
    seed: int = 1,
) -> Proposal:
    """Trains on the older part of the answers and judges on the newer. `in_force`: name and places
    that are served now, which learnt from the log up to `after`. Without `settings` they are tuned.
    Raises TooFew.
    """
    if len(answers.felt) < FEWEST:
        raise TooFew(f"not enough answers yet: {len(answers.felt)} of {FEWEST}")
    last = gate.split(answers, after)
    judged = int((answers.offset > last).sum())
    if judged < FEWEST_JUDGED:
        raise TooFew(
            f"not enough new answers since what is in force was trained:"
            f" {judged} of {FEWEST_JUDGED}"
        )
    learnt = answers.until(last)
    settings = settings or tuned(learnt, seed)
    artefact = train(learnt, settings, seed)
    name, served = in_force or ("words alone", None)
    verdict = gate.judge(
        answers,
        last,
        gate.Side("candidate", decode(artefact)),
        gate.Side(name, served),
        in_force=in_force is not None,
        seed=seed,
    )
    manifest = Manifest(
        kind=KIND,
        sha256=models.sha256(artefact),
        size=len(artefact),
        data=answers.span,
        code=code_hash(),
        seed=seed,
        settings={name: float(value) for name, value in msgspec.structs.asdict(settings).items()}
        | {"learnt_to": float(last)},
        gate=gate.as_facts(verdict),
        libraries={
            "msgspec": msgspec.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    )
    return Proposal(artefact, manifest, verdict)


def code_hash(sources: tuple[str, ...] = SOURCES) -> str:
    """SHA-256 over names and contents of the sources that these patterns name."""
    root = Path(feed.__file__).parent
    found = hashlib.sha256()
    for path in sorted(path for pattern in sources for path in root.glob(pattern)):
        data = path.read_bytes()
        found.update(f"{path.relative_to(root).as_posix()}\n{len(data)}\n".encode())
        found.update(data)
    return found.hexdigest()
