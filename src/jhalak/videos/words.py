"""What people write on a video: caption, tags, language. Checked, made safe to keep, folded for
search.

A tag is one word in any script: letters, the marks that Indian scripts write vowels with, digits
and _. Tags are compared in NFKC and folded case, so that #Mela and #mela are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from jhalak.people.text import JOINERS, clean
from jhalak.problems import Invalid
from jhalak.videos.models import Channel
from jhalak.videos.states import CaptionSource, Visibility

MOST_CAPTION = 500  # characters
MOST_TAGS = 10
MOST_TAG = 40  # characters
MOST_WORDS = 1200  # characters of what is kept for search

# BCP 47, as far as it is written in practice: "hi", "ta", "sat-Olck", "en-IN".
_SLUG = re.compile(r"\A[a-z0-9-]{1,40}\Z")
_LANGUAGE = re.compile(r"\A[a-z]{2,3}(-[A-Za-z]{4})?(-[A-Z]{2})?\Z")

# The languages that a clip can be marked with, by their own names: those of the Eighth Schedule,
# and English.
LANGUAGES = {
    "as": "অসমীয়া", "bn": "বাংলা", "brx": "बड़ो", "doi": "डोगरी", "en": "English",
    "gu": "ગુજરાતી", "hi": "हिन्दी", "kn": "ಕನ್ನಡ", "ks": "کٲشُر", "kok": "कोंकणी",
    "mai": "मैथिली", "ml": "മലയാളം", "mni": "ꯃꯤꯇꯩꯂꯣꯟ", "mr": "मराठी", "ne": "नेपाली",
    "or": "ଓଡ଼ିଆ", "pa": "ਪੰਜਾਬੀ", "sa": "संस्कृतम्", "sat": "ᱥᱟᱱᱛᱟᱲᱤ", "sd": "سنڌي",
    "ta": "தமிழ்", "te": "తెలుగు", "ur": "اردو",
}  # fmt: skip

_NOT_TEXT = ("Cc", "Cs")  # control characters and halves of pairs: no database takes all of them


class Details(msgspec.Struct, frozen=True):
    """What the author says of a video, checked. `channel` is a slug, empty for none."""

    caption: str = ""
    tags: list[str] = []
    language: str = ""
    visibility: str = Visibility.PUBLIC.value
    channel: str = ""
    sound: str = ""  # public id of one that is heard instead of its own
    filename: str = ""


def fold(text: str) -> str:
    """The form in which texts are compared: compatible letters, one case, no joiners, one space."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = (" " if unicodedata.category(c) in _NOT_TEXT else c for c in folded if c not in JOINERS)
    return " ".join("".join(kept).split())


def _in_a_tag(character: str) -> bool:
    return (
        character == "_"
        or character in JOINERS
        or unicodedata.category(character)[0] in ("L", "M", "N")
    )


def tag(text: str) -> str:
    """One tag as it is kept, without #. Raises Invalid."""
    word = clean(text, most=MOST_TAG * 4, field="tags").lstrip("#＃")
    word = unicodedata.normalize("NFKC", word).casefold().strip(JOINERS)
    if not word or len(word) > MOST_TAG or not all(map(_in_a_tag, word)):
        message = _("A tag is one word of at most 40 letters or digits: %(tag)s") % {
            "tag": word[:60]
        }
        raise Invalid("bad_tag", message, field="tags")
    return word


def tags(given: Iterable[str]) -> list[str]:
    """Tags in the order given, each once. Raises Invalid."""
    found = list(dict.fromkeys(map(tag, given)))
    if len(found) > MOST_TAGS:
        raise Invalid("too_many_tags", _("At most 10 tags. Choose the best ones."), field="tags")
    return found


def tags_in(caption: str) -> list[str]:
    """The #tags that stand in a caption; what is no tag is left alone."""
    found: list[str] = []
    for piece in re.split("[#＃]", caption)[1:]:
        end = next((i for i, c in enumerate(piece) if not _in_a_tag(c)), len(piece))
        try:
            found.append(tag(piece[:end]))
        except Invalid:
            continue  # "#" alone, or a word that is too long: plain text
    return list(dict.fromkeys(found))[:MOST_TAGS]


def caption(text: str) -> str:
    return clean(text, most=MOST_CAPTION, field="caption", lines=True)


def is_language(code: str) -> bool:
    return _LANGUAGE.match(code) is not None


def language(code: str) -> str:
    if code and not is_language(code):
        message = _('Give the language as a short code, such as "hi" or "ta".')
        raise Invalid("bad_language", message, field="language")
    return code


def caption_label(code: str, source: str) -> str:
    """What a list of captions calls these, in their own language; what a machine heard says so."""
    name = LANGUAGES.get(code, code)
    if source == CaptionSource.AUTOMATIC:
        return now("%(language)s (automatic)") % {"language": name}
    return name


def visibility(value: str) -> str:
    if value not in Visibility.values:
        message = _("Choose who can see it: public, followers or private.")
        raise Invalid("bad_visibility", message, field="visibility")
    return value


def channel(slug: str) -> Channel | None:
    """The channel of a slug; None for "". Raises Invalid when there is no such channel."""
    if not slug:
        return None
    found = channel_of(slug)
    if found is None:
        raise Invalid("no_such_channel", _("There is no such channel."), field="channel")
    return found


def channel_of(slug: str) -> Channel | None:
    """None for a slug that no channel has, or can have."""
    return Channel.objects.filter(slug=slug).first() if _SLUG.match(slug) else None


def details(
    *,
    caption_: str,
    tags_: Sequence[str] | None,
    language_: str,
    visibility_: str,
    channel_: str,
    sound: str,
    filename: str,
) -> Details:
    """Everything checked. Without `tags_`, the tags are those in the caption. Raises Invalid."""
    text = caption(caption_)
    found = channel(channel_)
    return Details(
        caption=text,
        tags=tags_in(text) if tags_ is None else tags(tags_),
        language=language(language_),
        visibility=visibility(visibility_ or Visibility.PUBLIC),
        channel=found.slug if found else "",
        sound=sound,
        filename=clean(filename[:400], most=400, field="filename")[:120],
    )


def searchable(caption_: str, tags_: Sequence[str]) -> str:
    """What `Video.words` keeps."""
    return fold(" ".join([caption_, *tags_]))[:MOST_WORDS]
