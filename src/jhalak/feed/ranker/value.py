"""What the network's answers are worth, in full watches: the expected verdict on the watch, within
clips about as long, and each gesture's chance by its documented weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jhalak.feed.ranker.layout import GESTURES
from jhalak.feed.ranker.watch_time import Floats, verdict

_WORTH = np.array(list(GESTURES.values()))


def value(
    watching: npt.NDArray[Any],
    gestures: npt.NDArray[Any],
    length_ms: npt.NDArray[Any],
    table: Floats,
    refusal: float,
) -> Floats:
    """float[n]. `watching` float[n, BINS] and `gestures` float[n, HEADS] are logits; `table` is of
    watch_time.verdicts; `refusal` is what "not interested" takes off.
    """
    chance = 1.0 / (1.0 + np.exp(-gestures.astype(np.float64)))
    worth = np.append(_WORTH, -refusal)
    return np.asarray(verdict(watching, length_ms, table) + chance @ worth)
