"""The pages: thin views that find what a page shows and hand it to a template.

Every object comes through an `access_*` function; what is refused and what is absent give the same
page. The video page and the profile read and play without JavaScript; log in, sign up and log out
work without it too.
"""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote

import msgspec
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from jhalak import records
from jhalak.feed import InterestKind, tokens
from jhalak.media.webvtt import MOST_BYTES
from jhalak.options import options
from jhalak.people import addresses, senders
from jhalak.people.access import Viewer, access_person, sign_in_needed
from jhalak.people.actions import do_log_in, do_log_out, do_sign_up
from jhalak.people.browsers import browser
from jhalak.people.middleware import Request
from jhalak.people.paging import Place
from jhalak.people.profiles import me, profile
from jhalak.people.roles import Permission
from jhalak.problems import BadRequest, Forbidden, Gone, NotFound, Problem, SignInNeeded
from jhalak.rights.actions import access_opened, access_receipt
from jhalak.rights.states import LeavingState
from jhalak.site.installing import manifest, offline, service_worker
from jhalak.site.previews import preview
from jhalak.site.words import words
from jhalak.videos import listing, sounds
from jhalak.videos.access import Need, access_video
from jhalak.videos.cards import cards_of
from jhalak.videos.channels import words_of
from jhalak.videos.models import Channel, Video
from jhalak.videos.states import Visibility
from jhalak.videos.words import LANGUAGES
from jhalak.videos.words import tag as known_tag
from jhalak.viewing.held import access_held
from jhalak.viewing.page import secret

THEMES = ("dark", "light")
THEME_COOKIE = "jhalak_theme"
TILES = 24  # on the first page of a profile

P = ParamSpec("P")
View = Callable[Concatenate[Request, P], HttpResponse]


def context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use. Functions: an error page that asks nothing reads nothing."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "me": functools.cache(lambda: _me(request)),
        "may_upload": functools.cache(lambda: request.viewer.can(Permission.UPLOAD)),  # type: ignore[attr-defined]
        "words": words,
        "theme": theme if theme in THEMES else "",
        "clip_languages": LANGUAGES.items(),
        "path": request.get_full_path(),
    }


def _me(request: HttpRequest) -> dict[str, str] | None:
    person = request.viewer.person  # type: ignore[attr-defined]
    if person is None:
        return None
    mine = me(person)
    return {"handle": mine.handle, "name": mine.name, "picture": mine.picture, "role": mine.role}


