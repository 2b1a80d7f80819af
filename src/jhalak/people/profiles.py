"""How a person looks to a viewer: the card in lists, the profile, one's own account."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from ninja import Field, Schema

from jhalak.people.access import Viewer, can_see, meets
from jhalak.people.models import Follow, Person
from jhalak.people.pictures import url
from jhalak.people.roles import Role


class PersonCard(Schema):
    """A person in a list."""

    handle: str = Field(description="Unique name, lower case.", examples=["asha.k"])
    name: str = Field(description="Shown name, in any script; may be empty.", examples=["आशा"])
    picture: str = Field(
        description='Address of a 256 x 256 WebP, or "".',
        examples=["/media/people/asha.k/0123456789abcdef.webp"],
    )
    following: bool = Field(description="Whether you follow them, with their consent.")


class Profile(PersonCard):
    """A person's page, as one viewer sees it."""

    bio: str = Field(description="In their own words; may hold line breaks.")
    private: bool = Field(description="Whether they decide who follows them.")
    requested: bool = Field(description="Whether you asked to follow and they have not answered.")
    follows_you: bool
    open: bool = Field(description="Whether you may see their videos and whom they know.")
    followers: int | None = Field(description="How many follow them; null where not open to you.")
    followed: int | None = Field(description="How many they follow; null where not open to you.")


class Me(Schema):
    """Your own account."""

    handle: str = Field(examples=["asha.k"])
    name: str = Field(examples=["आशा"])
    bio: str
    picture: str = Field(description='Address of a 256 x 256 WebP, or "".')
    role: Role
    private: bool
    language: str = Field(description='Of the interface; "" follows the browser.', examples=["hi"])
    personal: bool = Field(description="Whether you let the feed learn from what you do.")
    under_age: bool = Field(description="Whether you said that you are under 18: then it does not.")
    created: datetime


def me(person: Person) -> Me:
    return Me(
        handle=person.handle,
        name=person.name,
        bio=person.bio,
        picture=url(person),
        role=Role(person.role),
        private=person.private,
        language=person.language,
        personal=person.personal,
        under_age=person.under_age,
        created=person.created,
    )


def _follow(follower: Person | None, followed: Person | None) -> Follow | None:
    if follower is None or followed is None:
        return None
    return Follow.objects.filter(follower=follower, followed=followed).first()


def profile(viewer: Viewer, person: Person) -> Profile:
    """A person whom this viewer may see (from `access_person`), as a page."""
    mine, theirs = _follow(viewer.person, person), _follow(person, viewer.person)
    seen = can_see(viewer, person)
    agreed = Follow.objects.filter(pending=False)
    known = {"followers": agreed.filter(meets(viewer, "follower"), followed=person),
             "followed": agreed.filter(meets(viewer, "followed"), follower=person)}  # fmt: skip
    counts = {name: ties.count() if seen else None for name, ties in known.items()}
    return Profile(
        handle=person.handle,
        name=person.name,
        picture=url(person),
        following=mine is not None and not mine.pending,
        bio=person.bio,
        private=person.private,
        requested=mine is not None and mine.pending,
        follows_you=theirs is not None and not theirs.pending,
        open=seen,
        followers=counts["followers"],
        followed=counts["followed"],
    )


def cards(viewer: Viewer, people: QuerySet[Person]) -> dict[int, PersonCard]:
    """Cards of those of these people whom the viewer may see, by id."""
    mine = Follow.objects.filter(follower=viewer.person, followed=OuterRef("pk"), pending=False)
    marked = people.filter(meets(viewer, "")).annotate(marked=Exists(mine))
    return {
        person.pk: PersonCard(
            handle=person.handle,
            name=person.name,
            picture=url(person),
            following=viewer.person is not None and person.marked,
        )
        for person in marked
    }
