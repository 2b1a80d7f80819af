"""Videos over HTTP: one video, one's own, other people's, channels, tags, search. Uploads:
`tus_api`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.http import HttpResponse
from ninja import Query, Router

from jhalak import media
from jhalak.media.webvtt import MOST_BYTES
from jhalak.people.access import access_person, require, sign_in_needed
from jhalak.people.middleware import Request
from jhalak.people.paging import Place, page
from jhalak.people.roles import Permission
from jhalak.videos import actions, captions, listing, sounds
from jhalak.videos.access import Need, access_video, no_video
from jhalak.videos.cards import cards_of
from jhalak.videos.channels import words_of
from jhalak.videos.models import Caption, Channel, Video
from jhalak.videos.runner_api import router as runners
from jhalak.videos.schemas import (
    Captions,
    ChannelList,
    Cue,
    Prefix,
    SoundOut,
    StudioList,
    StudioVideo,
    TagList,
    VideoCard,
    VideoChange,
    VideoList,
    Words,
)
from jhalak.videos.studio import studio_cards
from jhalak.videos.tus_api import router as tus
from jhalak.videos.words import caption_label

router = Router(tags=["videos"])
router.add_router("", tus)
router.add_router("", runners)

_json = msgspec.json.Encoder().encode


def answer(body: Any) -> HttpResponse:
    """JSON of what is right by construction: not validated a second time."""
    return HttpResponse(_json(body), content_type="application/json")


def _one(found: Sequence[Any]) -> Any:
    if not found:  # deleted since it was looked up
        raise no_video()
    return found[0]


def _list(items: Any, following: str | None) -> HttpResponse:
    return answer({"items": items, "next": following})


@router.get("/videos/{id}", response=StudioVideo | VideoCard, summary="A video")
def get_video(request: Request, id: str) -> HttpResponse:  # noqa: A002
    """Its author also gets how processing goes, as in the studio."""
    video = access_video(request.viewer, id, Need.SEE)
    person = request.viewer.person
    if person is not None and video.author_id == person.pk:
        return answer(_one(studio_cards(request.viewer, [video.pk])))
    return answer(_one(cards_of(request.viewer, Video.objects.filter(pk=video.pk))))


@router.patch("/videos/{id}", response=StudioVideo, summary="Change what is said of a video")
def change_video(request: Request, id: str, body: VideoChange) -> HttpResponse:  # noqa: A002
    me = sign_in_needed(request.viewer)
    video = access_video(request.viewer, id, Need.OWN)
    given = {name: value for name, value in body.dict().items() if value is not None}
    actions.do_change_video(me, video, actions.Changes(**given))
    return answer(studio_cards(request.viewer, [video.pk])[0])


@router.delete("/videos/{id}", response={204: None}, summary="Delete a video for good")
def delete_video(request: Request, id: str) -> HttpResponse:  # noqa: A002
    me = sign_in_needed(request.viewer)
    actions.do_delete_video(me, access_video(request.viewer, id, Need.OWN))
    return HttpResponse(status=204)


@router.post("/videos/{id}/retry", response=StudioVideo, summary="Try a failed video again")
def retry_video(request: Request, id: str) -> HttpResponse:  # noqa: A002
    sign_in_needed(request.viewer)
    video = access_video(request.viewer, id, Need.OWN)
    me = require(request.viewer, Permission.UPLOAD)
    actions.do_retry_video(me, video)
    return answer(studio_cards(request.viewer, [video.pk])[0])


_CAPTIONS = {
    "requestBody": {
        "required": True,
        "content": {
            "text/vtt": {"schema": {"type": "string", "maxLength": MOST_BYTES}},
            "application/x-subrip": {"schema": {"type": "string", "maxLength": MOST_BYTES}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["cues"],
                    "properties": {"cues": {"type": "array", "items": Cue.json_schema()}},
                }
            },
        },
    }
}


def _captions(found: Caption) -> HttpResponse:
    cues = media.webvtt.parse(found.text.encode())
    label = caption_label(found.language, found.source)
    return answer(
        {"language": found.language, "label": label, "source": found.source, "cues": cues}
    )


@router.get("/videos/{id}/captions/{language}", response=Captions, summary="Captions, as cues")
def get_captions(request: Request, id: str, language: str) -> HttpResponse:  # noqa: A002
    """For an editor; a player takes the track that the video's card names."""
    video = access_video(request.viewer, id, Need.SEE)
    return _captions(captions.captions_of(video, language))


