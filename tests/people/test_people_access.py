"""Who may see whom, as SQL and person by person; roles; the table of permissions."""

from __future__ import annotations

import itertools

import pytest
from django.utils import timezone
from tests.people.factories import make_person

from jhalak.people.access import (
    Viewer,
    access_person,
    blocked_ids,
    can_see,
    followed_ids,
    follows,
    meets,
    require,
    sign_in_needed,
)
from jhalak.people.actions import do_set_role
from jhalak.people.models import Block, Follow, Person
from jhalak.people.roles import HOLDERS, Permission, Role
from jhalak.problems import Conflict, Forbidden, NotFound, SignInNeeded
from jhalak.records.models import AuditEntry

pytestmark = pytest.mark.django_db
GUEST = Viewer("g" + "0" * 32)


def test_every_pair_of_people() -> None:
    """All combinations of private, suspended, follow and block, against the rule in plain words."""
    me = make_person("me_myself")
    viewer = Viewer.member(me)
    for private, suspended, follow, block in itertools.product(
        (False, True), (False, True), ("none", "pending", "agreed"), ("none", "mine", "theirs")
    ):
        them = make_person(private=private, suspended_at=timezone.now() if suspended else None)
        if follow != "none":
            Follow.objects.create(follower=me, followed=them, pending=follow == "pending")
        if block == "mine":
            Block.objects.create(blocker=me, blocked=them)
        if block == "theirs":
            Block.objects.create(blocker=them, blocked=me)

        meet = not suspended and block == "none"
        seen = meet and (not private or follow == "agreed")
        assert can_see(viewer, them) is seen
        assert Person.objects.filter(meets(viewer, ""), pk=them.pk).exists() is meet
        assert Person.objects.filter(follows(viewer, ""), pk=them.pk).exists() is (
            follow == "agreed"
        )
        assert (them.pk in followed_ids(viewer)) is (follow == "agreed")
        assert (them.pk in blocked_ids(viewer)) is (block != "none")
        assert can_see(GUEST, them) is (not suspended and not private)
        if meet:
            assert access_person(viewer, f"@{them.handle.upper()}") == them
        else:
            with pytest.raises(NotFound):
                access_person(viewer, them.handle)


def test_oneself() -> None:
    me = make_person(private=True)
    assert can_see(Viewer.member(me), me)
    assert access_person(Viewer.member(me), me.handle) == me
    assert not can_see(GUEST, me)
    assert blocked_ids(GUEST) == followed_ids(GUEST) == set()


def test_require() -> None:
    for permission, role in itertools.product(Permission, Role):
        viewer = Viewer.member(make_person(role=role))
        if role in HOLDERS[permission]:
            assert require(viewer, permission) == viewer.person
        else:
            with pytest.raises(Forbidden):
                require(viewer, permission)
        with pytest.raises(SignInNeeded):
            require(GUEST, permission)
    suspended = make_person(role=Role.OPERATOR, suspended_at=timezone.now())
    with pytest.raises(Forbidden):
        require(Viewer.member(suspended), Permission.SET_ROLES)
    with pytest.raises(SignInNeeded):
        sign_in_needed(GUEST)


def test_every_permission_has_holders() -> None:
    assert set(HOLDERS) == set(Permission)
    assert all(HOLDERS.values())


def test_roles_are_entrusted_by_others_and_written_down() -> None:
    operator, person = make_person(role=Role.OPERATOR), make_person("asha")
    do_set_role(operator, person, Role.MODERATOR)
    assert Person.objects.get(pk=person.pk).can(Permission.WITHDRAW)
    entry = AuditEntry.objects.get(action="person.set_role")
    assert (entry.actor_id, entry.object) == (operator.pk, "@asha")
    assert entry.detail == {"before": "creator", "after": "moderator"}
    with pytest.raises(Conflict):
        do_set_role(operator, operator, Role.AUDITOR)
    assert AuditEntry.objects.count() == 1
