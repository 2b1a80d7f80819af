"""The verifier as a command, and its two reports: for a person and for a machine."""

from __future__ import annotations

import html.parser
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jhalak.verify import verify
from tests.verify.looking import KEYS, said
from tests.verify.packs import look, make_pack


def test_the_command_stands_alone(good: Path, tmp_path: Path) -> None:
    """Copied into the pack, run by a bare Python from there, with nothing of us to import."""
    command = [sys.executable, "-I", "verify.py", ".", *KEYS, "--json", str(tmp_path / "r.json")]
    done = subprocess.run(
        [*command, "--html", str(tmp_path / "r.html")],
        cwd=good,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (done.returncode, done.stdout) == (0, "GREEN: the evidence holds\n"), done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "green"
    source = (good / "verify.py").read_text()
    assert "import jhalak" not in source
    assert "from jhalak" not in source


def test_the_command_says_red_and_why(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "map.json").write_text("{")
    assert verify.main([str(pack), *KEYS]) == 1
    out = capsys.readouterr().out
    assert out.startswith("RED")
    assert "pack: map.json was altered after the pack was made" in out


def test_what_is_no_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(tmp_path)]) == 2
    assert "no evidence pack: manifest.json cannot be read" in capsys.readouterr().err


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_self_contained_and_hostile_words_stay_words(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    evil = "<script>alert(1)</script>"
    told = said(
        map={"declared": {}, "live": [evil]},
        people=[{"name": evil, "roles": [evil]}],
        jurisdiction=evil,
    )
    report = look(make_pack(tmp_path, leaves, told))
    text = verify.as_html(report)
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert not page.addresses
    assert "url(" not in text
    assert "@import" not in text
    last = text.rindex("<h2")
    assert "Never claimed" in text[last:]
    for claim in ("residency", "control", "jurisdiction"):
        assert f"{claim}: " in text
    assert len(verify.NEVER_CLAIMED) == text[last:].count("<li>")


def test_the_report_in_the_pack_is_that_of_the_verifier(good: Path) -> None:
    within = json.loads((good / "report.json").read_text())
    assert within["verdict"] == "green"
    assert within["facts"] == look(good).as_json()["facts"]
