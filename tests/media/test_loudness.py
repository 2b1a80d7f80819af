"""Clips are equally loud: measured as ffmpeg's own meter does, and brought to -14 LUFS."""

from __future__ import annotations

import zlib
from pathlib import Path

import av
import numpy as np
import pytest

from jhalak.media import LEVELLED, Limits, Plan, make_first, make_rest, plan, probe
from jhalak.media.loudness import TARGET_LUFS, Loudness, Meter, gain, measure
from tests.media.making import AAC, H264, bare
from tests.media.seeing import heard

_SPEECH = "anoisesrc=c=pink:r=48000:d=6:seed=7:a=0.9,volume='0.1+0.9*lt(mod(t,0.5),0.2)':eval=frame"


def _clip(path: Path, sound: str, *words: str) -> Path:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=192x320:r=30:d=6")
    bare(*picture, "-f", "lavfi", "-i", sound, "-shortest", *H264, *AAC, "-ac", "2", *words,
         str(path))  # fmt: skip
    return path


def _fed(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], step: int) -> Loudness:
    meter = Meter()
    data = samples.astype(np.float32).tobytes()
    for at in range(0, len(data), step):
        meter.feed(data[at : at + step])
    return meter.result()


def test_a_full_sine_is_as_loud_as_the_standard_says() -> None:
    """997 Hz at full scale in one channel is -3.01 LUFS (BS.1770, the note at its end)."""
    time = np.arange(48000 * 3) / 48000
    sine = np.stack([np.sin(2 * np.pi * 997 * time), 0 * time], axis=1)
    for step in (1000, 65536, 10**9):
        found = _fed(sine, step)
        assert found.lufs == pytest.approx(-3.01, abs=0.05)
        assert found.peak_db == pytest.approx(0, abs=0.1)


def test_a_peak_between_samples_is_found() -> None:
    """A quarter of the rate, a quarter turn off: samples reach 0.707 of what is played."""
    time = np.arange(48000)
    wave = np.sin(np.pi / 2 * time + np.pi / 4)
    assert _fed(np.stack([wave, wave], axis=1), 10**9).peak_db == pytest.approx(0, abs=0.1)


def test_silence_and_a_moment_have_no_loudness() -> None:
    assert _fed(np.zeros((48000, 2)), 999) == Loudness(None, -120.0)
    assert _fed(np.full((48000 // 5, 2), 0.5), 999).lufs is None
    assert _fed(np.zeros((0, 2)), 1) == Loudness(None, -120.0)
    for found in (None, Loudness(None, -120.0)):
        assert gain(found).db == 0
        assert not gain(found).limited


def test_the_gain_is_bounded() -> None:
    assert gain(Loudness(-24.0, -20.0)).db == 10
    assert gain(Loudness(-60.0, -50.0)).db == 20  # a quiet room stays one
    assert gain(Loudness(-30.0, -2.0)).db == 11  # a limiter may take 10 dB of the peaks
    assert gain(Loudness(-30.0, -2.0)).limited
    assert gain(Loudness(-8.0, 0.5)).db == -6


@pytest.mark.slow
@pytest.mark.parametrize("volume", [-12, -3, 8])
def test_a_clip_is_brought_to_the_target(tmp_path: Path, volume: int) -> None:
    source = _clip(tmp_path / "a.mp4", f"{_SPEECH},volume={volume}dB")
    found = measure(probe(source), source, Limits())
    theirs = heard(source)
    assert found is not None
    assert found.lufs is not None
    assert theirs is not None
    assert found.lufs == pytest.approx(theirs.lufs, abs=0.3)
    assert found.peak_db == pytest.approx(theirs.peak_db, abs=0.4)
    made = make_first(plan(probe(source), Limits(remux_side=1)), source, tmp_path / "made")
    after = heard(made.path)
    assert after is not None
    assert after.lufs == pytest.approx(-14, abs=1.5)
    assert after.peak_db <= -1


@pytest.mark.slow
def test_a_copy_plays_as_it_is_and_is_put_right_with_all_others(tmp_path: Path) -> None:
    made_plan, source = _copied(tmp_path, f"{_SPEECH},volume=-12dB")
    first = heard(make_first(made_plan, source, tmp_path / "first").path)
    assert first == heard(source)
    assert first is not None
    assert first.lufs < -20
    rest = make_rest(made_plan, source, tmp_path / "rest")
    assert rest[0].name == LEVELLED
    assert (rest[0].width, rest[0].height) == (720, 1280)
    assert len(rest) > 1
    for rendition in rest:
        again = heard(rendition.path)
        assert again is not None
        assert again.lufs == pytest.approx(-14, abs=1.5)
        assert again.peak_db <= -1
    assert _pictures(rest[0].path) == _pictures(source)


@pytest.mark.slow
def test_a_copy_that_is_right_stays_the_only_one(tmp_path: Path) -> None:
    tone = "sine=f=500:r=48000:d=3"
    before = heard(_copied(tmp_path, tone)[1])
    assert before is not None
    made_plan, source = _copied(tmp_path, f"{tone},volume={TARGET_LUFS - before.lufs}dB")
    assert made_plan.more  # nobody has listened to it yet
    rest = make_rest(made_plan, source, tmp_path / "rest")
    assert rest
    assert LEVELLED not in [one.name for one in rest]


def _copied(folder: Path, sound: str) -> tuple[Plan, Path]:
    """A clip whose picture is copied, with speech-like sound, and its plan."""
    source = folder / "a.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=720x1280:r=30:d=3")
    bare(*picture, "-f", "lavfi", "-i", sound, "-shortest", *H264, *AAC, "-ac", "2",
         str(source))  # fmt: skip
    made_plan = plan(probe(source))
    assert made_plan.remux
    return made_plan, source


def _pictures(path: Path) -> list[int]:
    """A checksum of each frame."""
    with av.open(str(path)) as file:
        return [zlib.crc32(frame.to_ndarray().tobytes()) for frame in file.decode(video=0)]
