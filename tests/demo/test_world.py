"""The builder: every clip once, resumed where it was cut off, one's own folder too."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Event

import pytest

from jhalak.demo import catalogue, manifest, people, world
from jhalak.demo.catalogue import Clip
from jhalak.demo.client import Refused
from jhalak.demo.progress import Progress
from jhalak.demo.world import World

from .platform_double import Platform


def _paint(
    clip: Clip, folder: Path, *, seconds: float | None = None, stop: Event | None = None
) -> Path:
    file = folder / clip.filename
    file.write_bytes(clip.key.encode() * 1000)
    return file


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips that cost nothing: four of them."""
    some = catalogue.clips()[:4]
    monkeypatch.setattr(catalogue, "clips", lambda: some)
    monkeypatch.setattr(catalogue, "render", _paint)


def _build(platform: Platform, data: Path) -> tuple[World, str]:
    out = io.StringIO()
    one = World(platform.url, data)
    one.progress = Progress(out=out)
    one.build()
    assert one.settle(5) == 0
    one.close()
    return one, out.getvalue()


@pytest.mark.usefixtures("quick")
def test_a_world_is_built_once_and_a_second_start_finds_it(
    platform: Platform, tmp_path: Path
) -> None:
    one, said = _build(platform, tmp_path)
    clips = catalogue.clips()
    assert [u.meta["caption"] for u in platform.uploads.values()] == [c.caption for c in clips]
    assert {u.owner for u in platform.uploads.values()} == {c.creator for c in clips}
    assert platform.profiles[clips[0].creator]["bio"]
    assert platform.pictures[clips[0].creator].startswith(b"\x89PNG")
    assert "The first clip is ready after" in said
    assert f"/v/{one.manifest.clips[clips[0].key].video}" in said
    assert not (tmp_path / "demo-scratch").exists()

    before = len(platform.requests)
    _again, said = _build(platform, tmp_path)
    assert len(platform.uploads) == 4
    sent = [r for r in platform.requests[before:] if r[0] in ("PATCH", "PUT")]
    assert sent == []
    assert platform.people[clips[0].creator] == one.manifest.password


@pytest.mark.usefixtures("quick")
def test_an_upload_that_was_cut_off_goes_on_and_an_expired_one_begins_anew(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = catalogue.clips()[0]
    real = world.tus.send

    def cut(*_args: object, **_more: object) -> None:
        raise Refused(503, "down", "the server went away")

    monkeypatch.setattr(world.tus, "send", cut)
    one = World(platform.url, tmp_path, quiet=True)
    with pytest.raises(Refused):
        one.build()
    one.close()
    kept = manifest.load(tmp_path).clips[clip.key]
    assert (kept.upload, kept.sent) == ("/api/uploads/u1", False)
    platform.uploads["u1"].data = (clip.key.encode() * 1000)[:700]

    monkeypatch.setattr(world.tus, "send", real)
    _build(platform, tmp_path)
    assert len(platform.uploads) == 4
    assert platform.uploads["u1"].data == clip.key.encode() * 1000

    found = manifest.load(tmp_path)
    found.clips[clip.key].sent = False
    found.clips[clip.key].upload = "/api/uploads/expired"
    manifest.save(tmp_path, found)
    _build(platform, tmp_path)
    assert len(platform.uploads) == 5


def test_ones_own_folder_goes_up_once_by_its_content(platform: Platform, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "first_day.mp4").write_bytes(b"one" * 300)
    (mine / "copy of it.MP4").write_bytes(b"one" * 300)
    (mine / "second.webm").write_bytes(b"two" * 300)
    (mine / "notes.txt").write_text("no video")
    for _ in range(2):
        one = World(platform.url, tmp_path / "data", quiet=True)
        one.add_folder(mine)
        one.close()
    sent = {u.meta["filename"]: u for u in platform.uploads.values()}
    assert len(platform.uploads) == 2
    assert sent["second.webm"].meta["filetype"] == "video/webm"
    assert {u.owner for u in sent.values()} == {"creator"}


def test_what_goes_wrong_is_said_and_ends_with_1(
    platform: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "nowhere")
    given = ["--url", platform.url, "--data", str(tmp_path), "--clips", missing]
    assert world.main(given) == 1
    shown = capsys.readouterr()
    assert "there is no such folder" in shown.err
    password = manifest.load(tmp_path).password
    assert password in shown.out
    for staff in people.STAFF:
        assert staff.handle in shown.out


def test_failures_are_named(platform: Platform, tmp_path: Path) -> None:
    platform.state = "failed"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "broken.mp4").write_bytes(b"no video at all")
    out = io.StringIO()
    one = World(platform.url, tmp_path / "data")
    one.progress = Progress(out=out)
    one.add_folder(mine)
    assert one.settle(5) == 0
    assert "broken: it could not be used; see the studio." in out.getvalue()
    one.close()
    again = World(platform.url, tmp_path / "data", quiet=True)
    assert again.manifest.clips.popitem()[1].last == "failed"
