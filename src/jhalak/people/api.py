"""Accounts over HTTP: sign up, log in and out, sessions, one's own profile, other people's."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from django.utils.translation import gettext_lazy as _
from ninja import Field, Router, Schema, Status
from pydantic import ConfigDict

from jhalak.people import actions
from jhalak.people.access import access_person, sign_in_needed
from jhalak.people.browsers import browser
from jhalak.people.middleware import Request
from jhalak.people.pictures import MOST_BYTES, too_large
from jhalak.people.profiles import Me, Profile, me, profile
from jhalak.problems import BadRequest

router = Router(tags=["people"])

_PICTURE = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary", "maxLength": MOST_BYTES}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}


class Body(Schema):
    """A request body: nothing unknown, nothing converted."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


class SignUp(Body):
    handle: str = Field(
        max_length=64,
        description="3 to 30 of a-z, digits, _ and . ; kept in lower case.",
        examples=["asha.k"],
    )
    password: str = Field(
        max_length=1000, description="8 to 200 characters.", examples=["correct horse battery"]
    )
    name: str = Field("", description="At most 60 characters, in any script.", examples=["आशा"])
    language: str = Field("", max_length=12, description="Of the interface.", examples=["hi"])
    under_age: bool = Field(False, description="Under 18: the feed learns nothing about you.")


class LogIn(Body):
    handle: str = Field(max_length=64, examples=["asha.k"])
    password: str = Field(max_length=1000, examples=["correct horse battery"])


class Change(Body):
    """What is left out stays as it is."""

    name: str | None = Field(None, description="At most 60 characters, in any script.")
    bio: str | None = Field(None, description="At most 300 characters; line breaks are kept.")
    private: bool | None = Field(None, description="Whether following needs your consent.")
    language: str | None = Field(None, max_length=12, examples=["hi"])
    personal: bool | None = Field(
        None, description="Whether the feed may learn from what you do. false: it forgets all that."
    )
    under_age: Literal[True] | None = Field(
        None, description="You are under 18. Only the operator can take that back."
    )


class NewPassword(Body):
    current: str = Field(max_length=1000)
    new: str = Field(max_length=1000, description="8 to 200 characters.")


class Picture(Schema):
    picture: str = Field(
        description="Address of the new picture.",
        examples=["/media/people/asha.k/0123456789abcdef.webp"],
    )


class SessionOut(Schema):
    device: str = Field(
        description="What the browser calls itself.", examples=["Firefox on Android"]
    )
    created: datetime
    seen: datetime = Field(description="Last use, to within ten minutes.")
    current: bool = Field(description="Whether it is the browser that asks.")


class Sessions(Schema):
    items: list[SessionOut]
    next: None = None


@router.post("/people", response={201: Me}, summary="Sign up, and be logged in")
def sign_up(request: Request, body: SignUp) -> Status[Me]:
    person = actions.do_sign_up(
        request.session,
        browser(request),
        handle=body.handle,
        password=body.password,
        name=body.name,
        language=body.language,
        under_age=body.under_age,
    )
    return Status(201, me(person))


@router.post("/session", response=Me, summary="Log in")
def log_in(request: Request, body: LogIn) -> Me:
    person = actions.do_log_in(
        request.session, browser(request), handle=body.handle, password=body.password
    )
    return me(person)


@router.delete("/session", response={204: None}, summary="Log out of this browser")
def log_out(request: Request) -> Status[None]:
    actions.do_log_out(request.session)
    request.guest.forget()
    return Status(204, None)


@router.get("/sessions", response=Sessions, summary="Where you are logged in")
def sessions(request: Request) -> Sessions:
    person = sign_in_needed(request.viewer)
    current = request.session.row_key
    rows = person.sessions.order_by("-seen")
    return Sessions(
        items=[
            SessionOut(
                device=row.device, created=row.created, seen=row.seen, current=row.pk == current
            )
            for row in rows
        ]
    )


@router.delete("/sessions", response={204: None}, summary="Log out everywhere, here too")
def log_out_everywhere(request: Request) -> Status[None]:
    actions.do_log_out_everywhere(sign_in_needed(request.viewer))
    actions.do_log_out(request.session)
    request.guest.forget()
    return Status(204, None)


@router.get("/me", response=Me, summary="Your own account")
def get_me(request: Request) -> Me:
    return me(sign_in_needed(request.viewer))


@router.patch("/me", response=Me, summary="Change your profile")
def change_me(request: Request, body: Change) -> Me:
    person = sign_in_needed(request.viewer)
    actions.do_change_profile(person, name=body.name, bio=body.bio, language=body.language)
    if body.private is not None:
        actions.do_make_private(person, private=body.private)
    if body.under_age:
        actions.do_declare_under_age(person)
    if body.personal is not None:
        actions.do_choose_personal(person, personal=body.personal)
    return me(person)


@router.put("/me/picture", response=Picture, summary="Set your picture", openapi_extra=_PICTURE)
def set_picture(request: Request) -> Picture:
    """The request's body is the photo itself: JPEG (40 megapixels), PNG or WebP (16), 5 MB."""
    person = sign_in_needed(request.viewer)
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:12]) > MOST_BYTES:
        raise too_large()
    source = request.read(MOST_BYTES + 1)  # the stream, and not .body: that ends at 1 MB
    if not source:
        raise BadRequest("empty", _("The picture did not arrive. Send it as the request's body."))
    return Picture(picture=actions.do_set_picture(person, source))


@router.delete("/me/picture", response={204: None}, summary="Remove your picture")
def remove_picture(request: Request) -> Status[None]:
    actions.do_remove_picture(sign_in_needed(request.viewer))
    return Status(204, None)


@router.put("/me/password", response={204: None}, summary="Change your password")
def change_password(request: Request, body: NewPassword) -> Status[None]:
    """Every other browser is logged out."""
    person = sign_in_needed(request.viewer)
    actions.do_change_password(person, request.session, current=body.current, new=body.new)
    return Status(204, None)


@router.get("/people/{handle}", response=Profile, summary="Somebody's profile")
def person(request: Request, handle: str) -> Profile:
    return profile(request.viewer, access_person(request.viewer, handle))
