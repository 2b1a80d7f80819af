"""Sign up, log in, log out, sessions: through HTTP, success beside refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.signing import Signer
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from tests.factories import video
from tests.people.factories import PASSWORD, Api, client_of, emitted, make_person

from jhalak import records
from jhalak.border.log.entries import Kind, read_entry
from jhalak.feed.events import Joined, Withdrawn, decode
from jhalak.options import override
from jhalak.people import guests
from jhalak.people.actions import do_lift, do_suspend
from jhalak.people.browsers import network
from jhalak.people.models import Person, Session
from jhalak.people.roles import Role
from jhalak.people.sessions import SessionStore, hashed
from jhalak.records.keyring import subject_of
from jhalak.records.models import LedgerEntry
from jhalak.records.worker import run_due

pytestmark = pytest.mark.django_db

KEY = "jhalak_session"


def sign_up(api: Api, handle: Any = "asha.k", password: Any = PASSWORD, **more: Any) -> Any:
    return api.send("post", "/people", {"handle": handle, "password": password, **more})


def log_in(api: Api, handle: str, password: str = PASSWORD, **extra: Any) -> Any:
    return api.send("post", "/session", {"handle": handle, "password": password}, **extra)


def test_sign_up_logs_in() -> None:
    api = Api()
    answer = sign_up(api, "Asha.K", name=" आशा \u202e<b>K</b>\x00 ", language="hi")
    assert answer.status == 201
    assert answer.json["handle"] == "asha.k"
    assert answer.json["name"] == "आशा <b>K</b>"
    assert answer.json["role"] == "creator"
    cookie = answer.response.cookies[KEY]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 90 * 24 * 3600
    assert api.send("get", "/me").json == answer.json
    assert Api().send("get", "/me").status == 401

    # The same handle again, however it is written; and nothing is left half made.
    for handle in ("asha.k", "@ASHA.K", " asha.k "):
        other = Api()
        again = sign_up(other, handle)
        assert (again.status, again.code, again.field) == (422, "handle_taken", "handle")
        assert KEY not in other.cookies
    assert Person.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"handle": "ab"}, "bad_handle", "handle"),
        ({"handle": "a" * 31}, "bad_handle", "handle"),
        ({"handle": ".asha"}, "bad_handle", "handle"),
        ({"handle": "asha."}, "bad_handle", "handle"),
        ({"handle": "आशा"}, "bad_handle", "handle"),
        ({"handle": "asha\n"}, "", None),  # edges are trimmed: this one passes
        ({"handle": "as ha"}, "bad_handle", "handle"),
        ({"handle": "<script>"}, "bad_handle", "handle"),
        ({"handle": "asha\x00"}, "bad_handle", "handle"),
        ({"handle": "admin"}, "handle_taken", "handle"),
        ({"handle": "a.d_min"}, "handle_taken", "handle"),
        ({"handle": 7}, "invalid", "handle"),
        ({"handle": None}, "invalid", "handle"),
        ({"handle": ["asha"]}, "invalid", "handle"),
        ({"password": "short"}, "weak_password", "password"),
        ({"password": "password1"}, "weak_password", "password"),
        ({"password": "asha.kumari"}, "weak_password", "password"),
        ({"password": "x" * 201}, "password_too_long", "password"),
        ({"password": "x" * 5000}, "invalid", "password"),
        ({"password": True}, "invalid", "password"),
        ({"name": "n" * 61}, "too_long", "name"),
        ({"name": {"a": 1}}, "invalid", "name"),
        ({"language": "xx"}, "unknown_language", "language"),
        ({"role": "operator"}, "invalid", "role"),
        ({"is_active": True}, "invalid", "is_active"),
    ],
)
def test_sign_up_refusals_name_the_field(
    body: dict[str, Any], code: str, field: str | None
) -> None:
    answer = sign_up(Api(), **{"handle": "asha.kumari", "password": PASSWORD, **body})
    assert (answer.status, answer.code, answer.field) == (422 if code else 201, code, field)
    assert Person.objects.count() == (0 if code else 1)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"[" * 100_000, 400),
        (b'{"handle": "asha.k", "password": "' + b"x" * 10_000_000 + b'"}', 413),
    ],
)
def test_bodies_that_cannot_be_read(raw: bytes, status: int) -> None:
    response = Api().post("/api/people", data=raw, content_type="application/json")
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert not Person.objects.exists()


def test_who_may_upload_is_the_operators_choice() -> None:
    with override(open_creation=False):
        assert sign_up(Api()).json["role"] == "viewer"
    assert sign_up(Api(), "ravi_k").json["role"] == "creator"


def test_where_somebody_with_an_office_logs_in_from_is_in_the_borders_log() -> None:
    for role in Role:
        make_person(f"a.{role}", role=role)
        assert log_in(Api(), f"a.{role}", REMOTE_ADDR="192.0.2.7").status == 200
    told = [read_entry(bytes(one.leaf)) for one in LedgerEntry.objects.order_by("pk")]
    told = [one for one in told if one.kind is not Kind.KEY]  # the installation's, made just now
    assert {one.kind for one in told} == {Kind.STAFF_SESSION}
    assert [(one.body["subject"], one.body["role"]) for one in told] == [
        (subject_of(Person.objects.get(handle=f"a.{role}").key_name), role)
        for role in Role
        if role not in (Role.VIEWER, Role.CREATOR)
    ]
    assert not any(b"a." in bytes(one.leaf) for one in LedgerEntry.objects.all())
    assert {one.body["place"] for one in told} == {"192.0.2.7"}


def test_log_in_says_the_same_for_a_wrong_password_and_for_nobody() -> None:
    make_person("asha")
    api = Api()
    assert log_in(api, "@Asha").status == 200
    wrong, nobody = log_in(Api(), "asha", "wrong parrots"), log_in(Api(), "ghost")
    assert wrong.status == nobody.status == 422
    assert wrong.json == nobody.json
    for handle in ("asha\x00", "asha' OR 1=1 --", "a" * 64, ""):
        assert log_in(Api(), handle).status in (422, 429)


def test_a_log_in_takes_no_key_from_the_browser() -> None:
    """Session fixation: the key that somebody planted is not the key that is signed in."""
    make_person("asha")
    api = Api()
    api.cookies[KEY] = "planted-by-somebody-else"
    assert log_in(api, "asha").status == 200
    first = api.cookies[KEY].value
    assert first != "planted-by-somebody-else"

    # Logging in again gives another key, and the one before it ends.
    assert log_in(api, "asha").status == 200
    old = Api()
    old.cookies[KEY] = first
    assert old.send("get", "/me").status == 401
    assert api.send("get", "/me").status == 200


def test_the_database_holds_no_key() -> None:
    person = make_person()
    api = client_of(person)
    row = Session.objects.get(person=person)
    key = api.cookies[KEY].value
    assert row.pk == hashed(key) != key
    thief = Api()
    thief.cookies[KEY] = row.pk
    assert thief.send("get", "/me").status == 401
    assert api.send("get", "/me").status == 200


def test_a_cookie_replayed_after_log_out_opens_nothing() -> None:
    make_person("asha")
    api = Api()
    log_in(api, "asha")
    copy = Api()
    copy.cookies[KEY] = api.cookies[KEY].value
    assert copy.send("get", "/me").status == 200

    answer = api.send("delete", "/session")
    assert answer.status == 204
    assert answer.response.cookies[KEY].value == ""
    assert copy.send("get", "/me").status == 401
    assert api.send("get", "/me").status == 401
    assert api.send("delete", "/session").status == 204  # again: no harm


def test_log_out_everywhere() -> None:
    person = make_person()
    phone, laptop, stranger = client_of(person), client_of(person), client_of(make_person())
    listed = phone.send("get", "/sessions").json["items"]
    assert [row["current"] for row in listed].count(True) == 1
    assert len(listed) == 2
    assert phone.send("delete", "/sessions").status == 204
    assert phone.send("get", "/me").status == laptop.send("get", "/me").status == 401
    assert stranger.send("get", "/me").status == 200
    assert phone.send("get", "/sessions").status == phone.send("delete", "/sessions").status == 401


def test_sessions_name_the_browser() -> None:
    make_person("asha")
    api = Api()
    agent = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
    log_in(api, "asha", headers={"user-agent": agent})
    strange = Api()
    log_in(strange, "asha", headers={"user-agent": "\x1b[31m<script>" * 500})
    devices = {row["device"] for row in api.send("get", "/sessions").json["items"]}
    assert devices == {"Firefox on Android", ""}


def test_a_new_password_logs_out_the_others() -> None:
    person = make_person("asha")
    here, there = client_of(person), client_of(person)
    before = here.cookies[KEY].value
    wrong = here.send("put", "/me/password", {"current": "guess guess", "new": "nine blue cranes"})
    assert (wrong.status, wrong.field) == (422, "current")
    weak = here.send("put", "/me/password", {"current": PASSWORD, "new": "12345678"})
    assert (weak.status, weak.code) == (422, "weak_password")
    assert there.send("get", "/me").status == 200

    changed = here.send("put", "/me/password", {"current": PASSWORD, "new": "nine blue cranes"})
    assert changed.status == 204
    assert there.send("get", "/me").status == 401
    assert here.cookies[KEY].value != before
    assert here.send("get", "/me").status == 200
    assert log_in(Api(), "asha").status == 422
    assert log_in(Api(), "asha", "nine blue cranes").status == 200
    guest = Api().send("put", "/me/password", {"current": PASSWORD, "new": "nine blue cranes"})
    assert guest.status == 401


def test_guessing_ends_soon_and_only_for_the_one_who_guesses() -> None:
    make_person("asha")
    make_person("ravi")
    for _ in range(6):
        assert log_in(Api(), "asha", "wrong parrots").status == 422
    refused = log_in(Api(), "asha")  # even the right one, else the answer would tell
    assert (refused.status, refused.code) == (429, "too_many")
    assert 0 < int(refused.response.headers["Retry-After"]) <= 30
    assert log_in(Api(), "ravi").status == 200
    assert log_in(Api(), "asha", headers={"x-real-ip": "203.0.113.9"}).status == 200


def test_logging_in_often_is_no_guessing() -> None:
    make_person("asha")
    assert [log_in(Api(), "asha").status for _ in range(10)] == [200] * 10


def test_suspension_bites_on_the_next_request() -> None:
    person, operator = make_person("asha"), make_person("boss", role="operator")
    api, friend = client_of(person), client_of(make_person())
    assert api.send("get", "/me").status == friend.send("get", "/people/asha").status == 200
    do_suspend(operator, person, "a reason")
    assert api.send("get", "/me").status == 401
    assert friend.send("get", "/people/asha").status == 404
    suspended = log_in(Api(), "asha")
    assert (suspended.status, suspended.code) == (403, "suspended")
    assert log_in(Api(), "asha", "wrong parrots").code == "wrong_login"
    do_lift(operator, person, "served")
    assert log_in(Api(), "asha").status == friend.send("get", "/people/asha").status == 200


@pytest.mark.django_db(transaction=True)
def test_the_feed_knows_of_a_suspension_and_its_end() -> None:
    author, operator = make_person("asha"), make_person("boss", role="operator")
    shown = [video(author).public_id for _ in range(2)] + [video(make_person()).public_id]
    browser = Client()

    def page() -> set[str]:
        run_due()
        return {item["id"] for item in browser.get("/api/feed?n=8").json()["items"]}

    assert page() == set(shown)
    do_suspend(operator, author, "a reason")
    assert page() == {shown[2]}
    told = [decode(one.body) for one in records.events().read(0)]
    assert len([event for event in told if isinstance(event, Withdrawn)]) == 2
    do_lift(operator, author, "served")
    assert set(shown[:2]) <= page()


def test_a_read_waits_for_no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    api = client_of(make_person())
    before = timezone.now() - timedelta(hours=1)
    Session.objects.update(seen=before)

    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as busy:
        busy.setattr(QuerySet, "update", locked)
        assert api.send("get", "/me").status == 200
    assert Session.objects.get().seen == before
    assert api.send("get", "/me").status == 200
    assert Session.objects.get().seen > before


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_line_is_one_address(address: str, counts_as: str) -> None:
    assert network(address) == counts_as


def test_sessions_end_by_date_and_are_found_in_one_query(django_assert_num_queries: Any) -> None:
    person = make_person()
    api = client_of(person)
    with django_assert_num_queries(1):
        assert api.send("get", "/me").status == 200
    with django_assert_num_queries(0):
        assert Api().send("get", "/me").status == 401
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert api.send("get", "/me").status == 401


def test_a_session_in_use_moves_on() -> None:
    api = client_of(make_person())
    assert KEY not in api.send("get", "/me").response.cookies
    now = timezone.now()
    Session.objects.update(seen=now - timedelta(minutes=11), expire_date=now + timedelta(days=60))
    answer = api.send("get", "/me")
    assert answer.response.cookies[KEY].value  # sent again, with its new end
    row = Session.objects.get()
    assert row.seen >= now
    assert row.expire_date > now + timedelta(days=89)
    assert api.send("get", "/me").status == 200


def test_a_session_that_ended_during_a_request_stays_ended() -> None:
    api = client_of(make_person())
    under_way = SessionStore(api.cookies[KEY].value)
    assert under_way.person is not None
    Session.objects.all().delete()
    under_way["note"] = "written later"
    under_way.save()
    assert not Session.objects.exists()
    answer = api.send("get", "/me")
    assert answer.status == 401
    assert answer.response.cookies[KEY].value == ""  # the browser forgets it


def test_a_session_holds_data() -> None:
    """Nothing of ours does; what Django's ecosystem brings later keeps half-done log-ins there."""
    api = client_of(make_person())
    store = SessionStore(api.cookies[KEY].value)
    store["note"] = {"a": 1}
    store.save()
    assert SessionStore(api.cookies[KEY].value)["note"] == {"a": 1}
    empty = SessionStore()
    empty["note"] = 1
    empty.save()  # nobody is signed in: nothing is kept
    assert Session.objects.count() == 1


