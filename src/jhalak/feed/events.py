"""The vocabulary of the event log: everything that happened which the feed may learn from.

One tagged struct for each kind of event. The log keeps their JSON, so that a person, another
program or another operator can read it without this code. The log is the truth: an engine is its
snapshot plus the events after it.

Viewers are text keys: "m<person>" for a member, "g<hex>" for a guest. Videos and authors are the
database's integers. Times are whole milliseconds since 1970 in UTC; lengths of time are whole
milliseconds.
"""

from __future__ import annotations

import enum
import math
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

Id: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Millis: TypeAlias = Annotated[int, Meta(ge=0, le=2**53 - 1)]
ViewerKey: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Word: TypeAlias = Annotated[str, Meta(max_length=200)]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}\Z")]
Why: TypeAlias = Annotated[str, Meta(min_length=1, max_length=300)]
Values: TypeAlias = Annotated[dict[Word, float], Meta(max_length=100)]


class BadEvent(ValueError):
    """Bytes that are no event of this vocabulary, or an event that cannot be written down."""


class WatchKind(enum.StrEnum):
    """What ended a stretch of watching."""

    WATCHED = "watched"  # left before the end, or still playing
    FINISHED = "finished"  # reached the end once
    REPLAYED = "replayed"  # went round again
    SKIPPED = "skipped"  # swiped on


class Visibility(enum.StrEnum):
    PUBLIC = "public"
    FOLLOWERS = "followers"


class Removal(enum.StrEnum):
    """Why a video may not be served any more."""

    DELETED = "deleted"  # by its author
    WITHDRAWN = "withdrawn"  # by a moderator, or by order
    PRIVATE = "private"  # its author keeps it to himself
    SUSPENDED = "suspended"  # its author's account is closed
    FAILED = "failed"  # no rendition plays


