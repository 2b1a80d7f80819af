"""Brings the Hindi texts up to date: every text in the code and the templates, and nothing else.

    scripts/messages           add what is new to the .po, drop what is gone, compile the .mo
    scripts/messages --check   change nothing; say what lacks its Hindi or is stale, and fail

Reads Python by its syntax tree and templates by Django's own reader: no GNU gettext is needed.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "jhalak"
LOCALE = SOURCE / "site" / "locale"
PO = LOCALE / "hi" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
ONE = {"gettext", "gettext_lazy", "gettext_noop"}
MANY = {"ngettext", "ngettext_lazy"}
HEADER = {
    "Project-Id-Version": "Jhalak",
    "Language": "hi",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n == 0 || n == 1) ? 0 : 1;",
}
Text = tuple[str, str]  # singular, and plural or ""


def in_python(text: str) -> Iterator[Text]:
    """Texts given to gettext under whatever name it was imported."""
    tree = ast.parse(text)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        kind = names.get(node.func.id, "")
        wanted = 1 if kind in ONE else 2 if kind in MANY else 0
        given = [arg.value for arg in node.args[:wanted] if isinstance(arg, ast.Constant)]
        if wanted and len(given) == wanted:
            yield str(given[0]), str(given[1]) if wanted == 2 else ""


def in_template(text: str) -> Iterator[Text]:
    """Django turns a template into calls of gettext between blanks; those calls are read."""
    from django.utils.translation.template import templatize

    source = templatize(text)
    for found in re.finditer(r"\b(n?gettext|_)\(", source):
        call = source[found.start() :]
        try:
            yield from _call(call, many=found[1] == "ngettext")
        except (tokenize.TokenError, SyntaxError):
            continue


def _call(call: str, *, many: bool) -> Iterator[Text]:
    strings = []
    for token in tokenize.generate_tokens(io.StringIO(call).readline):
        if token.type == tokenize.STRING:
            strings.append(ast.literal_eval(token.string))
        elif token.string in (")", ";"):
            break
    if strings:
        yield str(strings[0]), str(strings[1]) if many and len(strings) > 1 else ""


def wanted() -> dict[str, str]:
    """Every text of the product, with its plural or ""."""
    found: dict[str, str] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        if "migrations" not in file.parts:
            found |= dict(in_python(file.read_text("utf-8")))
    for file in sorted(SOURCE.rglob("*.html")):
        found |= dict(in_template(file.read_text("utf-8")))
    found.pop("", None)
    return dict(sorted(found.items()))


def updated(old: polib.POFile, texts: dict[str, str]) -> polib.POFile:
    new = polib.POFile(wrapwidth=100)
    new.metadata = dict(HEADER)
    known = {entry.msgid: entry for entry in old if not entry.obsolete}
    for text, plural in texts.items():
        before = known.get(text)
        entry = polib.POEntry(msgid=text, msgstr=before.msgstr if before and not plural else "")
        if plural:
            same = before if before and before.msgid_plural == plural else None
            entry.msgid_plural = plural
            entry.msgstr_plural = same.msgstr_plural if same else {0: "", 1: ""}
        new.append(entry)
    return new


def problems(po: polib.POFile, texts: dict[str, str]) -> list[str]:
    """What keeps the Hindi from being whole and true."""
    found = [f"no longer in the code: {entry.msgid!r}" for entry in po if entry.msgid not in texts]
    entries = {entry.msgid: entry for entry in po}
    for text in texts:
        entry = entries.get(text)
        if entry is None or not entry.translated():
            found.append(f"no Hindi for: {text!r}")
            continue
        hindi = list(entry.msgstr_plural.values()) or [entry.msgstr]
        if any(slots(one) != slots(text) for one in hindi):
            found.append(f"other placeholders in the Hindi of: {text!r}")
    return found


def slots(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w+\}", text))


def stale(po: polib.POFile) -> bool:
    return not MO.is_file() or MO.read_bytes() != po.to_binary()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing, fail when not up to date"
    )
    check = parser.parse_args().check
    texts = wanted()
    po = polib.pofile(str(PO), wrapwidth=100) if PO.is_file() else polib.POFile()
    if not check:
        po = updated(po, texts)
        PO.parent.mkdir(parents=True, exist_ok=True)
        po.save(str(PO))
        MO.write_bytes(po.to_binary())
    found = problems(po, texts)
    if stale(po):
        found.append("the .mo is older than the .po")
    for line in found:
        print(line)
    print(f"{len(texts)} texts, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