def test_hostile_session_cookies() -> None:
    for value in ("", "x", "0" * 5000, "\x00", "../../etc/passwd", "é", "' OR 1=1"):
        api = Api()
        api.cookies[KEY] = value
        assert api.send("get", "/me").status == 401


def test_what_a_guest_watched_is_the_members() -> None:
    name = "0123456789abcdef0123456789abcdef"
    make_person("asha")
    api = Api()
    api.cookies[guests.COOKIE] = Signer(salt=guests.SALT).sign(name)
    person = Person.objects.get(handle=sign_up(api, "ravi_k").json["handle"])
    (joined,) = emitted()
    assert isinstance(joined, Joined)
    assert (joined.guest, joined.member) == (f"g{name}", f"m{person.pk}")

    # A forged name joins nobody.
    for forged in (
        name,
        f"{name}:AAAA",
        f"{'f' * 32}:{api.cookies[guests.COOKIE].value[33:]}",
        ":",
    ):
        other = Api()
        other.cookies[guests.COOKIE] = forged
        assert log_in(other, "asha").status == 200
    assert emitted() == [joined]

    # At log out the name goes from this browser: who comes next is somebody else.
    assert api.send("delete", "/session").response.cookies[guests.COOKIE].value == ""


def test_a_page_that_needs_no_guest_sets_no_cookie() -> None:
    make_person("asha")
    answer = Api().send("get", "/people/asha")
    assert answer.status == 200
    assert not answer.response.cookies
