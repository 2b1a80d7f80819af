"""A linear baseline for a platform's first day: it has no log, so it is fitted again and again on
what the loop itself has seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from bench.judge.counting import Rates
from bench.judge.linear import Linear
from bench.judge.recommender import Bools, Ids, Log, best


class Refitted:
    """Fits anew after every `every` pages; until the first time, the best like rates are served.
    A hopeful `base` makes it try what nobody has seen.
    """

    def __init__(
        self,
        make: Callable[..., Linear],
        base: float = 0.2,
        weight: float = 5.0,
        every: int = 350,
        **settings: float,
    ) -> None:
        self._make, self._every, self._settings = make, every, settings
        self._rates = Rates(weight=weight, base=base, power=0.5)

    def begin(self, logged: Log | None, n_viewers: int, n_videos: int) -> None:
        self._size = n_viewers, n_videos
        self._viewers = [] if logged is None else [logged.viewer]
        self._videos = [] if logged is None else [logged.video]
        self._rates.begin(logged, n_videos)
        self._inner: Linear | None = None
        self._pages = 0
        if logged is not None:
            self._fit()

    def _fit(self) -> None:
        log = Log(np.concatenate(self._viewers), np.concatenate(self._videos))
        self._inner = self._make(fold=True, **self._settings)
        self._inner.begin(log, *self._size)
        self._inner.rates = self._rates  # what was passed over is in no log

    def page(self, viewer: int, n: int, closed: Bools) -> Ids:
        if self._inner is None:
            return best(self._rates.mean, n, closed)
        return self._inner.page(viewer, n, closed)

    def observe(self, viewer: int, videos: Ids, liked: Bools) -> None:
        if self._inner is None:
            self._rates.observe(videos, liked)
        else:
            self._inner.observe(viewer, videos, liked)
        found = videos[liked]
        self._viewers.append(np.full(len(found), viewer))
        self._videos.append(found)
        self._pages += 1
        if self._pages % self._every == 0 and any(map(len, self._videos)):
            self._fit()
