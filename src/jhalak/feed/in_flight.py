"""What this process served and nobody has answered yet, so that a video owed five more impressions
is not served to a hundred people at once. Not in the log: a restart forgets it.
"""

from __future__ import annotations

from collections import OrderedDict, deque


class InFlight:
    """`answer_ms`: after so long no answer is waited for any more. `most`: of one row, more are not
    counted.
    """

    def __init__(self, answer_ms: int, most: int) -> None:
        self._answer_ms, self._most = answer_ms, most
        # Times of serving by row; the row served longest ago stands first.
        self._served: OrderedDict[int, deque[int]] = OrderedDict()

    def served(self, row: int, now_ms: int) -> None:
        while self._served:
            longest_ago = next(iter(self._served))
            if self._served[longest_ago][-1] > now_ms - self._answer_ms:
                break
            del self._served[longest_ago]
        self._served.setdefault(row, deque(maxlen=self._most)).append(now_ms)
        self._served.move_to_end(row)

    def answered(self, row: int) -> None:
        """Somebody was shown it, here or by another process; taken for the longest waiting."""
        times = self._served.get(row)
        if times is not None:
            times.popleft()
            if not times:
                del self._served[row]

    def count(self, row: int, now_ms: int) -> int:
        """How many impressions of a row may still come."""
        times = self._served.get(row, ())
        since = now_ms - self._answer_ms
        while times and times[0] <= since:
            self.answered(row)
        return len(times)

    def __len__(self) -> int:
        return len(self._served)
