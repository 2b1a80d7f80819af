"""Fills a data folder with a catalogue of videos as rows and events, without media; and with guests
who have watched one each, all known to an engine whose snapshot is kept.

Run as a program, because Django reads its settings once a process:
`python -m bench.catalogue DATA VIDEOS AUTHORS VIEWERS`. Prints cookies of signed-in members, and of
guests: nine tenths of these are of one guest in a thousand, as on a live site.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

CHANNELS = 12
LANGUAGES = ("hi", "en", "ta", "bn", "te", "mr")
CHUNK = 5_000
COOKIES = 5_000
MEMBERS = 50  # one alone would be through with a catalogue of 10,000 within a bench


def fill(data: Path, videos: int, authors: int = 200) -> dict[str, list[str]]:
    """Cookies by role: {"members": ["jhalak_session=...", ...]}."""
    return _filled(data, videos, authors, 0)


def fill_at_size(data: Path, videos: int, authors: int, viewers: int) -> dict[str, list[str]]:
    """Cookies by role: of members, and of guests among `viewers`, in the order of requests."""
    return _filled(data, videos, authors, viewers)


def _filled(data: Path, *numbers: int) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "bench.catalogue", str(data), *map(str, numbers)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    cookies: dict[str, list[str]] = json.loads(printed.splitlines()[-1])
    return cookies


def _fill(data: Path, videos: int, authors: int, viewers: int) -> dict[str, list[str]]:
    os.environ["JHALAK_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "jhalak.site.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from django.utils import timezone

    from jhalak import records
    from jhalak.feed import events as ev
    from jhalak.people.models import Person
    from jhalak.stores.events import NewEvent
    from jhalak.videos.actions import as_published
    from jhalak.videos.models import Channel, Video

    def tell(events: Iterable[ev.Event]) -> None:
        log.append([NewEvent(f"bench{next(keys)}", ev.encode(one)) for one in events])

    call_command("migrate", verbosity=0)
    log, keys = records.events(), itertools.count()
    rng = random.Random(1)
    now = timezone.now()
    with transaction.atomic():
        people = Person.objects.bulk_create(
            Person(handle=f"author{i}", name=f"Author {i}", role="creator", password="!")
            for i in range(authors)
        )
        channels = Channel.objects.bulk_create(
            Channel(slug=f"channel{i}", name=f"Channel {i}") for i in range(CHANNELS)
        )
    ages = sorted((rng.randrange(30 * 86_400) for _ in range(videos)), reverse=True)
    for first in range(0, videos, CHUNK):
        with transaction.atomic():
            made = Video.objects.bulk_create(
                Video(
                    author=rng.choice(people),
                    channel=rng.choice(channels),
                    upload_id=f"bench{i}",
                    caption=f"Clip {i}",
                    tags=[f"tag{rng.randrange(300)}", f"tag{rng.randrange(300)}"],
                    language=rng.choice(LANGUAGES),
                    visibility="public",
                    state="complete",
                    source_key=f"originals/bench{i}",
                    source_size=1,
                    duration_ms=rng.randrange(4_000, 60_000),
                    width=720,
                    height=1280,
                    first_rendition="720",
                    poster_base=f"posters/bench{i}",
                    storyboard=[],  # has none, or the worker would try to make one of each
                    published_at=now - timezone.timedelta(seconds=ages[i]),
                )
                for i in range(first, min(first + CHUNK, videos))
            )
        tell(as_published(video) for video in made)
        if viewers:
            said(f"{first + len(made):,} videos")
    at_ms = int(time.time() * 1000)
    for first in range(0, viewers, CHUNK):
        tell(
            ev.Watched(
                f"g{number:032x}", rng.randrange(videos) + 1,
                rng.choice([ev.WatchKind.FINISHED, ev.WatchKind.SKIPPED]), 4_000, 8_000, at_ms,
            )
            for number in range(first, min(first + CHUNK, viewers))
        )  # fmt: skip
        said(f"{first:,} viewers")
    if viewers:
        from jhalak.viewing.counting import count_views
        from jhalak.viewing.host import host

        host().close()
        said("all is learnt")
        while count_views():  # or the worker would count beside every measurement
            pass
        print(file=sys.stderr)
    from jhalak.people.sessions import SessionStore

    members = []
    for i in range(MEMBERS):
        session = SessionStore()
        session.begin(
            Person.objects.create(handle=f"member{i}", role="viewer", password="!"), device="bench"
        )
        members.append(f"jhalak_session={session.session_key}")
    return {"members": members, "guests": _guests(viewers, rng)}


def _guests(viewers: int, rng: random.Random) -> list[str]:
    from django.core.signing import Signer

    from jhalak.people import guests

    some = max(1, viewers // 1_000)
    names = [
        rng.randrange(some if rng.random() < 0.9 else viewers) for _ in range(min(viewers, COOKIES))
    ]
    sign = Signer(salt=guests.SALT).sign
    return [f"{guests.COOKIE}={sign(f'{name:032x}')}" for name in names]


def said(what: str) -> None:
    print(f"\rcatalogue: {what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(json.dumps(_fill(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
