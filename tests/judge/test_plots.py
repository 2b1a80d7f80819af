"""The picture of the closed loop: well-formed, complete, and nothing written over anything else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from bench.judge import plots
from bench.judge.intervals import band, interval

SVG = "{http://www.w3.org/2000/svg}"


def kept(names, beginnings=("with history", "no log"), synthetic=False):
    rng = np.random.default_rng(1)
    results = {
        beginning: {
            name: {"likes_on_page": [list(page) for page in band(rng.poisson(3, (40, 10)))]}
            for name in names
        }
        for beginning in beginnings
    }
    return {"world": "tiny", "synthetic": synthetic, "results": results}


def test_every_entry_has_a_line_a_band_and_its_name():
    names = ["Jhalak", "EASE, folded", "a <b> & c"]
    root = ET.fromstring(plots.draw(kept(names, ("with history", "no log", "limit"))))
    words = [text.text or "" for text in root.iter(f"{SVG}text")]
    for name in names:
        assert words.count(name) == 2
    assert "limit" not in words
    assert len(list(root.iter(f"{SVG}polyline"))) == len(list(root.iter(f"{SVG}polygon"))) == 6
    for panel in root.iter(f"{SVG}g"):
        assert [line.get("stroke") for line in panel.iter(f"{SVG}polyline")][-1] == plots.OURS


def test_names_stand_in_the_order_of_likes_and_within():
    some = kept([f"entry {n}" for n in range(20)], ("no log",))
    for n, one in enumerate(some["results"]["no log"].values()):
        one["likes_on_page"] = [[n / 2, n / 2, n / 2]] * 10
    root = ET.fromstring(plots.draw(some))
    names = [text for text in root.iter(f"{SVG}text") if (text.text or "").startswith("entry")]
    assert [name.text for name in names] == [f"entry {n}" for n in reversed(range(20))]
    assert names[0].get("fill") == plots.BEST
    assert float(names[-1].get("y", "")) < plots.HEIGHT
    assert "95.0" in [text.text for text in root.iter(f"{SVG}text")]


def test_a_generated_world_says_so_and_nothing_is_no_picture():
    assert "SYNTHETIC" in plots.draw(kept(["Jhalak"], synthetic=True))
    with pytest.raises(ValueError, match="no results"):
        plots.draw(kept([], ("limit",)))


def test_the_band_is_the_interval_of_each_column():
    likes = np.random.default_rng(3).poisson(2.0, (200, 4))
    for page, one in zip(likes.T, band(likes), strict=True):
        alone = interval(page)
        assert one.mean == alone.mean
        assert one.low == pytest.approx(alone.low, abs=0.03)
        assert one.high == pytest.approx(alone.high, abs=0.03)
