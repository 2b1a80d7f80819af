"""Kill -9 of worker, ffmpeg and runner in every state of a video, one after another on one site.

What must hold afterwards is the same for all: the video is complete, the pieces that viewers had
are there with the same bytes, no row is without its object and no object without a row, nothing
is there twice, nothing is left half.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.kill.test_kill import grow_old, orphans, playable
from tests.kill.test_runner import Machine, command
from tests.live import Site, clip, eventually, states, upload

pytestmark = pytest.mark.slow

Pieces = dict[str, bytes]


class Moment:
    """What the rows and the store of a site say of one video just now."""

    def __init__(self, site: Site, video: str) -> None:
        (row,) = site.rows(
            f"SELECT state, first_rendition FROM videos_video WHERE public_id = '{video}'"
        )
        self.state, self.first = row
        self.over = self.state in ("complete", "failed")
        self.putting = any(_files(site.data / "objects" / ".new"))


def _files(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from folder.iterdir()


# In the order in which a video passes them. "received" is not looked for: its worker is held still.
MOMENTS: dict[str, Callable[[Moment], bool]] = {
    "checking": lambda now: now.state == "checking",
    "preparing": lambda now: now.state == "preparing",
    "growing": lambda now: now.state == "playable" and not now.first,
    "ladder": lambda now: now.state == "playable" and bool(now.first),
    "keeping": lambda now: now.putting,
}
TRIES = 10  # at one moment
SEALED = ("preparing", "growing", "ladder")  # an ffmpeg is at it


def at(site: Site, video: str, moment: str, strike: Callable[[], object]) -> bool:
    """Strikes at this moment of the video. False: it passed unseen, or there was nobody to kill."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = Moment(site, video)
        if MOMENTS[moment](now) and strike():
            return True
        if now.over:
            return False
        time.sleep(0.001 if moment == "keeping" else 0.01)
    raise AssertionError(f"{moment} of {video} does not end")


def pieces_of(client: httpx.Client, video: str) -> Pieces:
    """What a viewer who began now has in hands, by address."""
    playlist = client.get(f"/media/{video}/growing.m3u8")
    if playlist.status_code != 200:
        return {}
    names = re.findall(r"piece-\d+\.m4s", playlist.text)
    found = {name: client.get(f"/media/{video}/{name}") for name in dict.fromkeys(names)}
    return {name: one.content for name, one in found.items() if one.status_code == 200}


class Struck:
    """The videos of one test, each with the moment in which somebody was killed for it."""

    def __init__(self, site: Site, source: Path) -> None:
        self.site = site
        self.client = site.client("asha")
        self.source = source
        self.videos: dict[str, tuple[str, Pieces]] = {}

    def new(self, moment: str) -> str:
        return upload(self.client, self.source, caption=moment)

    def strike(self, moment: str, kill: Callable[[], object]) -> str:
        """A moment can pass unseen on a busy machine: then the next video is tried."""
        for _ in range(TRIES):
            video = self.new(moment)
            pieces: Pieces = {}

            def act(video: str = video, pieces: Pieces = pieces) -> object:
                pieces.update(pieces_of(self.client, video) if moment == "growing" else {})
                return kill()

            hit = at(self.site, video, moment, act)
            self.videos[video] = (moment, pieces)
            if hit:
                return video
        raise AssertionError(f"{moment} was never seen")

    def check(self) -> None:
        for video, (moment, pieces) in self.videos.items():
            seen = list(states(self.client, video, 90))[-1]
            assert seen == "complete", (moment, self.client.get(f"/api/videos/{video}").json())
            playable(self.site, self.client, video)
            for name, content in pieces.items():
                again = self.client.get(f"/media/{video}/{name}")
                assert (again.status_code, again.content) == (200, content), (moment, name)
        twice = "SELECT video_id FROM {} GROUP BY video_id, {} HAVING count(*) > 1"
        assert not self.site.rows(twice.format("videos_rendition", "name"))
        assert not self.site.rows(twice.format("videos_piece", "number"))
        two = "SELECT v.id FROM videos_video v JOIN videos_rendition r ON r.video_id = v.id"
        ladders = self.site.rows(f"{two} GROUP BY v.id HAVING count(*) > 1")
        assert len(ladders) == len(self.videos), "each has its finer versions"
        grow_old(self.site.data / "objects")
        self.site.change("UPDATE records_job SET run_after = created WHERE kind = 'videos.prune'")
        eventually(lambda: not self.site.rows("SELECT 1 FROM videos_piece"), 60, "no pieces")
        eventually(lambda: not orphans(self.site), 60, "a clean store")
        work = self.site.data / "work"  # storyboards and sounds are still being made
        eventually(lambda: not list(_files(work)), 60, "an empty folder")
        assert not list(_files(self.site.data / "uploads"))
        keys = self.site.events("SELECT count(*), count(DISTINCT key) FROM events")
        assert keys[0][0] == keys[0][1]
        stranger = self.site.client()
        shown = [item["id"] for item in stranger.get("/api/feed?n=30").json()["items"]]
        assert sorted(shown) == sorted(self.videos)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return clip(path, seconds=3, size="720x1280", codec="mpeg4")


def test_the_worker_is_killed(source: Path, tmp_path: Path) -> None:
    with Site(tmp_path / "data") as site:
        struck = Struck(site, source)
        site.pause("jhalak", "worker")
        video = struck.new("received")
        struck.videos[video] = ("received", {})
        assert Moment(site, video).state == "received"
        assert site.kill("jhalak", "worker")
        for moment in MOMENTS:
            video = struck.strike(moment, lambda: site.kill("jhalak", "worker"))
            assert list(states(struck.client, video, 90))[-1] == "complete"
        struck.check()


def test_ffmpeg_is_killed(source: Path, tmp_path: Path) -> None:
    with Site(tmp_path / "data") as site:
        struck = Struck(site, source)
        for moment in SEALED:
            video = struck.strike(moment, lambda: site.kill("ffmpeg", "-i"))
            assert list(states(struck.client, video, 90))[-1] == "complete"
        struck.check()


def test_the_runner_is_killed(source: Path, tmp_path: Path) -> None:
    """The next one does not wait for its lease: it takes the next video, and comes back to this."""
    with Site(tmp_path / "data", local_media=False) as site:
        struck = Struck(site, source)
        token = command(site, "add", "box")
        machine = Machine(site, tmp_path / "box", token)

        def kill() -> bool:
            machine.kill()
            return True

        try:
            for moment in MOMENTS:
                struck.strike(moment, kill)
                machine = Machine(site, tmp_path / "box", token)
            struck.check()
            eventually(lambda: not machine.files(), 60, "an empty folder")
        finally:
            machine.stop()
        assert not machine.work.exists()
