"""How large the network is: small, so that 300 candidates cost a page about a millisecond."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jhalak.feed.ranker.layout import BINS, FEATURES, HEADS, TOKEN
from jhalak.feed.taste import SIZE

Weights: TypeAlias = Mapping[str, npt.NDArray[Any]]

WIDTH: Final = 32
ATTENTION: Final = 2  # heads
WIDE: Final = 64
HIDDEN: Final = 64
OUT: Final = BINS + len(HEADS)
CLIP: Final = 5.0  # standard deviations beyond which a feature says no more
FAR: Final = 1e9  # taken off logits of what may not be attended to


def shapes() -> dict[str, tuple[int, ...]]:
    """Of each array of weights, by name."""
    part = WIDTH // ATTENTION
    found: dict[str, tuple[int, ...]] = {
        "token_w": (TOKEN, WIDTH),
        "candidate_w": (SIZE + len(FEATURES), WIDTH),
        "wide_w": (WIDTH, WIDE),
        "narrow_w": (WIDE, WIDTH),
        "head_w": (3 * WIDTH + len(FEATURES), HIDDEN),
        "out_w": (HIDDEN, OUT),
        "mean": (len(FEATURES),),
        "spread": (len(FEATURES),),
    }
    found |= {f"{name[:-2]}_b": shape[1:] for name, shape in found.items() if name.endswith("_w")}
    for name in ("self_q", "self_k", "self_v", "self_o", "cross_q", "cross_k", "cross_v"):
        found[name] = (WIDTH, WIDTH)
    for name in ("self", "cross"):
        found[f"{name}_decay"] = (ATTENTION, 1, 1)
        found[f"{name}_null"] = (ATTENTION, 1, part)
    for name in ("norm1", "norm2", "norm3"):
        found[f"{name}_g"] = found[f"{name}_b"] = (WIDTH,)
    return found


def drawn(seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Weights to begin from."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in sorted(shapes().items()):
        if name == "spread" or name.endswith("_g"):
            made = np.ones(shape)
        elif name.endswith("_decay"):
            made = np.full(shape, 0.05)
        elif len(shape) == 2:
            made = rng.standard_normal(shape) / shape[0] ** 0.5
        else:
            made = np.zeros(shape)
        found[name] = made.astype(np.float32)
    return found
