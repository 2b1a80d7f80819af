"""Everything about oneself as a file: what is in it, who may have it, and for how long."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils import timezone

from jhalak import records
from jhalak.border.egress import destinations
from jhalak.options import options
from jhalak.people.disclosures import do_note_disclosure
from jhalak.people.models import ContactKind
from jhalak.records.jobs import run_due
from jhalak.rights import actions, tasks
from jhalak.rights.models import Download
from jhalak.rights.states import DOWNLOAD_FOLLOWS, DownloadState, may_follow
from tests.factories import browser, person
from tests.people.broker_double import DECLARED
from tests.rights.worlds import CAPTION, PASSWORD, World, world

pytestmark = pytest.mark.django_db(transaction=True)
JSON = "application/json"


def asked(here: World) -> Download:
    client = browser(here.leaver)
    answer = client.post("/api/me/downloads", {"password": PASSWORD}, content_type=JSON)
    assert answer.status_code == 202, answer.content
    run_due()
    return Download.objects.get(pk=answer.json()["id"])


def opened(download: Download) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(records.objects().read(download.key)))


def test_it_holds_what_is_theirs_signed_and_says_what_is_left_out() -> None:
    here = world()
    download = asked(here)
    assert download.state == DownloadState.READY
    with opened(download) as file:
        assert file.testzip() is None
        manifest = file.read("manifest.json")
        signature = json.loads(file.read("signature.json"))
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"]))
        key.verify(bytes.fromhex(signature["signature"]), manifest)
        parts = json.loads(manifest)["files"]
        assert set(parts) | {"manifest.json", "signature.json"} == set(file.namelist())
        for name, said in parts.items():
            assert hashlib.sha256(file.read(name)).hexdigest() == said["sha256"], name
        (row,) = json.loads(file.read("data/Video.json"))
        assert row["caption"] == CAPTION
        (me,) = json.loads(file.read("data/Person.json"))
        assert me["handle"] == "udaipurleaver"
        assert "password" not in me
        assert json.loads(file.read("data/Block.json")) == []  # who blocked them is not told
        assert file.read(f"media/videos/{here.clip.public_id}/r/720.mp4") == b"clip of meera"
        events = [one["t"] for one in json.loads(file.read("data/events.json"))]
        assert {"watched", "liked", "joined", "published"} <= set(events)
        assert "followed" not in events
        page = file.read("index.html").decode()
        assert CAPTION in page
        told = {one["what"] for one in json.loads(file.read("omissions.json"))}
        assert {"Block", "Person: password"} <= told


def test_it_says_who_outside_got_what_and_who_may() -> None:
    here = world()
    folder = options().folder
    (folder / "border").mkdir(parents=True, exist_ok=True)
    file = destinations.path_of(folder)
    file.write_text(DECLARED)
    way = destinations.load(folder)["post"]
    for who in (here.leaver, here.leaver, person("another")):
        do_note_disclosure(who, ContactKind.MAIL, way)
    for text, omitted in ((DECLARED, False), ("[[destination", True)):
        file.write_text(text)
        Download.objects.all().delete()  # one a day
        with opened(asked(here)) as made:
            said, page = json.loads(made.read("received.json")), made.read("index.html").decode()
            omissions = made.read("omissions.json").decode()
        (got,) = said["got"]
        assert (got["destination"], got["times"], got["what"]) == ("post", 2, "Mail")
        assert f"2 times, last on {timezone.now():%Y-%m-%d}" in page
        assert ("received.json: declared" in omissions) is omitted
        assert {one["name"] for one in said["declared"]} == (
            set() if omitted else {"post", "gateway"}
        )


def test_only_its_owner_with_the_password_and_not_for_ever() -> None:
    here = world()
    download = asked(here)
    owner, other = browser(here.leaver), browser(here.other)
    where = f"/api/me/downloads/{download.pk}/open"
    wrong = owner.post(where, {"password": "wrong"}, content_type=JSON)
    assert wrong.status_code == 422
    assert other.post(where, {"password": PASSWORD}, content_type=JSON).status_code == 404
    url = owner.post(where, {"password": PASSWORD}, content_type=JSON).json()["url"]
    sent = owner.get(url)
    assert sent.headers["X-Accel-Redirect"] == f"/_objects/{download.key}"
    assert other.get(url).status_code == 404
    assert browser().get(url).status_code == 302  # log in first
    assert owner.get(url[:-1] + ("a" if url[-1] != "a" else "b")).status_code == 404
    again = owner.post("/api/me/downloads", {"password": PASSWORD}, content_type=JSON)
    assert again.status_code == 429
    Download.objects.update(ends=timezone.now() - timedelta(seconds=1))
    assert owner.get(url).status_code == 404
    assert owner.post(where, {"password": PASSWORD}, content_type=JSON).status_code == 410
    tasks.end()
    assert Download.objects.get(pk=download.pk).state == DownloadState.ENDED


def test_the_password_is_asked_for_and_guesses_are_few() -> None:
    here = world()
    client = browser(here.leaver)
    answers = [
        client.post("/api/me/downloads", {"password": "wrong"}, content_type=JSON).status_code
        for _ in range(8)
    ]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert not Download.objects.exists()


def test_leaving_on_the_screen() -> None:
    here = world()
    client = browser(here.leaver)
    plan = client.get("/api/me/leaving").json()
    assert {one["where"] for one in plan["items"]} == {"rows", "objects", "events"}
    assert (
        client.post("/api/me/leaving", {"password": "wrong"}, content_type=JSON).status_code == 422
    )
    left = client.post("/api/me/leaving", {"password": PASSWORD}, content_type=JSON).json()
    assert client.get("/api/me").status_code == 401
    assert browser().get("/@udaipurleaver").status_code == 404
    waiting = browser().get(left["receipt"])
    assert waiting.status_code == 200
    actions.do_begin_due(timezone.now() + timedelta(days=30))
    run_due()
    receipt = browser().get(f"{left['receipt']}?as=json").json()
    assert receipt["receipt"]["kind"] == "jhalak.erasure"
    assert browser().get("/receipt/another").status_code == 404


def test_every_pair_of_states() -> None:
    for before in DownloadState:
        for after in DownloadState:
            assert may_follow(before, after) == (after in DOWNLOAD_FOLLOWS[before])
    assert person("somebody").is_active
