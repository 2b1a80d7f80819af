"""What people write about themselves and their videos, made safe to keep, by one function.

Every script stays whole: joiners (ZWJ, ZWNJ), which Indian scripts spell with, and the direction
marks that Urdu needs are kept. What only hides or overturns text goes: control characters, bidi
embeddings, overrides and isolates (Unicode TR 36, "Trojan Source", CVE-2021-42574), invisible
fillers, private use, long stacks of marks. Markup is left as it was typed: it is escaped where it
is shown, and never here.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from jhalak.problems import Invalid

JOINERS = "\u200c\u200d"
DIRECTION_MARKS = "\u200e\u200f\u061c"
# Format characters that are seen: number and verse signs of Arabic, Syriac and Kaithi.
SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# Letters by category, blank to the eye: fillers of Hangul, an empty Braille cell.
BLANKS = "\u115f\u1160\u3164\uffa0\u2800"
MOST_MARKS = 6  # on one letter; the scripts of India use up to four

_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")
_JOINER_RUNS = re.compile(f"([{JOINERS}{DIRECTION_MARKS}])[{JOINERS}{DIRECTION_MARKS}]+")
_EDGES = JOINERS + DIRECTION_MARKS + " \n"


def _kept(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in JOINERS or character in DIRECTION_MARKS or character in SIGNS
    if category in ("Cc", "Cs", "Co") or character in BLANKS:
        return False
    # Unassigned ones stay (a new emoji is older than some phone's tables); noncharacters go.
    return not (ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF)


def _short_stacks(text: str) -> str:
    out: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MOST_MARKS:
            out.append(character)
    return "".join(out)


def _once(text: str, *, lines: bool) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c if c.isspace() or _kept(c) else "" for c in text)
    text = _JOINER_RUNS.sub(r"\1", _short_stacks(unicodedata.normalize("NFC", text)))
    if lines:
        text = "\n".join(_SPACES.sub(" ", line).strip(_EDGES) for line in text.split("\n"))
        text = _BLANK_LINES.sub("\n\n", text)
    else:
        text = _SPACES.sub(" ", text)
    return unicodedata.normalize("NFC", text.strip(_EDGES))


def clean(
    text: str, *, most: int | None = None, field: str | None = None, lines: bool = False
) -> str:
    """`text` as it is kept: NFC, visible, whitespace folded (line breaks kept with `lines`).

    Cleaning what is clean changes nothing. `most` counts characters (code points), of the result.
    Raises Invalid with `field` when it is longer.
    """
    if (
        most is not None and len(text) > 20 * most + 1000
    ):  # nothing that long ends short: do not even look at it
        raise _too_long(most, field)
    while (cleaner := _once(text, lines=lines)) != text:
        text = cleaner
    if most is not None and len(text) > most:
        raise _too_long(most, field)
    return text


def _too_long(most: int, field: str | None) -> Invalid:
    message = _("This is too long. At most %(most)d characters.") % {"most": most}
    return Invalid("too_long", message, field=field)
