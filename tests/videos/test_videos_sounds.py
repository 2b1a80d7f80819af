"""Sounds: which video gives one, which one it is, who may take it, and how it ends.

The media engine only pretends here; the last test is a real clip with a real sound.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jhalak import media, records
from jhalak.feed.events import Published, decode
from jhalak.people.access import Viewer
from jhalak.people.models import Person
from jhalak.records.models import Job
from jhalak.safety.actions import do_withdraw_video
from jhalak.social.ties import do_block
from jhalak.videos.actions import do_announce
from jhalak.videos.cards import SoundCard, cards
from jhalak.videos.keys import work_folder
from jhalak.videos.models import Sound, SoundWord, Upload, Video
from jhalak.videos.sounds import SOUND, find_sound, lacks_sound
from jhalak.videos.sweeping import sweep, sweep_objects
from tests.factories import browser, fingerprint, person, sound, video
from tests.media.making import clip
from tests.people.threads import at_once, on_a_file
from tests.videos.tools import FakeMedia, create, faked, run_jobs, upload

pytestmark = pytest.mark.django_db(transaction=True)


def made(client: Client, seed: int = 1, **details: str) -> Video:
    """A video of which all jobs are done; `seed`: of what is heard in it."""
    with faked(FakeMedia(rest=0, remux=True)) as engine:
        engine.fingerprint = fingerprint(seed)
        public_id = upload(client, **details)
        run_jobs()
    return Video.objects.get(public_id=public_id)


def page(found: Sound, client: Client | None = None) -> Any:
    return (client or browser()).get(f"/api/sounds/{found.public_id}")


def file(found: Sound, client: Client | None = None) -> Any:
    return (client or browser()).get(f"/media/sounds/{found.public_id}.m4a")


# Which video gives one.


def test_a_public_video_gives_its_sound() -> None:
    first = made(browser(person("asha")))
    found = Sound.objects.get()
    assert (found.origin, first.sound) == (first, found)
    stored = records.objects().head(found.key)
    assert stored is not None
    assert stored.size == len(b"sound of " + fingerprint(1))
    assert not list(work_folder().iterdir())
    card = browser().get(f"/api/videos/{first.public_id}").json()
    assert card["sound"] == {"id": found.public_id, "handle": "asha"}
    told = page(found).json()
    assert told == {
        "id": found.public_id,
        "title": "Original sound · @asha",
        "handle": "asha",
        "videos": 1,
        "duration_ms": 3000,
        "src": f"/media/sounds/{found.public_id}.m4a",
    }
    assert file(found)["X-Accel-Redirect"] == records.objects().internal_path(found.key)
    assert file(found)["Content-Type"] == "audio/mp4"
    listed = browser().get(f"/api/sounds/{found.public_id}/videos").json()["items"]
    assert [one["id"] for one in listed] == [first.public_id]


def test_the_feed_is_told() -> None:
    first = made(browser(person()))
    records.relay()
    events = [decode(one.body) for one in records.events().read(0)]
    told = [one.sound for one in events if isinstance(one, Published) and one.video == first.pk]
    assert told[0] == 0
    assert told[-1] == first.sound_id


@pytest.mark.parametrize("visibility", ["private", "followers"])
def test_what_is_not_open_to_all_gives_none_until_it_is(visibility: str) -> None:
    client = browser(person())
    first = made(client, visibility=visibility)
    assert not Sound.objects.exists()
    assert not Job.objects.filter(kind=SOUND).exists()
    with faked(FakeMedia()) as engine:
        engine.fingerprint = fingerprint(1)
        client.patch(f"/api/videos/{first.public_id}", {"visibility": "public"}, "application/json")
        assert ("videos.sound", "done") in run_jobs()
    assert Sound.objects.get().origin == first


def test_a_closed_account_gives_none_until_it_opens() -> None:
    me = person(private=True)
    first = made(browser(me))
    assert not Sound.objects.exists()
    Person.objects.filter(pk=me.pk).update(private=False)
    with faked(FakeMedia()) as engine:
        engine.fingerprint = fingerprint(1)
        do_announce(me)
        run_jobs()
    assert Sound.objects.get().origin == first


def test_one_that_is_closed_before_its_turn_gives_none() -> None:
    client = browser(person())
    with faked(FakeMedia(rest=0)) as engine:
        engine.fingerprint = fingerprint(1)
        public_id = upload(client)
        run_jobs("videos.process")
        client.patch(f"/api/videos/{public_id}", {"visibility": "private"}, "application/json")
        assert ("videos.sound", "done") in run_jobs()
    assert not Sound.objects.exists()


def test_silence_gives_none() -> None:
    with faked(FakeMedia(rest=0)):
        public_id = upload(browser(person()))
        run_jobs()
    assert browser().get(f"/api/videos/{public_id}").json()["sound"] is None


def test_its_job_goes_with_the_video() -> None:
    client = browser(person())
    with faked(FakeMedia(rest=0)):
        public_id = upload(client)
        run_jobs("videos.process")
        client.delete(f"/api/videos/{public_id}")
        assert Job.objects.get(kind=SOUND).state == "cancelled"


# Which one it is.


def test_the_same_sound_is_one() -> None:
    first, again = made(browser(person("asha")), 1), made(browser(person()), 1)
    other = made(browser(person()), 2)
    assert first.sound == again.sound
    assert other.sound != first.sound
    assert Sound.objects.count() == 2
    assert page(first.sound).json()["videos"] == 2  # type: ignore[arg-type]
    keys = {one.key for one in records.objects().list("videos/") if "sound" in one.key}
    assert keys == set(Sound.objects.values_list("key", flat=True))  # it has one file


def test_what_two_bring_at_once_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pair = [video(person(), run=f"r{n}") for n in range(4)]
    for one in pair:
        key = one.renditions.get().key
        records.objects().put(key, Path(__file__), content_type="video/mp4")
        records.enqueue(SOUND, one.public_id)
    on_a_file(monkeypatch, tmp_path)

    def work(one: Video) -> None:
        from jhalak.videos.tasks import sound as task

        task(Job.objects.get(subject=one.public_id, kind=SOUND), lambda share: None)

    with faked(FakeMedia()) as engine:
        engine.fingerprint = fingerprint(1)
        ended = at_once([lambda one=one: work(one) for one in pair])  # type: ignore[misc]
    assert ended == [None] * 4

    def look() -> tuple[int, int, int]:
        having = Video.objects.filter(sound=Sound.objects.get()).count()
        return Sound.objects.count(), having, SoundWord.objects.count()

    assert at_once([look]) == [(1, 4, 32)]
    assert len([one for one in records.objects().list("videos/") if "sound" in one.key]) == 1


def test_one_is_found_among_many_by_its_words(django_assert_max_num_queries: Any) -> None:
    author = person()
    known = [sound(video(author)) for _ in range(30)]
    worn = bytearray(known[7].fingerprint)
    worn[::40] = bytes(b ^ 1 for b in worn[::40])
    with django_assert_max_num_queries(33):
        assert find_sound(bytes(worn)) == known[7]
    assert find_sound(fingerprint(10**6)) is None
    assert find_sound(known[7].fingerprint, after=known[7].pk) is None
    assert find_sound(b"\x07\0\0\0" * 100) is None  # a steady tone is like all others


# Who may take it.


def given(details: str, client: Client) -> Any:
    return create(client, 1000, sound=details)


def test_it_replaces_the_clip_s_own() -> None:
    taken = made(browser(person("asha"))).sound
    assert taken is not None
    mine = browser(person("mira"))
    with faked(FakeMedia()) as engine:
        engine.fingerprint = fingerprint(2)
        public_id = upload(mine, sound=taken.public_id)
        run_jobs()
    assert engine.heard == [b"sound of " + fingerprint(1)] * 2  # in each rendition
    used = Video.objects.get(public_id=public_id)
    assert used.sound == taken
    assert Sound.objects.count() == 1  # its own was never heard
    assert browser().get(f"/api/videos/{public_id}").json()["sound"]["handle"] == "asha"
    assert page(taken).json()["videos"] == 2


@pytest.mark.parametrize("name", ["A" * 12, "x", "\x00", "../../etc/passwd", "é" * 12])
def test_one_that_is_not_there_is_refused_before_a_byte(name: str) -> None:
    answer = given(name, browser(person()))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "no_such_sound"
    assert answer.json()["error"]["field"] == "sound"
    assert not Upload.objects.exists()


CLOSED = {
    "private": {"visibility": "private"},
    "followers": {"visibility": "followers"},
    "withdrawn": {"withdrawn_at": timezone.now()},
    "failed": {"state": "failed"},
}


@pytest.mark.parametrize("how", [*CLOSED, "deleted", "account", "suspended", "blocked", "blocks"])
def test_a_sound_is_open_while_its_video_is(how: str) -> None:
    """Closed, it cannot be heard by itself or taken; what has it keeps it."""
    author, me = person("asha"), person("mira")
    first = made(browser(author))
    taken, client = first.sound, browser(me)
    assert taken is not None
    used = made(client, 2, sound=taken.public_id)
    assert file(taken, client).status_code == 200
    match how:
        case "deleted":
            assert browser(author).delete(f"/api/videos/{first.public_id}").status_code == 204
        case "account":
            Person.objects.filter(pk=author.pk).update(private=True)
        case "suspended":
            Person.objects.filter(pk=author.pk).update(suspended_at=timezone.now())
        case "blocked":
            do_block(author, me)
        case "blocks":
            do_block(me, author)
        case _:
            Video.objects.filter(pk=first.pk).update(**CLOSED[how])
    assert given(taken.public_id, client).status_code == 422
    assert file(taken, client).status_code == 404
    told = page(taken, client).json()
    assert (told["title"], told["handle"], told["src"]) == ("Original sound", "", "")
    assert told["videos"] == 1
    listed = client.get(f"/api/sounds/{taken.public_id}/videos").json()["items"]
    assert [one["id"] for one in listed] == [used.public_id]
    run_jobs()
    sweep()
    sweep_objects()
    for path in (f"/api/videos/{used.public_id}", "/api/people/mira/videos"):
        answer = client.get(path).json()
        card = answer["items"][0] if "items" in answer else answer
        assert card["sound"] == {"id": taken.public_id, "handle": ""}
    for who in (me, person(), me):  # one prepared query for all three
        shown = cards(Viewer.member(who), [used.pk])[used.pk].sound
        blocked = how in ("blocked", "blocks")
        assert shown == SoundCard(taken.public_id, "asha" if blocked and who is not me else "")
    plain = client.get(f"/v/{used.public_id}").content.decode()
    assert "asha" not in plain
    assert f'<a href="/s/{taken.public_id}">' in plain
    # A block stands between two: others still read the name.
    others = browser().get(f"/api/videos/{used.public_id}").json()
    assert others["sound"]["handle"] == ("asha" if how in ("blocked", "blocks") else "")
    assert browser().get(f"/s/{taken.public_id}").status_code == 200
    assert client.get(f"/upload?sound={taken.public_id}").status_code == 200


def test_what_waits_to_be_made_with_a_sound_that_is_gone_fails_in_words() -> None:
    author, mine = browser(person()), browser(person())
    first = made(author)
    with faked(FakeMedia()) as engine:
        engine.fingerprint = fingerprint(2)
        before = upload(mine, sound=first.sound.public_id)  # type: ignore[union-attr]
        author.delete(f"/api/videos/{first.public_id}")
        run_jobs()
        assert engine.heard == []
    shown = mine.get(f"/api/videos/{before}").json()
    assert shown["state"] == "failed"
    assert shown["failure"]["code"] == "sound_gone"
    assert "with another" in shown["failure"]["text"]


def test_a_sound_that_closes_while_the_bytes_travel_is_not_replaced_by_the_clip_s_own() -> None:
    from tests.videos.tools import patch

    author, mine = browser(person()), browser(person())
    first = made(author)
    where = given(first.sound.public_id, mine)["Location"]  # type: ignore[union-attr]
    author.delete(f"/api/videos/{first.public_id}")
    public_id = patch(mine, where, 0, b"x" * 1000)["Jhalak-Video"]
    with faked(FakeMedia()):
        run_jobs()
    assert mine.get(f"/api/videos/{public_id}").json()["failure"]["code"] == "sound_gone"


def test_an_upload_from_before_there_were_sounds_is_finished() -> None:
    from tests.videos.tools import patch

    mine = browser(person())
    where = create(mine, 1000)["Location"]
    upload_row = Upload.objects.get()
    del upload_row.details["sound"]
    upload_row.save()
    assert patch(mine, where, 0, b"x" * 1000).status_code == 204
    assert not Video.objects.get().borrowed


# How it ends.


def test_it_goes_when_no_video_has_it() -> None:
    client = browser(person())
    first = made(client)
    key = Sound.objects.get().key
    sweep()
    assert records.objects().head(key) is not None
    client.delete(f"/api/videos/{first.public_id}")
    run_jobs()
    assert records.objects().head(key) is None
    sweep()
    assert not Sound.objects.exists()
    assert not SoundWord.objects.exists()


def test_it_comes_back_with_the_next_that_brings_it() -> None:
    author = browser(person("asha"))
    first = made(author)
    keeps = made(browser(person()), 2, sound=first.sound.public_id)  # type: ignore[union-attr]
    author.delete(f"/api/videos/{first.public_id}")
    run_jobs()
    sweep()
    again = made(browser(person("mira")), 1)
    assert again.sound_id == keeps.sound_id
    found = Sound.objects.get()
    assert (found.origin, found.words.count()) == (again, 32)
    assert page(found).json()["title"] == "Original sound · @mira"
    assert records.objects().head(found.key) is not None


def test_withdrawn_by_a_moderator_it_is_closed_and_others_stay() -> None:
    first = made(browser(person()))
    used = made(browser(person()), 2, sound=first.sound.public_id)  # type: ignore[union-attr]
    do_withdraw_video(person(role="moderator"), first, "Not theirs.")
    assert file(first.sound).status_code == 404  # type: ignore[arg-type]
    assert browser().get(f"/api/videos/{used.public_id}").status_code == 200
    again = Video.objects.select_related("author").get(pk=first.pk)
    again.sound = None
    assert not lacks_sound(again)


@pytest.mark.slow
def test_a_real_clip_takes_a_real_sound(tmp_path: Path) -> None:
    """From one upload to another: what is heard in the second is what was heard in the first."""
    from tests.media.making import bare

    loud = tmp_path / "loud.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=192x320:r=30:d=4")
    heard = ("-f", "lavfi", "-i", "sine=f=1500:r=48000:d=4")
    bare(*picture, *heard, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", str(loud))
    first = upload(browser(person()), loud.read_bytes())
    assert ("videos.sound", "done") in run_jobs()
    taken = Video.objects.get(public_id=first).sound
    assert taken is not None
    own = clip(tmp_path / "own.mp4", seconds=3)  # 440 Hz
    second = upload(browser(person()), own.read_bytes(), sound=taken.public_id)
    run_jobs()
    served = tmp_path / "served.mp4"
    key = Video.objects.get(public_id=second).renditions.get().key
    with records.objects().open(key) as stored:
        served.write_bytes(stored.read())
    import numpy as np

    samples = media.speech.sound_of(served)
    assert samples is not None
    spectrum = np.abs(np.fft.rfft(samples[: 2 * media.speech.RATE]))
    assert abs(int(spectrum.argmax()) / 2 - 1500) < 10
