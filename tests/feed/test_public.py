"""The public surface, and what an engine must not know."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec

import jhalak.feed
from jhalak.feed import Config, Engine, Query, Slate
from tests.feed.worlds import NOW, world

PACKAGE = Path(jhalak.feed.__file__).parent
PURE = {"django", "ninja", "random", "datetime", "socket", "urllib", "http", "sqlite3"}


def test_the_surface_is_what_it_says():
    for name in jhalak.feed.__all__:
        assert hasattr(jhalak.feed, name)
    assert sorted(jhalak.feed.__all__) == jhalak.feed.__all__
    methods = {name for name in vars(Engine) if not name.startswith("_")}
    assert methods == {
        "figures", "held", "load", "model", "new", "observe", "offset", "report", "ring", "score",
        "slate", "snapshot", "state_bytes",
    }  # fmt: skip


def test_modules_import_nothing_impure_and_stay_short():
    for path in PACKAGE.glob("*.py"):
        text = path.read_text("utf-8")
        assert text.startswith('"""'), f"{path.name} has no docstring"
        assert text.count("\n") < 400, f"{path.name} is too long"
        imported = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
        assert not imported & PURE, path.name
        if "time" in imported:  # only to measure stages, never to know the date
            assert path.name == "pipeline.py"
            assert "time.time" not in text


def test_every_setting_is_read_somewhere():
    text = "".join(path.read_text("utf-8") for path in PACKAGE.glob("*.py"))
    for field in msgspec.structs.fields(Config):
        assert text.count(f".{field.name}") >= 1, field.name


def test_answers_can_be_sent_to_another_machine():
    here = world(60)
    slate = here.page()
    sent = msgspec.json.encode(slate)
    assert msgspec.json.decode(sent, type=Slate) == slate
    query = Query(viewer="g1", now_ms=NOW, exclude=(1, 2))
    assert msgspec.json.decode(msgspec.json.encode(query), type=Query) == query
    assert msgspec.json.encode(here.engine.report())


def test_a_seed_fixes_the_page_and_without_one_pages_differ():
    one, two = world(500), world(500)
    assert one.page(seed=5).picks == two.page(seed=5).picks
    assert one.ids("g2", seed=5) != one.ids("g3", seed=6)
    assert one.page("g4").slate != one.page("g4").slate
    assert len({tuple(one.ids(f"g{n}")) for n in range(100, 120)}) > 15
    assert len(one.page().slate) == 16
