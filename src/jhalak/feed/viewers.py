"""What the feed holds about a viewer, in two parts that live differently.

`Session`: interests and what was seen. Learnt from behaviour; the longest idle are forgotten.
`Ties`: who is followed and blocked, and what was refused. Declared, so a member's are never
forgotten to save memory (a block that lapses is a broken promise).

Interests fade by forward decay, as heat does (see catalogue): a newer watch weighs more by
`growth`, and nothing is ever walked through to be made smaller.
"""

from __future__ import annotations

import enum
from array import array
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from itertools import compress
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from jhalak.feed.config import Config
from jhalak.feed.fairness import Verdict
from jhalak.feed.orderings import Floats, Rows
from jhalak.feed.shelves import Frozen
from jhalak.feed.taste import Own

PRIOR = 1.0  # watches of no opinion that every interest starts with
REBASE = 2.0**40
REMOVED = 256  # interests of one viewer that are remembered as removed
RECENT = 8  # views that may still go on (a finish after a part, another round)
KINDS = ("channel", "author", "tag", "language")


class End(enum.IntEnum):
    """How an answer came about: a watch that ended so, or a gesture."""

    SKIPPED = 0
    LEFT = 1
    FINISHED = 2
    GESTURE = 3
    REFUSED = 4


BY_WATCHING = (End.SKIPPED, End.LEFT, End.FINISHED)


