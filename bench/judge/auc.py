"""Area under the ROC curve, over all impressions and within each viewer."""

from __future__ import annotations

import numpy as np
from bench.judge.recommender import Bools, Ids
from numpy.typing import NDArray
from scipy.stats import rankdata


def auc(scores: NDArray[np.floating], positive: Bools) -> float:
    """How often a positive scores above a negative; a tie counts half (Mann and Whitney, 1947).
    NaN unless there are both.
    """
    ups = int(positive.sum())
    downs = len(positive) - ups
    if not ups or not downs:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))


def by_viewer(
    scores: NDArray[np.floating], positive: Bools, viewer: Ids
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC within each viewer who has both kinds, and how many impressions it stands for: weighted
    by those, the mean is GAUC (Zhou et al., Deep Interest Network, KDD 2018).
    """
    order = np.argsort(viewer, kind="stable")
    cuts = np.flatnonzero(np.diff(viewer[order])) + 1
    values, weights = [], []
    for rows in np.split(order, cuts):
        value = auc(scores[rows], positive[rows])
        if value == value:
            values.append(value)
            weights.append(float(len(rows)))
    return np.array(values), np.array(weights)
