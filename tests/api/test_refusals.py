"""Every route x every role, generated from the OpenAPI document: who is answered, who is refused.

Also every route that names a video, against one that nobody but its author may see: it must look
absent to all others.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from jhalak.media.webvtt import Cue
from jhalak.people.contacts import PURPOSE
from jhalak.people.models import Contact, Person
from jhalak.people.roles import HOLDERS, Permission, Role
from jhalak.records.keyring import person_keys
from jhalak.rights.models import Download
from jhalak.site.api import api
from jhalak.videos.captions import do_put_captions
from jhalak.videos.models import Upload
from jhalak.videos.runners import do_add_runner
from jhalak.videos.states import CaptionSource
from tests.api.rules import RULES, Rule, Who
from tests.factories import browser, channel, person, sound, video

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT: dict[str, Any] = json.loads(
    json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str)
)
OPERATIONS = sorted(
    f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods
)
ROLES = [None, *Role]
REFUSED = {401, 403}
OWNED = {Who.ITS_OWNER, Who.MEMBERS}


def test_every_route_has_its_line_and_every_line_its_route() -> None:
    assert sorted(RULES) == OPERATIONS


def test_nothing_hangs_beside_the_document() -> None:
    """Addresses under /api come from the document alone, and the document is served."""
    beside = [
        str(pattern.pattern)
        for pattern in get_resolver().url_patterns
        if str(pattern.pattern).startswith("api") and str(pattern.pattern) != "api/"
    ]
    assert beside == []
    served = Client().get("/api/openapi.json")
    assert served.status_code == 200
    assert set(served.json()["paths"]) == set(DOCUMENT["paths"])


def ask(client: Client, operation: str, rule: Rule, **names: str) -> int:
    method, path = operation.split()
    data = b"" if rule.body is None else json.dumps(rule.body).encode()
    content_type = rule.headers.get("Content-Type", "application/json")
    headers = {name: value for name, value in rule.headers.items() if name != "Content-Type"}
    answer = client.generic(
        method, path.format(**names), data, content_type=content_type, headers=headers
    )
    return answer.status_code


@pytest.fixture
def world() -> dict[str, str]:
    """An owner, the owner's public clip, its captions, sound, channel, open upload."""
    owner = person("owner")
    shown = video(owner, "waves")
    channel("waves")
    do_add_runner("box")
    heard = sound(shown)
    do_put_captions(owner, shown, "hi", [Cue(0, 900, "x")], CaptionSource.EDITED)
    sealed = person_keys().encrypt(owner.key_name, PURPOSE, b"a@b.in")
    contact = Contact.objects.create(person=owner, kind="mail", ciphertext=sealed, lookup="x")
    Upload.objects.create(
        id="a" * 32,
        owner=owner,
        size=10,
        details={},
        expires=timezone.now() + timezone.timedelta(1),
    )
    return {
        "handle": "owner",
        "slug": "waves",
        "id": shown.public_id,
        "upload": "a" * 32,
        "contact": str(contact.pk),
        "sound": heard.public_id,
        "job": "1",
        "download": str(Download.objects.create(person=owner, language="en").pk),
        "runner": "box",
        "name": "540.mp4",
        "number": "0",
        "language": "hi",
        "kind": "channel",
        "value": "waves",
    }


def names_in(operation: str, world: dict[str, str]) -> dict[str, str]:
    names = dict(world)
    if "/uploads/" in operation:
        names["id"] = world["upload"]
    if "/sounds/" in operation:
        names["id"] = world["sound"]
    return names


def expected(rule: Rule, who: Person | None) -> str:
    if rule.who is Who.ANYBODY:
        return "answered"
    if who is None or rule.who is Who.RUNNERS:
        return "401"
    if rule.who is Who.MEMBERS:
        return "answered"
    if rule.who is Who.ITS_OWNER:
        return "404"
    assert isinstance(rule.who, Permission)
    return "answered" if Role(who.role) in HOLDERS[rule.who] else "403"


@pytest.mark.parametrize("operation", sorted(RULES))
def test_each_role_is_answered_or_refused(operation: str, world: dict[str, str]) -> None:
    rule = RULES[operation]
    for role in ROLES:
        who = person(role=role) if role else None
        status = ask(browser(who), operation, rule, **names_in(operation, world))
        wanted = expected(rule, who)
        if wanted == "answered":
            assert status not in REFUSED or operation == "POST /api/session", (role, status)
            assert status < 500, (role, status)
        else:
            assert status == int(wanted), (role, status)


