"""What makes the site installable: manifest, service worker, the page for when the network is away.

Source: the W3C's Web Application Manifest and Service Workers.
"""

from __future__ import annotations

import functools
import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jhalak.site.static_version import STATIC, static_version

GROUND = "#0e0f1a"


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """The page that a service worker keeps. It names nobody: everybody gets the same."""
    return render(request, "offline.html", {"bare": True, "nobody": True})


@require_GET
def manifest(_request: HttpRequest) -> HttpResponse:
    icons = [("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"),
             ("maskable-512.png", "512x512", "maskable")]  # fmt: skip
    body = {
        "id": "/",
        "name": "Jhalak · झलक",
        "short_name": "Jhalak",
        "description": _("Short videos, from here."),
        "lang": get_language() or "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "orientation": "any",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": [
            {"src": static(f"img/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in icons
        ],
        "shortcuts": [
            {"name": _("Upload"), "url": "/upload"},
            {"name": _("Discover"), "url": "/discover"},
        ],
    }
    return HttpResponse(json.dumps(body), content_type="application/manifest+json")


SHELL = ("css", "js", "img")  # folders of the static tree that the service worker keeps


@functools.cache
def _shell_files() -> tuple[str, ...]:
    """Static files worth keeping from the first visit: small, and needed by most pages."""
    kept = (file for folder in SHELL for file in sorted((STATIC / folder).rglob("*")))
    names = (file.relative_to(STATIC).as_posix() for file in kept if file.is_file())
    return tuple(name for name in names if name != "js/sw.js" and "-512" not in name)


@require_GET
def service_worker(_request: HttpRequest) -> HttpResponse:
    """/sw.js stands at the root, so that its scope is the whole site."""
    source = (STATIC / "js" / "sw.js").read_text("utf-8")
    first = json.dumps([*(static(name) for name in _shell_files()), "/offline"])
    body = source.replace("__VERSION__", static_version()).replace("__FIRST__", first)
    response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response