def page(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Turns refusals into pages: log in first, or nothing here (as to those who may not)."""

    @functools.wraps(view)
    def wrapped(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except SignInNeeded:
            return HttpResponseRedirect(f"/login?next={quote(request.get_full_path())}")
        except (NotFound, Forbidden, BadRequest) as absent:  # an address that means nothing, too
            raise Http404 from absent

    return wrapped  # type: ignore[return-value]


# ---- feeds ---------------------------------------------------------------------------------------


def _feed(request: Request, scope: str, value: str = "", **more: Any) -> HttpResponse:
    judges = request.viewer.can(Permission.WITHDRAW)
    return render(request, "feed.html", {"scope": scope, "value": value, "judges": judges, **more})


@require_safe
@page
def home(request: Request) -> HttpResponse:
    return _feed(request, "for_you", nav="home")


@require_safe
@page
def following(request: Request) -> HttpResponse:
    return _feed(request, "following", nav="home")


@require_safe
@page
def channel(request: Request, slug: str) -> HttpResponse:
    found = Channel.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound("no_such_channel", _("There is no such channel."))
    title, about = words_of(found)
    return _feed(request, "channel", slug, title=title, about=about, nav="discover")


@require_safe
@page
def tag(request: Request, word: str) -> HttpResponse:
    try:
        known = known_tag(word)
    except Problem as problem:
        raise NotFound("no_such_tag", problem.message) from problem
    return _feed(request, "tag", known, title=f"#{known}", nav="discover")


@require_safe
@page
def video(request: Request, public_id: str) -> HttpResponse:
    """One clip, playable without JavaScript; with it, the feed goes on from here."""
    found = access_video(request.viewer, public_id, Need.SEE)
    card = cards_of(request.viewer, Video.objects.filter(pk=found.pk))[0]
    if not card.src:  # its author looks before it plays
        return HttpResponseRedirect("/studio")
    scope, value = "for_you", ""
    if request.GET.get("in") == "author":
        scope, value = "author", card.author.handle
    first = msgspec.to_builtins(card) | {"token": _link_token(request.viewer, found)}
    more = {"card": card, "first": first, "title": _("Clip"), "nav": "home"}
    if found.withdrawn_at and request.viewer.can(Permission.SEE_WITHDRAWN):
        first["withdrawn"] = found.withdrawn_reason
        more["about"] = _("Taken down: %(reason)s") % {"reason": found.withdrawn_reason}
    if card.visibility == Visibility.PUBLIC and not found.author.private:
        more["preview"] = preview(request, card)
    return _feed(request, scope, value, **more)


def _link_token(viewer: Viewer, found: Video) -> str:
    """A clip that was opened by its address counts like one that was served: with a token."""
    served = tokens.Served(
        viewer=viewer.key,
        video=found.pk,
        duration_ms=found.duration_ms,
        slate=f"link{secrets.token_hex(6)}",
        slot=0,
        source="link",
        propensity=1.0,
        served_ms=time.time_ns() // 1_000_000,
        model="link",
    )
    return tokens.mint(secret(), served)


@require_safe
@page
def sound(request: Request, public_id: str) -> HttpResponse:
    found = sounds.access_sound(request.viewer, public_id)
    tiles, following_page = listing.card_page(
        request.viewer,
        listing.of_sound(request.viewer, found),
        Place(cursor=request.GET.get("cursor", "")[:40], n=TILES),
    )
    shown = sounds.sound_card(request.viewer, public_id)
    more = {"tiles": tiles, "next": following_page, "nav": "discover"}
    return render(request, "sound.html", {"sound": shown, **more})


# ---- people and lists ----------------------------------------------------------------------------


@require_safe
@page
def person(request: Request, handle: str) -> HttpResponse:
    found = access_person(request.viewer, handle)
    if handle != found.handle:
        return HttpResponseRedirect(f"/@{found.handle}")
    shown = profile(request.viewer, found)
    mine = request.viewer.person is not None and request.viewer.person.pk == found.pk
    tiles, following_page = listing.card_page(
        request.viewer,
        listing.of_person(request.viewer, found),
        Place(cursor=request.GET.get("cursor", "")[:40], n=TILES),
    )
    return render(
        request,
        "profile.html",
        {
            "person": shown,
            "person_data": shown.dict(),
            "mine": mine,
            "may_audit": request.viewer.can(Permission.READ_AUDIT),
            "tiles": tiles,
            "next": following_page,
            "nav": "me" if mine else "discover",
        },
    )


@require_safe
@page
def discover(request: Request) -> HttpResponse:
    doors = [(one, *words_of(one)) for one in Channel.objects.order_by("pk")]
    return render(request, "discover.html", {"doors": doors, "nav": "discover"})


@require_safe
@page
def saved(request: Request) -> HttpResponse:
    sign_in_needed(request.viewer)
    return render(request, "saved.html", {"nav": "saved"})


@require_safe
@page
def studio(request: Request) -> HttpResponse:
    sign_in_needed(request.viewer)
    return render(request, "studio.html", {"nav": "me", "most_captions": MOST_BYTES})


@require_safe
@page
def upload(request: Request) -> HttpResponse:
    sign_in_needed(request.viewer)
    limits = {"limit": options().upload_limit, "limit_mb": options().upload_limit >> 20}
    wanted = request.GET.get("sound", "")
    found = sounds.open_sound(request.viewer, wanted) if wanted else None
    sound = {"id": found.public_id, "title": sounds.title_of(found)} if found else None
    more = {"sound": sound, "sound_gone": bool(wanted) and found is None}
    return render(request, "upload.html", {"nav": "upload", **limits, **more})


@require_safe
@page
def own_settings(request: Request) -> HttpResponse:
    mine = me(sign_in_needed(request.viewer))
    more = {
        "codes": bool(senders.kinds()),
        "most_contact": addresses.MOST,
        "may_audit": request.viewer.can(Permission.READ_AUDIT),
        "operates": request.viewer.can(Permission.READ_OPERATIONS),
    }
    return render(request, "settings.html", {"account": mine, "nav": "me", **more})


@require_safe
@page
def download(request: Request, pk: int, ticket: str) -> HttpResponse:
    """The file itself, sent by the proxy, which resumes by range."""
    try:
        found = access_opened(request.viewer, pk, ticket)
    except Gone as gone:
        raise NotFound(gone.code, gone.message) from gone
    response = HttpResponse(content_type="application/zip")
    response.headers["X-Accel-Redirect"] = records.objects().internal_path(found.key)
    name = f"jhalak-{found.person.handle}-{found.created:%Y-%m-%d}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_safe
@page
def receipt(request: Request, token: str) -> HttpResponse:
    """That somebody is gone, for whoever has its address. Says nothing about who it was."""
    found = access_receipt(token)
    done = found.state == LeavingState.ERASED
    if done and request.GET.get("as") == "json":
        told = {"ensure_ascii": False, "indent": 1}
        answer: HttpResponse = JsonResponse(found.receipt, json_dumps_params=told)
        answer.headers["Content-Disposition"] = 'attachment; filename="receipt.json"'
    else:
        shown = {"leaving": found, "done": done, "back": found.state == LeavingState.TAKEN_BACK}
        answer = render(request, "receipt.html", shown | {"bare": True, "token": token})
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@require_safe
@page
def feed_data(request: Request) -> HttpResponse:
    """What the feed holds about whoever looks, a guest too."""
    found = access_held(request.viewer)
    titles = {
        InterestKind.CHANNEL: _("Channels"),
        InterestKind.AUTHOR: _("People"),
        InterestKind.TAG: _("Tags"),
        InterestKind.LANGUAGE: _("Languages"),
    }
    groups = [
        {"title": title, "interests": [one for one in found.interests if one.kind is kind]}
        for kind, title in titles.items()
    ]
    shown = [group for group in groups if group["interests"]]
    member = request.viewer.person is not None
    more = {"member": member, "nav": "me" if member else ""}
    return render(request, "feed-data.html", {"held": found, "groups": shown, **more})


# ---- doors ---------------------------------------------------------------------------------------


def next_of(request: Request) -> str:
    """Where to go after the door: an address of this site, else the start."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    inside = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if inside else "/"


def _door(request: Request, template: str, act: Callable[[], object]) -> HttpResponse:
    after = next_of(request)
    if request.viewer.person is not None:
        return HttpResponseRedirect(after)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            act()
        except Problem as refused:
            problem = refused
        else:
            return HttpResponseRedirect(after)
    given = {name: request.POST.get(name, "") for name in ("handle", "name")}
    error = {"field": problem.field or "", "message": problem.message} if problem else None
    return render(
        request,
        template,
        {
            "next": after,
            "given": given,
            "error": error,
            "codes": bool(senders.kinds()),
            "bare": True,
        },
        status=problem.status if problem else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def log_in(request: Request) -> HttpResponse:
    def act() -> None:
        do_log_in(
            request.session,
            browser(request),
            handle=request.POST.get("handle", ""),
            password=request.POST.get("password", "")[:1000],
        )

    return _door(request, "login.html", act)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def sign_up(request: Request) -> HttpResponse:
    def act() -> None:
        do_sign_up(
            request.session,
            browser(request),
            handle=request.POST.get("handle", "")[:64],
            password=request.POST.get("password", "")[:1000],
            name=request.POST.get("name", ""),
            language=request.POST.get("language", ""),
            under_age=bool(request.POST.get("under_age")),
        )

    return _door(request, "signup.html", act)


@require_POST
@page
def log_out(request: Request) -> HttpResponse:
    do_log_out(request.session)
    request.guest.forget()
    return HttpResponseRedirect("/")


page_urls: list[URLPattern] = [
    path("", home, name="home"),
    path("following", following, name="following"),
    path("discover", discover, name="discover"),
    path("c/<slug:slug>", channel, name="channel"),
    path("t/<str:word>", tag, name="tag"),
    path("v/<str:public_id>", video, name="video"),
    path("s/<str:public_id>", sound, name="sound"),
    path("@<str:handle>", person, name="person"),
    path("upload", upload, name="upload"),
    path("studio", studio, name="studio"),
    path("saved", saved, name="saved"),
    path("settings", own_settings, name="settings"),
    path("settings/download/<int:pk>/<str:ticket>", download, name="download"),
    path("receipt/<str:token>", receipt, name="receipt"),
    path("feed-data", feed_data, name="feed_data"),
    path("login", log_in, name="login"),
    path("signup", sign_up, name="signup"),
    path("logout", log_out, name="logout"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("sw.js", service_worker, name="service_worker"),
    path("offline", offline, name="offline"),
]
