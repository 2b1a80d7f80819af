"""The painters: the same seed gives the same clip, each clip moves and sounds, the file needs
only a remux.
"""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from threading import Event

import av
import numpy as np
import pytest

from jhalak import media
from jhalak.demo import catalogue
from jhalak.demo.clips.avatar import avatar
from jhalak.demo.clips.canvas import Scene, Shot
from jhalak.demo.clips.encode import EncodeError, encode

pytestmark = pytest.mark.slow

CHANNELS = catalogue.channels()


def _scene(channel: str, variant: int = 0, seed: int = 5, seconds: float = 1.0) -> Scene:
    shot = Shot(seed, variant, seconds, width=108, height=192, fps=12)
    return catalogue.painter(channel).make(shot)


def _digest(scene: Scene) -> str:
    digest = hashlib.sha256()
    for frame in scene.frames:
        digest.update(frame.tobytes())
    digest.update(scene.sound.tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_same_seed_is_the_same_clip_and_another_seed_another(channel: str) -> None:
    assert _digest(_scene(channel)) == _digest(_scene(channel))
    assert _digest(_scene(channel)) != _digest(_scene(channel, seed=6))


@pytest.mark.parametrize(("channel", "variant"), list(itertools.product(CHANNELS, range(6))))
def test_every_clip_moves_and_sounds(channel: str, variant: int) -> None:
    scene = _scene(channel, variant, seconds=2.0)
    frames = list(scene.frames)
    assert len(frames) == 24
    assert {f.shape for f in frames} == {(scene.height, scene.width, 3)}
    assert {f.dtype for f in frames} == {np.dtype(np.uint8)}
    assert 1.6 < scene.height / scene.width < 1.95
    assert any(np.any(frames[0] != later) for later in frames[1:])
    assert max(int(f.max()) for f in frames) > 100
    assert scene.sound.shape == (96_000, 2)
    assert float(np.sqrt((scene.sound.astype(float) ** 2).mean())) > 500
    assert np.abs(scene.sound).max() < 32_767


def test_channels_look_different() -> None:
    looks = {}
    for channel in CHANNELS:
        frame = list(_scene(channel).frames)[-1]
        small = frame[:: frame.shape[0] // 12, :: frame.shape[1] // 8][:12, :8]
        looks[channel] = small.astype(float)
    for one, other in itertools.combinations(CHANNELS, 2):
        assert np.abs(looks[one] - looks[other]).mean() > 8, (one, other)


def _check_file(file: Path, width: int, height: int, seconds: float) -> None:
    with av.open(str(file)) as box:
        video, audio = box.streams.video[0], box.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert video.codec_context.pix_fmt == "yuv420p"
        assert (video.width, video.height) == (width, height)
        assert box.duration / 1e6 == pytest.approx(seconds, abs=0.2)
        loud = 0.0
        for frame in box.decode(audio):
            loud = max(loud, float(np.abs(frame.to_ndarray()).max()))
        assert loud > 0.02


def test_a_file_is_portrait_h264_with_sound(tmp_path: Path) -> None:
    file = encode(_scene("waves"), tmp_path / "waves.mp4", width=108, height=192)
    _check_file(file, 108, 192, 1.0)
    assert [f.name for f in tmp_path.iterdir()] == ["waves.mp4"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_clip_needs_only_a_remux_and_keeps_to_its_rate(channel: str, tmp_path: Path) -> None:
    clip = next(c for c in catalogue.clips() if c.channel == channel)
    file = catalogue.render(clip, tmp_path, seconds=3.0)
    _check_file(file, 540, 960, 3.0)
    probe = media.probe(file, media.Limits())
    assert media.plan(probe, media.Limits()).remux
    assert probe.longest_gop_ms <= 2000
    assert file.stat().st_size * 8 / 3 < 2_900_000  # the first second may borrow


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(catalogue.Stopped):
        catalogue.render(catalogue.clips()[0], tmp_path, seconds=1.0, stop=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_ffmpeg_refuses_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EncodeError, match="ffmpeg stopped"):
        encode(_scene("waves"), tmp_path / "odd.mp4", width=107, height=191)
    assert list(tmp_path.iterdir()) == []


def test_a_person_has_one_face() -> None:
    assert avatar("meena_kolam") == avatar("meena_kolam") != avatar("raju_cells")
    assert avatar("meena_kolam").startswith(b"\x89PNG")
