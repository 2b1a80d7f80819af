"""Ties between people: follow, consent to be followed, block.

Each function can be called again without harm: the second time nothing changes and nothing is
emitted. Both people's rows are locked, in the order of their ids, so that a follow and a block that
meet cannot both win.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.feed.events import Blocked, Followed, Unblocked, Unfollowed
from jhalak.people.access import nobody
from jhalak.people.actions import now_ms
from jhalak.people.models import Block, Follow, Person
from jhalak.problems import Conflict, NotFound


def _lock(one: Person, other: Person) -> dict[int, Person]:
    """Both rows as they are now, locked until the transaction ends. Raises NotFound."""
    pair = Person.objects.select_for_update().filter(pk__in=(one.pk, other.pk)).order_by("pk")
    rows = {person.pk: person for person in pair}
    if len(rows) < 2:
        raise nobody()
    return rows


def _not_oneself(person: Person, other: Person) -> None:
    if person.pk == other.pk:
        raise Conflict("yourself", _("That is you."))


def _between(one: Person, other: Person) -> Q:
    return Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)


def do_follow(person: Person, author: Person) -> Follow:
    """`person` follows `author`, or asks to when the author is private.

    Raises Conflict for oneself, NotFound when a block stands between them.
    """
    _not_oneself(person, author)
    with transaction.atomic():
        rows = _lock(person, author)
        if Block.objects.filter(_between(person, author)).exists():
            raise nobody()
        follow, made = Follow.objects.get_or_create(
            follower=person, followed=author, defaults={"pending": rows[author.pk].private}
        )
        if made and not follow.pending:
            _emit_followed(person, author)
    return follow


def _emit_followed(person: Person, author: Person) -> None:
    records.emit(Followed(viewer=person.viewer_key, author=author.pk, at_ms=now_ms()))


def do_unfollow(person: Person, author: Person) -> None:
    """`person` follows `author` no longer; a request that waits is taken back."""
    with transaction.atomic():
        _lock_pair_if_two(person, author)
        _end_follow(person, author)


def _lock_pair_if_two(person: Person, other: Person) -> None:
    if person.pk != other.pk:
        _lock(person, other)


def _end_follow(person: Person, author: Person) -> None:
    follow = Follow.objects.filter(follower=person, followed=author).first()
    if follow is None:
        return
    follow.delete()
    if not follow.pending:
        records.emit(Unfollowed(viewer=person.viewer_key, author=author.pk, at_ms=now_ms()))


def do_accept_follow(author: Person, asker: Person) -> None:
    """A private person agrees to be followed. Raises NotFound when nobody asked."""
    with transaction.atomic():
        _lock(author, asker)
        asked = Follow.objects.filter(follower=asker, followed=author)
        if asked.filter(pending=True).update(pending=False):
            _emit_followed(asker, author)
        elif not asked.exists():
            raise no_request()


def do_refuse_follow(author: Person, asker: Person) -> None:
    """A private person does not agree. Raises NotFound when nobody asked."""
    with transaction.atomic():
        _lock(author, asker)
        gone, _each = Follow.objects.filter(follower=asker, followed=author, pending=True).delete()
        if not gone:
            raise no_request()


def no_request() -> NotFound:
    return NotFound("no_request", _("This person does not wait for your answer."))


def do_block(person: Person, other: Person) -> None:
    """From now on neither sees anything of the other; follows between them end, both ways.

    Raises Conflict for oneself.
    """
    _not_oneself(person, other)
    with transaction.atomic():
        _lock(person, other)
        stood = Block.objects.filter(_between(person, other)).exists()
        Block.objects.get_or_create(blocker=person, blocked=other)
        if stood:
            return
        _end_follow(person, other)
        _end_follow(other, person)
        at = now_ms()
        records.emit(Blocked(viewer=person.viewer_key, author=other.pk, at_ms=at))
        records.emit(Blocked(viewer=other.viewer_key, author=person.pk, at_ms=at))


def do_unblock(person: Person, other: Person) -> None:
    """Takes one's own block back. They see each other again unless the other blocks too."""
    _not_oneself(person, other)
    with transaction.atomic():
        _lock(person, other)
        gone, _each = Block.objects.filter(blocker=person, blocked=other).delete()
        if not gone or Block.objects.filter(_between(person, other)).exists():
            return
        at = now_ms()
        records.emit(Unblocked(viewer=person.viewer_key, author=other.pk, at_ms=at))
        records.emit(Unblocked(viewer=other.viewer_key, author=person.pk, at_ms=at))
