"""Captions over HTTP: who writes and fetches them, what is taken, search by what is said."""

from __future__ import annotations

from typing import Any

import pytest

from jhalak.people.models import Person
from jhalak.records.models import AuditEntry
from jhalak.videos import captions
from jhalak.videos.models import Caption, Video
from jhalak.videos.states import CaptionSource
from jhalak.videos.words import LANGUAGES
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db

FILE = "WEBVTT\n\n00:01.000 --> 00:02.500\nपानी गिर रहा है <script>\n"
CUE = {"start_ms": 1000, "end_ms": 2500, "text": "पानी गिर रहा है <script>"}
FAR = {"start_ms": 2**70, "end_ms": 2**71}


def path(made: Video, language: str = "hi") -> str:
    return f"/api/videos/{made.public_id}/captions/{language}"


def put(who: Person | None, made: Video, body: Any, kind: str = "", language: str = "hi") -> Any:
    kind = kind or ("text/vtt" if isinstance(body, (str, bytes)) else "application/json")
    return browser(who).put(path(made, language), body, kind)


def tracks(made: Video, who: Person | None = None) -> list[dict[str, str]]:
    return browser(who).get(f"/api/videos/{made.public_id}").json()["captions"]


def test_a_file_becomes_captions_that_everybody_sees() -> None:
    me = person()
    made = video(me)
    assert tracks(made) == []
    answer = put(me, made, FILE, "text/vtt; charset=utf-8")
    assert answer.status_code == 200
    assert answer.json() == {
        "language": "hi", "label": "हिन्दी", "source": "uploaded", "cues": [CUE]
    }  # fmt: skip
    assert browser().get(path(made)).json() == answer.json()
    (track,) = tracks(made)
    assert (track["language"], track["label"]) == ("hi", "हिन्दी")
    served = browser().get(track["src"])
    assert served["Content-Type"] == "text/vtt; charset=utf-8"
    assert served["X-Content-Type-Options"] == "nosniff"
    assert served["Cache-Control"] == "private, max-age=300"
    assert served.content.decode() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nपानी गिर रहा है &lt;script&gt;\n"
    )
    feed = browser().get("/api/feed?n=1").json()["items"]
    assert feed[0]["captions"] == [track]
    page = browser().get(f"/v/{made.public_id}").content.decode()
    assert f'<track kind="captions" src="{track["src"]}" srclang="hi" label="हिन्दी">' in page
    entry = AuditEntry.objects.get(action="captions.put")
    assert entry.object == f"video:{made.public_id}"


def test_edited_captions_take_their_place_under_a_new_address() -> None:
    me = person()
    made = video(me)
    put(me, made, FILE)
    put(me, made, FILE, language="ta")
    before = tracks(made)
    answer = put(me, made, {"cues": [CUE | {"text": "बारिश\u202e\n\nहो रही है\x00"}]})
    assert answer.json()["source"] == "edited"
    assert answer.json()["cues"][0]["text"] == "बारिश\nहो रही है"
    after = tracks(made)
    assert [one["language"] for one in after] == ["hi", "ta"]
    assert after[0]["src"] != before[0]["src"]
    assert after[1] == before[1]
    assert Caption.objects.count() == 2


def test_subrip_is_taken() -> None:
    me = person()
    made = video(me)
    answer = put(me, made, "1\n00:00:01,000 --> 00:00:02,500\n<i>Hi</i>\n", "application/x-subrip")
    assert answer.json()["cues"] == [CUE | {"text": "Hi"}]


