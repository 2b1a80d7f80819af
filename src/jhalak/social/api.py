"""Follow, block, like, save and share over HTTP. All of it can be sent twice without harm."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from ninja import Field, Query, Router, Schema, Status

from jhalak.people import profiles
from jhalak.people.access import access_person, can_see, nobody, sign_in_needed, written
from jhalak.people.browsers import browser
from jhalak.people.middleware import Request
from jhalak.people.models import Block, Follow, Person
from jhalak.people.paging import Place, page
from jhalak.people.pictures import url
from jhalak.people.profiles import PersonCard
from jhalak.people.throttle import Throttle
from jhalak.problems import NotFound
from jhalak.social import marks, ties
from jhalak.social.models import Like, Save
from jhalak.videos.access import access_video
from jhalak.videos.cards import Card, cards
from jhalak.videos.models import Video

router = Router(tags=["social"])
shares_of_address = Throttle(burst=60, every_s=2)
follows_of_person = Throttle(burst=200, every_s=10)


class Following(Schema):
    following: bool = Field(description="Whether you follow them now.")
    requested: bool = Field(description="Whether you asked, and they have not answered.")


class Liking(Schema):
    liked: bool
    likes: int = Field(description="How many people like this video now.")


class Saving(Schema):
    saved: bool
    saves: int = Field(description="How many people saved this video.")


class Sharing(Schema):
    shares: int = Field(description="How many people shared this video.")


class People(Schema):
    items: list[PersonCard]
    next: str | None = Field(description="Send as `cursor` for the next page; null at the end.")


# ---- people --------------------------------------------------------------------------------------


@router.put("/people/{handle}/follow", response=Following, summary="Follow, or ask to")
def follow(request: Request, handle: str) -> Following:
    me = sign_in_needed(request.viewer)
    follows_of_person.spend(me.viewer_key)
    tie = ties.do_follow(me, access_person(request.viewer, handle))
    return Following(following=not tie.pending, requested=tie.pending)


@router.delete("/people/{handle}/follow", response=Following, summary="Follow no longer")
def unfollow(request: Request, handle: str) -> Following:
    me = sign_in_needed(request.viewer)
    ties.do_unfollow(me, access_person(request.viewer, handle))
    return Following(following=False, requested=False)


@router.put("/people/{handle}/block", response={204: None}, summary="Block")
def block(request: Request, handle: str) -> Status[None]:
    """From the next request on neither of you sees anything of the other."""
    me = sign_in_needed(request.viewer)
    ties.do_block(me, _person_or_blocked(request, me, handle))
    return Status(204, None)


@router.delete("/people/{handle}/block", response={204: None}, summary="Take a block back")
def unblock(request: Request, handle: str) -> Status[None]:
    me = sign_in_needed(request.viewer)
    ties.do_unblock(me, _person_or_blocked(request, me, handle))
    return Status(204, None)


def _person_or_blocked(request: Request, me: Person, handle: str) -> Person:
    """Whom I blocked I cannot see, and must be able to name."""
    mine = Block.objects.select_related("blocked").filter(
        blocker=me, blocked__handle=written(handle)
    )
    found = mine.first()
    return found.blocked if found else access_person(request.viewer, handle)


@router.get("/me/blocked", response=People, summary="Whom you blocked")
def blocked(request: Request, place: Query[Place]) -> People:
    me = sign_in_needed(request.viewer)
    rows, following_page = page(me.blocking.select_related("blocked"), place.cursor, place.n)
    items = [
        PersonCard(
            handle=row.blocked.handle,
            name=row.blocked.name,
            picture=url(row.blocked),
            following=False,
        )
        for row in rows
    ]
    return People(items=items, next=following_page)


@router.get("/me/follow-requests", response=People, summary="Who asks to follow you")
def follow_requests(request: Request, place: Query[Place]) -> People:
    me = sign_in_needed(request.viewer)
    return _people(request, me.followers.filter(pending=True), "follower_id", place)


@router.put("/me/follow-requests/{handle}", response={204: None}, summary="Agree to be followed")
def accept_follow(request: Request, handle: str) -> Status[None]:
    me = sign_in_needed(request.viewer)
    ties.do_accept_follow(me, access_person(request.viewer, handle))
    return Status(204, None)


@router.delete("/me/follow-requests/{handle}", response={204: None}, summary="Do not agree")
def refuse_follow(request: Request, handle: str) -> Status[None]:
    me = sign_in_needed(request.viewer)
    ties.do_refuse_follow(me, access_person(request.viewer, handle))
    return Status(204, None)


@router.get("/people/{handle}/followers", response=People, summary="Who follows somebody")
def followers(request: Request, handle: str, place: Query[Place]) -> People:
    rows = _open_person(request, handle).followers.filter(pending=False)
    return _people(request, rows, "follower_id", place)


@router.get("/people/{handle}/following", response=People, summary="Whom somebody follows")
def following(request: Request, handle: str, place: Query[Place]) -> People:
    rows = _open_person(request, handle).following.filter(pending=False)
    return _people(request, rows, "followed_id", place)


def _open_person(request: Request, handle: str) -> Person:
    """A person whose lists this viewer may see: a private person's are there for followers."""
    person = access_person(request.viewer, handle)
    if not can_see(request.viewer, person):
        raise nobody()
    return person


