"""Who may see whom. The only way to fetch a person for somebody.

Absent, suspended and blocked (in either direction) look the same from outside: NotFound. A private
person's profile is there for everybody; what they made and whom they know is there for followers.

The SQL forms (`meets`, `follows`) and the form for one person (`can_see`) say the same thing; a
test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from jhalak.people.models import HANDLE_PATTERN, Block, Follow, Person
from jhalak.people.roles import Permission
from jhalak.problems import Forbidden, NotFound, SignInNeeded


class Viewer:
    """Somebody who looks. `key` names them in events and in the feed: "m<pk>" or "g<hex>".

    The key may be given as a function, called when it is first needed: a guest's name is made only
    then.
    """

    __slots__ = ("_key", "person")

    def __init__(self, key: str | Callable[[], str], person: Person | None = None) -> None:
        self._key = key
        self.person = person

    @classmethod
    def member(cls, person: Person) -> Viewer:
        return cls(person.viewer_key, person)

    @property
    def key(self) -> str:
        if callable(self._key):
            self._key = self._key()
        return self._key

    @property
    def personal_feed(self) -> bool:
        """Whether the feed may use and learn what this viewer does: a guest has no say in rows."""
        return self.person is None or self.person.personal_feed

    def can(self, permission: Permission) -> bool:
        return self.person is not None and self.person.can(permission)


def sign_in_needed(viewer: Viewer) -> Person:
    """The person behind a viewer. Raises SignInNeeded for a guest."""
    if viewer.person is None:
        raise SignInNeeded("sign_in_needed", _("Log in to do this."))
    return viewer.person


def require(viewer: Viewer, permission: Permission) -> Person:
    """The person behind a viewer, who holds a permission. Raises SignInNeeded, Forbidden."""
    person = sign_in_needed(viewer)
    if not person.can(permission):
        raise Forbidden("not_allowed", _("Your account may not do this."))
    return person


def meets(viewer: Viewer, author: str = "author") -> Q:
    """SQL: the row's author is neither suspended nor leaving, and no block stands between them and
    the viewer.

    `author` is the path from the row to the person, "author" for videos, "" when the row is a
    Person.
    """
    person = f"{author}__" if author else ""
    free = Q(**{f"{person}suspended_at__isnull": True, f"{person}leaving_at__isnull": True})
    if viewer.person is None:
        return free
    them = OuterRef(f"{author}_id" if author else "pk")
    blocks = Block.objects.filter(
        Q(blocker=viewer.person, blocked=them) | Q(blocker=them, blocked=viewer.person)
    )
    return free & ~Q(Exists(blocks))


def follows(viewer: Viewer, author: str = "author") -> Q:
    """SQL: the row's author is followed by the viewer, with consent, or is the viewer."""
    if viewer.person is None:
        return Q(pk__in=[])
    them = f"{author}_id" if author else "pk"
    agreed = Follow.objects.filter(follower=viewer.person, followed=OuterRef(them), pending=False)
    return Q(Exists(agreed)) | Q(**{them: viewer.person.pk})


def followed_ids(viewer: Viewer) -> set[int]:
    """Ids of the people that a viewer follows, with their consent."""
    if viewer.person is None:
        return set()
    return set(
        Follow.objects.filter(follower=viewer.person, pending=False).values_list(
            "followed_id", flat=True
        )
    )


def blocked_ids(viewer: Viewer) -> set[int]:
    """Ids of the people between whom and a viewer a block stands, in either direction."""
    if viewer.person is None:
        return set()
    pairs = Block.objects.filter(Q(blocker=viewer.person) | Q(blocked=viewer.person)).values_list(
        "blocker_id", "blocked_id"
    )
    return {number for pair in pairs for number in pair} - {viewer.person.pk}


def visible_people(viewer: Viewer) -> Q:
    """SQL over Person: whose profile a viewer may open."""
    return meets(viewer, "")


def access_person(viewer: Viewer, handle: str) -> Person:
    """The person of a handle ("@" and case do not matter), for this viewer. Raises NotFound."""
    person = Person.objects.filter(visible_people(viewer), handle=written(handle)).first()
    if person is None:
        raise nobody()
    return person


def written(handle: str) -> str:
    """A handle as the database writes it; "" for what can be none (PostgreSQL refuses a NUL)."""
    handle = handle.removeprefix("@").lower()
    return handle if re.fullmatch(HANDLE_PATTERN, handle) else ""


def nobody() -> NotFound:
    return NotFound("no_such_person", _("There is nobody here by this name."))


def can_see(viewer: Viewer, author: Person) -> bool:
    """Whether a viewer may see what a person made and whom they know."""
    return can_see_anything_of(viewer, author) and (
        not author.private or Person.objects.filter(follows(viewer, ""), pk=author.pk).exists()
    )


def can_see_anything_of(viewer: Viewer, author: Person) -> bool:
    return Person.objects.filter(visible_people(viewer), pk=author.pk).exists()
