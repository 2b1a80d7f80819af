"""What is said in a clip, heard by a machine: sound in, words with times out. An extra.

    sound_of(source) -> samples               decoded in the same closed process as all of a clip
    Recogniser: (samples, language) -> Heard  the one thing that a model has to do
    whisper(folder) -> Recogniser             faster-whisper, with a model that the operator brought
    lines(words) -> cues                      short enough to be read

Loaded is only what was declared, to the byte (jhalak.border.provenance). Nothing is fetched: a
folder that lacks a file of the model is an error, because the library would
look for it elsewhere. The network that hears is given samples, never the clip's bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from jhalak.border import provenance
from jhalak.media.commands import sound_command
from jhalak.media.model import Limits
from jhalak.media.probing import probe
from jhalak.media.process import Budget, run
from jhalak.media.webvtt import Cue

RATE = 16_000  # samples a second, one channel: what speech models are trained on
MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")
KIND = "speech"
SURE = 0.5  # of a language that nobody named; below it, what was heard is no speech or a guess
LONGEST_LINE = 72  # characters: two lines on a phone
LONGEST_MS = 5000
PAUSE_MS = 700  # a silence that ends a line
_ENDS = (".", "?", "!", "।", "॥", "۔", "؟", "…")

Samples = NDArray[np.float32]


class NoModel(Exception):
    """Speech cannot be heard here; the message says what the operator has to bring."""


class Word(msgspec.Struct, frozen=True):
    """One word, with its punctuation, and when it is said."""

    start_ms: int
    end_ms: int
    text: str


class Heard(msgspec.Struct, frozen=True):
    language: str
    words: list[Word]


class Recogniser(Protocol):
    def __call__(
        self, sound: Samples, language: str, tell: Callable[[float], None]
    ) -> Heard | None:
        """The words in `sound` (RATE samples a second, -1 to 1). `language`: a code, "" to find
        out. `tell` gets the share that is heard, and ends it by raising. None: no speech, or a
        language that this cannot hear.
        """


def sound_of(source: Path, limits: Limits | None = None) -> Samples | None:
    """A clip's sound from its start, RATE samples a second, one channel; None when it has none.

    Raises Refused, Failed as probe() and ffmpeg do.
    """
    limits = limits or Limits()
    clip = probe(source, limits)
    if clip.audio_index is None:
        return None
    data = bytearray()
    budget = Budget.of(limits, clip.duration_ms, nice=10)
    run(sound_command(clip, source, RATE), [data.extend], budget)
    samples = np.frombuffer(bytes(data), np.dtype("<i2")).astype(np.float32)
    return samples / np.float32(32768)


def lines(words: Iterable[Word]) -> list[Cue]:
    """Words as cues: a new one after a sentence, a pause, LONGEST_LINE characters or LONGEST_MS."""
    cues: list[Cue] = []
    for word in words:
        text = " ".join(word.text.split())[:LONGEST_LINE]
        if not text:
            continue
        start = max(word.start_ms, cues[-1].start_ms if cues else 0)
        end = max(word.end_ms, start + 1)
        last = cues[-1] if cues else None
        if (
            last is not None
            and not last.text.endswith(_ENDS)
            and start - last.end_ms < PAUSE_MS
            and len(last.text) + 1 + len(text) <= LONGEST_LINE
            and end - last.start_ms <= LONGEST_MS
        ):
            cues[-1] = Cue(last.start_ms, max(end, last.end_ms), f"{last.text} {text}")
        else:
            cues.append(Cue(start, end, text))
    return cues


@functools.cache
def whisper(folder: Path) -> Recogniser:
    """A model in CTranslate2's form, kept for the life of the process. Raises NoModel."""
    if lacking := [name for name in MODEL_FILES if not (folder / name).is_file()]:
        raise NoModel(f"{folder} lacks {', '.join(lacking)}")
    try:
        provenance.check(folder, KIND)
    except provenance.ProvenanceError as error:
        raise NoModel(str(error)) from error
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise NoModel(f"{error}: install jhalak[speech]") from error
    model: Any = WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )

    def hear(sound: Samples, language: str, tell: Callable[[float], None]) -> Heard | None:
        code = language.partition("-")[0]
        if code and code not in model.supported_languages:
            return None
        segments, info = model.transcribe(
            sound,
            language=code or None,
            vad_filter=True,  # music and noise are not guessed at
            word_timestamps=True,
            condition_on_previous_text=False,  # one mistake is not said again and again
        )
        if not code and info.language_probability < SURE:
            return None
        words = []
        for segment in segments:  # each is heard when it is asked for
            tell(segment.end / max(info.duration, 0.001))
            words += [
                Word(round(word.start * 1000), round(word.end * 1000), word.word)
                for word in segment.words
            ]
        return Heard(language or info.language, words) if words else None

    return hear
