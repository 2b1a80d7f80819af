"""One person with something in every table and store, and another whom nothing may happen to."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import timezone

from jhalak import records
from jhalak.feed.events import (
    Followed,
    InterestKind,
    InterestRemoved,
    Joined,
    Liked,
    Watched,
    WatchKind,
    encode,
)
from jhalak.media.webvtt import Cue
from jhalak.people import passwords
from jhalak.people.models import Block, Follow, Person
from jhalak.social.models import Like, Save, Share
from jhalak.stores.events import NewEvent
from jhalak.videos.captions import do_put_captions
from jhalak.videos.models import Upload, Video
from jhalak.videos.states import CaptionSource
from tests.factories import person, sound, video

PASSWORD = "twelve green parrots"
CAPTION = "Zwölfgrünepapageien in Udaipur"
PK, GUEST = 987_654_321, "g" + "ab12" * 8


class World(NamedTuple):
    leaver: Person
    other: Person
    clip: Video
    others_clip: Video


def watched(viewer: str, clip: Video, at_ms: int = 1_700_000_000_000) -> Watched:
    return Watched(viewer, clip.pk, WatchKind.FINISHED, 8_000, 8_000, at_ms)


def append(*events: object) -> None:
    log = records.events()
    start = log.last()
    log.append(
        [NewEvent(f"k{start}-{number}", encode(one)) for number, one in enumerate(events)]  # type: ignore[arg-type]
    )


def world() -> World:
    leaver = person("udaipurleaver", pk=PK, name="Meera", bio="Bio of Meera")
    Person.objects.filter(pk=PK).update(password=passwords.hash_of(PASSWORD))
    leaver.refresh_from_db()
    other = person("staysbehind")
    clip, theirs = video(leaver, "waves", caption=CAPTION), video(other, "waves")
    sound(clip)
    do_put_captions(leaver, clip, "hi", [Cue(0, 900, "meerasays")], CaptionSource.EDITED)
    Follow.objects.create(follower=leaver, followed=other)
    Follow.objects.create(follower=other, followed=leaver)
    Block.objects.create(blocker=person("blocks"), blocked=leaver)
    for kind in (Like, Save, Share):
        kind.objects.create(person=leaver, video=theirs)
        kind.objects.create(person=other, video=clip)
    Upload.objects.create(id="b" * 32, owner=leaver, size=10, details={}, expires=timezone.now())
    store = records.objects()
    store.put(clip.source_key, b"original of meera", content_type="video/mp4")
    store.put(f"videos/{clip.public_id}/r/720.mp4", b"clip of meera", content_type="video/mp4")
    store.put(f"people/{PK}/a.webp", b"picture of meera", content_type="image/webp")
    Person.objects.filter(pk=PK).update(picture=f"people/{PK}/a.webp")
    store.put(f"videos/{theirs.public_id}/r/720.mp4", b"of the other", content_type="video/mp4")
    records.audit(leaver, "person.join", str(leaver))
    records.audit(other, "person.suspend", str(leaver), reason="Meera did something")
    append(
        watched(GUEST, theirs),
        Joined(GUEST, leaver.viewer_key, 1),
        watched(leaver.viewer_key, theirs),
        watched(other.viewer_key, clip),
        watched(other.viewer_key, theirs),
        Liked(leaver.viewer_key, theirs.pk, 5),
        Followed(other.viewer_key, leaver.pk, 6),
        InterestRemoved(other.viewer_key, InterestKind.AUTHOR, str(leaver.pk), 7),
    )
    return World(leaver, other, clip, theirs)
