"""Endpoints of safety."""

from __future__ import annotations

from ninja import Field, Router, Schema, Status

from jhalak.people.access import require
from jhalak.people.middleware import Request
from jhalak.people.roles import Permission
from jhalak.safety.actions import do_restore_video, do_withdraw_video
from jhalak.videos.access import Need, access_video

router = Router(tags=["safety"])


class ReasonIn(Schema):
    reason: str = Field(
        description="Why, in words for the author. At most 300 characters.",
        examples=["Shows a person who did not agree to be filmed."],
    )


@router.post("/videos/{id}/withdraw", response={204: None}, summary="Withdraw a video")
def withdraw(request: Request, id: str, body: ReasonIn) -> Status[None]:  # noqa: A002
    moderator = require(request.viewer, Permission.WITHDRAW)
    video = access_video(request.viewer, id, Need.MODERATE)
    do_withdraw_video(moderator, video, body.reason)
    return Status(204, None)


@router.post("/videos/{id}/restore", response={204: None}, summary="Restore a video")
def restore(request: Request, id: str, body: ReasonIn) -> Status[None]:  # noqa: A002
    moderator = require(request.viewer, Permission.WITHDRAW)
    video = access_video(request.viewer, id, Need.MODERATE)
    do_restore_video(moderator, video, body.reason)
    return Status(204, None)
