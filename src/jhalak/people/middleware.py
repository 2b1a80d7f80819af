"""Who looks: puts `request.viewer` (a member or a guest) and `request.guest` on every request,
lazily.

Both are lazy: a request that asks neither costs no query and sets no cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from jhalak.people.access import Viewer
from jhalak.people.guests import COOKIE, Guest
from jhalak.people.sessions import SessionStore


class Request(HttpRequest):
    """What every view gets: Django's request after this middleware. Only a type: never made."""

    viewer: Viewer
    guest: Guest
    session: SessionStore


def _viewer_of(request: Request) -> Viewer:
    person = request.session.person
    return Viewer.member(person) if person else Viewer(lambda: request.guest.key)


def viewer(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def middleware(plain: HttpRequest) -> HttpResponseBase:
        request = cast(Request, plain)
        request.guest = Guest(request.COOKIES.get(COOKIE, ""))
        request.viewer = cast(Viewer, SimpleLazyObject(lambda: _viewer_of(request)))
        response = get_response(request)
        if request.guest.touched:
            patch_vary_headers(response, ("Cookie",))
            request.guest.answer(response)
        return response

    return middleware
