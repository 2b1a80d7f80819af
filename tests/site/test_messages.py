"""Every text has its Hindi; every word that a module asks for is there, and no other."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import polib
import pytest
from django.utils import translation

from jhalak.site.static_version import STATIC
from jhalak.site.words import words

SCRIPT = Path(__file__).parents[2] / "scripts" / "messages.py"


@pytest.fixture(scope="module")
def messages() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_every_text_has_its_hindi_and_the_compiled_file_is_fresh(messages: dict[str, Any]) -> None:
    po = polib.pofile(str(messages["PO"]), wrapwidth=100)
    assert messages["problems"](po, messages["wanted"]()) == [], "run scripts/messages"
    assert not messages["stale"](po), "run scripts/messages"


def test_what_is_missing_is_told(messages: dict[str, Any]) -> None:
    po = polib.POFile()
    po.append(polib.POEntry(msgid="Hello %(name)s", msgstr="नमस्ते"))
    po.append(polib.POEntry(msgid="Gone", msgstr="गया"))
    texts = {"Hello %(name)s": "", "New": ""}
    assert messages["problems"](po, texts) == [
        "no longer in the code: 'Gone'",
        "other placeholders in the Hindi of: 'Hello %(name)s'",
        "no Hindi for: 'New'",
    ]


def test_texts_are_found_under_any_name(messages: dict[str, Any]) -> None:
    python = (
        "from django.utils.translation import gettext_lazy as later, ngettext\n"
        "from other import gettext\n"
        "later('one' ' text'); ngettext('a day', 'days', n); gettext('not this'); later(name)\n"
    )
    assert sorted(messages["in_python"](python)) == [("a day", "days"), ("one text", "")]
    template = """{% translate "It's" %}<p title="{% translate 'Two' as two %}">
      {% blocktranslate with n=count %}{{ n }} left{% endblocktranslate %}"""
    assert sorted(messages["in_template"](template)) == [
        ("%(n)s left", ""),
        ("It's", ""),
        ("Two", ""),
    ]


def asked_for() -> set[str]:
    """Keys that modules ask for; a key that ends in `_${...}` stands for all that begin so."""
    text = "\n".join(file.read_text("utf-8") for file in (STATIC / "js").rglob("*.js"))
    keys = set(re.findall(r"""\bt\(\s*["'](\w+)["']""", text))
    for both in re.findall(r"\bt\([^()]*?\?([^()]*)\)", text):
        keys |= set(re.findall(r'(?<!=== )"(\w+)"', both))
    keys |= set(re.findall(r'\], "(key_\w+)"', text))
    for start in re.findall(r"\bt\(`(\w+_)\$\{", text):
        keys |= {key for key in words() if key.startswith(start)}
    for row in re.findall(r"\[\[(\"\w+\", .*?)\]\]", text):
        keys |= set(re.findall(r'"(\w+)"', row))
    return keys


def test_modules_and_words_agree() -> None:
    asked, there = asked_for(), set(words())
    assert asked - there == set()
    assert there - asked == set()


def test_words_come_in_the_language_of_the_request() -> None:
    with translation.override("hi"):
        assert words()["follow"] == "फ़ॉलो करें"
    with translation.override("en"):
        assert words()["follow"] == "Follow"
