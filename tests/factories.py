"""People and videos for tests, made through the rows and the same events as the product's."""

from __future__ import annotations

import itertools
import random
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from jhalak import media, records
from jhalak.people.models import Person
from jhalak.people.roles import Role
from jhalak.people.sessions import SessionStore
from jhalak.videos.actions import emit_published
from jhalak.videos.models import Channel, Rendition, Sound, SoundWord, Video

_numbers = itertools.count(1)


def person(handle: str = "", role: str = Role.CREATOR, **columns: Any) -> Person:
    """Somebody who cannot log in with a password: quick, because nothing is hashed."""
    handle = handle or f"person{next(_numbers)}"
    return Person.objects.create(handle=handle, role=role, password="!", **columns)


def browser(who: Person | None = None, **options: Any) -> Client:
    """A browser: a guest's, or one that `who` is signed in with."""
    client = Client(**options)
    if who is not None:
        session = SessionStore()
        session.begin(who, device="test")
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    return client


def channel(slug: str) -> Channel:
    return Channel.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def video(author: Person, in_channel: str = "", **columns: Any) -> Video:
    """A video that is ready to watch, known to the feed. Its files are not in the store."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "caption": f"Clip {number}",
        "tags": [f"tag{number}"],
        "language": "en",
        "visibility": "public",
        "state": "complete",
        "duration_ms": 8_000,
        "width": 720,
        "height": 1280,
        "first_rendition": "720",
        "poster_base": f"posters/{number}",
        "published_at": timezone.now(),
    }
    made = Video.objects.create(
        author=author,
        channel=channel(in_channel) if in_channel else None,
        upload_id=f"upload{number}",
        source_key=f"originals/{number}",
        source_size=1000,
        **(values | columns),
    )
    Rendition.objects.create(
        video=made, name="720", key=f"renditions/{number}/720.mp4", width=720, height=1280,
        bitrate_bps=1_500_000, average_bps=1_200_000, frame_rate=30.0,
        codecs="avc1.64001f,mp4a.40.2", size=1000, init_size=100,
        fragments=[[100, 900, 8_000]],
    )  # fmt: skip
    emit_published(made)
    records.relay()
    return made


def fingerprint(seed: int) -> bytes:
    """Of a sound that is like no other."""
    return random.Random(seed).randbytes(400)


def sound(of: Video, **columns: Any) -> Sound:
    """The sound of a video that is there. Its file is not in the store."""
    values = {"key": f"sounds/{of.pk}.m4a", "duration_ms": 8_000, "fingerprint": fingerprint(of.pk)}
    made = Sound.objects.create(origin=of, **(values | columns))
    words = media.sounds.index_words(made.fingerprint)
    SoundWord.objects.bulk_create(SoundWord(sound=made, word=word) for word in words)
    Video.objects.filter(pk=of.pk).update(sound=made)
    of.refresh_from_db()
    return made
