"""The life of a video, and the one table of what may follow what.

    received ──> checking ──> preparing ──> playable ──> complete
       ^            │             │
       └── failed <─┴─────────────┴────────────┘ (only while no rendition is whole)

`playable` is public as far as its visibility allows: a first rendition, or its first pieces, can be
watched while the others are made. What fails after the first rendition is whole leaves the video
playable; pieces that can never become whole are half a video, which nobody should meet: that fails.
Withdrawal by a moderator is not a state of processing: it stands in columns of its own, and can be
undone.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    RECEIVED = "received", _("Waiting to be checked")
    CHECKING = "checking", _("Checking your video")
    PREPARING = "preparing", _("Preparing your video")
    PLAYABLE = "playable", _("Playable, finer versions are being made")
    COMPLETE = "complete", _("Ready")
    FAILED = "failed", _("Could not be used")


FOLLOWS: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.CHECKING, State.FAILED}),
    # A worker that dies leaves `checking` or `preparing`; the next one starts again from
    # `checking`.
    State.CHECKING: frozenset({State.CHECKING, State.PREPARING, State.FAILED}),
    State.PREPARING: frozenset({State.CHECKING, State.PLAYABLE, State.FAILED}),
    State.PLAYABLE: frozenset({State.COMPLETE, State.FAILED}),
    State.COMPLETE: frozenset(),
    State.FAILED: frozenset({State.RECEIVED}),
}

WATCHABLE = frozenset({State.PLAYABLE, State.COMPLETE})


class Visibility(TextChoices):
    PUBLIC = "public", _("Everybody")
    FOLLOWERS = "followers", _("My followers")
    PRIVATE = "private", _("Only me")


class CaptionSource(TextChoices):
    """Where captions come from. What a machine heard gives way to what somebody wrote."""

    UPLOADED = "uploaded"
    EDITED = "edited"
    AUTOMATIC = "automatic"
