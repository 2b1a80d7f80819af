"""Lists of videos for somebody: of a person, a channel, by words. All through `access.visible`."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from jhalak.people.access import Viewer
from jhalak.people.models import Person
from jhalak.people.paging import Place, page
from jhalak.problems import NotFound
from jhalak.videos import words
from jhalak.videos.access import visible_videos
from jhalak.videos.cards import Card, cards
from jhalak.videos.models import Caption, Sound, Video, VideoTag

MOST_TERMS = 8  # words of a search that count
MOST_TAGS = 10  # completions


def card_page(
    viewer: Viewer, videos: QuerySet[Video], place: Place
) -> tuple[list[Card], str | None]:
    """A page of cards, newest first, and the cursor of the next. Raises BadRequest."""
    found, following = page(videos.only("pk"), place.cursor, place.n)
    ids = [video.pk for video in found]
    seen = cards(viewer, ids)
    return [seen[pk] for pk in ids if pk in seen], following


def of_person(viewer: Viewer, person: Person) -> QuerySet[Video]:
    return visible_videos(viewer).filter(author=person)


def of_channel(viewer: Viewer, slug: str) -> QuerySet[Video]:
    """Raises NotFound when there is no such channel."""
    channel = words.channel_of(slug)
    if channel is None:
        raise NotFound("no_such_channel", _("There is no such channel."))
    return visible_videos(viewer).filter(channel=channel)


def of_sound(viewer: Viewer, sound: Sound) -> QuerySet[Video]:
    return visible_videos(viewer).filter(sound=sound)


def matching(viewer: Viewer, text: str) -> QuerySet[Video]:
    """Videos where every word of `text` stands: in caption, tags, what is said, the author's handle
    or name.
    """
    terms = [term.lstrip("#@") for term in words.fold(text).split()]
    found = visible_videos(viewer)
    terms = [term for term in terms if term][:MOST_TERMS]
    if not terms:
        return found.none()
    for term in terms:
        # Last, and only where nothing else matched, what is said is read: it is the longest.
        said = Exists(Caption.objects.filter(video=OuterRef("pk"), words__contains=term))
        found = found.filter(
            Q(words__contains=term)
            | Q(author__handle__contains=term)
            | Q(author__name__icontains=term)
            | Q(said)
        )
    return found


def completions(viewer: Viewer, prefix: str) -> list[dict[str, Any]]:
    """Tags that start so, most used first, counted over what this viewer may see."""
    start = words.fold(prefix).lstrip("#")
    tags = VideoTag.objects.filter(video__in=visible_videos(viewer), word__startswith=start)
    counted = tags.values("word").annotate(videos=Count("video")).order_by("-videos", "word")
    return [{"tag": row["word"], "videos": row["videos"]} for row in counted[:MOST_TAGS]]
