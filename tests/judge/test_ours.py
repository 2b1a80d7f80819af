"""Ours in the judge: what each part reads out of the log, and that owed slots are paid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from bench.judge import ours_exposure, ours_next, standin
from bench.judge.cold_videos import OWED, Cold, finding
from bench.judge.ours_cold import Focus
from bench.judge.recommender import Log


def clicks(*lines):
    """A log: what viewer 0 clicked, what viewer 1 clicked, ..."""
    viewer = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    return Log(viewer, np.array([video for line in lines for video in line], np.int64))


def began(log, n_viewers, n_videos, **settings):
    found = ours_exposure.Ours(size=4, **settings)
    found.begin(log, n_viewers, n_videos)
    return found


TWO_CROWDS = [[n % 4, (n + 1) % 4, (n + 2) % 4] for n in range(12)] + [
    [4 + n % 4, 4 + (n + 1) % 4, 4 + (n + 2) % 4] for n in range(12)
]


def test_at_random_exposure_a_viewer_takes_to_what_similar_viewers_click():
    ours = began(clicks(*TWO_CROWDS), 24, 8)
    for viewer in range(24):
        scores = ours.scores(viewer)
        near, far = (scores[:4], scores[4:]) if viewer < 12 else (scores[4:], scores[:4])
        assert near.min() > far.max()


def test_at_random_exposure_company_raises_all_of_a_viewers_scores_alike():
    log = clicks(*TWO_CROWDS, [0, 1, 2, 3], [8, 9, 10, 11])
    with_company, without = (began(log, 27, 12, company=weight) for weight in (1.0, 0.0))
    gain = [np.subtract(with_company.scores(v), without.scores(v)) for v in (24, 25, 26)]
    for one in gain:
        np.testing.assert_allclose(one, one[0], atol=1e-5)
    assert gain[0][0] > gain[1][0]  # 24 clicks what many click, 25 what nobody else does
    assert gain[2][0] == pytest.approx(0.0, abs=1e-6)  # 26 clicked nothing
    assert np.isfinite(with_company.scores(26)).all()


def test_next_item_is_the_count_written_out():
    lines = [[0, 1, 2, 3], [3, 1, 0], [2, 4], [1, 2, 4]]
    near, back, fade = 0.5, 0.25, 0.6
    ours = ours_next.Ours(near, back, fade)
    ours.fit(lines, 5)
    ours.more([4, 2, 0, 3])
    count = np.bincount(np.concatenate(lines), minlength=5)
    after = np.zeros((5, 5))
    for line in lines:
        for a, b in itertools.combinations(range(len(line)), 2):
            after[line[a], line[b]] += near ** (b - a - 1)
            after[line[b], line[a]] += back * near ** (b - a - 1)
    slow = np.zeros((4, 5))
    for row, (line, last) in enumerate(zip(lines, [4, 2, 0, 3], strict=True)):
        for since, item in enumerate(reversed([*line, last])):
            slow[row] += fade**since * after[item] / count[item] ** ours_next.COMMON
    np.testing.assert_allclose(ours.scores(np.arange(4)), slow, rtol=1e-5)
    np.testing.assert_allclose(ours.scores(np.array([2, 0])), slow[[2, 0]], rtol=1e-5)


def test_next_item_leaves_the_judges_lines_as_they_are():
    lines = [[0, 1], [1, 2]]
    ours = ours_next.Ours()
    ours.fit(lines, 3)
    ours.more([2, 0])
    assert lines == [[0, 1], [1, 2]]


def test_owed_is_paid_before_anybody_gets_more():
    cold = Cold.of(standin.kuairec(0.1), seed=2)
    n, viewers = len(cold.videos), len(cold.world.viewers)
    picker = Focus()
    picker.begin(n, OWED, cold.world.logged)
    seen = np.zeros((viewers, n), bool)
    for turn in range(n * OWED + viewers):
        row = turn % viewers
        owed = (seen.sum(0) < OWED) & ~seen[row]
        place = picker.pick(row, seen[row])
        assert not seen[row, place]
        assert owed[place] or not owed.any()
        seen[row, place] = True
        picker.observe(row, place, bool(cold.liked[row, place]))
    assert (seen.sum(0) >= OWED).all()


def test_who_dislikes_everything_says_little_against_a_video():
    picker = Focus()
    picker.begin(30, 1, None)
    for place in range(2, 30):
        for viewer in range(10):
            picker.observe(viewer, place, viewer >= 5)  # 0-4 like nothing, 5-9 everything
    for viewer in range(5):
        picker.observe(viewer, 0, False)
        picker.observe(5 + viewer, 1, False)
    order = picker.guess(30).tolist()
    assert order.index(0) < order.index(1)


def test_the_best_tenth_is_found():
    cold = Cold.of(standin.kuairec(0.1), seed=2)
    assert finding(Focus, cold, enough=0.5) < cold.liked.size / 2