class Interest:
    """Decayed sums of signal and of weight by code; an interest is sum / (weight + PRIOR). Tags
    stand by name: what is held about one is true when its code has gone to another.
    """

    __slots__ = ("sums", "weights")

    def __init__(self) -> None:
        self.sums: dict[Any, float] = {}
        self.weights: dict[Any, float] = {}

    def copy(self) -> Interest:
        other = Interest()
        other.sums, other.weights = self.sums.copy(), self.weights.copy()
        return other

    def add(self, code: int | str, signal: float, weight: float, most: int) -> None:
        """`signal` in [-weight, weight] times growth; a negative weight takes back."""
        total = self.weights.get(code, 0.0) + weight
        if total < 0.0:
            total = 0.0
        felt = self.sums.get(code, 0.0) + signal
        self.weights[code] = total
        self.sums[code] = min(total, max(-total, felt))
        if len(self.sums) > most:
            self._prune(most)

    def _prune(self, most: int) -> None:
        """Forgets the faintest quarter: one pass now and then instead of one each time."""
        weights = self.weights
        strongest = sorted(weights, key=lambda code: (weights[code], code), reverse=True)
        keep = set(strongest[: max(1, most * 3 // 4)])
        self.sums = {code: value for code, value in self.sums.items() if code in keep}
        self.weights = {code: value for code, value in weights.items() if code in keep}

    def scale(self, factor: float) -> None:
        self.sums = {code: value * factor for code, value in self.sums.items()}
        self.weights = {code: value * factor for code, value in self.weights.items()}

    def arrays(self, growth: float, find: Callable[[Any], int]) -> tuple[Rows, Floats]:
        """Codes, and the interest in each, in [-1, 1]. `find` gives a code; -1 for one that is
        gone, which is left out.
        """
        size = len(self.sums)
        sums = np.fromiter(self.sums.values(), np.float64, size)
        weights = np.fromiter(self.weights.values(), np.float64, size)
        codes = np.fromiter(map(find, self.sums), np.int32, size)
        values = sums / (weights + PRIOR * growth)
        here = codes >= 0
        return codes[here], values[here]


class View(NamedTuple):
    """One watching of one video from one page, which may come in several events."""

    slate: str
    watched_ms: int
    finished: bool
    verdict: Verdict

    @property
    def fair(self) -> float:
        return self.verdict.fair

    @property
    def felt(self) -> float:
        return self.verdict.felt


class Session:
    """What was noticed about one viewer."""

    __slots__ = (
        "answers", "at_ms", "ends", "felt", "growth", "interests", "recent", "removed", "seen",
        "times",
    )  # fmt: skip

    def __init__(self) -> None:
        self.at_ms = 0
        self.growth = 1.0
        self.interests = tuple(Interest() for _ in KINDS)
        self.seen = array("i")  # rows in order of watching, last occurrence counts
        self.recent: OrderedDict[int, View] = OrderedDict()
        self.answers = array("i")  # rows in the order of answering ...
        self.felt = array("f")  # ... and how each was taken, in [-1, 1] ...
        self.ends = array("B")  # ... how it ended (End) ...
        self.times = array("q")  # ... and when, in ms
        self.removed: dict[tuple[str, int | str], int] = {}  # (kind, code) -> when, by the viewer

    def copy(self) -> Session:
        other = Session()
        other.at_ms, other.growth = self.at_ms, self.growth
        other.interests = tuple(interest.copy() for interest in self.interests)
        other.seen, other.recent = self.seen[:], self.recent.copy()
        other.answers, other.felt = self.answers[:], self.felt[:]
        other.ends, other.times = self.ends[:], self.times[:]
        other.removed = self.removed.copy()
        return other

    def remove(self, kind: str, code: int | str, at_ms: int) -> None:
        """Notes that the viewer removed an interest; the longest ago go first."""
        at_ms = max(at_ms, self.removed.pop((kind, code), 0))
        self.removed[kind, code] = at_ms
        while len(self.removed) > REMOVED:
            del self.removed[next(iter(self.removed))]

    def teaches(self, kind: str, code: int | str, served_ms: int) -> bool:
        """Whether what was served then may teach this interest: not, when it was removed since."""
        return not self.removed or served_ms > self.removed.get((kind, code), -1)

    def fade(self, at_ms: int, half_ms: int, part: float) -> None:
        """Time goes on to `at_ms`, and everything before fades to `part` of itself."""
        halves = max(0, at_ms - self.at_ms) / half_ms if self.at_ms else 0.0
        self.at_ms = max(self.at_ms, at_ms)
        self.growth *= 2.0 ** min(halves, 400.0) / part
        if self.growth > REBASE:
            for interest in self.interests:
                interest.scale(1.0 / self.growth)
            self.growth = 1.0

    def see(self, row: int, most: int) -> None:
        self.seen.append(row)
        if len(self.seen) >= 2 * most:
            self.seen = array("i", self.seen_rows()[-most:].tolist())

    def saw_once(self, row: int) -> bool:
        """Whether a row that was seen was not seen before, as far as that is remembered."""
        return int(np.count_nonzero(np.frombuffer(self.seen[:], np.int32) == row)) < 2

    def answer(self, row: int, felt: float, end: int, at_ms: int, most: int) -> None:
        self.answers.append(row)
        self.felt.append(felt)
        self.ends.append(end)
        self.times.append(at_ms)
        if len(self.answers) >= 2 * most:
            del self.answers[:-most], self.felt[:-most], self.ends[:-most], self.times[:-most]

    def answer_again(self, row: int, felt: float, end: int) -> float:
        """The last watch of a video is another now. By how much; 0 when it is long ago."""
        at = self._last(row, BY_WATCHING)
        if at < 0:
            return 0.0
        change = felt - self.felt[at]
        self.felt[at], self.ends[at] = felt, end
        return change

    def take_back(self, row: int, ends: Collection[int] = tuple(End)) -> bool:
        """Forgets the last answer about a video that came about so. False when there is none."""
        at = self._last(row, ends)
        if at < 0:
            return False
        del self.answers[at], self.felt[at], self.ends[at], self.times[at]
        return True

    def _last(self, row: int, ends: Collection[int]) -> int:
        for at in range(len(self.answers) - 1, -1, -1):
            if self.answers[at] == row and self.ends[at] in ends:
                return at
        return -1

    def answered(self) -> tuple[Rows, Floats, npt.NDArray[np.int64]]:
        """Rows, how each was taken, float32 in [-1, 1], and when; the oldest first."""
        return (
            np.frombuffer(self.answers[:], np.int32),
            np.frombuffer(self.felt[:], np.float32),
            np.frombuffer(self.times[:], np.int64),
        )

    def last_answers(
        self, count: int
    ) -> tuple[Rows, npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Of the last `count` answers, the oldest first: rows, how each was taken, how it ended,
        and when.
        """
        return (
            np.frombuffer(self.answers[-count:], np.int32),
            np.frombuffer(self.felt[-count:], np.float32),
            np.frombuffer(self.ends[-count:], np.uint8),
            np.frombuffer(self.times[-count:], np.int64),
        )

    def keep_answers(self, kept: npt.NDArray[np.bool_]) -> None:
        """Forgets the answers for which `kept`, one of each, is false."""
        for name in ("answers", "felt", "ends", "times"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, compress(column, kept.tolist())))

    def seen_rows(self) -> Rows:
        """The rows seen, each once, in the order in which they were last seen."""
        return last_of_each(np.frombuffer(self.seen[:], np.int32))

    def absorb(self, other: Session, config: Config) -> None:
        """Adds what was noticed about the same person as a guest."""
        other = other.copy()  # a snapshot may hold it as it was
        latest = max(self.at_ms, other.at_ms)
        for session in (self, other):
            session.fade(latest, config.interest_half_ms, 1.0)
        ratio = self.growth / other.growth
        for kind, mine, theirs in zip(KINDS, self.interests, other.interests, strict=True):
            for code, signal in theirs.sums.items():
                if (kind, code) not in self.removed:
                    mine.add(code, signal * ratio, theirs.weights[code] * ratio, config.interests)
        for (kind, code), at_ms in other.removed.items():
            self.remove(kind, code, at_ms)
        for row in other.seen_rows().tolist():
            self.see(row, config.seen)
        columns = other.answers, other.felt, other.ends, other.times
        for row, felt, end, at_ms in zip(*columns, strict=True):
            self.answer(row, felt, end, at_ms, config.answers)
        for row, view in other.recent.items():
            self.recent[row] = view
            self.recent.move_to_end(row)
        while len(self.recent) > RECENT:
            self.recent.popitem(last=False)


KeptTies: TypeAlias = tuple[list[int], list[int], list[int], bool, bool]


class Ties:
    """What a viewer declared: authors by code, videos by row, and whether the feed may learn."""

    __slots__ = ("blocks", "declined", "follows", "paused", "refused")

    def __init__(
        self,
        follows: Iterable[int] = (),
        blocks: Iterable[int] = (),
        refused: Iterable[int] = (),
        paused: bool = False,
        declined: bool = False,
    ) -> None:
        self.follows = set(follows)
        self.blocks = set(blocks)
        self.refused = dict.fromkeys(refused)
        self.paused, self.declined = paused, declined

    @property
    def learns(self) -> bool:
        return not (self.paused or self.declined)

    def copy(self) -> Ties:
        return Ties(self.follows, self.blocks, self.refused, self.paused, self.declined)

    def kept(self) -> KeptTies:
        """What makes the same again."""
        follows, blocks = sorted(self.follows), sorted(self.blocks)
        return follows, blocks, list(self.refused), self.paused, self.declined

    def refuse(self, row: int, most: int) -> None:
        self.refused.pop(row, None)
        self.refused[row] = None
        while len(self.refused) > most:
            del self.refused[next(iter(self.refused))]

    def absorb(self, other: Ties, most: int) -> None:
        self.follows |= other.follows
        self.blocks |= other.blocks
        for row in other.refused:
            self.refuse(row, most)
        self.paused |= other.paused
        self.declined |= other.declined

    def __bool__(self) -> bool:
        return bool(self.follows or self.blocks or self.refused or self.paused or self.declined)


class Viewers:
    """Everybody: sessions, tastes and guests' ties up to a number, members' ties all. A taste that
    was let go is learnt anew from the session's answers.
    """

    def __init__(self, config: Config, new_taste: Callable[[], Own]) -> None:
        self._config = config
        self.sessions = Frozen(Session, config.members, config.guests)
        self.all_ties = Frozen(Ties, None, config.guests)
        self.tastes = Frozen(new_taste, config.tastes, config.tastes)

    def session(self, viewer: str) -> Session | None:
        return self.sessions.get(viewer)

    def active(self, viewer: str) -> Session:
        """The session of a viewer who has just done something: where it is learnt. Of one who
        paused or declined, one that nobody keeps; so the video learns from it, the viewer does not.
        """
        ties = self.all_ties.get(viewer)
        if ties is None or ties.learns:
            return self.sessions.active(viewer)
        self.sessions.touch(viewer)
        return Session()

    def ties(self, viewer: str) -> Ties:
        """What the viewer declared; to be read only."""
        return self.all_ties.get(viewer) or Ties()

    def declare(self, viewer: str) -> Ties:
        """The ties of a viewer who is about to change them."""
        return self.all_ties.active(viewer)

    def join(self, guest: str, member: str) -> bool:
        """Moves what is held about a guest to a member. False when nothing is."""
        if guest == member:
            return False
        session = self.sessions.pop(guest)
        ties = self.all_ties.pop(guest)
        self.tastes.pop(guest)
        if session is not None:
            self.active(member).absorb(session, self._config)
            self.tastes.pop(member)  # learnt anew, from both
        if ties:
            self.declare(member).absorb(ties, self._config.refused)
        return session is not None or ties is not None


def last_of_each(rows: Rows) -> Rows:
    """Each row once, in the order of last occurrence."""
    _, first = np.unique(rows[::-1], return_index=True)
    return rows[::-1][np.sort(first)][::-1]
