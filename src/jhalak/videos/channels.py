"""The list of channels: curated by the operator in a JSON file, loaded as often as one likes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from django.db import transaction
from django.utils.translation import get_language
from msgspec import Meta

from jhalak import records
from jhalak.videos.models import Channel


class ChannelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel in the file."""

    slug: Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,40}\Z")]
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    name_hi: Annotated[str, Meta(max_length=60)] = ""
    description: Annotated[str, Meta(max_length=200)] = ""
    description_hi: Annotated[str, Meta(max_length=200)] = ""
    colour: Annotated[str, Meta(pattern=r"\A#[0-9A-Fa-f]{6}\Z")] = "#F2A900"


class BadChannels(ValueError):
    """A file that is no list of channels; the message says where and why. Nothing was changed."""


def words_of(channel: Channel) -> tuple[str, str]:
    """Name and description in the language of the page."""
    if (get_language() or "").startswith("hi"):
        return channel.name_hi or channel.name, channel.description_hi or channel.description
    return channel.name, channel.description


def load_channels(path: Path) -> int:
    """Make or change the channels of a JSON file, in its order; others stay. Returns how many.

    Raises BadChannels, FileNotFoundError.
    """
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[ChannelEntry])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadChannels(f"{path}: {error}") from error
    if len({entry.slug for entry in entries}) != len(entries):
        raise BadChannels(f"{path}: two channels have the same slug")
    with transaction.atomic():
        for entry in entries:
            columns = msgspec.structs.asdict(entry)
            Channel.objects.update_or_create(slug=columns.pop("slug"), defaults=columns)
        records.audit(None, "channels.load", "channels", slugs=[entry.slug for entry in entries])
    return len(entries)
