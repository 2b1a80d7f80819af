"""GET /api/feed and POST /api/events: the two addresses of a swipe. Kept still: others build on
them.

Both are written and read with msgspec, past the schema layer, because they are the hot path; their
shapes stand in the OpenAPI document through the schemas below.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema

from jhalak.feed import Scope
from jhalak.people.middleware import Request
from jhalak.problems import BadRequest, Invalid, TooLarge
from jhalak.viewing.actions import Kind, Said, do_record_events
from jhalak.viewing.page import feed_page

router = Router(tags=["feed"])

MOST_ITEMS = 30
MOST_EVENTS = 200
MOST_BYTES = 128 * 1024


class _EventsBody(msgspec.Struct):
    events: Annotated[list[Said], msgspec.Meta(max_length=MOST_EVENTS)]


_decode = msgspec.json.Decoder(_EventsBody).decode
_encode = msgspec.json.Encoder().encode

_EVENT_SCHEMA = {
    "type": "object",
    "required": ["token", "kind"],
    "properties": {
        "token": {"type": "string", "description": "The serving token of the feed item."},
        "kind": {"type": "string", "enum": [kind.value for kind in Kind]},
        "watched_ms": {
            "type": "number",
            "description": "Played time in milliseconds; bounded by the time since serving.",
            "example": 4200,
        },
        "at": {"type": "number", "description": "When, by the client's clock: ms since 1970 UTC."},
    },
}
_EVENTS_REQUEST = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["events"],
                "properties": {
                    "events": {"type": "array", "maxItems": MOST_EVENTS, "items": _EVENT_SCHEMA}
                },
            }
        }
    },
}


def _json(value: Any) -> HttpResponse:
    return HttpResponse(_encode(value), content_type="application/json")


class Page(Schema):
    n: int = Field(8, ge=1, le=MOST_ITEMS, description="How many videos.")
    scope: Scope = Field(Scope.FOR_YOU, description="Which part of the catalogue.")
    value: str = Field("", max_length=100, description="The channel's slug, the tag, the handle.")


@router.get("/feed", response=dict[str, Any], summary="A page of videos for whoever asks")
def feed(request: Request, page: Query[Page]) -> HttpResponse:
    """`{"items", "model", "inputs"}`. Guests are known by a signed cookie, and noticed too."""
    return _json(feed_page(request.viewer, page.n, page.scope, page.value))


@router.post(
    "/events",
    response=dict[str, Any],
    summary="What a viewer did with what was served",
    openapi_extra={"requestBody": _EVENTS_REQUEST},
)
def events(request: Request) -> HttpResponse:
    """`{"accepted", "repeated", "refused": [{"index", "code", "message"}]}`; then durable."""
    body = request.body
    if len(body) > MOST_BYTES:
        raise TooLarge("too_large", _("Too many events at once. Send fewer in each request."))
    try:
        said = _decode(body).events
    except msgspec.ValidationError as error:
        raise Invalid("invalid", _("The events are not as expected: %s.") % error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(
            "unreadable", _("The request could not be read: send valid JSON.")
        ) from error
    receipt = do_record_events(request.viewer.key, said)
    if receipt.refused and len(receipt.refused) == len(said):
        first = receipt.refused[0]
        raise Invalid(first.code, first.message, field="token")
    return _json(receipt)
