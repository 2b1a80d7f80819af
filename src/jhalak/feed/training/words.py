"""What a video says of itself, as (kind, name) pairs."""

from __future__ import annotations

from jhalak.feed.catalogue import TAGS, WORD
from jhalak.feed.events import Published

Word = tuple[str, object]  # kind and name


def words(video: Published) -> list[Word]:
    """What a video says of itself, as the catalogue keeps it."""
    found: list[Word] = [("author", video.author)]
    if video.channel:
        found.append(("channel", video.channel[:WORD]))
    if video.language:
        found.append(("language", video.language[:WORD]))
    tags = list(dict.fromkeys(tag[:WORD] for tag in video.tags if tag))
    found += [("tag", tag) for tag in tags[:TAGS]]
    return [*found, ("sound", video.sound)] if video.sound else found
