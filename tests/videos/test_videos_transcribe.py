"""Captions that a machine hears: when the job is queued, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jhalak import records
from jhalak.media import speech
from jhalak.options import override
from jhalak.records.models import Job, Priority
from jhalak.videos.captions import do_put_captions
from jhalak.videos.keys import work_folder
from jhalak.videos.models import Caption, Rendition, Video
from jhalak.videos.states import CaptionSource
from jhalak.videos.sweeping import sweep_work
from jhalak.videos.tasks import TRANSCRIBE
from tests.factories import browser, person, video
from tests.media.making import clip
from tests.videos.tools import FakeMedia, faked, run_jobs, upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("rest", [0, 1])
def test_a_complete_video_is_heard_only_where_there_is_a_model(rest: int) -> None:
    me = person()
    with faked(FakeMedia(rest=rest)):
        upload(browser(me))
        run_jobs("videos.process")
        run_jobs("videos.ladder")
        assert not Job.objects.filter(kind=TRANSCRIBE).exists()
        with override(speech_model="somewhere"):
            heard = upload(browser(me))
            run_jobs("videos.process")
            assert Job.objects.filter(kind=TRANSCRIBE).exists() is (rest == 0)
            run_jobs("videos.ladder")
    job = Job.objects.get(kind=TRANSCRIBE)
    assert (job.subject, job.priority) == (heard, Priority.LATER)
    assert set(Video.objects.values_list("state", flat=True)) == {"complete"}
    browser(me).delete(f"/api/videos/{heard}")
    assert Job.objects.get(kind=TRANSCRIBE).state == "cancelled"


def recogniser(words: list[speech.Word] | None) -> Callable[[Path], speech.Recogniser]:
    """In place of a model: it says what it is told to, of sound that really is a clip's."""

    def hear(
        sound: speech.Samples, language: str, tell: Callable[[float], None]
    ) -> speech.Heard | None:
        assert abs(len(sound) - 2 * speech.RATE) < speech.RATE // 4
        tell(1.0)
        return None if words is None else speech.Heard(language or "en", words)

    return lambda folder: hear


def stored(tmp_path: Path, **columns: object) -> Video:
    made = video(person(), **{"duration_ms": 2000, "run": "r", **columns})
    file = clip(tmp_path / "small.mp4", seconds=2.0)
    records.objects().put(Rendition.objects.get(video=made).key, file, content_type="video/mp4")
    records.enqueue(TRANSCRIBE, made.public_id, priority=Priority.LATER)
    return made


def test_its_room_is_not_swept_under_it() -> None:
    made = video(person(), run="r")
    room = work_folder() / f"{made.public_id}.r"
    room.mkdir(parents=True)
    records.enqueue(TRANSCRIBE, made.public_id, priority=Priority.LATER)
    sweep_work()
    assert room.is_dir()
    Job.objects.all().delete()
    sweep_work()
    assert not room.exists()


@pytest.mark.slow
def test_what_is_heard_is_kept_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [
        speech.Word(100, 400, "बारिश"),
        speech.Word(400, 900, "आई।"),
        speech.Word(2100, 2500, "x"),
    ]
    monkeypatch.setattr(speech, "whisper", recogniser(words))
    made = stored(tmp_path, language="hi")
    with override(speech_model="somewhere"):
        assert run_jobs(TRANSCRIBE) == [(TRANSCRIBE, "done")]
    (track,) = browser().get(f"/api/videos/{made.public_id}").json()["captions"]
    assert track["label"] == "हिन्दी (automatic)"
    served = browser().get(track["src"]).content.decode()
    assert served == "WEBVTT\n\n00:00:00.100 --> 00:00:00.900\nबारिश आई।\n"
    assert browser().get("/api/search?q=बारिश").json()["items"][0]["id"] == made.public_id


@pytest.mark.slow
@pytest.mark.parametrize("words", [None, [speech.Word(100, 400, "  ")]])
def test_nothing_heard_is_no_captions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[speech.Word] | None
) -> None:
    monkeypatch.setattr(speech, "whisper", recogniser(words))
    stored(tmp_path)
    with override(speech_model="somewhere"):
        assert run_jobs(TRANSCRIBE) == [(TRANSCRIBE, "done")]
    assert not Caption.objects.exists()


@pytest.mark.slow
def test_the_author_s_own_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "whisper", recogniser([speech.Word(100, 400, "heard")]))
    made = stored(tmp_path)
    own = [speech.Cue(0, 500, "written")]
    do_put_captions(made.author, made, "en", own, CaptionSource.EDITED)
    with override(speech_model="somewhere"):
        assert run_jobs(TRANSCRIBE) == [(TRANSCRIBE, "done")]
    assert "written" in Caption.objects.get().text


@pytest.mark.slow
def test_a_model_that_is_not_there_is_told_to_the_operator(tmp_path: Path) -> None:
    stored(tmp_path)
    with override(speech_model=str(tmp_path)):
        assert run_jobs(TRANSCRIBE) == [(TRANSCRIBE, "failed")]
    assert not Caption.objects.exists()
