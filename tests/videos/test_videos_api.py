"""Videos over HTTP: change, lists, channels, tags, search, cards; and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from jhalak.people.access import Viewer
from jhalak.people.models import Follow, Person
from jhalak.videos import schemas
from jhalak.videos.access import visible_videos
from jhalak.videos.cards import Card, cards, rows
from jhalak.videos.channels import BadChannels, load_channels
from jhalak.videos.models import Channel, Video
from jhalak.videos.studio import StudioCard
from tests.factories import browser, channel, person, video

pytestmark = pytest.mark.django_db


def change(who: Person, made: Video, **body: object) -> tuple[int, dict]:
    answer = browser(who).patch(f"/api/videos/{made.public_id}", body, "application/json")
    return answer.status_code, answer.json()


def test_change_what_is_said() -> None:
    me = person()
    made = video(me, "waves")
    channel("rain")
    status, body = change(
        me, made, caption="நிலா\u202e", tags=["#Mela", "mela", "மழை"], language="ta", channel="rain",
        visibility="followers",
    )  # fmt: skip
    assert status == 200
    assert body["caption"] == "நிலா"
    assert body["tags"] == ["mela", "மழை"]
    assert (body["language"], body["visibility"]) == ("ta", "followers")
    assert body["channel"] == {"slug": "rain", "name": "Rain"}
    assert change(me, made, channel="")[1]["channel"] is None
    assert change(me, made, caption="only this")[1]["tags"] == ["mela", "மழை"]


@pytest.mark.parametrize(
    "body",
    [
        {"caption": "x" * 501},
        {"tags": ["two words"]},
        {"tags": ["<b>"]},
        {"tags": [""]},
        {"tags": ["x" * 41]},
        {"tags": [f"t{n}" for n in range(11)]},
        {"tags": ["again"] * 101},
        {"tags": "mela"},
        {"tags": [7]},
        {"language": "x"},
        {"language": "hi\n"},
        {"visibility": "unlisted"},
        {"channel": "nowhere"},
        {"state": "complete"},
        {"author": "me"},
        {"views": 7},
    ],
)
def test_a_change_that_is_refused_changes_nothing(body: dict[str, object]) -> None:
    me = person()
    made = video(me)
    before = browser(me).get(f"/api/videos/{made.public_id}").json()
    status, answer = change(me, made, **(body | {"caption": body.get("caption", "new")}))
    assert status == 422
    assert answer["error"]["message"]
    assert browser(me).get(f"/api/videos/{made.public_id}").json() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"caption": 1}', b"null"])
def test_broken_bodies(body: bytes) -> None:
    me = person()
    made = video(me)
    answer = browser(me).patch(f"/api/videos/{made.public_id}", body, "application/json")
    assert answer.status_code in (400, 422)
    assert "error" in answer.json()


def test_lists_go_by_pages_without_gaps() -> None:
    me = person("asha")
    made = [video(me, "waves").public_id for _ in range(7)][::-1]
    client = browser()
    for address in ("/api/people/asha/videos", "/api/channels/waves/videos", "/api/search?q=clip"):
        Video.objects.update(words="clip")
        found: list[str] = []
        cursor = ""
        while True:
            sign = "&" if "?" in address else "?"
            page = client.get(f"{address}{sign}n=3&cursor={cursor}").json()
            found += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert found == made, address
    assert client.get("/api/people/asha/videos?cursor=x'").status_code == 400
    assert client.get("/api/people/asha/videos?n=0").status_code == 422
    assert client.get("/api/people/nobody/videos").status_code == 404
    assert client.get("/api/channels/nowhere/videos").status_code == 404


def test_search_in_many_scripts() -> None:
    asha = person("asha.k", name="आशा कुमारी")
    words = ["Monsoon in Kochi", "बारिश की बूँदें", "மழைக்காலம்", "বৃষ্টি", "بارش", "100% _rain_"]
    ids = [video(asha).public_id for _ in words]
    client = browser(asha)
    for public_id, text in zip(ids, words, strict=True):
        body = {"caption": text, "tags": ["mela"]}
        client.patch(f"/api/videos/{public_id}", body, "application/json")

    def found(q: str) -> list[str]:
        answer = browser().get("/api/search", {"q": q})
        return [item["caption"] for item in answer.json()["items"]]

    assert found("MONSOON kochi") == ["Monsoon in Kochi"]
    assert found("बूँदें") == ["बारिश की बूँदें"]
    assert found("மழை") == ["மழைக்காலம்"]
    assert found("বৃষ্টি") == ["বৃষ্টি"]
    assert found("بارش") == ["بارش"]
    assert found("100%") == found("_rain") == ["100% _rain_"]
    assert len(found("#mela")) == len(found("@asha")) == len(found("आशा")) == 6
    for nothing in ("", "   ", "%", "zebra", "mela zebra", "#", "\x07"):
        expected = ["100% _rain_"] if nothing == "%" else []
        assert found(nothing) == expected, repr(nothing)
    assert browser().get("/api/search").status_code == 422
    assert browser().get("/api/search", {"q": "x" * 201}).status_code == 422


@pytest.mark.parametrize(
    "odd", ["%00", "%ED%A0%80", "a%00b", "..", "%2e%2e", "x" * 300, "'", "%0a"]
)
def test_odd_texts_in_addresses_are_not_there(odd: str) -> None:
    me = person()
    client = browser(me)
    for address in ("/api/videos/{}", "/media/{}/720.mp4", "/api/channels/{}/videos"):
        assert client.get(address.format(odd)).status_code == 404, address
    profile = f"/@{me.handle}?cursor={odd}"
    assert client.get(profile).status_code == (400 if "%00" in odd else 404)
    tus = {"Tus-Resumable": "1.0.0"}
    assert client.head(f"/api/uploads/{odd}", headers=tus).status_code == 404
    for address in ("/api/tags?prefix={}", "/api/search?q={}"):
        answer = client.get(address.format(odd[:60]))
        if "%00" in odd:
            assert answer.status_code == 400  # by the site, for every query
        else:
            assert answer.json()["items"] == []


def test_tags_complete() -> None:
    me = person()
    for tags in (["mela", "rain"], ["mela"], ["metro"]):
        made = video(me)
        browser(me).patch(f"/api/videos/{made.public_id}", {"tags": tags}, "application/json")
    client = browser()
    items = client.get("/api/tags?prefix=%23ME").json()["items"]
    assert items == [{"tag": "mela", "videos": 2}, {"tag": "metro", "videos": 1}]
    assert client.get("/api/tags?prefix=%25").json()["items"] == []


def test_the_studio_shows_everything_of_mine_and_nothing_else() -> None:
    me = person()
    states = ["received", "checking", "preparing", "playable", "complete", "failed"]
    for state in states:
        video(me, state=state, failure="damaged" if state == "failed" else "", full_watches=3)
    video(me, visibility="private")
    video(me, withdrawn_at="2026-01-01T00:00:00Z", withdrawn_reason="Shows a number plate.")
    video(person())
    items = browser(me).get("/api/me/videos").json()["items"]
    assert [item["state"] for item in items][::-1] == [*states, "complete", "complete"]
    assert items[0]["withdrawn"] == "Shows a number plate."
    failed = next(item for item in items if item["state"] == "failed")
    assert failed["retry"] is True
    assert failed["failure"]["text"]
    assert {item["full_watches"] for item in items} == {0, 3}
    hindi = browser(me).get("/api/me/videos", headers={"Accept-Language": "hi"})
    assert hindi.status_code == 200
    assert browser().get("/api/me/videos").status_code == 401


def test_a_card_says_what_the_document_says() -> None:
    for struct, schema in ((Card, schemas.VideoCard), (StudioCard, schemas.StudioVideo)):
        assert set(struct.__struct_fields__) == set(schema.model_fields)
    me = person()
    made = video(me, "waves", caption="<b>")
    shown = browser(me).get(f"/api/videos/{made.public_id}").json()
    schemas.StudioVideo.model_validate(shown)
    schemas.VideoCard.model_validate(browser().get(f"/api/videos/{made.public_id}").json())
    assert shown["created"].endswith("Z")


def test_cards_take_one_query_and_agree_with_the_plain_one() -> None:
    author, me = person(), person()
    Follow.objects.create(follower=me, followed=author)
    made = [video(author, "waves").pk for _ in range(30)]
    hidden = video(author, visibility="private").pk
    for viewer in (Viewer.member(me), Viewer("g" + "0" * 32), Viewer.member(author)):
        for count in (1, 7, 8, 9, 24, 31):
            ids = [*made, hidden][-count:]
            cards(viewer, ids)  # prepared by now
            with CaptureQueriesContext(
                connection,
            ) as queries:
                found = cards(viewer, ids)
            assert len(queries) == 1
            plain = rows(viewer, visible_videos(viewer).filter(pk__in=ids))
            assert set(found) == {row[0] for row in plain}
            assert (hidden in found) is (viewer.person == author)
    assert all(one.author.following for one in cards(Viewer.member(me), made).values())
    assert cards(Viewer.member(me), []) == {}
    assert cards(Viewer.member(me), [10**12, -5]) == {}


def test_channels_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "channels.json"
    entries = [{"slug": "rain", "name": "Rain", "name_hi": "बारिश", "description_hi": "बूँदें"}]
    file.write_text(json.dumps(entries))
    assert load_channels(file) == 1
    entries[0]["name"] = "Rains"
    file.write_text(json.dumps([*entries, {"slug": "sea", "name": "Sea"}]))
    assert load_channels(file) == 2
    client = browser()
    names = [item["name"] for item in client.get("/api/channels").json()["items"]]
    assert names == ["Rains", "Sea"]
    hindi = client.get("/api/channels", headers={"Accept-Language": "hi"}).json()["items"]
    assert [(one["name"], one["description"]) for one in hindi] == [("बारिश", "बूँदें"), ("Sea", "")]
    for bad in (
        "{", "{}", '[{"slug": "A b", "name": "x"}]', '[{"slug": "x"}]', '[{"slug":"x","name":""}]',
        '[{"slug":"x","name":"X","colour":"red"}]', '[{"slug":"x","name":"X","extra":1}]',
        '[{"slug":"x","name":"X"},{"slug":"x","name":"Y"}]', "\xff",
    ):  # fmt: skip
        file.write_text(bad, "latin-1")
        with pytest.raises(BadChannels, match=r"channels\.json"):
            load_channels(file)
    assert Channel.objects.count() == 2


def test_the_command_loads_channels(tmp_path: Path) -> None:
    from jhalak.videos.commands import channels_cli

    file = tmp_path / "channels.json"
    missing = CliRunner().invoke(channels_cli, ["load", str(file)])
    assert missing.exit_code == 2
    file.write_text('[{"slug": "rain", "name": "Rain"}]')
    done = CliRunner().invoke(channels_cli, ["load", str(file)])
    assert (done.exit_code, done.output) == (0, "1 channels loaded.\n")


def test_the_demo_channels_are_a_good_file() -> None:
    import jhalak.demo

    file = Path(jhalak.demo.__file__).with_name("channels.json")
    assert load_channels(file) == 12


def test_details_survive_the_way_through_a_row() -> None:
    from jhalak.videos.words import Details

    given = Details(caption="x", tags=["a"], channel="waves")
    assert msgspec.convert(msgspec.to_builtins(given), Details) == given
