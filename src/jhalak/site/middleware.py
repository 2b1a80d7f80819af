"""What every answer carries and every request must pass: headers, same-origin writes, language.

Writes from other sites are refused by what the browser itself says (`Sec-Fetch-Site`, else
`Origin`), as Go 1.25's CrossOriginProtection does: no hidden form fields, nothing for scripts to
carry. A client that is no browser sends neither header, and holds no cookie that another site could
ride on. Source: Filippo Valsorda, "Cross-Site Request Forgery", 2025; the Fetch Metadata
specification.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _

from jhalak.people.middleware import Request
from jhalak.site.errors import bad_request, not_found

Handler = Callable[[HttpRequest], HttpResponseBase]

NUL = "\0"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


def from_elsewhere(request: HttpRequest) -> bool:
    """Whether a browser says that another site caused this request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.get_host()


def security(next_handler: Handler) -> Handler:
    def handle(request: HttpRequest) -> HttpResponseBase:
        if request.method not in SAFE and from_elsewhere(request):
            message = _("This request came from another site. Open Jhalak itself and try again.")
            return JsonResponse({"error": {"code": "cross_site", "message": message}}, status=403)
        response = next_handler(request)
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cache-Control", "private, no-store")
        if isinstance(response, HttpResponse) and "X-Accel-Redirect" not in headers:
            headers.setdefault("Content-Length", str(len(response.content)))
        return response

    return handle


def language(next_handler: Handler) -> Handler:
    """The person's language, else the one chosen in this browser, else what the browser wants."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        person = cast(Request, request).viewer.person
        if person is not None and person.language:
            chosen = person.language
        else:
            chosen = translation.get_language_from_request(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = next_handler(request)
        response.headers.setdefault("Content-Language", chosen)
        return response

    return handle


def readable(next_handler: Handler) -> Handler:
    """No name holds a NUL, and PostgreSQL refuses it in any text: it goes no further. The last of
    the middleware, because the page that says so asks who looks.
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        if NUL in request.path:
            return not_found(request)
        if "%00" in request.META["QUERY_STRING"]:
            return bad_request(request)
        return next_handler(request)

    return handle
