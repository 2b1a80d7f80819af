from __future__ import annotations

import pytest
from tests.people.factories import Api, client_of, make_person
from typer.testing import CliRunner, Result

from jhalak.people.commands import people_cli
from jhalak.people.models import Person, Session
from jhalak.records.models import AuditEntry

pytestmark = pytest.mark.django_db


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(people_cli, list(arguments), input=stdin)


def test_add_a_person_with_a_role() -> None:
    added = run(
        "add", "moderator", "--role", "moderator", "--name", "आशा", "--password-stdin",
        stdin="nine blue cranes\n",
    )  # fmt: skip
    assert added.exit_code == 0
    person = Person.objects.get()
    assert (person.handle, person.role, person.name) == ("moderator", "moderator", "आशा")
    log_in = Api().send("post", "/session", {"handle": "moderator", "password": "nine blue cranes"})
    assert log_in.status == 200

    again = run("add", "moderator", "--password-stdin", stdin="nine blue cranes\n")
    assert again.exit_code == 1
    assert "taken" in again.output
    assert run("add", "asha", "--password-stdin", stdin="\n").exit_code == 1
    assert run("add", "asha", "--password-stdin", stdin="short\n").exit_code == 1
    assert run("add", "asha", "--role", "king", "--password-stdin", stdin="x\n").exit_code == 2
    assert Person.objects.count() == 1


def test_change_people() -> None:
    person = make_person("asha")
    client_of(person)
    assert run("role", "@asha", "officer").exit_code == 0
    assert run("password", "asha", "--password-stdin", stdin="nine blue cranes\n").exit_code == 0
    person.refresh_from_db()
    assert person.role == "officer"
    assert not Session.objects.exists()
    assert run("suspend", "asha", "--reason", "asked for it").exit_code == 0
    assert not Person.objects.get().is_active
    assert run("lift", "asha", "--reason", "enough").exit_code == 0
    assert Person.objects.get().is_active
    for command in (["role", "ghost", "viewer"], ["suspend", "ghost", "--reason", "x"]):
        unknown = run(*command)
        assert unknown.exit_code == 1
        assert "ghost" in unknown.output


def test_of_age_takes_a_declaration_back() -> None:
    person = make_person("asha", under_age=True)
    assert not person.personal_feed
    assert run("of-age", "asha").exit_code == 2  # not without a reason
    assert run("of-age", "nobody", "--reason", "shown a card").exit_code == 1
    assert run("of-age", "asha", "--reason", "shown a card").exit_code == 0
    person.refresh_from_db()
    assert person.personal_feed
    assert AuditEntry.objects.get(action="person.under_age").detail["reason"] == "shown a card"
