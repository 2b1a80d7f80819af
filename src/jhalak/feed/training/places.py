"""The training of "places": where videos lie by their words and by who took to them.

Untrained, the feed places a video by its words alone (taste.content). A trained place says two
things more. How much each kind of words tells: some houses are about channels, others about
languages. And who took to what (taste.cowatch), for the words and, the more viewers it had, for a
video apart from them: of GROUP viewers half the truth is its own. This is the usual shrinkage of a
mean towards its group's (Gelman and Hill, 2007, chapter 12), and without viewers a trained place is
exactly where the words put it.

How loud each part is, is chosen on the newest part of what is learnt from (`tuned`): the relevance
of each is found from data, as in automatic relevance determination (MacKay, 1994).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from jhalak.feed import places_file
from jhalak.feed.events import Published
from jhalak.feed.places_file import Places
from jhalak.feed.taste import SIZE, by_content, described
from jhalak.feed.taste.content import TRAINED, direction
from jhalak.feed.training.answers import Answers
from jhalak.feed.training.words import Word, words

Floats = npt.NDArray[np.float64]

WORDS = 200_000  # that are kept, the most frequent ones


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Of one training; they stand in the manifest. What each kind of words says is a factor of what
    the feed gives it untrained.
    """

    watched: float = 0.0  # length of what those who watched say, beside 1 for the words
    channel: float = 1.0
    author: float = 1.0
    tag: float = 1.0
    language: float = 1.0
    sound: float = 1.0
    viewers: int = 3  # who took to a video, from which on it has a place of its own
    group: float = 10.0  # viewers that the place by words counts as, beside a video's own
    word: float = 1.0  # videos without a place that a word's mean counts, so that one says half


@dataclass(frozen=True, slots=True)
class Watched:
    """Who took to what, decomposed: what does not depend on how much it is to say."""

    known: npt.NDArray[np.int64]  # videos that have a place of their own, ascending
    said: list[list[Word]]  # the words of each
    apart: Floats  # [known, SIZE]: how each lies to the mean of its words, as far as it is sure
    of_word: dict[Word, Floats]  # where each word lies

    @classmethod
    def of(cls, answers: Answers, settings: Settings, seed: int) -> Watched:
        pairs = np.unique(np.stack([answers.viewer, answers.video], 1)[answers.good], axis=0)
        took = np.bincount(pairs[:, 1], minlength=len(answers.facts))
        known = np.flatnonzero(took >= settings.viewers)
        said = [words(answers.facts[video]) for video in known.tolist()]
        pairs = pairs[np.isin(pairs[:, 1], known)]
        rows = np.searchsorted(known, pairs[:, 1])
        where = np.zeros((0, SIZE))
        if len(known):
            where = described(pairs[:, 0], rows, len(known), SIZE, seed)
        of_word = _means(said, where, settings.word)
        for row, kinds in enumerate(said):
            trust = took[known[row]] / (took[known[row]] + settings.group)
            where[row] = trust * (where[row] - np.mean([of_word[word] for word in kinds], 0))
        return cls(known, said, where, of_word)

    def among(self, videos: npt.NDArray[np.int64]) -> Watched:
        """The same for these videos alone."""
        rows = np.flatnonzero(np.isin(self.known, videos))
        said = [self.said[row] for row in rows.tolist()]
        return Watched(self.known[rows], said, self.apart[rows], self.of_word)


def train(answers: Answers, settings: Settings, seed: int) -> bytes:
    """The file of places (feed.places_file) that these answers give. Equal answers, settings and
    seed give equal bytes.
    """
    return compose(Watched.of(answers, settings, seed), answers.facts, settings)


def compose(watched: Watched, facts: list[Published], settings: Settings) -> bytes:
    """The file, with each part as loud as the settings say."""
    count = Counter(word for kinds in watched.said for word in kinds)
    kept = sorted(count, key=lambda word: (-count[word], word[0], str(word[1])))[:WORDS]
    places = {
        word: (
            getattr(settings, word[0]) * direction(*word) + settings.watched * watched.of_word[word]
        )
        / TRAINED
        for word in kept
    }
    where = np.zeros((len(watched.known), SIZE))
    for row, kinds in enumerate(watched.said):
        where[row] = by_content(kinds, lambda *word: places.get(word))
    where += settings.watched * watched.apart
    ids = np.array([facts[video].video for video in watched.known.tolist()], np.int64)
    return places_file.encode(
        ids, where, {f"{kind}:{name}": place for (kind, name), place in places.items()}
    )


def lay(
    places: Places | None, facts: list[Published], among: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """float32[videos, SIZE]: where the feed puts the videos in `among`, with these places in force
    or none; 0 for all others.
    """
    where = np.zeros((len(facts), SIZE), np.float32)
    trained = None if places is None else places.word
    for number in np.unique(among).tolist():
        video = facts[number]
        own = None if places is None else places.of(video.video)
        where[number] = by_content(words(video), trained) if own is None else own
    return where


def _means(said: list[list[Word]], where: Floats, prior: float) -> dict[Word, Floats]:
    """The mean place of the videos with each word, drawn a little towards the middle."""
    sums: dict[Word, Floats] = {}
    counts: Counter[Word] = Counter()
    for row, kinds in enumerate(said):
        for word in kinds:
            sums[word] = sums[word] + where[row] if word in sums else where[row].copy()
            counts[word] += 1
    return {word: total / (counts[word] + prior) for word, total in sums.items()}