class _Event(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


class Published(_Event, frozen=True, tag="published"):
    """A video may be served, from now on as told here. Sent again whenever one of these facts
    changes.
    """

    video: Id
    author: Id
    channel: Word  # slug; "" for none
    tags: tuple[Word, ...]
    language: Word  # "hi", "en", ...; "" for none
    duration_ms: Millis
    published_ms: Millis
    visibility: Visibility = Visibility.PUBLIC
    sound: Id = 0  # what is heard in it, the same in all that have it; 0 for none or not known yet


class Withdrawn(_Event, frozen=True, tag="withdrawn"):
    video: Id
    reason: Removal


class Watched(_Event, frozen=True, tag="watched"):
    """A stretch of watching. `watched_ms` was bounded by the clock (feed.clock) before it came
    here; slate, slot, source, propensity, score and arms repeat what the serving token said.
    """

    viewer: ViewerKey
    video: Id
    kind: WatchKind
    watched_ms: Millis
    duration_ms: Millis
    at_ms: Millis
    slate: Word = ""
    slot: Annotated[int, Meta(ge=-1, le=2**31 - 1)] = -1
    source: Word = ""
    propensity: float = 0.0
    served_ms: Millis = 0  # when the page was made; 0: not known, then `at_ms` stands for it
    score: Annotated[int, Meta(ge=-(2**15), le=2**15 - 1)] | None = None  # log-odds, in hundredths
    arms: Word = ""  # of experiments, as in feed.experiments.assignment; "" for none


class _Gesture(_Event, frozen=True):
    viewer: ViewerKey
    video: Id
    at_ms: Millis


class NotInterested(_Gesture, frozen=True, tag="not_interested"):
    """Never this video again, and less like it."""


class NotInterestedUndone(_Gesture, frozen=True, tag="not_interested_undone"):
    pass


class Liked(_Gesture, frozen=True, tag="liked"):
    pass


class Unliked(_Gesture, frozen=True, tag="unliked"):
    pass


class Saved(_Gesture, frozen=True, tag="saved"):
    pass


class Unsaved(_Gesture, frozen=True, tag="unsaved"):
    pass


class Shared(_Gesture, frozen=True, tag="shared"):
    pass


class ProfileOpened(_Gesture, frozen=True, tag="profile_opened"):
    """The author's profile was opened from this video."""


class _Tie(_Event, frozen=True):
    viewer: ViewerKey
    author: Id
    at_ms: Millis


class Followed(_Tie, frozen=True, tag="followed"):
    pass


class Unfollowed(_Tie, frozen=True, tag="unfollowed"):
    pass


class Blocked(_Tie, frozen=True, tag="blocked"):
    """This viewer gets nothing of this author. A block acts both ways: one event for each side."""


class Unblocked(_Tie, frozen=True, tag="unblocked"):
    pass


class InterestKind(enum.StrEnum):
    """What an interest is in. The order is that of `viewers.KINDS`."""

    CHANNEL = "channel"  # value: slug
    AUTHOR = "author"  # value: the author's number
    TAG = "tag"
    LANGUAGE = "language"


class InterestRemoved(_Event, frozen=True, tag="interest_removed"):
    """The viewer wants this interest forgotten: only what is served later may teach it again."""

    viewer: ViewerKey
    kind: InterestKind
    value: Word
    at_ms: Millis


class Unwatched(_Gesture, frozen=True, tag="unwatched"):
    """The viewer takes a video out of what the feed holds as watched."""


class _Choice(_Event, frozen=True):
    viewer: ViewerKey
    at_ms: Millis


class LearningPaused(_Choice, frozen=True, tag="learning_paused"):
    """Pages go on from what is held; nothing is learnt about the viewer until it is resumed."""


class LearningResumed(_Choice, frozen=True, tag="learning_resumed"):
    pass


class Forgotten(_Choice, frozen=True, tag="forgotten"):
    """Everything learnt about the viewer goes, "not interested" too. Follows and blocks stay."""


class PersonalDeclined(_Choice, frozen=True, tag="personal_declined"):
    """As Forgotten, and from now on nothing is learnt about the viewer and nothing used."""


class PersonalAccepted(_Choice, frozen=True, tag="personal_accepted"):
    pass


class Joined(_Event, frozen=True, tag="joined"):
    """A guest signed up or logged in: what the feed noticed about the guest is the member's from
    now on.
    """

    guest: ViewerKey
    member: ViewerKey
    at_ms: Millis


class ModelKind(enum.StrEnum):
    """What can be trained and put in force; see feed.models."""

    PLACES = "places"
    RANKER = "ranker"


class Promoted(_Event, frozen=True, tag="promoted"):
    """A trained artefact is in force from here on; digest "" puts none in force."""

    kind: ModelKind
    digest: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")]
    at_ms: Millis


class Tuned(_Event, frozen=True, tag="tuned"):
    """The operator changed the weights: from now on these differ from the defaults, and no others
    do. Names as in feed.tuning.
    """

    values: Values
    reason: Why
    at_ms: Millis


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an experiment tries on a part of its viewers: these values on top of those in force."""

    name: Name
    values: Values


class ExperimentStarted(_Event, frozen=True, tag="experiment_started"):
    """From now until `ends_ms` the arms are tried on `share` of 1000 viewers, beside a control on
    which nothing is changed. See feed.experiments.
    """

    name: Name
    layer: Name
    share: Annotated[int, Meta(ge=1, le=1000)]
    arms: Annotated[tuple[Arm, ...], Meta(min_length=1, max_length=3)]
    window_ms: Millis  # what a viewer does in this time after the first watch counts
    ends_ms: Millis
    reason: Why
    at_ms: Millis
    interleaved: bool = False  # control and the one arm fill each viewer's pages in turn


class ExperimentStopped(_Event, frozen=True, tag="experiment_stopped"):
    name: Name
    reason: Why
    at_ms: Millis


class Erased(_Event, frozen=True, tag="erased"):
    """Something stood here that named somebody who was erased. Teaches nothing."""


Event: TypeAlias = (
    Published
    | Withdrawn
    | Watched
    | NotInterested
    | NotInterestedUndone
    | Liked
    | Unliked
    | Saved
    | Unsaved
    | Shared
    | ProfileOpened
    | Followed
    | Unfollowed
    | Blocked
    | Unblocked
    | InterestRemoved
    | Unwatched
    | LearningPaused
    | LearningResumed
    | Forgotten
    | PersonalDeclined
    | PersonalAccepted
    | Joined
    | Promoted
    | Tuned
    | ExperimentStarted
    | ExperimentStopped
    | Erased
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """One event as one line of JSON. Raises BadEvent for a number that JSON cannot hold."""
    if not all(map(math.isfinite, _numbers(event))):
        raise BadEvent("it holds what is not a finite number")
    try:
        return _encoder.encode(event)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadEvent(str(error)) from error


def _numbers(event: Event) -> list[float]:
    """What in an event is no whole number."""
    match event:
        case Watched():
            return [event.propensity]
        case Tuned():
            return list(event.values.values())
        case ExperimentStarted():
            return [value for arm in event.arms for value in arm.values.values()]
        case _:
            return []


def decode(body: bytes) -> Event:
    """The event in these bytes. Raises BadEvent, which says what is wrong with them."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadEvent(str(error)) from error