def test_deleting() -> None:
    me = person()
    made = video(me)
    put(me, made, FILE)
    (track,) = tracks(made)
    assert browser(me).delete(path(made)).status_code == 204
    assert tracks(made) == []
    assert browser(me).get(track["src"]).status_code == 404
    assert browser(me).get(path(made)).status_code == 404
    assert browser(me).delete(path(made)).status_code == 404
    assert AuditEntry.objects.filter(action="captions.delete").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("", 422, "captions_not_captions", "cues"),
        (b"\xff\xff", 422, "captions_not_text", "cues"),
        ("WEBVTT\n\n1 --> 2\nx", 422, "captions_bad_time", "cues"),
        ("WEBVTT\n\n00:09.000 --> 00:10.000\nx", 422, "captions_after_the_end", "cues.0"),
        ("x" * (257 << 10), 413, "captions_too_big", None),
        ({"cues": []}, 422, "captions_not_captions", "cues"),
        ({"cues": [CUE, CUE | {"start_ms": 0}]}, 422, "captions_out_of_order", "cues.1"),
        ({"cues": [CUE | {"end_ms": 1000}]}, 422, "captions_backwards", "cues.0"),
        ({"cues": [CUE | {"text": "x" * 501}]}, 422, "captions_too_long", "cues.0"),
        ({"cues": [CUE | {"text": "x" * 50_000}]}, 422, "captions_too_long", "cues.0"),
        ({"cues": [CUE | {"text": "\u202e"}]}, 422, "captions_not_captions", "cues"),
        ({"cues": [CUE | {"text": "x" * (257 << 10)}]}, 413, "captions_too_big", None),
        ({"cues": [CUE | {"start_ms": "1"}]}, 422, "captions_unreadable", "cues"),
        (
            {"cues": [CUE | {"start_ms": 2**70, "end_ms": 2**71}]},
            422,
            "captions_after_the_end",
            "cues.0",
        ),
        ({"cues": [CUE], "more": 1}, 422, "captions_unreadable", "cues"),
        ({"cues": None}, 422, "captions_unreadable", "cues"),
    ],
)
def test_what_is_refused_changes_nothing(
    body: Any, status: int, code: str, field: str | None
) -> None:
    me = person()
    made = video(me)
    put(me, made, FILE)
    before = Caption.objects.get().text
    answer = put(me, made, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("field")) == (status, code, field)
    assert error["message"]
    assert Caption.objects.get().text == before


@pytest.mark.parametrize("language", ["x", "HI", "hindi", "hi%00", "hi%0A", "..", "%2e%2e", "हि"])
def test_what_is_no_language(language: str) -> None:
    me = person()
    made = video(me)
    assert put(me, made, FILE, language=language).status_code in (404, 422)
    assert browser(me).get(path(made, language)).status_code == 404
    assert browser(me).delete(path(made, language)).status_code == 404
    name = f"/media/{made.public_id}/captions-{language}.vtt"
    assert browser(me).get(name).status_code == 404
    assert not Caption.objects.exists()


def test_only_so_many_languages() -> None:
    me = person()
    made = video(me)
    codes = [*LANGUAGES, "fr", "de"]
    answers = [put(me, made, FILE, language=code).status_code for code in codes]
    assert answers == [200] * captions.MOST_LANGUAGES + [422]
    assert put(me, made, FILE, language=codes[0]).status_code == 200


def test_a_clip_that_is_not_looked_at_yet_takes_captions() -> None:
    me = person()
    made = video(me, state="checking", duration_ms=0)
    assert put(me, made, FILE).status_code == 200
    late = "WEBVTT\n\n05:00.000 --> 05:01.000\nx"
    assert put(me, made, late).status_code == 422


def test_only_its_author_writes() -> None:
    made = video(person())
    for who, status in ((None, 401), (person(), 404), (person(role="moderator"), 404)):
        assert put(who, made, FILE).status_code == status
        assert browser(who).delete(path(made)).status_code == status
    assert not Caption.objects.exists()


def test_what_a_machine_heard_gives_way() -> None:
    me = person()
    made = video(me)
    heard = [captions.Cue(0, 500, "heard")]
    captions.do_put_captions(None, made, "hi", heard, CaptionSource.AUTOMATIC)
    assert tracks(made)[0]["label"] == "हिन्दी (automatic)"
    put(me, made, FILE)
    assert tracks(made)[0]["label"] == "हिन्दी"
    captions.do_put_captions(None, made, "hi", heard, CaptionSource.AUTOMATIC)
    assert Caption.objects.get().source == CaptionSource.UPLOADED


def test_a_clip_is_found_by_what_is_said_in_it() -> None:
    me = person()
    said, hidden, silent = video(me), video(me, visibility="private"), video(me)
    Video.objects.update(words="clip")
    for made in (said, hidden):
        put(me, made, FILE)
        put(me, made, "WEBVTT\n\n00:01.000 --> 00:02.000\nIt is RAINING\n", language="en")

    def found(q: str, who: Person | None = None) -> set[str]:
        items = browser(who).get("/api/search", {"q": q}).json()["items"]
        return {item["id"] for item in items}

    assert found("पानी") == found("raining clip") == {said.public_id}
    assert found("पानी raining") == {said.public_id}
    assert found("पानी", me) == {said.public_id, hidden.public_id}
    assert found("clip") == {said.public_id, silent.public_id}
    assert found("snow") == found("पानी snow") == set()
