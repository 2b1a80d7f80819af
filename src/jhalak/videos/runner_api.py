"""What a runner says to the site: claim, fetch the original, bring what is made, tell how it went.

Each request carries `Authorization: Bearer <token>`: the runner's for a claim, the job's for all
else. The order is the protocol of `making.Place`; objects are brought before what names them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Field, Router, Schema

from jhalak import media, records
from jhalak.people.middleware import Request
from jhalak.problems import BadRequest, Conflict, Gone, Invalid, NotFound, Problem
from jhalak.records import leases
from jhalak.records.blame import AWAY, NO_ROOM
from jhalak.stores.objects import StoreFull
from jhalak.videos import making, processing, sounds, sweeping
from jhalak.videos.actions import WrongState
from jhalak.videos.house import (
    POSTER,
    PREVIEW,
    STORYBOARD,
    House,
    limits,
    piece_name,
    source_of,
)
from jhalak.videos.media_views import send
from jhalak.videos.models import Piece
from jhalak.videos.runners import (
    Claimed,
    access_claimed,
    access_runner,
    do_claim_for,
    do_end_well,
)
from jhalak.videos.tus import NoRoom

router = Router(tags=["runners"])
_NAME = re.compile(
    r"poster\.(webp|jpg)|storyboard\.webp|piece-(0|[1-9][0-9]{0,5})\.m4s|[a-z0-9]{1,8}\.mp4"
)
_BYTES: dict[str, Any] = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}
_json = msgspec.json.Encoder(enc_hook=str).encode


class ProgressIn(Schema):
    progress: float = Field(ge=0, le=1, description="How far it is, 0 to 1.", examples=[0.4])


class FactsIn(Schema):
    duration_ms: int = Field(ge=0, examples=[8000])
    width: int = Field(ge=1, examples=[540])
    height: int = Field(ge=1, examples=[960])


class PostersIn(Schema):
    colour: str = Field(pattern="^#[0-9a-f]{6}$", examples=["#1c9bc9"])


class PieceIn(Schema):
    number: int = Field(ge=0, le=999_999)
    duration_ms: int = Field(ge=0)


class FirstIn(Schema):
    rendition: dict[str, Any] = Field(description="As the media engine gives it.")
    more: bool = Field(description="Whether other renditions follow.")


class RestIn(Schema):
    renditions: list[dict[str, Any]]


class ScrubbingIn(Schema):
    width: int = Field(ge=1, le=1000, examples=[90])
    height: int = Field(ge=1, le=1000, examples=[160])
    columns: int = Field(ge=1, le=1000, examples=[8])
    cells: int = Field(ge=1, le=1000, examples=[20])
    step_ms: int = Field(ge=1, examples=[1000])


class EndIn(Schema):
    how: str = Field(
        description="done, refused, again, waits (for the site) or released.", examples=["done"]
    )
    code: str = Field("", max_length=40, examples=["damaged"])
    text: str = Field("", max_length=500)


def _bearer(request: Request) -> str:
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


def _mine(request: Request) -> Claimed:
    return access_claimed(_bearer(request))


def _step(act: Any, *given: Any, **named: Any) -> HttpResponse:
    """A step of processing; what is overtaken is told so."""
    try:
        act(*given, **named)
    except WrongState as error:
        raise Gone("overtaken", _("This job is no longer this runner's.")) from error
    return HttpResponse(status=204)


def _rendition(house: House, given: dict[str, Any]) -> tuple[media.Rendition, str]:
    """What a runner says of a rendition whose file it has brought. Raises Invalid, Conflict."""
    try:
        one = msgspec.convert(given, media.Rendition, dec_hook=lambda kind, value: kind(value))
    except (msgspec.ValidationError, TypeError) as error:
        raise Invalid("bad_rendition", str(error)) from error
    return one, _brought(house, f"{one.name}.mp4", one.size)


def _brought(house: House, name: str, size: int | None = None) -> str:
    if not _NAME.fullmatch(name):
        raise Invalid("bad_name", _("No result has this name."))
    found = records.objects().head(house.key(name))
    if found is None or size not in (None, found.size):
        raise Conflict("not_brought", _("The file comes first, then what is said of it."))
    return found.key


@router.post("/runner/claims", response=dict[str, Any], summary="Take the next job")
def claim(request: Request) -> HttpResponse:
    """204 when nothing waits."""
    given = do_claim_for(access_runner(_bearer(request)))
    if given is None:
        return HttpResponse(status=204)
    body = {
        "token": given.token,
        "kind": given.claimed.job.kind,
        "limits": limits(),
        "start": given.start,
        "sound": given.sound,
        "lease_s": leases.LEASE_S,
    }
    return HttpResponse(_json(body), content_type="application/json")


@router.get("/runner/original", response={200: None}, summary="What this job is made from")
def original(request: Request) -> HttpResponse:
    job, video = _mine(request)
    return send(source_of(job.kind, video), "application/octet-stream", "private, no-store")


@router.get("/runner/sound", response={200: None}, summary="The sound that this job's clip takes")
def sound(request: Request) -> HttpResponse:
    key = sounds.borrowed_key(_mine(request).video)
    if not key:
        raise NotFound("no_such_sound", _("There is no such sound, or it is not for you to hear."))
    return send(key, "application/octet-stream", "private, no-store")


@router.put(
    "/runner/files/{name}", response={204: None}, summary="Bring a file", openapi_extra=_BYTES
)
def bring(request: Request, name: str) -> HttpResponse:
    """A poster, a piece or a rendition, by its name; the whole of it at once."""
    mine = _mine(request)
    if not _NAME.fullmatch(name):
        raise Invalid("bad_name", _("No result has this name."))
    house = House(mine.video)
    try:
        key = house.store(name, request)  # type: ignore[arg-type]
    except StoreFull as error:
        full = NoRoom(NO_ROOM, _("There is no room just now. Try again later."))
        raise full from error
    if records.objects().head(key).size != int(request.META.get("CONTENT_LENGTH") or 0):  # type: ignore[union-attr]
        records.objects().delete(key)
        raise BadRequest("broken_off", _("The request broke off. Send it again."))
    try:
        _mine(request)
    except Problem:
        sweeping.tidy(mine.video.public_id)
        raise
    return HttpResponse(status=204)


@router.post("/runner/progress", response={204: None}, summary="Say how far it is")
def progress(request: Request, body: ProgressIn) -> HttpResponse:
    """Keeps the lease. 410: the job is somebody else's; stop."""
    job = _mine(request).job
    share = max(job.progress, body.progress)
    if not leases.do_keep(job, lease_s=leases.LEASE_S, progress=share):
        raise Gone("not_yours", _("This job is no longer this runner's."))
    return HttpResponse(status=204)


