"""Who is in which experiment, and in which arm: by hash alone, so that every process agrees and
nothing is kept for it.

A viewer's bucket in a layer follows from the layer and the viewer: layers are orthogonal. The arm
follows from the experiment's number and the viewer: buckets that an earlier experiment used are
mixed anew, and what it did to them falls on all arms alike. Both depend on nothing else, so a
viewer stays. A guest who signs up is the member from then on, with the member's arm.

What was served carries its arms as text: "12b" is experiment 12, arm b (a is the control); several
stand one after the other, "12b13a".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from jhalak.feed.draws import seed_of
from jhalak.feed.experiments.plans import BUCKETS, Held

LETTERS = "abcd"
BOTH = -1  # in place of an arm: control and arm b fill this viewer's pages in turn
_ONE = re.compile(rf"([0-9]{{1,9}})([{LETTERS}])")
_WRITTEN = re.compile(rf"([0-9]{{1,9}}[{LETTERS}])*")


class Assigned(NamedTuple):
    number: int  # of the experiment
    arm: int  # 0 is the control; or BOTH


def bucket_of(layer: str, viewer: str) -> int:
    """In [0, BUCKETS)."""
    return seed_of("layer", layer, viewer) % BUCKETS


def arm_of(number: int, arms: int, viewer: str) -> int:
    """In [0, arms)."""
    return seed_of("arm", number, viewer) % arms


def assign(held: Iterable[Held], viewer: str, now_ms: int) -> tuple[Assigned, ...]:
    """Every experiment that the viewer is in now, at most one of each layer."""
    return tuple(
        Assigned(
            one.number,
            BOTH if one.plan.interleaved else arm_of(one.number, len(one.plan.arms) + 1, viewer),
        )
        for one in held
        if one.runs(now_ms) and one.has(bucket_of(one.plan.layer, viewer))
    )


def written(assigned: Iterable[Assigned]) -> str:
    return "".join(f"{one.number}{LETTERS[one.arm]}" for one in assigned)


def read(text: str) -> list[Assigned]:
    """What `written` wrote; none of anything else."""
    if _WRITTEN.fullmatch(text) is None:
        return []
    return [Assigned(int(number), LETTERS.index(arm)) for number, arm in _ONE.findall(text)]
