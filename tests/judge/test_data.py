"""The real logs, where they are: the judge reads them right, and the known figures come out."""

from __future__ import annotations

import numpy as np
import pytest
from bench.judge import data, loop, standin
from bench.judge.counting import Popularity, Random

pytestmark = pytest.mark.slow

real = pytest.mark.skipif(not data.here(), reason="the shared data is not here")


def write(folder, world, answers_logged=False):
    """A world as KuaiRec's two files."""
    (folder / "kuairec").mkdir()
    viewer, video = world.logged.viewer, world.logged.video
    if answers_logged:
        viewer, video = np.append(viewer, world.viewers[0]), np.append(video, world.catalogue[0])
    np.savez(
        folder / "kuairec" / "logged.npz", train_user=viewer[:-5], train_video=video[:-5],
        valid_user=viewer[-5:], valid_video=video[-5:],
    )  # fmt: skip
    np.savez(
        folder / "kuairec" / "observed.npz", users=world.viewers, videos=world.catalogue,
        liked=np.packbits(world.liked, axis=1),
    )  # fmt: skip


def test_files_are_read_back_as_they_are(tmp_path):
    world = standin.kuairec(0.03)
    write(tmp_path, world)
    read = data.kuairec(tmp_path)
    assert not read.synthetic
    for name in ("viewers", "catalogue", "liked"):
        np.testing.assert_array_equal(getattr(read, name), getattr(world, name))
    np.testing.assert_array_equal(read.logged.viewer, world.logged.viewer)


def test_a_log_that_holds_the_answers_is_refused(tmp_path):
    write(tmp_path, standin.kuairec(0.03), answers_logged=True)
    with pytest.raises(ValueError, match="holds answers"):
        data.kuairec(tmp_path)


def test_without_the_folder_nothing_is_here(tmp_path):
    assert not data.here(tmp_path)


@real
def test_the_known_figures_of_kuairec():
    world = data.kuairec()
    assert len(world.viewers) == 705
    assert len(world.catalogue) == 3327
    assert loop.oracle(world.liked).sum(1).mean() == pytest.approx(74.3, abs=0.1)
    chance = loop.play(Random, world, world.logged).per_100.mean()
    assert chance == pytest.approx(100 * world.liked.mean(), abs=0.4)
    assert loop.play(Popularity, world, world.logged).per_100.mean() == pytest.approx(25.9, abs=0.3)


@real
def test_the_real_logs_of_kuairand_and_beauty():
    world = data.kuairand()
    assert len(world.viewer) == 293_050
    assert world.clicked.mean() == pytest.approx(0.213, abs=0.001)
    lines = data.beauty()
    assert len(lines) == 22_363
    assert max(max(line) for line in lines) == 12_100
    assert min(len(line) for line in lines) == 5
