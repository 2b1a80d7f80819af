"""Mail addresses and phone numbers: kept unreadable, shown to their owner, used to get in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.people.broker_double import BrokerDouble
from tests.people.factories import PASSWORD, Api, client_of, make_person

from jhalak.options import options
from jhalak.people import throttle
from jhalak.people.codes import sweep
from jhalak.people.disclosures import access_disclosures
from jhalak.people.models import Code, Contact, Person
from jhalak.records.keyring import close_keys, person_keys
from jhalak.records.models import AuditEntry, Job
from jhalak.records.worker import run_due

pytestmark = pytest.mark.django_db(transaction=True)

MAIL, PHONE = "Asha@उदाहरण.भारत", "98765 43210"
SHOWN = {MAIL: MAIL, PHONE: "+919876543210"}
NEW = "eleven red pigeons"


@pytest.fixture
def broker() -> Iterator[BrokerDouble]:
    with BrokerDouble(options().folder) as double:
        yield double


def add(api: Api, contact: str, password: str = PASSWORD) -> Any:
    return api.send("post", "/me/contacts", {"contact": contact, "password": password})


def confirmed(person: Person, contact: str, broker: BrokerDouble) -> int:
    """Adds and confirms a contact as its person does; its id."""
    api = client_of(person)
    number: int = add(api, contact).json["items"][-1]["id"]
    ticket = api.send("post", f"/me/contacts/{number}/code").json["ticket"]
    run_due()
    _, _, code = broker.last()
    body = {"ticket": ticket, "code": code}
    assert api.send("post", f"/me/contacts/{number}/confirm", body).status == 204
    return number


def ask(contact: str, api: Api | None = None) -> str:
    answer = (api or Api()).send("post", "/codes", {"contact": contact})
    assert answer.status == 202, answer
    run_due()
    ticket: str = answer.json["ticket"]
    return ticket


def log_in(ticket: str, code: str, api: Api | None = None, **more: Any) -> Any:
    return (api or Api()).send("post", "/session/code", {"ticket": ticket, "code": code, **more})


def test_a_contact_is_added_seen_and_removed_by_its_owner_alone() -> None:
    asha, ravi = make_person("asha"), make_person("ravi")
    mine, theirs = client_of(asha), client_of(ravi)
    wrong = add(mine, MAIL, "not the password")
    assert (wrong.status, wrong.code, wrong.field) == (422, "wrong_password", "password")
    junk = add(mine, "a@b@c")
    assert (junk.status, junk.field) == (422, "contact")
    assert add(mine, MAIL).status == 201
    added = add(mine, PHONE)
    assert [(one["kind"], one["contact"], one["confirmed"]) for one in added.json["items"]] == [
        ("mail", MAIL, False),
        ("phone", "+919876543210", False),
    ]
    assert not any(one["can_confirm"] for one in added.json["items"]), "nothing is declared"
    assert mine.send("get", "/me/contacts").json == added.json
    assert theirs.send("get", "/me/contacts").json["items"] == []
    again = add(mine, "asha@xn--p1b6ci4b4b3a.xn--h2brj9c")
    assert (again.status, again.code) == (409, "contact_there")
    assert add(theirs, MAIL).status == 201, "a claim keeps nobody away, and tells nobody"

    number = added.json["items"][0]["id"]
    for who in (theirs, client_of(make_person(role="officer"))):
        assert who.send("delete", f"/me/contacts/{number}").status == 404
    assert mine.send("delete", f"/me/contacts/{number}").status == 204
    assert mine.send("delete", f"/me/contacts/{number}").status == 404
    assert mine.send("delete", f"/me/contacts/{1 << 70}").status == 404
    assert [row.action for row in AuditEntry.objects.order_by("pk")] == [
        "person.add_contact", "person.add_contact", "person.add_contact", "person.remove_contact",
    ]  # fmt: skip


def test_one_person_has_few() -> None:
    api = client_of(make_person())
    statuses = [add(api, f"a{n}@b.in").status for n in range(6)]
    assert statuses == [201] * 5 + [409]


def test_an_officer_learns_them_with_a_reason_that_is_written_down() -> None:
    asha = make_person("asha")
    add(client_of(asha), MAIL)
    for role in ("viewer", "creator", "moderator", "operator", "auditor"):
        other = client_of(make_person(role=role))
        assert other.send("post", "/people/asha/contacts", {"reason": "x"}).status == 403
    officer = make_person(role="officer")
    api = client_of(officer)
    assert api.send("post", "/people/asha/contacts", {"reason": " \u200b "}).status == 422
    assert not AuditEntry.objects.filter(action="person.reveal_contacts").exists()
    Person.objects.filter(pk=asha.pk).update(suspended_at=timezone.now())
    told = api.send("post", "/people/asha/contacts", {"reason": "Grievance 114"})
    assert [one["contact"] for one in told.json["items"]] == [MAIL]
    entry = AuditEntry.objects.get(action="person.reveal_contacts")
    assert (entry.actor_id, entry.object) == (officer.pk, "@asha")
    assert entry.detail == {"reason": "Grievance 114", "contacts": 1}
    assert api.send("post", "/people/nobody/contacts", {"reason": "x"}).status == 404


def test_who_was_erased_cannot_be_read_any_more() -> None:
    asha = make_person("asha")
    api = client_of(asha)
    add(api, MAIL)
    person_keys().shred(asha.key_name)
    assert api.send("get", "/me/contacts").json["items"] == []
    assert Contact.objects.count() == 1, "as in a backup that was restored"


@pytest.mark.parametrize(("contact", "way"), [("asha@example.in", "post"), (PHONE, "gateway")])
def test_a_code_confirms_and_logs_in(contact: str, way: str, broker: BrokerDouble) -> None:
    asha = make_person("asha", language="hi")
    number = confirmed(asha, contact, broker)
    destination, to, _ = broker.last()
    assert (destination, to) == (way, SHOWN.get(contact, contact))
    mine = client_of(asha).send("get", "/me/contacts").json["items"]
    assert [(one["id"], one["confirmed"], one["can_confirm"]) for one in mine] == [
        (number, True, False)
    ]
    assert client_of(asha).send("post", f"/me/contacts/{number}/code").code == "confirmed"

    ticket = ask(contact)
    _, _, code = broker.last()
    for wrong in (f"{(int(code) + 1) % 10**6:06d}", "", "x", code[:5], f"{code}0"):
        assert log_in(ticket, wrong).code == "wrong_code"
    assert log_in(ticket, code).code == "wrong_code", "five tries are over"

    ticket = ask(contact)
    _, _, code = broker.last()
    assert log_in("another ticket", code).code == "wrong_code"
    api = Api()
    assert log_in(ticket, f" {code[:3]} {code[3:]}", api).json["handle"] == "asha"
    assert api.send("get", "/me").json["handle"] == "asha"
    assert log_in(ticket, code).code == "wrong_code", "once"
    assert AuditEntry.objects.filter(action="person.log_in", detail={"by": "code"}).count() == 1
    (got,) = access_disclosures(asha)
    assert (got["destination"], got["times"]) == (way, 3)
    assert got["purpose"]
    assert got["owner"]
    assert got["first"] < got["last"]


def test_a_code_gives_a_new_password(broker: BrokerDouble) -> None:
    asha = make_person("asha")
    confirmed(asha, PHONE, broker)
    elsewhere = client_of(asha)
    ticket = ask(PHONE)
    _, _, code = broker.last()
    weak = log_in(ticket, code, password="asha")
    assert (weak.status, weak.field) == (422, "password")
    api = Api()
    assert log_in(ticket, code, api, password=NEW).status == 200
    assert api.send("get", "/me").status == 200
    assert elsewhere.send("get", "/me").status == 401
    for password, status in ((PASSWORD, 422), (NEW, 200)):
        body = {"handle": "asha", "password": password}
        assert Api().send("post", "/session", body).status == status


def test_a_code_is_good_for_a_while_and_for_whom_it_was_sent(broker: BrokerDouble) -> None:
    asha = make_person("asha")
    number = confirmed(asha, PHONE, broker)
    ticket = ask(PHONE)
    _, _, code = broker.last()
    Code.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert log_in(ticket, code).code == "wrong_code"
    sweep()
    assert Code.objects.count() == 1
    Code.objects.update(expires=timezone.now() - timedelta(days=2))
    sweep()
    assert Code.objects.count() == 0

    ticket = ask(PHONE)
    _, _, code = broker.last()
    body = {"ticket": ticket, "code": code}
    path = f"/me/contacts/{number}/confirm"
    assert client_of(asha).send("post", path, body).code == "wrong_code", "it was asked to log in"
    Person.objects.filter(pk=asha.pk).update(suspended_at=timezone.now())
    assert log_in(ticket, code).code == "suspended"

    ticket = ask(PHONE)
    _, _, code = broker.last()
    Contact.objects.all().delete()
    assert log_in(ticket, code).code == "wrong_code"


def test_a_claim_opens_nothing_and_the_first_to_prove_it_has_it(broker: BrokerDouble) -> None:
    asha, ravi = make_person("asha"), make_person("ravi")
    claim = add(client_of(ravi), PHONE).json["items"][0]["id"]
    ask(PHONE)
    assert not broker.asked, "nobody has proved that this number is theirs"
    confirmed(asha, PHONE, broker)
    api = client_of(ravi)
    ticket = api.send("post", f"/me/contacts/{claim}/code").json["ticket"]
    run_due()
    _, _, code = broker.last()
    throttle.forget_all()
    other = client_of(asha).send(
        "post", f"/me/contacts/{claim}/confirm", {"ticket": ticket, "code": code}
    )
    assert other.status == 404
    refused = api.send("post", f"/me/contacts/{claim}/confirm", {"ticket": ticket, "code": code})
    assert (refused.status, refused.code) == (409, "of_another")
    assert api.send("get", "/me/contacts").json["items"][0]["confirmed"] is False


def test_who_asks_does_not_learn_whether_an_address_is_known(broker: BrokerDouble) -> None:
    """The same answer, the same statements, the same rows and jobs."""
    confirmed(make_person("asha"), "asha@example.in", broker)
    add(client_of(make_person("ravi")), "claimed@example.in")
    sent = len(broker.asked)
    seen = []
    for contact in ("asha@example.in", "claimed@example.in", "nobody@example.in"):
        rows, jobs = Code.objects.count(), Job.objects.count()
        with CaptureQueriesContext(connection) as queries:
            answer = Api().send("post", "/codes", {"contact": contact})
        shape = [re.sub(r"'[^']*'|\b[0-9a-f]{40,}\b|\d+|NULL", "?", q["sql"]) for q in queries]
        seen.append((answer.status, sorted(answer.json), len(answer.json["ticket"]), shape,
                     Code.objects.count() - rows, Job.objects.count() - jobs))  # fmt: skip
        run_due()
        wrong = log_in(answer.json["ticket"], "000000x")
        assert (wrong.status, wrong.code) == (422, "wrong_code")
    assert seen[0] == seen[1] == seen[2]
    assert len(broker.asked) == sent + 1
    throttle.forget_all()
    asked = [[Api().send("post", "/codes", {"contact": c}).status for _ in range(6)]
             for c in ("asha@example.in", "nobody@example.in")]  # fmt: skip
    assert asked[0] == asked[1] == [202] * 4 + [429] * 2


def test_guesses_are_limited_whatever_the_ticket(broker: BrokerDouble) -> None:
    confirmed(make_person("asha"), PHONE, broker)
    answers = []
    for _ in range(5):
        if not answers:
            throttle.forget_all()
        answer = Api().send("post", "/codes", {"contact": PHONE})
        if answer.status == 202:
            answers += [log_in(answer.json["ticket"], "1").status for _ in range(7)]
    assert answers.count(429) > 0
    assert answers.count(422) <= 20


def test_without_a_destination_nothing_is_offered_or_sent() -> None:
    asha = make_person("asha")
    number = add(client_of(asha), PHONE).json["items"][0]["id"]
    for contact in (PHONE, "nobody@example.in"):
        assert Api().send("post", "/codes", {"contact": contact}).code == "no_codes"
    assert client_of(asha).send("post", f"/me/contacts/{number}/code").code == "no_codes"
    assert Code.objects.count() == Job.objects.count() == 0
    for text in ("not = [toml", DECLARED_AND_OVER):
        (options().folder / "border").mkdir(exist_ok=True)
        (options().folder / "border" / "destinations.toml").write_text(text)
        assert Api().send("post", "/codes", {"contact": PHONE}).code == "no_codes"


DECLARED_AND_OVER = """[[destination]]
name = "gateway"
kind = "sms"
host = "sms.example.in"
port = 443
purpose = "codes"
classes = ["contact"]
owner = "x"
expires = 2020-01-01
"""


def test_a_broker_that_refuses_is_asked_again_and_its_words_are_not_kept(
    broker: BrokerDouble, caplog: pytest.LogCaptureFixture
) -> None:
    confirmed(make_person("asha"), "asha@example.in", broker)
    sent = len(broker.asked)
    broker.refusing = "it answered: 550 <asha@example.in> is unknown"
    ask("asha@example.in")
    job = Job.objects.latest("pk")
    assert (job.state, job.error_code, job.attempts) == ("queued", "not_sent", 1)
    assert "asha@" not in job.error_text
    assert "asha@example" not in caplog.text
    broker.refusing = ""
    Job.objects.update(run_after=timezone.now())
    run_due()
    assert len(broker.asked) == sent + 1


def test_no_address_is_ever_on_the_disk(
    broker: BrokerDouble, caplog: pytest.LogCaptureFixture
) -> None:
    """After all of it: each file of the data folder, each row, each line that was logged."""
    caplog.set_level("DEBUG")
    asha = make_person("asha")
    confirmed(asha, "Kamala.Devi@Example.in", broker)
    confirmed(asha, PHONE, broker)
    throttle.forget_all()
    ticket = ask("kamala.devi@example.in")
    _, _, code = broker.last()
    assert log_in(ticket, code, password=NEW).status == 200
    officer = client_of(make_person(role="officer"))
    assert len(officer.send("post", "/people/asha/contacts", {"reason": "x"}).json["items"]) == 2
    broker.refusing = "550 Kamala.Devi@Example.in 9876543210"
    ask("kamala.devi@example.in")
    close_keys()
    places = {"the log": caplog.text.encode()} | _files(options().folder) | _rows()
    assert any(b"people.send_code" in held for held in places.values()), "rows are looked at"
    assert any(b"CREATE TABLE people" in held for held in places.values()), "and files"
    for name, held in places.items():
        for plain in ("kamala", "devi@example", "9876543210", "43210"):
            for form in (plain.encode(), plain.encode("utf-16-le"), plain.encode().hex().encode()):
                assert form not in held.lower(), (name, plain)
    assert Contact.objects.count() == 2


def _files(folder: Path) -> dict[str, bytes]:
    database = Path(str(connection.settings_dict["NAME"]))
    found = [path for path in folder.rglob("*") if path.is_file()]
    if connection.vendor == "sqlite":
        found += [path for path in database.parent.glob(f"{database.name}*") if path.is_file()]
    return {str(path): path.read_bytes() for path in found}


def _rows() -> dict[str, bytes]:
    """Every row of every table, as text."""
    held = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor]
            held[table] = repr(rows).encode()
    return held
