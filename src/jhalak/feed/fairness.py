"""What a watch says, fairly to every length.

Seconds favour long videos; the share of the length that was watched favours short ones. What is
fair is how a watch compares with other watches of videos about as long: its quantile there. By
construction the mean over all watches of a length is the same for every length.

Lengths fall into octaves of seconds (under 1, 2, 4, 8, ...). Each octave keeps a histogram of the
share watched, which starts as if PRIOR watches had been spread evenly and forgets slowly.
"""

from __future__ import annotations

from typing import NamedTuple

BINS = 20
OCTAVES = 14  # the last holds everything over about two hours
PRIOR = 40.0
FULL = 20_000.0  # watches in an octave before all of them count half
END = 0.95  # so much of the length is the end: players stop a little early
CREDIBLE = 0.7  # who says "finished" must have had the time for this much
FINISH_FLOOR = 0.7  # a finish is liked at least so much, even where everybody finishes
SKIP_FLOOR = -0.5  # a skip is disliked at least so much, even where everybody skips


class Verdict(NamedTuple):
    fair: float  # in [-1, 1]: twice the quantile, less one
    felt: float  # in [-1, 1]: the same, but a skip is a dislike and a finish a like
    octave: int
    bin: int


class Fairness:
    def __init__(self, skip_below: float) -> None:
        self._skip_below = skip_below
        self.counts: list[list[float]] = [[PRIOR / BINS] * BINS for _ in range(OCTAVES)]
        self.totals: list[float] = [PRIOR] * OCTAVES

    def judge(self, watched_ms: int, duration_ms: int, finished: bool) -> Verdict:
        """What it says that `watched_ms` of `duration_ms` were watched. Learns nothing."""
        share = watched_ms / duration_ms if duration_ms > 0 else 1.0
        if share >= (CREDIBLE if finished else END):
            share = 1.0
        octave = min((duration_ms // 1000).bit_length(), OCTAVES - 1)
        place = min(int(share * BINS), BINS - 1)
        counts = self.counts[octave]
        below = sum(counts[:place]) + counts[place] / 2
        fair = 2.0 * below / self.totals[octave] - 1.0
        if finished and share < 1.0:
            # The clock does not allow it (two devices at once, or a lie): no like, no dislike.
            fair = felt = max(0.0, fair)
        elif share < self._skip_below:
            depth = 1.0 - share / self._skip_below
            felt = min(fair, SKIP_FLOOR - (1.0 + SKIP_FLOOR) * depth)
        elif share == 1.0:
            felt = max(fair, FINISH_FLOOR)
        else:
            felt = fair
        return Verdict(fair, felt, octave, place)

    def learn(self, octave: int, place: int, weight: float = 1.0) -> None:
        """Counts one watch; weight -1 takes one back that went on."""
        counts = self.counts[octave]
        if counts[place] + weight < 0:
            return
        counts[place] += weight
        self.totals[octave] += weight
        if self.totals[octave] > FULL:
            self.counts[octave] = counts = [count / 2 for count in counts]
            self.totals[octave] = sum(counts)
