"""Fills a data folder with a catalogue of videos as rows and events, without media.

Run as a program, because Django reads its settings once a process:
`python -m bench.catalogue DATA VIDEOS AUTHORS`. Prints the cookie of a signed-in member.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

CHANNELS = 12
LANGUAGES = ("hi", "en", "ta", "bn", "te", "mr")


def fill(data: Path, videos: int, authors: int = 200) -> dict[str, str]:
    """Cookies by role: {"member": "jhalak_session=..."}."""
    command = [sys.executable, "-m", "bench.catalogue", str(data), str(videos), str(authors)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    cookies: dict[str, str] = json.loads(printed.splitlines()[-1])
    return cookies


def _fill(data: Path, videos: int, authors: int) -> dict[str, str]:
    os.environ["JHALAK_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "jhalak.site.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from django.utils import timezone

    from jhalak import records
    from jhalak.people.models import Person
    from jhalak.videos.actions import emit_published
    from jhalak.videos.models import Channel, Video

    call_command("migrate", verbosity=0)
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
                published_at=now - timezone.timedelta(seconds=rng.randrange(30 * 86_400)),
            )
            for i in range(videos)
        )
        for video in made:
            emit_published(video)
    records.relay()
    from jhalak.people.sessions import SessionStore

    member = Person.objects.create(handle="member", role="viewer", password="!")
    session = SessionStore()
    session.begin(member, device="bench")
    return {"member": f"jhalak_session={session.session_key}"}


if __name__ == "__main__":
    print(json.dumps(_fill(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
