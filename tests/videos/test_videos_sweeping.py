"""The sweep over rows and objects in random states, on a folder and on a bucket: what a row names
stays, what is young stays, what is nobody's goes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jhalak import records
from jhalak.options import override
from jhalak.people import pictures
from jhalak.records.models import Job
from jhalak.records.opened import OWNER
from jhalak.records.states import JobState
from jhalak.videos import sweeping
from jhalak.videos.keys import original_key, run_prefix
from jhalak.videos.models import Piece, Rendition, Upload, Video
from jhalak.videos.states import State
from jhalak.videos.uploading import new_upload_id
from tests.factories import person
from tests.seaweed import Seaweed, running

pytestmark = pytest.mark.django_db
TYPE = "video/mp4"


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with running(tmp_path_factory.mktemp("weed")) as started:
        yield started


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def _store(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "folder":
        yield
        return
    weed: Seaweed = request.getfixturevalue("weed")
    with override(objects_url=weed.url("swept")):
        records.objects().put("ready", b"", content_type=TYPE)
        records.objects().delete(*(found.key for found in records.objects().list()))
        yield


def stored() -> set[str]:
    return {found.key for found in records.objects().list()} - {OWNER}


class Chaos:
    """Rows and objects that crashes, deletions and other hands could have left. `kept`: named by a
    row, or of a run that is being made; `orphans`: neither. Half of what is named is not there.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kept: set[str] = set()
        self.orphans: set[str] = set()
        self.author = person()
        for _ in range(6):
            self._video()
        for _ in range(3):
            self._upload()
        for number in range(4):
            self._put(self.orphans, original_key(new_upload_id()))
            self._put(self.orphans, f"videos/nobodys{seed}-{number}/run/540.mp4")

    def _put(self, into: set[str], key: str) -> str:
        if into is self.orphans or self.random.random() < 0.7:
            records.objects().put(key, key.encode(), content_type=TYPE)
            into.add(key)
        return key

    def _video(self) -> None:
        chance = self.random.random
        upload_id = new_upload_id()
        video = Video.objects.create(
            author=self.author,
            upload_id=upload_id,
            visibility="public",
            state=self.random.choice(list(State)),
            run=f"{self.random.getrandbits(64):016x}" if chance() < 0.8 else "",
            source_key=self._put(self.kept, original_key(upload_id)),
            source_size=1,
        )
        of_run, of_dead = run_prefix(video), f"videos/{video.public_id}/dead/"
        self._made(video, [of_run, of_dead] if video.run else [of_dead])
        live = chance() < 0.5
        if live or chance() < 0.5:
            kind = self.random.choice(["videos.process", "videos.ladder"])
            records.enqueue(kind, video.public_id)
            if not live:
                Job.objects.filter(subject=video.public_id).update(state=JobState.FAILED)
        if video.run:
            self._put(self.kept if live else self.orphans, f"{of_run}unnamed.mp4")
        self._put(self.orphans, f"{of_dead}unnamed.mp4")
        if chance() < 0.2:  # deleted: everything of it is nobody's, the original too
            gone = {key for key in self.kept if video.public_id in key or upload_id in key}
            self.kept -= gone
            self.orphans |= gone
            video.delete()

    def _made(self, video: Video, prefixes: list[str]) -> None:
        """Renditions, pieces and posters, of this run and of dead ones."""
        chance = self.random.random
        for prefix in prefixes:
            for name in ("540", "720"):
                if chance() < 0.3:
                    self._rendition(video, f"{prefix}{name}.mp4", name)
            for number in range(3):
                if chance() < 0.3 and not video.pieces.filter(number=number).exists():
                    key = self._put(self.kept, f"{prefix}piece-{number}.m4s")
                    Piece.objects.create(video=video, number=number, key=key, duration_ms=1)
        if chance() < 0.5:
            base = f"{self.random.choice(prefixes)}poster"
            Video.objects.filter(pk=video.pk).update(poster_base=base)
            for end in (".webp", ".jpg"):
                self._put(self.kept, base + end)

    def _rendition(self, video: Video, key: str, name: str) -> None:
        if video.renditions.filter(name=name).exists():
            return
        self._put(self.kept, key)
        Rendition.objects.create(
            video=video, name=name, key=key, width=1, height=1, bitrate_bps=1, average_bps=1,
            frame_rate=30.0, codecs="avc1", size=1, init_size=1, fragments=[],
        )  # fmt: skip

    def _upload(self) -> None:
        """Whole, its original put already, its video not made yet."""
        upload = Upload.objects.create(
            id=new_upload_id(),
            owner=self.author,
            size=1,
            offset=1,
            details={},
            expires="2100-01-01T00:00:00Z",
        )
        self._put(self.kept, original_key(upload.pk))


@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize("seed", range(6))
def test_what_a_row_names_stays_and_what_is_nobodys_goes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chaos = Chaos(seed)
    assert chaos.kept
    assert chaos.orphans
    assert stored() == chaos.kept | chaos.orphans
    sweeping.sweep_objects()
    assert stored() == chaos.kept | chaos.orphans  # all of it is young
    monkeypatch.setattr(sweeping, "GRACE_S", -5.0)  # a bucket's clock knows whole seconds
    sweeping.sweep_objects()
    assert stored() == chaos.kept


@pytest.mark.slow
def test_a_bucket_of_another_installation_is_not_emptied(
    weed: Seaweed, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(sweeping, "GRACE_S", -5.0)
    monkeypatch.setattr(pictures, "ORPHAN_AGE", timedelta(seconds=-5))
    with override(objects_url=weed.url("theirs")):
        sweeping.sweep_objects()  # the first: from now on it is ours
        keys = ["videos/a/b/540.mp4", "originals/" + "0" * 32, "people/1/x.webp"]
        for key in keys:
            records.objects().put(key, b"x", content_type=TYPE)
        ours, settings.SECRET_KEY = settings.SECRET_KEY, "of another installation"
        sweeping.sweep_objects()
        assert pictures.sweep() == 0
        assert stored() == set(keys)
        settings.SECRET_KEY = ours
        sweeping.sweep_objects()
        assert pictures.sweep() == 1
        assert stored() == set()
