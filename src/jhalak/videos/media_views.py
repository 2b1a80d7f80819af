"""The bytes of videos and pictures: who may have them is decided here, who sends them is the proxy.

Each request asks `access.may_see` anew and is answered with X-Accel-Redirect: the path that is
authorised is the path that is opened, because it comes from the row, never from the address. No
byte of media passes through Python. Playlists are short texts, made from rows.

What browsers may keep: what everybody may see, five minutes, so that swiping back costs no request
and a withdrawn video is gone from screens soon; what only some may see, not without asking again.
Never a shared cache: the answer depends on who asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from jhalak import media, records
from jhalak.people.access import Viewer, access_person
from jhalak.people.prepared import VIEWER, Rows, kind, prepared, stand_in_viewer
from jhalak.problems import NotFound
from jhalak.videos.access import check_id, no_video, seen
from jhalak.videos.house import PREVIEW, STORYBOARD
from jhalak.videos.models import Caption, Piece, Rendition, Video
from jhalak.videos.processing import superseded
from jhalak.videos.sounds import open_sound
from jhalak.videos.states import Visibility

OPEN = "private, max-age=300"
CHECKED = "private, no-cache"
FRESH = "private, no-store"

MP4 = "video/mp4"
HLS = "application/vnd.apple.mpegurl"
VTT = "text/vtt; charset=utf-8"
POSTERS = {"poster.webp": (".webp", "image/webp"), "poster.jpg": (".jpg", "image/jpeg")}
SCRUBBING = {STORYBOARD: "image/webp", PREVIEW: MP4}
BOARD_TRACK = "storyboard.vtt"
GROWING = "growing.m3u8"
_PIECE = re.compile(r"\Apiece-(0|[1-9][0-9]{0,5})\.m4s\Z")
_CAPTIONS = re.compile(r"\Acaptions-([A-Za-z-]{2,12})\.vtt\Z")
_RENDITION = re.compile(r"\A([a-z0-9]{1,8})\.(mp4|m3u8)\Z")


class Found(NamedTuple):
    """What serving a video's media needs of its row."""

    pk: int
    visibility: str
    private: bool
    poster_base: str
    first: str
    storyboard: list[int] | None
    scrub_base: str

    @property
    def cache(self) -> str:
        open_to_all = self.visibility == Visibility.PUBLIC and not self.private
        return OPEN if open_to_all else CHECKED


_COLUMNS = (
    "pk", "visibility", "author__private", "poster_base", "first_rendition", "storyboard",
    "scrub_base",
)  # fmt: skip
_SOME_ID = "a stand-in"


def _find(viewer: Viewer, public_id: str) -> Found:
    """Raises NotFound for what is refused, and for what is not there."""

    check_id(public_id)

    def write() -> tuple[Rows, Sequence[object]]:
        allowed = seen(stand_in_viewer(viewer))
        videos = Video.objects.filter(allowed, public_id=_SOME_ID).values_list(*_COLUMNS)
        return videos, [VIEWER, _SOME_ID]

    person_id = viewer.person.pk if viewer.person else None
    rows = prepared(("media", kind(viewer)), write).run([person_id, public_id])
    if not rows:
        raise no_video()
    return Found(*rows[0])


def send(key: str, content_type: str, cache: str) -> HttpResponse:
    """Have the proxy send an object, by range where it is asked to."""
    return HttpResponse(
        content_type=content_type,
        headers={
            "X-Accel-Redirect": records.objects().internal_path(key),
            "Cache-Control": cache,
            "X-Content-Type-Options": "nosniff",
        },
    )


def _text(body: str, cache: str, content_type: str = HLS) -> HttpResponse:
    return HttpResponse(
        body,
        content_type=content_type,
        headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff"},
    )


@require_safe
def video_media(request: HttpRequest, public_id: str, name: str) -> HttpResponse:
    """GET /media/<public_id>/<name>"""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
    try:
        found = _find(viewer, public_id)
        if name in POSTERS and found.poster_base:
            suffix, content_type = POSTERS[name]
            return send(found.poster_base + suffix, content_type, found.cache)
        if name in SCRUBBING and found.scrub_base:
            return send(found.scrub_base + name, SCRUBBING[name], found.cache)
        if name == BOARD_TRACK and found.storyboard:
            board = media.Storyboard(Path(STORYBOARD), *found.storyboard)
            return _text(media.storyboard_track(board, STORYBOARD), found.cache, VTT)
        if piece := _PIECE.match(name):
            return _piece(found, int(piece[1]))
        if name == GROWING:
            return _growing(found)
        if name == "master.m3u8":
            return _master(found)
        if rendition := _RENDITION.match(name):
            answer = _file if rendition[2] == "mp4" else _playlist
            return answer(found, rendition[1])
        if captions := _CAPTIONS.match(name):
            return _captions(found, captions[1])
        raise no_video()
    except NotFound as problem:
        raise Http404 from problem  # one answer for all of /media, see site.errors


