"""What the fields of the events hold, why, for how long, and how they end: see
jhalak.border.data_map.

SUBJECTS names the fields that hold somebody's name. An event that names a person who is erased
becomes `Erased`, whole: see feed.erasing.
"""

from __future__ import annotations

from jhalak.border.data_map import (
    WHILE_ACCOUNT,
    WHILE_INSTALLATION,
    WHILE_ITEM,
    Basis,
    Column,
    DataClass,
    Purpose,
    Subject,
    technical,
)

_POST = Column(DataClass.PUBLIC_POST, Purpose.RECOMMEND, Basis.SERVICE, WHILE_ITEM)
_SEEN = Column(DataClass.BEHAVIOUR, Purpose.RECOMMEND, Basis.CONSENT, WHILE_ACCOUNT)
_SAID = Column(DataClass.BEHAVIOUR, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT)
_WHY_GONE = Column(DataClass.SAFETY_RECORD, Purpose.SAFETY, Basis.LEGITIMATE_USE, WHILE_ITEM)
_OPERATOR = technical(WHILE_INSTALLATION, "what the operator set; the operator is in the audit log")

_GESTURES = (
    "NotInterested", "NotInterestedUndone", "Liked", "Unliked", "Saved", "Unsaved", "Shared",
    "ProfileOpened", "Unwatched",
)  # fmt: skip
_TIES = ("Followed", "Unfollowed", "Blocked", "Unblocked")
_CHOICES = (
    "LearningPaused", "LearningResumed", "Forgotten", "PersonalDeclined", "PersonalAccepted",
)  # fmt: skip

EVENTS: dict[str, Column] = {
    **{
        f"Published.{name}": _POST
        for name in (
            "video", "author", "channel", "tags", "language", "duration_ms", "published_ms",
            "visibility", "sound",
        )
    },
    "Withdrawn.video": _WHY_GONE,
    "Withdrawn.reason": _WHY_GONE,
    **{
        f"Watched.{name}": _SEEN
        for name in (
            "viewer", "video", "kind", "watched_ms", "duration_ms", "at_ms", "slate", "slot",
            "source", "propensity", "served_ms", "score", "arms",
        )
    },
    **{f"{event}.{name}": _SEEN for event in _GESTURES for name in ("viewer", "video", "at_ms")},
    **{f"{event}.{name}": _SAID for event in _TIES for name in ("viewer", "author", "at_ms")},
    **{f"InterestRemoved.{name}": _SAID for name in ("viewer", "kind", "value", "at_ms")},
    **{f"{event}.{name}": _SAID for event in _CHOICES for name in ("viewer", "at_ms")},
    **{f"Joined.{name}": _SEEN for name in ("guest", "member", "at_ms")},
    **{f"Promoted.{name}": _OPERATOR for name in ("kind", "digest", "at_ms")},
    **{f"Tuned.{name}": _OPERATOR for name in ("values", "reason", "at_ms")},
    **{
        f"ExperimentStarted.{name}": _OPERATOR
        for name in (
            "name", "layer", "share", "arms", "interleaved",
            "window_ms", "ends_ms", "reason", "at_ms",
        )
    },
    **{f"Arm.{name}": _OPERATOR for name in ("name", "values")},
    **{f"ExperimentStopped.{name}": _OPERATOR for name in ("name", "reason", "at_ms")},
}  # fmt: skip

_VIEWER = Subject(("viewer",))
_NOT_YOURS = "who follows or blocks you decided that: it is theirs, and the list of followers shows"

SUBJECTS: dict[str, Subject] = {
    "Published": Subject(("author",)),
    "Withdrawn": Subject(("video",)),
    "Watched": _VIEWER,
    **dict.fromkeys(_GESTURES, _VIEWER),
    **dict.fromkeys(_TIES, Subject(("viewer", "author"), ("viewer",), _NOT_YOURS)),
    "InterestRemoved": Subject(("viewer", "value"), ("viewer",), _NOT_YOURS),
    **dict.fromkeys(_CHOICES, _VIEWER),
    "Joined": Subject(("guest", "member")),
}
