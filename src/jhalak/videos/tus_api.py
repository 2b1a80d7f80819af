"""Resumable uploads over HTTP: tus 1.0. The rules are in `uploading`, the protocol's words in
`tus`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from django.http import HttpResponse
from ninja import Router

from jhalak.people.access import require, sign_in_needed
from jhalak.people.middleware import Request
from jhalak.people.models import Person
from jhalak.people.roles import Permission
from jhalak.problems import NotFound, Problem, WrongType
from jhalak.videos import tus, uploading
from jhalak.videos.access import access_upload
from jhalak.videos.models import Upload

router = Router(tags=["uploads"])
P = ParamSpec("P")
View = Callable[Concatenate[Request, P], HttpResponse]

_BYTES: dict[str, Any] = {
    "requestBody": {
        "content": {tus.BYTES: {"schema": {"type": "string", "format": "binary"}}},
    }
}


def speaks_tus(view: View[P]) -> View[P]:
    """Checks the protocol's version, and names it on every answer, refusals included."""

    @functools.wraps(view)
    def wrapped(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            if request.method != "OPTIONS":
                tus.check_version(request.headers.get("Tus-Resumable"))
            response = view(request, *args, **kwargs)
        except Problem as problem:
            problem.headers["Tus-Resumable"] = tus.VERSION
            raise
        response.headers["Tus-Resumable"] = tus.VERSION
        return response

    return wrapped


def _source(request: Request) -> tuple[uploading.Source, int | None]:
    """The request's bytes as they come in, and how many they will be where that is said."""
    if "CONTENT_LENGTH" not in request.META and "chunked" in request.headers.get(
        "Transfer-Encoding", ""
    ):
        return request.environ["wsgi.input"].read, None  # type: ignore[attr-defined]
    return request.read, tus.number(request.META.get("CONTENT_LENGTH") or "0", "Content-Length")


def _append(request: Request, person: Person, upload: Upload, offset: int) -> Upload:
    source, length = _source(request)
    checksum = tus.checksum(request.headers.get("Upload-Checksum"))
    return uploading.do_append(person, upload.pk, offset, source, length=length, checksum=checksum)


def _about(upload: Upload) -> dict[str, str]:
    """Headers that say how far an upload is; makes its video when it is whole."""
    headers = {"Upload-Offset": str(upload.offset)}
    if upload.offset == upload.size:
        headers["Jhalak-Video"] = uploading.do_receive_upload(upload)
    else:
        headers.update(tus.expires(upload.expires))
    return headers


@router.api_operation(["OPTIONS"], "/uploads", response={204: None}, summary="What is spoken here")
@speaks_tus
def upload_options(request: Request) -> HttpResponse:  # noqa: ARG001
    return HttpResponse(status=204, headers=tus.about())


@router.post("/uploads", response={201: None}, summary="Begin an upload", openapi_extra=_BYTES)
@speaks_tus
def create_upload(request: Request) -> HttpResponse:
    """tus creation, and creation-with-upload.

    `Upload-Length`: bytes of the whole file. `Upload-Metadata`: `filename` and `filetype` (at least
    one), `caption`, `tags` (commas between), `language`, `visibility` (public, followers, private),
    `channel` (slug), `sound` (id of a sound that replaces the clip's own). Refused here, before any
    byte: size (413), type (415), quota (413), too many under way (429), no room (507), a sound that
    may not be taken (422). `Location` says where the bytes go.
    """
    person = require(request.viewer, Permission.UPLOAD)
    size = tus.number(request.headers.get("Upload-Length"), "Upload-Length")
    raw = request.headers.get("Upload-Metadata", "")
    upload = uploading.do_create_upload(person, size, tus.metadata(raw), raw)
    headers = {"Location": f"/api/uploads/{upload.pk}", **tus.expires(upload.expires)}
    if request.content_type == tus.BYTES:
        headers.update(_about(_append(request, person, upload, 0)))
    return HttpResponse(status=201, headers=headers)


@router.api_operation(["HEAD"], "/uploads/{id}", response={200: None}, summary="How far it is")
@speaks_tus
def upload_offset(request: Request, id: str) -> HttpResponse:  # noqa: A002
    """`Upload-Offset` is on disk. A whole upload answers with its video in `Jhalak-Video`."""
    upload = access_upload(sign_in_needed(request.viewer), id)
    headers = {**_about(upload), "Upload-Length": str(upload.size), "Cache-Control": "no-store"}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return HttpResponse(status=200, headers=headers)


@router.patch("/uploads/{id}", response={204: None}, summary="Send bytes", openapi_extra=_BYTES)
@speaks_tus
def append_upload(request: Request, id: str) -> HttpResponse:  # noqa: A002
    """`Upload-Offset` must be where the upload ends now (409 else). The last bytes make the video:
    its id is in `Jhalak-Video`.
    """
    person = sign_in_needed(request.viewer)
    upload = access_upload(person, id)
    if request.content_type != tus.BYTES:
        raise WrongType("content_type", f"Content-Type: {tus.BYTES}")
    offset = tus.number(request.headers.get("Upload-Offset"), "Upload-Offset")
    return HttpResponse(status=204, headers=_about(_append(request, person, upload, offset)))


@router.delete("/uploads/{id}", response={204: None}, summary="End an upload unfinished")
@speaks_tus
def terminate_upload(request: Request, id: str) -> HttpResponse:  # noqa: A002
    uploading.do_terminate_upload(access_upload(sign_in_needed(request.viewer), id))
    return HttpResponse(status=204)


_INSTEAD: dict[str, Callable[[Request, str], HttpResponse]] = {
    "PATCH": append_upload,
    "DELETE": terminate_upload,
    "HEAD": upload_offset,
}


@router.post("/uploads/{id}", response={204: None}, summary="For clients that can only POST")
@speaks_tus
def instead(request: Request, id: str) -> HttpResponse:  # noqa: A002
    """Does what `X-HTTP-Method-Override` says: PATCH, DELETE or HEAD (tus 1.0, core protocol)."""
    access_upload(sign_in_needed(request.viewer), id)
    wanted = _INSTEAD.get(request.headers.get("X-HTTP-Method-Override", ""))
    if wanted is None:
        raise NotFound("no_such_method", "X-HTTP-Method-Override: PATCH, DELETE, HEAD")
    return wanted(request, id)
