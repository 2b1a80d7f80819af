"""The HTTP API: one NinjaAPI, a router from each room, and the one place where errors become
answers.

The document at /api/openapi.json is made from these routes; the refusal tests walk it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import BaseRenderer

from jhalak.border.keys import KeysError
from jhalak.people.api import router as people
from jhalak.people.contacts_api import router as contacts
from jhalak.problems import BadRequest, Invalid, Problem, TooLarge, Unavailable
from jhalak.rights.api import router as rights
from jhalak.safety.api import router as safety
from jhalak.site.operator_api import router as operator
from jhalak.social.api import router as social
from jhalak.stores.events import EventsError
from jhalak.stores.objects import ObjectsError
from jhalak.videos.api import router as videos
from jhalak.viewing.api import router as viewing
from jhalak.viewing.held_api import router as held
from jhalak.viewing.tuning_api import router as tuning

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder(enc_hook=str).encode


class MsgspecRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:  # noqa: ARG002
        return _encode(data)


api = NinjaAPI(
    title="Jhalak",
    version="1",
    description="Short videos that a country can keep. Times: ISO 8601, UTC. Durations: ms.",
    docs_url=None,  # its page would load scripts from a foreign host
    renderer=MsgspecRenderer(),
    urls_namespace="api",
)
for router in (
    viewing,
    people,
    contacts,
    social,
    videos,
    held,
    safety,
    rights,
    operator,
    tuning,
):  # the busiest is found first
    api.add_router("", router)


def answer(problem: Problem) -> HttpResponse:
    """A Problem as JSON, in the language of the request."""
    error = {"code": problem.code, "message": str(problem.message)}
    if problem.field is not None:
        error["field"] = problem.field
    response = HttpResponse(
        _encode({"error": error}), status=problem.status, content_type="application/json"
    )
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


@api.exception_handler(Problem)
def on_problem(_request: HttpRequest, problem: Problem) -> HttpResponse:
    return answer(problem)


@api.exception_handler(ValidationError)
def on_invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    first: Mapping[str, Any] = error.errors[0] if error.errors else {}
    place = [str(step) for step in first.get("loc", ())]
    field = place[-1] if place else None
    message = _("%(field)s: %(reason)s.") % {
        "field": field or _("The request"),
        "reason": first.get("msg", _("not as expected")),
    }
    return answer(Invalid("invalid", message, field=field))


@api.exception_handler(HttpError)
def on_http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    problem: Problem = BadRequest(
        "unreadable", _("The request could not be read: send valid JSON.")
    )
    if error.status_code != BadRequest.status:
        problem = Problem("refused", str(error))
    response = answer(problem)
    response.status_code = error.status_code
    return response


@api.exception_handler(RequestDataTooBig)
def on_too_big(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return answer(TooLarge("too_large", _("The request is larger than 1 MB. Send less at once.")))


@api.exception_handler(UnreadablePostError)
def on_broken_off(_request: HttpRequest, _error: UnreadablePostError) -> HttpResponse:
    return answer(BadRequest("broken_off", _("The request broke off. Send it again.")))


@api.exception_handler(EventsError)
@api.exception_handler(ObjectsError)
@api.exception_handler(KeysError)
@api.exception_handler(OperationalError)
def on_away(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log, database or store of objects is away or too busy: nothing was taken, nothing is half."""
    log.warning("%s %s: a store is away: %s", request.method, request.path, error)
    words = _("The site is busy. Nothing is lost: try again in a moment.")
    return answer(Unavailable("unavailable", words, headers={"Retry-After": "2"}))


@api.exception_handler(Exception)
def on_defect(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("defect at %s %s", request.method, request.path, exc_info=error)
    return answer(Problem("defect", _("Something went wrong on our side. Try again in a moment.")))