@router.put(
    "/videos/{id}/captions/{language}",
    response=Captions,
    summary="Set the captions of a language",
    openapi_extra=_CAPTIONS,
)
def put_captions(request: Request, id: str, language: str) -> HttpResponse:  # noqa: A002
    """The body is a WebVTT or SubRip file, or cues as JSON; at most 256 KB. Styles and positions
    are dropped.
    """
    me = sign_in_needed(request.viewer)
    video = access_video(request.viewer, id, Need.OWN)
    cues, source = captions.read(request.body, request.content_type or "")
    return _captions(captions.do_put_captions(me, video, language, cues, source))


@router.delete("/videos/{id}/captions/{language}", response={204: None}, summary="Delete captions")
def delete_captions(request: Request, id: str, language: str) -> HttpResponse:  # noqa: A002
    me = sign_in_needed(request.viewer)
    video = access_video(request.viewer, id, Need.OWN)
    captions.do_delete_captions(me, video, language)
    return HttpResponse(status=204)


@router.get("/me/videos", response=StudioList, summary="My videos in every state, newest first")
def my_videos(request: Request, place: Query[Place]) -> HttpResponse:
    me = sign_in_needed(request.viewer)
    found, following = page(me.videos.only("pk"), place.cursor, place.n)
    return _list(studio_cards(request.viewer, [video.pk for video in found]), following)


@router.get("/people/{handle}/videos", response=VideoList, summary="A person's videos")
def videos_of_person(request: Request, handle: str, place: Query[Place]) -> HttpResponse:
    """Those that you may see, newest first; of a private person only when you follow."""
    person = access_person(request.viewer, handle)
    videos = listing.of_person(request.viewer, person)
    return _list(*listing.card_page(request.viewer, videos, place))


@router.get("/channels", response=ChannelList, summary="The channels")
def channels(request: Request) -> HttpResponse:  # noqa: ARG001
    items = []
    for channel in Channel.objects.order_by("pk"):
        name, about = words_of(channel)
        items.append(
            {"slug": channel.slug, "name": name, "description": about, "colour": channel.colour}
        )
    return _list(items, None)


@router.get("/channels/{slug}/videos", response=VideoList, summary="A channel's videos")
def videos_of_channel(request: Request, slug: str, place: Query[Place]) -> HttpResponse:
    videos = listing.of_channel(request.viewer, slug)
    return _list(*listing.card_page(request.viewer, videos, place))


@router.get("/sounds/{id}", response=SoundOut, summary="A sound")
def get_sound(request: Request, id: str) -> HttpResponse:  # noqa: A002
    """For whoever may see a video that has it."""
    return answer(sounds.sound_card(request.viewer, id))


@router.get("/sounds/{id}/videos", response=VideoList, summary="The videos with a sound")
def videos_of_sound(request: Request, id: str, place: Query[Place]) -> HttpResponse:  # noqa: A002
    found = sounds.access_sound(request.viewer, id)
    videos = listing.of_sound(request.viewer, found)
    return _list(*listing.card_page(request.viewer, videos, place))


@router.get("/tags", response=TagList, summary="Tags that start with some letters")
def tags(request: Request, prefix: Query[Prefix]) -> HttpResponse:
    return _list(listing.completions(request.viewer, prefix.prefix), None)


@router.get("/search", response=VideoList, summary="Videos by words")
def search(
    request: Request,
    place: Query[Place],
    words: Query[Words],
) -> HttpResponse:
    """In what is written to a video and said in it, tags, handles and names, in any script; newest
    first.
    """
    return _list(
        *listing.card_page(request.viewer, listing.matching(request.viewer, words.q), place)
    )
