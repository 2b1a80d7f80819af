"""Answers where no route or view could give one: JSON under /api and /media, a page elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

MACHINE_PATHS = ("/api/", "/media/", "/healthz")


def _answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if request.path.startswith(MACHINE_PATHS):
        return JsonResponse({"error": {"code": code, "message": message}}, status=status)
    return render(request, "error.html", {"status": status, "message": message}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return _answer(request, 400, "bad_request", _("The request could not be read."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return _answer(request, 403, "forbidden", _("This is not open to you."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return _answer(
        request, 404, "not_found", _("There is nothing here, or it is not for you to see.")
    )


def defect(request: HttpRequest) -> HttpResponse:
    return _answer(
        request, 500, "defect", _("Something went wrong on our side. Try again in a moment.")
    )
