"""The demo's plain data, held to what the platform accepts."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import jhalak.demo
from jhalak.demo import catalogue
from jhalak.demo.clips import letters
from jhalak.demo.clips import type as type_
from jhalak.demo.people import CREATORS, STAFF
from jhalak.people.handles import check_handle
from jhalak.people.roles import Role
from jhalak.videos import words


def test_twelve_channels_of_six_clips_by_twenty_four_creators() -> None:
    clips = catalogue.clips()
    assert len(clips) == 72
    assert set(Counter(c.channel for c in clips).values()) == {6}
    assert set(Counter(c.creator for c in clips).values()) == {3}
    assert {c.creator for c in clips} == {c.handle for c in CREATORS}
    assert len({c.key for c in clips}) == len({c.caption for c in clips}) == 72
    assert len({c.seed for c in clips}) == 72
    assert {c.channel for c in clips[:12]} == set(catalogue.channels())
    assert all(4 <= c.seconds <= 12 for c in clips)


def test_the_channels_file_says_the_same() -> None:
    file = Path(jhalak.demo.__file__).with_name("channels.json")
    listed = json.loads(file.read_text("utf-8"))
    assert tuple(c["slug"] for c in listed) == catalogue.channels()
    words = ("name", "name_hi", "description", "description_hi")
    assert all(channel[word] for channel in listed for word in words)
    assert len({c["colour"] for c in listed}) == 12


def test_the_platform_accepts_every_handle_tag_and_role() -> None:
    for creator in CREATORS:
        assert check_handle(creator.handle) == creator.handle
        assert len(creator.name) <= 60
        assert len(creator.bio) <= 300
    for clip in catalogue.clips():
        assert words.tags(clip.tags)
        assert len(clip.caption) <= words.MOST_CAPTION
    assert {Role(staff.role) for staff in STAFF} == set(Role)


def test_many_scripts_speak() -> None:
    texts = "".join(c.caption for c in catalogue.clips()) + "".join(c.name for c in CREATORS)
    scripts = {unicodedata.name(letter).split()[0] for letter in texts if letter.isalpha()}
    assert {
        "DEVANAGARI", "TAMIL", "BENGALI", "TELUGU", "KANNADA", "MALAYALAM", "GUJARATI",
        "GURMUKHI", "ORIYA", "ARABIC", "LATIN",
    } <= scripts  # fmt: skip


def test_every_word_that_moves_has_its_outline() -> None:
    used = {*letters._WATER, *letters._KURAL, *letters._TAGORE, *letters._GHALIB}
    used |= {w for line in letters._HELLO for w in line}
    for text in used:
        whole = type_.word(text, 60).whole()
        assert whole.mask.max() == 1
        assert 0.02 < whole.mask.mean() < 0.9
