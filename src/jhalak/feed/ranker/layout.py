"""What goes into the network and comes out of it, by name and order. A change here is a new FORMAT:
a file of another one is foreign, and is not served.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from jhalak.feed.learning import FOLLOWED, LIKED, PROFILE, SAVED, SHARED
from jhalak.feed.taste import SIZE

FORMAT: Final = "jhalak ranker 1"
MOST: Final = 300  # candidates of a page that are ranked
HISTORY: Final = 32  # answers of the viewer that are looked at, the latest last

# Of one answer: the place of its video, how it was taken in [-1, 1], the time since the one before,
# and how it ended (feed.viewers.End), one of as many.
ENDS: Final = 5
TOKEN: Final = SIZE + 2 + ENDS

# Of a candidate, beside its place. Columns of the batch first, as their producers make them.
COLUMNS: Final = (
    "quality", "suits", "like_channel", "like_author", "like_tag", "like_language", "followed",
    "fresh", "trending",
)  # fmt: skip
FEATURES: Final = (
    "score", *COLUMNS, "unsure", "watches", "length", "mood", "answers", "since", "morning", "noon",
)  # fmt: skip

# Watch time: seconds at which one bin ends and the next begins. The last is open in truth.
EDGES: Final = np.array(
    [0.0, 0.5, 1, 2, 3, 4, 6, 8, 11, 15, 20, 30, 45, 60, 90, 150, 300, 7200], np.float64
)
BINS: Final = len(EDGES) - 1

# What one certain gesture is worth, in full watches: the numbers by which the learner counts them.
# "Not interested" is worth as much as config.refusal says, taken off. The log has no comments.
GESTURES: Final[dict[str, float]] = {
    "like": LIKED,
    "share": SHARED,
    "save": SAVED,
    "follow": FOLLOWED,
    "profile": PROFILE,
}
REFUSAL: Final = "not_interested"
HEADS: Final = (*GESTURES, REFUSAL)
