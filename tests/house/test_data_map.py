"""Everything that is kept is in a data map, and nothing else is; and all that is personal has a way
to its end.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection

import jhalak.site
from jhalak.border.data_map import (
    WHILE_ACCOUNT,
    Basis,
    Column,
    DataClass,
    Part,
    Purpose,
    Subject,
    Until,
    days,
    technical,
)
from jhalak.border.live_map import MapError, compare, report, without_a_way
from jhalak.people import data_map as people_map
from jhalak.rights import declared
from jhalak.rights.walking import personal_tables
from jhalak.site.live import live_logs
from tests.factories import person

PROFILE = Column(DataClass.PROFILE, Purpose.SERVICE, Basis.SERVICE, WHILE_ACCOUNT)
SCRIPTS = Path(jhalak.site.__file__).parent / "static" / "js"


@pytest.mark.django_db
def test_the_database_has_what_is_declared() -> None:
    """Its own tables, as SQLite or PostgreSQL tell them, and not what the models say."""
    found = compare(declared.declared()[Part.COLUMNS], declared.live_columns())
    assert not found, "\n".join(found)


def test_events_and_logs_have_what_is_declared() -> None:
    whole = declared.declared()
    assert compare(whole[Part.EVENTS], declared.live_events(), Part.EVENTS) == []
    assert compare(whole[Part.LOGS], live_logs(), Part.LOGS) == []


def test_scripts_keep_in_the_browser_what_is_declared() -> None:
    """Every place where our scripts may keep something goes through lib/store.js or stands here."""
    found = set()
    for file in SCRIPTS.rglob("*.js"):
        text = file.read_text("utf-8")
        for box, name in re.findall(r"\b(lasting|passing)\.[gs]et\([`\"](\w+)", text):
            found.add(f"{'local' if box == 'lasting' else 'session'}Storage jhalak.{name}")
        if draft := re.search(r"const draft = [^`]*`(\w+)", text):
            found.add(f"sessionStorage jhalak.{draft[1]}")
        found |= {f"cookie {name}" for name in re.findall(r"(jhalak_\w+)=", text)}
        assert "indexedDB" not in text, file
    known = set(declared.declared()[Part.BROWSER])
    by_server = {"cookie jhalak_session", "cookie jhalak_guest", "cache jhalak"}
    assert found | by_server == known


@pytest.mark.django_db
def test_an_undeclared_column_cannot_start() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_person ADD COLUMN shoe_size integer NULL")
    with pytest.raises(MapError, match=r"Person\.shoe_size is not declared: say in COLUMNS"):
        declared.check()


@pytest.mark.django_db
def test_a_personal_column_without_a_way_to_its_end_is_named(monkeypatch) -> None:
    declared.check()
    monkeypatch.delitem(people_map.SUBJECTS, "Follow")
    with pytest.raises(MapError, match=r"Follow\.follower_id is personal, and SUBJECTS does not"):
        declared.check()


@pytest.mark.django_db
def test_every_way_leads_to_rows() -> None:
    """Each path of each table is one that the database can walk; each table ends in one way."""
    from jhalak.rights.walking import names_of, rows

    names = names_of(person())
    tables = personal_tables()
    for table in tables:
        assert rows(table, names).count() >= 0
        assert rows(table, names, shown=True).count() >= 0
    order = [table.name for table in tables]
    assert order.index("Like") < order.index("Video") < order.index("Person")


def test_whoever_points_at_a_person_is_found_from_the_person() -> None:
    """A table with a foreign key to a person, whatever its columns say they hold."""
    ways = declared.subjects()
    for name, model in declared.tables().items():
        for field in model._meta.concrete_fields:
            if field.related_model is not None and field.related_model.__name__ == "Person":
                assert field.name in ways[name].paths, f"{name}.{field.name}"


def test_the_comparison_names_what_differs() -> None:
    map_of = {"Person.handle": technical(), "Person.gone": technical()}
    assert compare(map_of, {"Person.handle", "Person.phone"}) == [
        "Person.gone is declared and no longer exists",
        (
            "Person.phone is not declared: say in COLUMNS of its room's data_map.py what it holds,"
            " why, for how long, and how it ends"
        ),
    ]
    assert compare(map_of, set(map_of)) == []
    told = report({Part.COLUMNS: map_of}, {Part.COLUMNS: {"Person.handle"}})
    assert told["looked_at"] == ["columns"]
    assert told["differences"] == ["columns: Person.gone is declared and no longer exists"]
    assert told["declared"]["columns:Person.handle"]["holds"] == "technical"


def test_what_nothing_would_erase_is_named() -> None:
    columns = {"Person.handle": PROFILE, "Thing.id": technical()}
    assert without_a_way(columns, {"Person": Subject(("pk",))}) == []
    assert [line.split()[1] for line in without_a_way(columns, {})] == ["Person.handle"]


def test_a_promise_must_make_sense() -> None:
    with pytest.raises(ValueError, match="about nobody"):
        Column(DataClass.TECHNICAL, Purpose.OPERATE, Basis.CONSENT, WHILE_ACCOUNT)
    with pytest.raises(ValueError, match="needs a basis"):
        Column(DataClass.CONTACT, Purpose.SERVICE, Basis.NOT_PERSONAL, WHILE_ACCOUNT)
    with pytest.raises(ValueError, match="number of days"):
        technical(days(0))
    assert days(3).until is Until.DAYS
