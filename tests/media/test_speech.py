"""Sound for a model that hears, and its words as lines that can be read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.border.provenance import declare
from jhalak.media import Limits, make_first, plan, probe
from jhalak.media.speech import (
    LONGEST_LINE,
    LONGEST_MS,
    MODEL_FILES,
    RATE,
    NoModel,
    Word,
    lines,
    sound_of,
    whisper,
)
from jhalak.media.webvtt import checked
from tests.media.making import AAC, H264, bare, clip

WORDS = st.lists(
    st.builds(Word, st.integers(0, 60_000), st.integers(0, 60_000), st.text(max_size=90)),
    max_size=30,
)


@given(WORDS)
def test_lines_are_short_in_order_and_lose_no_word(words: list[Word]) -> None:
    found = lines(words)
    said = [" ".join(word.text.split())[:LONGEST_LINE] for word in words]
    assert " ".join(cue.text for cue in found) == " ".join(filter(None, said))
    assert all(len(cue.text) <= LONGEST_LINE and cue.start_ms < cue.end_ms for cue in found)
    assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)


def test_a_line_ends_with_a_sentence_a_pause_or_when_it_is_long() -> None:
    def said(*words: tuple[int, int, str]) -> list[str]:
        return [cue.text for cue in lines(Word(*word) for word in words)]

    assert said((0, 100, " Rain"), (100, 200, " falls.")) == ["Rain falls."]
    assert said((0, 100, "बस।"), (100, 200, "चलो")) == ["बस।", "चलो"]
    assert said((0, 100, "wait"), (900, 1000, "what")) == ["wait", "what"]
    assert said((0, 100, "x" * 40), (100, 200, "y" * 40)) == ["x" * 40, "y" * 40]
    assert said((0, 100, "slow"), (600, LONGEST_MS + 1, "ly")) == ["slow", "ly"]
    (cue,) = checked(lines([Word(200, 200, "now")]), 1000)
    assert (cue.start_ms, cue.end_ms) == (200, 201)


@pytest.mark.slow
def test_the_sound_of_a_clip(tmp_path: Path, plain: Path, other: Path) -> None:
    sound = sound_of(plain)
    assert sound is not None
    assert sound.dtype == np.float32
    assert abs(len(sound) - 3 * RATE) < RATE // 5
    spectrum = np.abs(np.fft.rfft(sound[:RATE]))
    assert int(spectrum.argmax()) == 440  # Hz: the tone in it, at the rate that it should have
    assert float(np.abs(sound).max()) <= 1
    assert sound_of(other) is None
    whole = plan(probe(plain, Limits()), Limits())
    made = make_first(whole, plain, tmp_path, lambda _piece: None, lambda _share: None)
    again = sound_of(made.path)  # what the job hears
    assert again is not None
    assert abs(len(again) - len(sound)) < RATE // 10
    late = clip(tmp_path / "late.mp4", extra=("-af", "adelay=1500:all=1"), seconds=4)
    heard = sound_of(late)
    assert heard is not None
    assert float(np.abs(heard[: int(1.4 * RATE)]).max()) < 0.01
    assert float(np.abs(heard[int(1.6 * RATE) :]).max()) > 0.05


def test_a_model_is_brought_and_never_fetched(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(NoModel, match=r"lacks config\.json, tokenizer\.json"):
        whisper(tmp_path)
    for name in MODEL_FILES:
        (tmp_path / name).touch()
    with pytest.raises(NoModel, match="jhalak border model"):
        whisper(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    not (os.environ.get("JHALAK_TEST_SPEECH_MODEL") and shutil.which("espeak-ng")),
    reason="needs a model's folder in JHALAK_TEST_SPEECH_MODEL, jhalak[speech] and espeak-ng",
)
def test_a_real_model_hears(tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    text = "Welcome to the river. The water is rising."
    subprocess.run(["espeak-ng", "-v", "en", "-w", str(voice), text], check=True)
    spoken = tmp_path / "spoken.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=192x320:r=30")
    bare(*picture, "-i", str(voice), "-shortest", *H264, *AAC, str(spoken))
    sound = sound_of(spoken)
    assert sound is not None
    model = Path(shutil.copytree(os.environ["JHALAK_TEST_SPEECH_MODEL"], tmp_path / "model"))
    declare(model, tmp_path / "data", "speech", "the test's", "MIT")
    hear = whisper(model)
    shares: list[float] = []
    heard = hear(sound, "", shares.append)
    assert heard is not None
    assert heard.language == "en"
    said = " ".join(word.text.strip(" .,").lower() for word in heard.words)
    assert said == "welcome to the river the water is rising"
    assert shares
    assert hear(sound, "or", shares.append) is None  # a language that it was never taught
    assert hear(np.zeros(5 * RATE, np.float32), "en", shares.append) is None
