"""What the operator does with keys on the command line, and what of it is in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.people.factories import PASSWORD, client_of, make_person
from typer.testing import CliRunner

from jhalak.cli import app
from jhalak.options import options
from jhalak.records.keyring import close_keys, installation, keys_folder, shred
from jhalak.records.models import LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["border", "keys", *map(str, words)])


def entered() -> list[dict[str, Any]]:
    leaves = [json.loads(bytes(row.leaf)) for row in LedgerEntry.objects.order_by("pk")]
    return [leaf["body"] for leaf in leaves if leaf["kind"] == "key"]


def test_rotate_backup_and_restore(tmp_path: Path) -> None:
    asha, ravi = make_person("asha"), make_person("ravi")
    for who, contact in ((asha, "asha@example.in"), (ravi, "ravi@example.in")):
        body = {"contact": contact, "password": PASSWORD}
        assert client_of(who).send("post", "/me/contacts", body).status == 201
    saved = tmp_path / "saved"
    assert run("backup", saved).exit_code == 0
    assert run("backup", saved).exit_code == 1
    subject = installation().subject_hash(asha.key_name).hex()
    shred(asha.key_name)
    shred(asha.key_name)
    assert "people's keys: 1, destroyed: 1" in run("show").output
    done = run("rotate")
    assert done.exit_code == 0, done.output
    assert "generation 2, 2 keys" in done.output
    assert "generation 2" in run("show").output
    assert entered() == [
        {"event": "made", "generation": 1},
        {"event": "shredded", "subject": subject},
        {"event": "rotated", "old": [1], "new": 2, "keys": 2},
    ]
    shown = client_of(ravi).send("get", "/me/contacts").json["items"]
    assert [one["contact"] for one in shown] == ["ravi@example.in"]

    erased = tmp_path / "erased"
    erased.write_text(f"{installation().subject_hash(ravi.key_name).hex()}\n")
    told = run("restore", saved, "--erased", erased)
    assert told.exit_code == 0, told.output
    assert "0 keys back" in told.output
    assert "1 destroyed again by 1 erasures" in told.output
    assert client_of(ravi).send("get", "/me/contacts").json["items"] == []
    assert run("restore", tmp_path / "nothing").exit_code == 1


def test_a_lost_installation_key_is_said_in_one_line_and_costs_contacts_only() -> None:
    asha = make_person("asha")
    body = {"contact": "asha@example.in", "password": PASSWORD}
    api = client_of(asha)
    assert api.send("post", "/me/contacts", body).status == 201
    close_keys()
    key = keys_folder() / "installation.1.key"
    kept = key.read_text()
    key.unlink()
    assert (api.send("get", "/me/contacts").status, api.send("get", "/me").status) == (503, 200)
    told = run("show")
    assert told.exit_code == 1
    assert "Put it back" in told.stderr
    key.touch(0o600)
    key.write_text(kept)
    assert len(api.send("get", "/me/contacts").json["items"]) == 1
    assert options().folder in key.parents
