"""How loud each part of a place is to be, chosen on the newest part of what is learnt from."""

from __future__ import annotations

import msgspec

from jhalak.feed.places_file import decode
from jhalak.feed.training.answers import Answers
from jhalak.feed.training.gate import drawn, loss, split
from jhalak.feed.training.places import Settings, Watched, compose

TRIED = {
    "watched": (0.3, 0.6, 1.0, 1.5),
    "channel": (0.3, 3.0),
    "author": (0.3, 3.0),
    "tag": (0.3, 3.0),
    "language": (0.3, 3.0),
    "sound": (0.3, 3.0),
}
LEAST = 0.0005  # nats that a change must gain, so that chance alone changes little


def tuned(answers: Answers, seed: int, settings: Settings | None = None) -> Settings:
    """One part after the other: what tells the newest answers best, learnt from the others."""
    settings = settings or Settings()
    kept_back = split(answers)
    played = drawn(answers, kept_back, seed)
    watched = Watched.of(answers.until(kept_back), settings, seed).among(answers.video[played])

    def loss_of(tried: Settings) -> float:
        places = decode(compose(watched, answers.facts, tried))
        return loss(answers, played, kept_back, places)

    least = loss_of(settings)
    kinds = {kind for line in watched.said for kind, _ in line}
    for name, values in TRIED.items():
        if name != "watched" and name not in kinds:
            continue
        for value in values:
            tried = msgspec.structs.replace(settings, **{name: value})
            found = loss_of(tried)
            if found < least - LEAST:
                least, settings = found, tried
    return settings
