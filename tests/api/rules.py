"""Who may use which route: one line for each operation of the OpenAPI document.

A new route without a line here fails `test_refusals`. The line says who is answered, who is asked
to log in, and who is refused; the test then tries every role. The body is good enough to pass the
schema, so that what refuses is the right of access and not the form.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from jhalak.people.roles import Permission


class Who(enum.Enum):
    ANYBODY = "anybody"
    MEMBERS = "members"  # a guest gets 401
    RUNNERS = "runners"  # nobody who signs in: 401
    ITS_OWNER = "its owner"  # a guest gets 401; to other members it is absent: 404


class Rule(NamedTuple):
    who: Who | Permission
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}


TUS = {"Tus-Resumable": "1.0.0"}
PATCH = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
CREATE = TUS | {"Upload-Length": "10", "Upload-Metadata": "filename YS5tcDQ=,filetype dmlkZW8vbXA0"}
CUE = {"start_ms": 0, "end_ms": 900, "text": "x"}
TICKET = {"ticket": "x", "code": "123456"}
REASON = {"reason": "Shows a number plate."}

ANYBODY, MEMBERS, ITS_OWNER, RUNNERS = Who.ANYBODY, Who.MEMBERS, Who.ITS_OWNER, Who.RUNNERS

RULES: dict[str, Rule] = {
    # people
    "POST /api/people": Rule(ANYBODY, {"handle": "brandnew", "password": "long enough 19"}),
    "POST /api/session": Rule(ANYBODY, {"handle": "owner", "password": "not the password"}),
    "DELETE /api/session": Rule(ANYBODY),
    "GET /api/sessions": Rule(MEMBERS),
    "DELETE /api/sessions": Rule(MEMBERS),
    "GET /api/me": Rule(MEMBERS),
    "PATCH /api/me": Rule(MEMBERS, {"name": "N"}),
    "PUT /api/me/picture": Rule(MEMBERS),
    "DELETE /api/me/picture": Rule(MEMBERS),
    "PUT /api/me/password": Rule(MEMBERS, {"current": "x", "new": "long enough 19"}),
    "GET /api/people/{handle}": Rule(ANYBODY),
    "GET /api/me/contacts": Rule(MEMBERS),
    "POST /api/me/contacts": Rule(MEMBERS, {"contact": "a@b.in", "password": "x"}),
    "DELETE /api/me/contacts/{contact}": Rule(ITS_OWNER),
    "POST /api/me/contacts/{contact}/code": Rule(ITS_OWNER),
    "POST /api/me/contacts/{contact}/confirm": Rule(ITS_OWNER, TICKET),
    "POST /api/codes": Rule(ANYBODY, {"contact": "a@b.in"}),
    "POST /api/session/code": Rule(ANYBODY, TICKET),
    "POST /api/people/{handle}/contacts": Rule(Permission.REVEAL_CONTACT, REASON),
    # social
    "PUT /api/people/{handle}/follow": Rule(MEMBERS),
    "DELETE /api/people/{handle}/follow": Rule(MEMBERS),
    "PUT /api/people/{handle}/block": Rule(MEMBERS),
    "DELETE /api/people/{handle}/block": Rule(MEMBERS),
    "GET /api/me/blocked": Rule(MEMBERS),
    "GET /api/me/follow-requests": Rule(MEMBERS),
    "PUT /api/me/follow-requests/{handle}": Rule(ITS_OWNER),
    "DELETE /api/me/follow-requests/{handle}": Rule(ITS_OWNER),
    "GET /api/people/{handle}/followers": Rule(ANYBODY),
    "GET /api/people/{handle}/following": Rule(ANYBODY),
    "PUT /api/videos/{id}/like": Rule(MEMBERS),
    "DELETE /api/videos/{id}/like": Rule(MEMBERS),
    "PUT /api/videos/{id}/save": Rule(MEMBERS),
    "DELETE /api/videos/{id}/save": Rule(MEMBERS),
    "POST /api/videos/{id}/share": Rule(ANYBODY),
    "GET /api/me/saved": Rule(MEMBERS),
    "GET /api/me/liked": Rule(MEMBERS),
    # videos
    "OPTIONS /api/uploads": Rule(ANYBODY),
    "POST /api/uploads": Rule(Permission.UPLOAD, headers=CREATE),
    "HEAD /api/uploads/{id}": Rule(ITS_OWNER, headers=TUS),
    "PATCH /api/uploads/{id}": Rule(ITS_OWNER, headers=PATCH),
    "POST /api/uploads/{id}": Rule(ITS_OWNER, headers=PATCH | {"X-HTTP-Method-Override": "PATCH"}),
    "DELETE /api/uploads/{id}": Rule(ITS_OWNER, headers=TUS),
    "GET /api/videos/{id}": Rule(ANYBODY),
    "PATCH /api/videos/{id}": Rule(ITS_OWNER, {"caption": "x"}),
    "DELETE /api/videos/{id}": Rule(ITS_OWNER),
    "POST /api/videos/{id}/retry": Rule(ITS_OWNER),
    "GET /api/videos/{id}/captions/{language}": Rule(ANYBODY),
    "PUT /api/videos/{id}/captions/{language}": Rule(ITS_OWNER, {"cues": [CUE]}),
    "DELETE /api/videos/{id}/captions/{language}": Rule(ITS_OWNER),
    "GET /api/me/videos": Rule(MEMBERS),
    "GET /api/people/{handle}/videos": Rule(ANYBODY),
    "GET /api/channels": Rule(ANYBODY),
    "GET /api/channels/{slug}/videos": Rule(ANYBODY),
    "GET /api/tags": Rule(ANYBODY),
    "GET /api/search": Rule(ANYBODY),
    "GET /api/sounds/{id}": Rule(ANYBODY),
    "GET /api/sounds/{id}/videos": Rule(ANYBODY),
    # runners
    "POST /api/runner/claims": Rule(RUNNERS),
    "GET /api/runner/original": Rule(RUNNERS),
    "GET /api/runner/sound": Rule(RUNNERS),
    "PUT /api/runner/files/{name}": Rule(RUNNERS),
    "POST /api/runner/progress": Rule(RUNNERS, {"progress": 0.5}),
    "POST /api/runner/prepared": Rule(RUNNERS, {"duration_ms": 1, "width": 1, "height": 1}),
    "POST /api/runner/posters": Rule(RUNNERS, {"colour": "#000000"}),
    "POST /api/runner/pieces": Rule(RUNNERS, {"number": 0, "duration_ms": 0}),
    "POST /api/runner/first": Rule(RUNNERS, {"rendition": {}, "more": False}),
    "POST /api/runner/rest": Rule(RUNNERS, {"renditions": []}),
    "POST /api/runner/modern": Rule(RUNNERS, {"renditions": []}),
    "POST /api/runner/scrubbing": Rule(
        RUNNERS, {"width": 1, "height": 1, "columns": 1, "cells": 1, "step_ms": 1}
    ),
    "POST /api/runner/end": Rule(RUNNERS, {"how": "done"}),
    # viewing
    "GET /api/feed": Rule(ANYBODY),
    "POST /api/events": Rule(ANYBODY, {"events": []}),
    "GET /api/feed/held": Rule(ANYBODY),
    "DELETE /api/feed/held": Rule(ANYBODY),
    "PUT /api/feed/held/learning": Rule(ANYBODY, {"paused": True}),
    "DELETE /api/feed/held/interests/{kind}/{value}": Rule(ANYBODY),
    "DELETE /api/feed/held/watched/{id}": Rule(ANYBODY),
    "DELETE /api/feed/held/not-interested/{id}": Rule(ANYBODY),
    # rights
    "GET /api/me/downloads": Rule(MEMBERS),
    "POST /api/me/downloads": Rule(MEMBERS, {"password": "not the password"}),
    "POST /api/me/downloads/{download}/open": Rule(ITS_OWNER, {"password": "not the password"}),
    "GET /api/me/leaving": Rule(MEMBERS),
    "POST /api/me/leaving": Rule(MEMBERS, {"password": "not the password"}),
    # safety and operation
    "POST /api/videos/{id}/withdraw": Rule(Permission.WITHDRAW, REASON),
    "POST /api/videos/{id}/restore": Rule(Permission.WITHDRAW, REASON),
    "GET /api/operator/feed": Rule(Permission.READ_OPERATIONS),
    "GET /api/operator/feed/weights": Rule(Permission.READ_OPERATIONS),
    "PUT /api/operator/feed/weights": Rule(
        Permission.TUNE_FEED, REASON | {"values": {"temperature": 0.9}}
    ),
    "GET /api/operator/experiments": Rule(Permission.READ_OPERATIONS),
    "POST /api/operator/experiments": Rule(
        Permission.TUNE_FEED,
        REASON | {"name": "calmer", "arms": [{"name": "a", "values": {"temperature": 0.5}}]},
    ),
    "POST /api/operator/experiments/{name}/stop": Rule(Permission.TUNE_FEED, REASON),
    "GET /api/operator/jobs": Rule(Permission.READ_OPERATIONS),
    "POST /api/operator/jobs/{job}/cancel": Rule(Permission.MANAGE_JOBS, REASON),
    "POST /api/operator/jobs/{job}/retry": Rule(Permission.MANAGE_JOBS),
    "GET /api/operator/runners": Rule(Permission.READ_OPERATIONS),
    "DELETE /api/operator/runners/{runner}": Rule(Permission.MANAGE_JOBS),
    "PUT /api/operator/people/{handle}/role": Rule(Permission.SET_ROLES, {"role": "creator"}),
    "GET /api/audit": Rule(Permission.READ_AUDIT),
    "GET /api/border/log": Rule(Permission.READ_AUDIT),
    "GET /api/border/log/{number}": Rule(Permission.READ_AUDIT),
}