def _people(request: Request, rows: QuerySet[Follow], whom: str, place: Place) -> People:
    """A page of people, without those whom the viewer may not see. Only the last page is empty."""
    items: list[PersonCard] = []
    after: str | None = place.cursor
    while not items and after is not None:
        ties_, after = page(rows, after, place.n)
        ids = [getattr(tie, whom) for tie in ties_]
        seen = profiles.cards(request.viewer, Person.objects.filter(pk__in=ids))
        items = [seen[pk] for pk in ids if pk in seen]
    return People(items=items, next=after)


# ---- videos --------------------------------------------------------------------------------------


@router.put("/videos/{id}/like", response=Liking, summary="Like a video")
def like(request: Request, id: str) -> Liking:  # noqa: A002
    me = sign_in_needed(request.viewer)
    video = access_video(request.viewer, id)
    marks.do_like(me, video)
    return Liking(liked=True, likes=_now(video).likes)


@router.delete("/videos/{id}/like", response=Liking, summary="Like it no longer")
def unlike(request: Request, id: str) -> Liking:  # noqa: A002
    me = sign_in_needed(request.viewer)
    video = _marked_or_visible(request, Like, me, id)
    marks.do_unlike(me, video)
    return Liking(liked=False, likes=_now(video).likes)


@router.put("/videos/{id}/save", response=Saving, summary="Save a video for later")
def save(request: Request, id: str) -> Saving:  # noqa: A002
    me = sign_in_needed(request.viewer)
    video = access_video(request.viewer, id)
    marks.do_save(me, video)
    return Saving(saved=True, saves=_now(video).saves)


@router.delete("/videos/{id}/save", response=Saving, summary="Save it no longer")
def unsave(request: Request, id: str) -> Saving:  # noqa: A002
    me = sign_in_needed(request.viewer)
    video = _marked_or_visible(request, Save, me, id)
    marks.do_unsave(me, video)
    return Saving(saved=False, saves=_now(video).saves)


@router.post("/videos/{id}/share", response=Sharing, summary="Say that you passed a video on")
def share(request: Request, id: str) -> Sharing:  # noqa: A002
    """Guests too. Each member counts once for a video, guests are not counted."""
    video = access_video(request.viewer, id)
    shares_of_address.spend(browser(request).address)
    marks.do_share(request.viewer.key, request.viewer.person, video)
    return Sharing(shares=_now(video).shares)


def _now(video: Video) -> Video:
    video.refresh_from_db(fields=["likes", "saves", "shares"])
    return video


def _marked_or_visible(
    request: Request, rows: type[Like | Save], me: Person, public_id: str
) -> Video:
    """One's own mark can be taken back even when the video is hidden from one by now."""
    try:
        return access_video(request.viewer, public_id)
    except NotFound:
        mine = rows._default_manager.select_related("video")
        mark = mine.filter(person=me, video__public_id=public_id).first()
        if mark is None:
            raise
        return mark.video


_LIST: dict[str, Any] = {"response": dict[str, Any]}


@router.get("/me/saved", summary="What you saved, newest first", **_LIST)
def saved(request: Request, place: Query[Place]) -> dict[str, Any]:
    """`{"items": [video card], "next"}`; what you may no longer see is left out."""
    return _videos(request, sign_in_needed(request.viewer).saves.all(), place)


@router.get("/me/liked", summary="What you liked, newest first", **_LIST)
def liked(request: Request, place: Query[Place]) -> dict[str, Any]:
    """`{"items": [video card], "next"}`; what you may no longer see is left out."""
    return _videos(request, sign_in_needed(request.viewer).likes.all(), place)


def _videos(request: Request, rows: QuerySet[Any], place: Place) -> dict[str, Any]:
    items: list[Card] = []
    after: str | None = place.cursor
    while not items and after is not None:
        marks_, after = page(rows, after, place.n)
        ids: list[int] = [mark.video_id for mark in marks_]
        seen = cards(request.viewer, ids)
        items = [seen[pk] for pk in ids if pk in seen]
    return {"items": items, "next": after}
