"""Every number that shapes the feed, once, with its meaning. Nothing else in this package is
tunable.
"""

from __future__ import annotations

import msgspec

HOUR_MS = 3_600_000


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit of each cause adds to a score. Scores are log-odds against a video about
    which nothing is known.
    """

    channel: float = 6.0
    author: float = 2.5
    tag: float = 2.5
    language: float = 1.0
    followed: float = 1.5
    fresh: float = 0.6
    trending: float = 0.6
    quality: float = 0.5  # per log-odds that everybody's answers give it
    similar: float = 1.0  # per log-odds that this viewer's answers give it beyond that
    ranker: float = 1.0  # of what a trained ranker adds or takes off, while one is in force


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """The most videos that each source may bring to one page's draw."""

    newest: int = 48
    trending: int = 64
    following: int = 64
    channel: int = 72
    tag: int = 48
    author: int = 48
    interest: int = 48
    taste: int = 64
    loved: int = 32
    owed: int = 32
    random: int = 16
    scope: int = 256


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What every new video is promised (see owed.py)."""

    impressions: int = 100  # counted watches, however they come about ...
    within_ms: int = 24 * HOUR_MS  # ... in this time from publication
    share: float = 1 / 8  # of the slots of a page, reserved for it; never the first two of a page
    of_one: int = 8  # videos of one author, in that time, that can make what others get smaller
    urgency: float = 4.0  # log-odds, among debts, for one whose whole time is gone and nothing had
    answer_ms: int = HOUR_MS // 6  # served and not answered counts as under way for so long


class Config(msgspec.Struct, frozen=True, kw_only=True):
    weights: Weights = Weights()
    quotas: Quotas = Quotas()
    owed: Owed = Owed()

    temperature: float = 1.0  # of the draw: towards 0 always the best, large is even
    explore: float = 0.005  # share of slots drawn evenly from the random slice
    author_spread: float = 0.3  # log-odds that each earlier pick of the same author takes off
    channel_spread: float = 0.15  # the same for the channel
    cold_spread: float = 1.5  # more of it, for channels, while no channel is liked yet
    most_of_one: float = 0.75  # share of a page that one channel, or one author, may fill

    fresh_half_ms: int = 24 * HOUR_MS  # age at which freshness is worth half
    trending_half_ms: int = 12 * HOUR_MS  # a watch counts half as much after this time
    interest_half_ms: int = 72 * HOUR_MS  # an interest fades by half in this time ...
    interest_fade: float = 0.98  # ... and to this part with each further watch

    skip_below: float = 0.2  # a smaller part of a video's length is a dislike
    refusal: float = 4.0  # "not interested" weighs as much as this many skips

    members: int = 20_000  # whose interests are kept; the longest idle are forgotten first
    guests: int = 20_000  # the same, apart from members; whose refusals are kept too
    seen: int = 4_096  # videos remembered as seen, for each viewer
    refused: int = 4_096  # videos remembered as refused, for each viewer
    answers: int = 64  # last watches and gestures that a taste is learnt from anew
    tastes: int = 4_000  # members, and as many guests, whose taste is held: 17 kB each
    interests: int = 64  # channels, authors and tags remembered, each, for each viewer
    served: int = 256  # videos remembered as just served, for each viewer of this process
    served_for_ms: int = HOUR_MS // 2  # how long just served holds

    # Work from the start of the page; what has not begun by then is left out. A whole page takes
    # well under 1 ms: these are for when something goes wrong, and a plain page is better.
    source_deadline_ms: float = 20.0
    score_deadline_ms: float = 50.0
