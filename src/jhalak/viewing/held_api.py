"""What the feed knows about whoever asks, and every correction of it, over HTTP. For guests too.
All of it can be sent twice without harm.
"""

from __future__ import annotations

from typing import ClassVar

from ninja import Field, Router, Schema, Status
from pydantic import ConfigDict

from jhalak.feed import InterestKind
from jhalak.people.middleware import Request
from jhalak.videos.access import access_video
from jhalak.viewing import controls
from jhalak.viewing.held import access_held

router = Router(tags=["feed"])


class InterestOut(Schema):
    kind: InterestKind
    value: str = Field(description="Slug, handle, tag or language code.", examples=["waves"])
    name: str = Field(description="For people to read.", examples=["Waves"])
    strength: float = Field(description="-1 to 1; below 0 for what is disliked.")
    level: int = Field(description="1 to 5: the size of `strength`.")
    words: str = Field(description="The same in words.", examples=["liked"])


class ClipOut(Schema):
    id: str
    poster: str
    caption: str
    language: str
    handle: str = Field(description="Of its author.")


class ClipsOut(Schema):
    items: list[ClipOut] = Field(description="The latest first.")
    more: int = Field(description="How many more are held.")


class KnowsOut(Schema):
    """What the feed learnt about you. Nothing else about you goes into what you are shown, but whom
    you follow and block and the language of your pages.
    """

    personal: bool = Field(description="false: you declined, or are under 18. Nothing is learnt.")
    learning: bool = Field(description="false: paused, or not personal.")
    under_age: bool
    interests: list[InterestOut]
    hidden_interests: int = Field(description="In people whom you cannot see now.")
    not_interested: ClipsOut
    watched: ClipsOut
    answers: int = Field(description="Watches and gestures from which your taste is drawn.")


class Learning(Schema):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    paused: bool


@router.get("/feed/held", response=KnowsOut, summary="What the feed knows about you")
def get_held(request: Request) -> object:
    return access_held(request.viewer)


@router.delete("/feed/held", response={204: None}, summary="Let the feed forget you")
def forget(request: Request) -> Status[None]:
    """Interests, history and "not interested" go, for good. Follows, blocks, likes, saves stay."""
    controls.do_forget(request.viewer)
    return Status(204, None)


@router.put("/feed/held/learning", response={204: None}, summary="Pause or resume learning")
def pause(request: Request, body: Learning) -> Status[None]:
    controls.do_pause_learning(request.viewer, paused=body.paused)
    return Status(204, None)


@router.delete(
    "/feed/held/interests/{kind}/{value}", response={204: None}, summary="Remove an interest"
)
def remove_interest(request: Request, kind: InterestKind, value: str) -> Status[None]:
    """What you were shown until now does not bring it back; what you watch from now on may."""
    controls.do_remove_interest(request.viewer, kind, value)
    return Status(204, None)


@router.delete("/feed/held/watched/{id}", response={204: None}, summary="Out of your history")
def unwatch(request: Request, id: str) -> Status[None]:  # noqa: A002
    controls.do_unwatch(request.viewer, access_video(request.viewer, id))
    return Status(204, None)


@router.delete(
    "/feed/held/not-interested/{id}",
    response={204: None},
    summary='Take "not interested" back',
)
def take_back_refusal(request: Request, id: str) -> Status[None]:  # noqa: A002
    controls.do_take_back_refusal(request.viewer, access_video(request.viewer, id))
    return Status(204, None)