@router.post("/runner/prepared", response={204: None}, summary="The clip is taken")
def prepared(request: Request, body: FactsIn) -> HttpResponse:
    facts = making.Facts(body.duration_ms, body.width, body.height)
    return _step(processing.do_prepare, _mine(request).video, facts)


@router.post("/runner/posters", response={204: None}, summary="Its posters are brought")
def posters(request: Request, body: PostersIn) -> HttpResponse:
    house = House(_mine(request).video)
    for ending in ("webp", "jpg"):
        _brought(house, f"{POSTER}.{ending}")
    return _step(processing.do_set_posters, house.video, house.key(POSTER), body.colour)


@router.post("/runner/pieces", response={204: None}, summary="One more piece is brought")
def piece(request: Request, body: PieceIn) -> HttpResponse:
    house = House(_mine(request).video)
    key = _brought(house, piece_name(body.number))
    if Piece.objects.filter(key=key).exists():
        return HttpResponse(status=204)  # said twice, because the first answer was lost
    return _step(processing.do_add_piece, house.video, body.number, key, body.duration_ms)


@router.post("/runner/first", response={204: None}, summary="The first rendition is brought")
def first(request: Request, body: FirstIn) -> HttpResponse:
    house = House(_mine(request).video)
    rendition, key = _rendition(house, body.rendition)
    return _step(processing.do_finish_first, house.video, rendition, key, more=body.more)


@router.post("/runner/rest", response={204: None}, summary="The other renditions are brought")
def rest(request: Request, body: RestIn) -> HttpResponse:
    house = House(_mine(request).video)
    made = [_rendition(house, one) for one in body.renditions]
    return _step(processing.do_finish_rest, house.video, made)


@router.post("/runner/modern", response={204: None}, summary="The renditions in AV1 are brought")
def modern(request: Request, body: RestIn) -> HttpResponse:
    house = House(_mine(request).video)
    made = [_rendition(house, one) for one in body.renditions]
    return _step(processing.do_finish_modern, house.video, made)


@router.post("/runner/scrubbing", response={204: None}, summary="The storyboard is brought")
def scrubbing(request: Request, body: ScrubbingIn) -> HttpResponse:
    house = House(_mine(request).video)
    for name in (STORYBOARD, PREVIEW):
        _brought(house, name)
    board = media.Storyboard(Path(STORYBOARD), **body.dict())
    return _step(processing.do_set_scrubbing, house.video, house.key(""), board)


@router.post("/runner/end", response={204: None}, summary="How it went")
def end(request: Request, body: EndIn) -> HttpResponse:
    mine = _mine(request)
    job = mine.job
    if body.how == "done":
        do_end_well(mine)
    elif body.how == "refused":
        leases.do_fail(job, body.code, body.text)
    elif body.how == "again":
        leases.do_try_again(job, body.code or "unexpected", body.text)
    elif body.how == "waits":
        leases.do_wait(job, body.code or AWAY, body.text)
    elif body.how == "released":
        leases.do_release(job)
    else:
        raise Invalid("how", _("One of: done, refused, again, waits, released."), field="how")
    return HttpResponse(status=204)
