"""SASRec: it learns what follows what, and stands where the judge asks."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from bench.judge import next_item
from bench.judge.recommender import Log
from bench.judge.sasrec import SasRec, Settings
from bench.judge.sasrec_entries import Loop, NextItem

pytestmark = pytest.mark.slow
SMALL = {"size": 16, "blocks": 1, "heads": 1, "dropout": 0.0, "batch": 16, "negatives": 30}


def chains(count: int = 60, items: int = 12) -> list[list[int]]:
    """Lines in which each item is followed by the next number."""
    return [[(start + step) % items for step in range(6)] for start in range(count)]


def test_it_learns_what_follows_what_and_the_same_again() -> None:
    lines = [np.array(line) for line in chains()]
    settings = Settings(**SMALL, rate=0.01, epochs=30)
    one, two = (SasRec.train(lines, 12, settings) for _ in range(2))
    asked = [[3, 4, 5], [9]]
    scores = one.ahead(asked) @ one.items.T
    assert scores.argmax(1).tolist() == [6, 10]
    assert (scores == two.ahead(asked) @ two.items.T).all()


def test_a_line_does_not_depend_on_the_lines_beside_it() -> None:
    model = SasRec.train([np.array(line) for line in chains()], 12, Settings(**SMALL, epochs=1))
    alone, beside = model.ahead([[3, 4]]), model.ahead([[3, 4], [1, 2, 3, 4, 5, 6], []])
    assert np.allclose(alone[0], beside[0], atol=1e-5)


def test_the_next_item_is_found_with_what_was_told_last() -> None:
    ranker = NextItem(**SMALL, rate=0.01, epochs=30)
    entry = next_item.Entry("SASRec", lambda: ranker)
    found = next_item.run(chains(), (), [entry])
    assert found["SASRec"].hit_rate == 1.0
    assert ranker._lines[0] == [0, 1, 2, 3, 4]


def test_a_page_of_answers_is_folded_in_by_encoding_again() -> None:
    viewer = np.repeat(np.arange(40), 5)
    video = np.array([(5 * (v % 2)) + n for v in range(40) for n in range(5)])
    loop = Loop(**{**SMALL, "size": 16, "rate": 0.01, "epochs": 25})
    loop.begin(Log(viewer, video), 41, 10)
    closed = np.zeros(10, bool)
    before = loop.page(40, 3, closed)
    loop.observe(40, np.array([6, 7]), np.array([True, True]))
    closed[[6, 7]] = True
    after = loop.page(40, 3, closed)
    assert sorted(after.tolist()) == [5, 8, 9]
    assert before.shape == (3,)
