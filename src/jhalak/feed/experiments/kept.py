"""Weights and experiments as a part of a snapshot, and back."""

from __future__ import annotations

import msgspec
import numpy as np

from jhalak.feed.experiments.ledger import Entry, Experiments
from jhalak.feed.experiments.plans import Held
from jhalak.feed.experiments.results import Moments
from jhalak.feed.experiments.units import KINDS, Units
from jhalak.feed.tuning import Change, Tuning


class KeptEntry(msgspec.Struct, array_like=True):
    held: Held
    ended: list[Moments] | None
    columns: dict[str, bytes]


class KeptTrials(msgspec.Struct, tag="trials"):
    tuned: int
    changes: list[Change]
    started: int
    entries: list[KeptEntry]


def keep(tuning: Tuning, experiments: Experiments) -> KeptTrials:
    """Taken as it is: nothing of it changes any more."""
    entries = [
        KeptEntry(entry.held, entry.ended, _bytes(entry.units))
        for entry in experiments.entries.values()
    ]
    return KeptTrials(tuning.count, tuning.changes, experiments.count, entries)


def restore(kept: KeptTrials, tuning: Tuning, experiments: Experiments) -> None:
    tuning.count, tuning.changes = kept.tuned, kept.changes
    experiments.count = kept.started
    for one in kept.entries:
        entry = Entry(
            one.held, Units(_columns(one.columns), pairs=one.held.plan.interleaved), one.ended
        )
        experiments.entries[one.held.number] = entry


def _little(kind: str) -> np.dtype[np.generic]:
    return np.dtype(kind).newbyteorder("<")


def _bytes(units: Units) -> dict[str, bytes]:
    return {
        name: units.column(name).astype(_little(kind)).tobytes() for name, kind in KINDS.items()
    }


def _columns(kept: dict[str, bytes]) -> dict[str, np.ndarray]:
    return {
        name: np.frombuffer(kept[name], _little(kind)).astype(kind) for name, kind in KINDS.items()
    }
