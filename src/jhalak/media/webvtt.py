"""Captions as text with times: reads WebVTT and SubRip files, writes WebVTT. Pure.

    parse(bytes) -> cues             what a file says; refused with a reason and the line
    checked(cues, duration_ms)       what may be kept: in order, within the clip, not too long
    write(cues) -> text              WebVTT that every browser reads

After "WebVTT: The Web Video Text Tracks Format" (W3C, section 4) and what SubRip files hold in
practice (there is no standard). A cue is plain text with line breaks: voices, classes, ruby and
styles are taken off, `&lt;` is read as `<`, and whatever else looks like markup stays the text that
it is and is escaped when it is written. Positions are dropped: the player knows where its own
buttons are. Reading is one pass in time linear in the bytes.
"""

from __future__ import annotations

import codecs
import enum
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import msgspec

MOST_BYTES = 256 << 10  # of a file: a clip of three minutes that is spoken all through has 10 KB
MOST_CUES = 1000
MOST_CHARACTERS = 500  # of one cue

_TIME = r"(?:([0-9]{1,4}):)?([0-5]?[0-9]):([0-5]?[0-9])[.,]([0-9]{3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?\Z", re.ASCII)
_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?\Z")
# Known tags alone, and none is looked for beyond the next "<": no text makes this slow.
_TAG = re.compile(
    r"</?(?:[bciuv]|ruby|rt|lang|font|[0-9:.]{5,16})(?:[.\s][^<>\n]*)?>", re.IGNORECASE | re.ASCII
)
_SUBRIP_PLACE = re.compile(r"\{\\[^{}\n]*\}")  # {\an8}: where SubRip wants a line


class Cue(msgspec.Struct, frozen=True):
    """What is shown from `start_ms` up to `end_ms`. `text` is plain, its lines kept."""

    start_ms: int
    end_ms: int
    text: str


class Why(enum.Enum):
    """What is wrong with captions."""

    TOO_BIG = "too_big"
    NOT_TEXT = "not_text"  # neither UTF-8 nor UTF-16
    NOT_CAPTIONS = "not_captions"  # no time stands in it, or none with words
    BAD_TIME = "bad_time"  # a line with --> that is no pair of times
    TOO_MANY = "too_many"
    TOO_LONG = "too_long"
    BACKWARDS = "backwards"  # a cue ends before it begins
    OUT_OF_ORDER = "out_of_order"  # a cue begins before the one before it
    AFTER_THE_END = "after_the_end"  # a cue begins when the clip is over


class Unreadable(ValueError):
    """Captions that cannot be taken. `place`: line of a file, or number of a cue, from 1; 0: all
    of it.
    """

    def __init__(self, why: Why, place: int = 0) -> None:
        super().__init__(f"{why.value} at {place}")
        self.why, self.place = why, place


def normal(text: str) -> str:
    """The form of a cue's text: no control characters, no blank line, nothing around a line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
    return "\n".join(line for line in map(str.strip, text.split("\n")) if line)


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Unreadable(Why.TOO_BIG)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(Why.NOT_TEXT) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that stand together, with the number of the first, from 1."""
    block: list[str] = []
    number = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield number - len(block) + 1, block


def _ms(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _plain(lines: Sequence[str], *, subrip: bool) -> str:
    text = _TAG.sub("", "\n".join(lines))
    if subrip:
        text = _SUBRIP_PLACE.sub("", text)
    return normal(html.unescape(text))


def parse(data: bytes) -> list[Cue]:
    """The cues of a WebVTT or SubRip file, as it orders them; those without words are left out.

    NOTE, STYLE, REGION and all else that has no times is passed over. Raises Unreadable.
    """
    blocks = list(_blocks(_decoded(data)))
    subrip = not (blocks and blocks[0][0] == 1 and _HEADER.match(blocks[0][1][0]))
    cues: list[Cue] = []
    for first, block in blocks:
        at = next((at for at, line in enumerate(block[:2]) if "-->" in line), None)
        if at is None:
            continue
        found = _TIMING.match(block[at])
        if not found:
            raise Unreadable(Why.BAD_TIME, first + at)
        more = next((n for n, line in enumerate(block[at + 1 :], at + 1) if "-->" in line), None)
        if more is not None:  # no blank line before the next times: whose the words are is a guess
            raise Unreadable(Why.BAD_TIME, first + more)
        text = _plain(block[at + 1 :], subrip=subrip)
        if not text:
            continue
        if len(cues) == MOST_CUES:
            raise Unreadable(Why.TOO_MANY)
        times = found.groups()
        cues.append(Cue(_ms(*times[:4]), _ms(*times[4:]), text))
    if not cues:
        raise Unreadable(Why.NOT_CAPTIONS)
    return cues


def checked(cues: Iterable[Cue], duration_ms: int) -> list[Cue]:
    """The same cues, fit to be kept: texts normal, the last ends when the clip does.

    Raises Unreadable with the number of the cue.
    """
    kept: list[Cue] = []
    before = 0
    for number, cue in enumerate(cues, 1):
        text = normal(cue.text)
        if number > MOST_CUES:
            raise Unreadable(Why.TOO_MANY)
        if len(text) > MOST_CHARACTERS:
            raise Unreadable(Why.TOO_LONG, number)
        if cue.start_ms < before:
            raise Unreadable(Why.OUT_OF_ORDER, number)
        if cue.end_ms <= cue.start_ms:
            raise Unreadable(Why.BACKWARDS, number)
        if cue.start_ms >= duration_ms:
            raise Unreadable(Why.AFTER_THE_END, number)
        before = cue.start_ms
        if text:
            kept.append(Cue(cue.start_ms, min(cue.end_ms, duration_ms), text))
    if not kept:
        raise Unreadable(Why.NOT_CAPTIONS)
    return kept


def _stamp(ms: int) -> str:
    seconds, thousandths = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"


def write(cues: Iterable[Cue]) -> str:
    """A WebVTT file of these cues, whatever their texts hold."""
    parts = ["WEBVTT\n"]
    for cue in cues:
        text = html.escape(normal(cue.text), quote=False)
        parts.append(f"\n{_stamp(cue.start_ms)} --> {_stamp(cue.end_ms)}\n{text}\n")
    return "".join(parts)
