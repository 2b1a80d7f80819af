"""Moving points that keep apart, turn together and stay near (Reynolds 1987)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Swarm:
    """Moving points in a box of w x h pixels with headings; each step every one looks at a few
    random others.
    """

    def __init__(
        self, rng: np.random.Generator, many: int, w: int, h: int, speed: float, elbow: float = 0.22
    ) -> None:
        self.elbow = elbow  # how hard they keep apart
        self.rng, self.w, self.h, self.speed = rng, w, h, speed
        self.place = rng.normal((w * 0.5, h * 0.36), (w * 0.16, h * 0.08), (many, 2)).astype(
            np.float32
        )
        angle = rng.uniform(0, 2 * np.pi, many)
        self.heading = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32) * speed

    def step(
        self, goal: NDArray[np.float64], pull: float, near: float, bounds: float = 0.02
    ) -> None:
        many = len(self.place)
        cell = max(near, 4.0)
        key = (self.place[:, 1] // cell).astype(np.int64) * 4096 + (
            self.place[:, 0] // cell
        ).astype(np.int64)
        order = np.argsort(key, kind="stable")
        turn, apart = np.zeros_like(self.heading), np.zeros_like(self.heading)
        for offset in (1, 2, 4, 7):  # neighbours in cell order are neighbours in space
            other = order[(np.arange(many) + offset) % many]
            here = order
            gap = self.place[here] - self.place[other]
            away = np.maximum(np.hypot(gap[:, 0], gap[:, 1]), 0.5)[:, None]
            close = np.clip(1 - away / (near * 3), 0, 1)
            turn[here] += (self.heading[other] - self.heading[here]) * close
            apart[here] += gap / away * np.clip(1 - away / near, 0, 1)
        to = (goal - self.place).astype(np.float32)
        far = np.maximum(np.hypot(to[:, 0], to[:, 1]), 1)[:, None]
        # drawn to the goal, and round it: a flock folds over itself
        swirl = np.stack([-to[:, 1], to[:, 0]], 1) / far
        self.heading += 0.09 * turn + self.elbow * self.speed * apart
        self.heading += (
            pull * self.speed * (to / far * np.minimum(far / (self.w * 0.3), 1.6) + 0.55 * swirl)
        )
        self.heading += self.rng.normal(0, 0.05 * self.speed, self.heading.shape).astype(np.float32)
        size = np.maximum(np.hypot(self.heading[:, 0], self.heading[:, 1]), 1e-3)[:, None]
        self.heading *= np.clip(size, self.speed * 0.7, self.speed * 1.5) / size
        self.place += self.heading
        margin = bounds * self.w
        for axis, limit in ((0, self.w), (1, self.h)):
            low, high = self.place[:, axis] < margin, self.place[:, axis] > limit - margin
            self.heading[low, axis] += 0.12 * self.speed
            self.heading[high, axis] -= 0.12 * self.speed