def _captions(found: Found, language: str) -> HttpResponse:
    rows = Caption.objects.filter(video_id=found.pk, language=language)
    text = rows.values_list("text", flat=True).first()
    if text is None:
        raise no_video()
    return _text(text, found.cache, VTT)


def _piece(found: Found, number: int) -> HttpResponse:
    row = Piece.objects.filter(video_id=found.pk, number=number).values_list("key").first()
    if row is None:
        raise no_video()
    return send(row[0], MP4, found.cache)


def _file(found: Found, name: str) -> HttpResponse:
    row = Rendition.objects.filter(video_id=found.pk, name=name).values_list("key").first()
    if row is None and (name, found.first) == (media.COPIED, media.LEVELLED):
        return HttpResponseRedirect(f"{found.first}.mp4")  # for a page that was opened long ago
    if row is None:
        raise no_video()
    return send(row[0], MP4, found.cache)


def _as_media(row: Rendition) -> media.Rendition:
    """A row as the media engine's struct, for its playlists. The path is not used there."""
    index = tuple(media.Fragment(*fragment) for fragment in row.fragments)
    return media.Rendition(
        name=row.name,
        path=PurePosixPath(row.key),  # type: ignore[arg-type]
        width=row.width,
        height=row.height,
        bitrate_bps=row.bitrate_bps,
        average_bps=row.average_bps,
        codecs=row.codecs,
        frame_rate=row.frame_rate,
        duration_ms=sum(fragment.duration_ms for fragment in index),
        size=row.size,
        init_size=row.init_size,
        index=index,
    )


def _playlist(found: Found, name: str) -> HttpResponse:
    row = Rendition.objects.filter(video_id=found.pk, name=name).first()
    if row is None:
        raise no_video()
    return _text(media.media_playlist(_as_media(row), f"{row.name}.mp4"), found.cache)


def _master(found: Found) -> HttpResponse:
    rows = list(Rendition.objects.filter(~superseded(), video_id=found.pk).order_by("pk"))
    if not rows:
        raise no_video()
    rows.sort(key=lambda row: row.name != found.first)  # what stands first is started
    choices = [(_as_media(row), f"{row.name}.m3u8") for row in rows]
    return _text(media.master_playlist(choices), found.cache)


def _growing(found: Found) -> HttpResponse:
    """Pieces while the first rendition is made, and on until they are taken away; then its own."""
    rows = list(Piece.objects.filter(video_id=found.pk).order_by("number"))
    whole = (
        Rendition.objects.filter(video_id=found.pk, name=found.first).first()
        if found.first
        else None
    )
    if whole is not None and not _reach_the_end(rows, whole):
        return _text(media.media_playlist(_as_media(whole), f"{whole.name}.mp4"), found.cache)
    if len(rows) < 2:  # the init part alone plays nothing
        raise no_video()
    pieces = [
        media.Piece(row.number, PurePosixPath(row.key), row.duration_ms, row.number == 0)  # type: ignore[arg-type]
        for row in rows
    ]
    urls = [f"piece-{row.number}.m4s" for row in rows]
    return _text(media.growing_playlist(pieces, urls, ended=whole is not None), FRESH)


def _reach_the_end(pieces: Sequence[Piece], whole: Rendition) -> bool:
    """Whether the pieces are all of it. They are not, when a worker died between them."""
    length = sum(fragment[2] for fragment in whole.fragments)
    return abs(sum(piece.duration_ms for piece in pieces) - length) <= 50 and len(pieces) > 1


@require_safe
def sound_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """GET /media/sounds/<public_id>.m4a: a sound by itself."""
    found = open_sound(request.viewer, public_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return send(found.key, "audio/mp4", OPEN)


@require_safe
def person_picture(request: HttpRequest, handle: str, name: str) -> HttpResponse:
    """GET /media/people/<handle>/<version>.webp: the person's picture of now, no other."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
    try:
        person = access_person(viewer, handle)
        if not person.picture or PurePosixPath(person.picture).name != name:
            raise NotFound("no_such_picture", _("There is no such picture."))
    except NotFound as problem:
        raise Http404 from problem  # one answer for all of /media, see site.errors
    return send(person.picture, "image/webp", OPEN)


__all__ = ["person_picture", "sound_file", "video_media"]
