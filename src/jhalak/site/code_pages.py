"""Log in by a code, and choose a new password by one: two steps of one page, without JavaScript."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jhalak.border.keys import KeysError
from jhalak.people import addresses, senders
from jhalak.people.browsers import browser
from jhalak.people.codes import do_ask_code, do_log_in_with_code
from jhalak.people.middleware import Request
from jhalak.people.models import ContactKind
from jhalak.problems import Invalid, NotFound, Problem, Unavailable
from jhalak.site.pages import next_of, page


def _step(request: Request, *, new: bool) -> str:
    """What was posted. The ticket of the step that follows, "" when the browser is logged in."""
    given = request.POST
    if not (ticket := given.get("ticket", "")[:64]):
        return do_ask_code(browser(request), given.get("contact", "")[: addresses.MOST + 1])
    password = given.get("password", "")[:1000] if new else ""
    if new and not password:
        raise Invalid("password_needed", _("Type a new password."), field="password")
    do_log_in_with_code(
        request.session,
        browser(request),
        ticket=ticket,
        code=given.get("code", "")[:32],
        password=password,
    )
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
@page
def log_in_code(request: Request) -> HttpResponse:
    reached = senders.kinds()
    if not reached:
        raise NotFound("no_codes", _("This site sends no codes."))
    after = next_of(request)
    if request.viewer.person is not None:
        return HttpResponseRedirect(after)
    new = bool(request.POST.get("new") or request.GET.get("new"))
    ticket = request.POST.get("ticket", "")[:64]
    problem: Problem | None = None
    if request.method == "POST":
        try:
            ticket = _step(request, new=new)
        except Problem as refused:
            problem = refused
        except KeysError:
            problem = Unavailable("unavailable", _("The site is busy. Try again in a moment."))
        else:
            if not ticket:
                return HttpResponseRedirect(after)
    error = {"field": problem.field or "", "message": problem.message} if problem else None
    shown = {
        "next": after,
        "new": new,
        "ticket": ticket,
        "given": {name: request.POST.get(name, "")[:320] for name in ("contact", "code")},
        "error": error,
        "mail": ContactKind.MAIL in reached,
        "phone": ContactKind.PHONE in reached,
        "most": addresses.MOST,
        "bare": True,
    }
    response = render(request, "login-code.html", shown, status=problem.status if problem else 200)
    response.headers["Cache-Control"] = "no-store"  # the ticket is in it
    return response


code_urls: list[URLPattern] = [path("login/code", log_in_code, name="log_in_code")]