# Where the world of these tests has nothing to do it with, or the rule's body is meant to be wrong.
OTHERWISE = {
    "PUT /api/me/follow-requests/{handle}": 404,  # nobody asked
    "DELETE /api/me/follow-requests/{handle}": 404,
    "GET /api/search": 422,  # for nothing
    "PATCH /api/uploads/{id}": 415,  # Django's client sends no type without bytes
    "POST /api/uploads/{id}": 415,
    "POST /api/session": 422,  # a wrong password
    "PUT /api/me/password": 422,
    "POST /api/me/contacts": 422,  # a wrong password
    "POST /api/me/contacts/{contact}/code": 409,  # nothing that carries codes is declared
    "POST /api/me/contacts/{contact}/confirm": 422,  # a wrong code
    "POST /api/codes": 409,
    "POST /api/session/code": 422,
    "POST /api/me/downloads": 422,  # not the password
    "POST /api/me/downloads/{download}/open": 410,  # it is not made yet
    "POST /api/me/leaving": 422,
    "PUT /api/me/picture": 400,  # no picture
    "POST /api/videos/{id}/restore": 409,  # it is not withdrawn
    "POST /api/videos/{id}/retry": 409,  # it has not failed
    "POST /api/operator/jobs/{job}/cancel": 404,  # there is no such job
    "POST /api/operator/jobs/{job}/retry": 404,
    "GET /api/border/log/{number}": 404,  # the log has no entry yet
    "POST /api/operator/experiments/{name}/stop": 404,  # none of this name runs
}


@pytest.mark.parametrize("operation", sorted(RULES))
def test_who_may_gets_what_they_asked_for(operation: str, world: dict[str, str]) -> None:
    rule = RULES[operation]
    owner = Person.objects.get(handle="owner")
    if operation.endswith(("/follow", "/block")):  # nobody does this to themselves
        owner = person()
    if rule.who is Who.RUNNERS:
        return  # nobody who signs in: tests/videos/test_videos_runners.py brings a runner's token
    role = next(iter(HOLDERS[rule.who])) if isinstance(rule.who, Permission) else None
    for who in [person(role=role)] if role else [owner] if rule.who in OWNED else [None, owner]:
        given = rule
        if operation == "POST /api/people":
            handle = f"brandnew{who.pk if who else 0}"
            given = rule._replace(body=(rule.body or {}) | {"handle": handle})
        status = ask(browser(who), operation, given, **names_in(operation, world))
        if operation in OTHERWISE:
            assert status == OTHERWISE[operation], who
        else:
            assert 200 <= status < 300, (who, status)


@pytest.mark.django_db  # nothing is written, so that it may all be rolled back
@pytest.mark.parametrize("operation", sorted(RULES))
def test_a_suspended_person_is_a_guest(operation: str, world: dict[str, str]) -> None:
    """The session ends with the next request, whatever the role allowed before."""
    rule = RULES[operation]
    if rule.who is Who.ANYBODY:
        return
    who = person(role=Role.OPERATOR)
    client = browser(who)
    Person.objects.filter(pk=who.pk).update(suspended_at=timezone.now())
    assert ask(client, operation, rule, **names_in(operation, world)) == 401


SHOWN = ("/videos", "/held/watched", "/held/not-interested")  # what is named is a video


@pytest.mark.parametrize(
    "operation",
    [one for one in sorted(RULES) if one.partition("/{id}")[0].endswith(SHOWN) and "{id}" in one],
)
def test_a_private_video_looks_absent_on_every_route(operation: str, world: dict[str, str]) -> None:
    hidden = video(Person.objects.get(handle="owner"), visibility="private").public_id
    rule = RULES[operation]
    for role in ROLES:
        who = person(role=role) if role else None
        status = ask(browser(who), operation, rule, **(world | {"id": hidden}))
        moderates = rule.who is Permission.WITHDRAW and who is not None and who.can(rule.who)
        if moderates:
            assert status in (204, 409), (role, status)
        else:
            absent = ask(browser(who), operation, rule, **(world | {"id": "A" * 12}))
            assert status == absent, (role, status, absent)
            assert status in (401, 403, 404), (role, status)


@pytest.mark.parametrize("operation", [one for one in sorted(RULES) if "/sounds/{id}" in one])
def test_a_sound_that_only_hidden_videos_have_looks_absent(
    operation: str, world: dict[str, str]
) -> None:
    hidden = sound(video(Person.objects.get(handle="owner"), visibility="private")).public_id
    for role in ROLES:
        who = person(role=role) if role else None
        for name in (hidden, "A" * 12, "\x00"):
            assert ask(browser(who), operation, RULES[operation], id=name) == 404, (role, name)


@pytest.mark.django_db  # nothing is written, so that it may all be rolled back
@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if not one.startswith(("GET", "HEAD", "OPTIONS"))]
)
def test_writes_that_another_site_causes_are_refused(operation: str, world: dict[str, str]) -> None:
    rule = RULES[operation]
    client = browser(Person.objects.get(handle="owner"))
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        foreign = Rule(rule.who, rule.body, rule.headers | headers)
        assert ask(client, operation, foreign, **names_in(operation, world)) == 403


def test_a_cookie_of_another_installation_is_nobody() -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    assert client.get("/api/me").status_code == 401
