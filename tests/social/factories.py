"""Videos for tests of social: rows alone, with no file behind them."""

from __future__ import annotations

import itertools
from typing import Any

from django.utils import timezone

from jhalak.people.models import Person
from jhalak.videos.models import Video
from jhalak.videos.states import State, Visibility

_numbers = itertools.count(1)


def make_video(author: Person, **columns: Any) -> Video:
    number = next(_numbers)
    values: dict[str, Any] = {
        "upload_id": f"social{number}",
        "visibility": Visibility.PUBLIC,
        "state": State.COMPLETE,
        "source_key": f"social/{number}",
        "source_size": 1,
        "published_at": timezone.now(),
    }
    return Video.objects.create(author=author, **(values | columns))
