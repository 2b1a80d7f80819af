"""How somebody corrects what the feed holds about them. Each is one event in the log, so it holds
in every process from the next page on, and after any replay.

Guests may do all of this: what is held stands under their signed name. Whether the feed may learn
at all from a member stands in their row (`people.actions.do_choose_personal`).
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.feed import InterestKind
from jhalak.feed.events import (
    Event,
    Forgotten,
    InterestRemoved,
    LearningPaused,
    LearningResumed,
    NotInterestedUndone,
    Unwatched,
)
from jhalak.people.access import Viewer, access_person
from jhalak.people.actions import now_ms
from jhalak.people.throttle import Throttle
from jhalak.problems import Invalid
from jhalak.videos.models import Video

corrections = Throttle(burst=120, every_s=5)
MOST_VALUE = 64


def do_remove_interest(viewer: Viewer, kind: InterestKind, value: str) -> None:
    """Forget an interest in a channel (slug), person (handle), tag or language. What was served
    before does not bring it back. Raises NotFound for somebody who is not here, Invalid, TooMany.
    """
    if not 0 < len(value) <= MOST_VALUE:
        raise Invalid("bad_value", _("There is no such interest."), field="value")
    if kind is InterestKind.AUTHOR:
        value = str(access_person(viewer, value).pk)
    _say(viewer, InterestRemoved(viewer=viewer.key, kind=kind, value=value, at_ms=now_ms()))


def do_unwatch(viewer: Viewer, video: Video) -> None:
    """Take a video out of the history that the feed holds."""
    _say(viewer, Unwatched(viewer=viewer.key, video=video.pk, at_ms=now_ms()))


def do_take_back_refusal(viewer: Viewer, video: Video) -> None:
    """It may come again, and what is like it counts as before."""
    _say(viewer, NotInterestedUndone(viewer=viewer.key, video=video.pk, at_ms=now_ms()))


def do_pause_learning(viewer: Viewer, *, paused: bool) -> None:
    """Learn nothing more about this viewer, or learn again. What is held stays."""
    kind = LearningPaused if paused else LearningResumed
    _say(viewer, kind(viewer=viewer.key, at_ms=now_ms()))


def do_forget(viewer: Viewer) -> None:
    """Interests, history and refusals go. Follows, blocks, likes and saves stay. No way back."""
    _say(viewer, Forgotten(viewer=viewer.key, at_ms=now_ms()))


def _say(viewer: Viewer, event: Event) -> None:
    corrections.spend(viewer.key)
    with transaction.atomic():
        records.emit(event)
