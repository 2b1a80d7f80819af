"""Intervals and tests that hold at every moment at once, so that looking each day is allowed.

A 95 % interval that is looked at again and again misses the truth sooner or later. A confidence
sequence contains it at all times together with 95 %. Here: the normal mixture of Robbins (1970), as
in the mixture sequential test of Johari et al. (2017), with the variance estimated from the data
(Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic
confidence sequences", 2021). It holds for large numbers: `LEAST` viewers on each side before the
first look; a test looks at every viewer of thousands of experiments and counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST = 50  # viewers in each arm before anything is said
TIGHTEST_AT = 2_000  # viewers in both arms: where the interval is narrowest for what it promises
SPLIT_ALPHA = 0.01


def radius(variance: float, viewers: int, alpha: float) -> float:
    """Half the width of the interval around a difference of two means, in their unit.

    `variance`: of the estimated difference (the sum of both arms' variance over number);
    `viewers`: in both arms; `alpha`: the chance that the truth is ever outside.
    """
    spread = -2.0 * math.log(alpha)
    information = viewers * (spread + math.log(1.0 + spread)) / TIGHTEST_AT
    grown = (1.0 + 1.0 / information) * (math.log1p(information) + spread)
    return math.sqrt(variance * grown)


def split_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    """How many times likelier these counts are under some other split than under `shares` (which
    sum to 1): a Bayes factor with an even prior, which stays under 1/alpha for ever with chance
    1 - alpha if the shares are true (Lindon and Malek, "Anytime-valid inference for multinomial
    count data", 2022). Arms that are not filled as dealt compare different people.
    """
    number = len(counts)
    log = math.lgamma(number) - math.lgamma(sum(counts) + number)
    for count, share in zip(counts, shares, strict=True):
        log += math.lgamma(count + 1) - count * math.log(share)
    return math.exp(min(log, 700.0))
