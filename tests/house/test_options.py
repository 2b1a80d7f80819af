"""Options: each is read somewhere, each is explained, a wrong one is refused by name."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest

from jhalak.options import Options, OptionsError, load

SRC = Path(__file__).parents[2] / "src" / "jhalak"
NAMES = [field.name for field in msgspec.structs.fields(Options)]


def _read_attributes() -> set[str]:
    """Every attribute that is read somewhere below src, options.py itself left out but for its
    properties.
    """
    found = set()
    for file in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
    return found


def test_each_option_is_read_somewhere() -> None:
    unread = set(NAMES) - _read_attributes()
    assert not unread, f"nobody reads {sorted(unread)}: remove it, or use it"


def test_each_option_has_a_meaning() -> None:
    for field in msgspec.inspect.type_info(Options).fields:  # type: ignore[attr-defined]
        meaning = (field.type.extra_json_schema or {}).get("description", "")
        assert meaning.endswith("."), field.name


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "jhalak.toml").write_text('port = 9001\nhosts = "example.org"\n')
    env = {"JHALAK_DATA": str(tmp_path), "JHALAK_PORT": "9002"}
    given = load(env)
    assert (given.port, given.hosts, given.host) == (9002, "example.org", Options().host)
    assert given.folder == tmp_path


@pytest.mark.parametrize(
    ("text", "env", "named"),
    [
        ("prot = 9001", {}, "prot"),
        ("port = 'many'", {}, "port"),
        ("port = ", {}, "jhalak.toml"),
        ("\xff", {}, "jhalak.toml"),
        ("", {"JHALAK_PORT": "many"}, "port"),
        ("", {"JHALAK_HTTPS": "perhaps"}, "https"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    tmp_path: Path, text: str, env: dict[str, str], named: str
) -> None:
    (tmp_path / "jhalak.toml").write_text(text, "latin-1")
    with pytest.raises(OptionsError, match=named):
        load({"JHALAK_DATA": str(tmp_path), **env})


def test_the_command_line_lists_them_without_the_databases_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from jhalak import options
    from jhalak.cli import app

    monkeypatch.setenv("JHALAK_DATA", str(tmp_path))
    monkeypatch.setenv("JHALAK_DATABASE_URL", "postgres://somebody:hush@db/jhalak")
    options.forget()
    try:
        told = CliRunner().invoke(app, ["options"]).output
    finally:
        monkeypatch.undo()
        options.forget()
    assert "hush" not in told
    assert "somebody:***@db" in told
    for name in NAMES:
        assert f"{name} = " in told
