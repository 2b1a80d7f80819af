"""Video cards: what a client needs to show a video, the same in the feed and in every list.

`cards` is the feed's last check and its hottest query: it applies `access.visible`, so that what a
viewer may not see has no card, and reads everything in one query that is prepared
(`people/prepared.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils.translation import get_language

from jhalak.people.access import Viewer, meets
from jhalak.people.models import Follow
from jhalak.people.prepared import VIEWER, Rows, kind, prepared, stand_in_viewer
from jhalak.videos.access import visible_videos
from jhalak.videos.models import Video
from jhalak.videos.states import WATCHABLE, Visibility
from jhalak.videos.words import caption_label


class AuthorCard(msgspec.Struct, frozen=True):
    handle: str
    name: str
    picture: str
    following: bool


class ChannelCard(msgspec.Struct, frozen=True):
    slug: str
    name: str


class CaptionCard(msgspec.Struct, frozen=True):
    src: str
    language: str
    label: str


class SourceCard(msgspec.Struct, frozen=True):
    src: str
    width: int
    height: int
    bps: int
    peak_bps: int
    codecs: str
    start: int


class BoardCard(msgspec.Struct, frozen=True):
    """Small pictures in one, row by row; the n-th stands for n x step_ms."""

    src: str
    width: int
    height: int
    columns: int
    cells: int
    step_ms: int


class SoundCard(msgspec.Struct, frozen=True):
    """`handle`: whose original sound it is; "" when that video is not there for all any more, or
    one of the two has blocked the other.
    """

    id: str
    handle: str


class Card(msgspec.Struct, frozen=True):
    """One video as every client gets it. Addresses are empty while nothing is there to fetch."""

    id: str
    src: str
    sources: list[SourceCard]
    hls: str
    poster: str
    storyboard: BoardCard | None
    preview: str
    width: int
    height: int
    duration_ms: int
    author: AuthorCard
    caption: str
    tags: list[str]
    captions: list[CaptionCard]
    channel: ChannelCard | None
    sound: SoundCard | None
    language: str
    colour: str
    state: str
    visibility: str
    counts: dict[str, int]
    liked: bool
    saved: bool
    created: datetime


COLUMNS = (
    "pk", "public_id", "first_rendition", "sources", "state", "visibility", "width", "height",
    "duration_ms", "caption", "tags", "captions", "language", "poster_base", "poster_colour",
    "storyboard", "views", "likes", "saves", "shares", "created", "author__handle",
    "author__name", "author__picture", "channel__slug", "channel__name", "channel__name_hi",
    "sound__public_id", "sound_of", "following", "like", "save_",
)  # fmt: skip


def _sound_of(viewer: Viewer) -> Case:
    """The handle of whose sound it is, by the rule of `sounds.open_sounds`; else ""."""
    named = meets(viewer, "sound__origin__author") & Q(
        sound__origin__state__in=WATCHABLE,
        sound__origin__visibility=Visibility.PUBLIC,
        sound__origin__withdrawn_at=None,
        sound__origin__author__private=False,
    )
    return Case(When(named, then=F("sound__origin__author__handle")), default=Value(""))


def rows(viewer: Viewer, videos: QuerySet[Video]) -> Rows:
    """The columns of cards for these videos: one query. `viewer` decides the marks and whose sound
    is named, not the visibility.
    """
    person = viewer.person
    videos = videos.annotate(sound_of=_sound_of(viewer))
    if person is None:
        none = Value(None, BigIntegerField())
        marked = videos.annotate(following=none, like=none, save_=none)
    else:
        follow = Follow.objects.filter(
            follower=person, followed=OuterRef("author_id"), pending=False
        )
        marked = videos.annotate(
            following=Exists(follow),
            my_like=FilteredRelation("likers", condition=Q(likers__person=person)),
            my_save=FilteredRelation("savers", condition=Q(savers__person=person)),
            like=F("my_like__id"),
            save_=F("my_save__id"),
        )
    return marked.values_list(*COLUMNS)


def media_url(public_id: str, name: str) -> str:
    return f"/media/{public_id}/{name}"


def picture_url(handle: str, key: str) -> str:
    """Address of a person's picture; its version is the object's name, so that a new one is a new
    address.
    """
    return f"/media/people/{handle}/{PurePosixPath(key).name}" if key else ""


def _caption_card(base: str, language: str, source: str, version: str) -> CaptionCard:
    """Changed captions have a new address, so that what browsers keep is never the old text."""
    src = f"{base}captions-{language}.vtt?v={version}"
    return CaptionCard(src, language, caption_label(language, source))


def card(row: Sequence[Any], language: str) -> Card:
    """One row of COLUMNS as a card. `language` is the viewer's, for names of channels."""
    (_pk, public_id, first, sources, state, visibility, width, height, duration_ms, caption,
     tags, captions, tongue, poster_base, colour, board, views, likes, saves, shares, created,
     handle, name, picture, slug, channel_name,
     channel_name_hi, sound, sound_of, following, like, save) = row  # fmt: skip
    base = f"/media/{public_id}/"
    if first:
        src, hls = f"{base}{first}.mp4", f"{base}master.m3u8"
    elif state == "playable":
        src = hls = f"{base}growing.m3u8"
    else:
        src = hls = ""
    if slug is None:
        channel = None
    else:
        channel = ChannelCard(slug, (language == "hi" and channel_name_hi) or channel_name)
    return Card(
        public_id,
        src,
        [SourceCard(f"{base}{name}.mp4", *rest) for name, *rest in sources],
        hls,
        f"{base}poster.webp" if poster_base else "",
        BoardCard(f"{base}storyboard.webp", *board) if board else None,
        f"{base}preview.mp4" if board else "",
        width,
        height,
        duration_ms,
        AuthorCard(handle, name, picture_url(handle, picture), bool(following)),
        caption,
        tags,
        [_caption_card(base, *one) for one in captions],
        channel,
        SoundCard(sound, sound_of) if sound else None,
        tongue,
        colour,
        state,
        visibility,
        {"views": views, "likes": likes, "saves": saves, "shares": shares},
        like is not None,
        save is not None,
        created,
    )


def cards(viewer: Viewer, video_ids: Iterable[int]) -> dict[int, Card]:
    """Cards of those of these videos (primary keys) that the viewer may see now, by id. One query
    for each 100.
    """
    ids = list(dict.fromkeys(video_ids))
    language = get_language() or "en"
    found: dict[int, Card] = {}
    for start in range(0, len(ids), SIZES[-1]):
        for row in _found(viewer, ids[start : start + SIZES[-1]]):
            found[row[0]] = card(row, language)
    return found


def cards_of(viewer: Viewer, videos: QuerySet[Video]) -> list[Card]:
    """Cards of a list, in its order. The caller decides what is in it."""
    language = get_language() or "en"
    return [card(row, language) for row in rows(viewer, videos)]


SIZES = (8, 24, 100)  # ids in one query; fewer are filled up by repeating the last
_IDS = [VIEWER - 1 - place for place in range(SIZES[-1])]


def _found(viewer: Viewer, ids: Sequence[int]) -> list[Sequence[Any]]:
    size = next(size for size in SIZES if size >= len(ids))

    def write() -> tuple[Rows, Sequence[object]]:
        somebody = stand_in_viewer(viewer)
        videos = visible_videos(somebody).filter(pk__in=_IDS[:size])
        return rows(somebody, videos), [VIEWER, *_IDS[:size]]

    person_id = viewer.person.pk if viewer.person else None
    filled = [*ids, *[ids[-1]] * (size - len(ids))]
    return prepared(("cards", size, kind(viewer)), write).run([person_id, *filled])
